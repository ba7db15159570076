/* Data stage: lists of images as tables.
 *
 *   path,label[,split]     a header, which may be missing
 *   cats/1.jpg,cat,train
 *
 *   lines -> the labels of all parts, sorted, without repetitions: the classes
 *         -> the images of the part, in the order of their lines */
#include "data/csv_list.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "data/text_lines.h"

typedef struct csv_list {
    lp_memory memory;
    lp_lines lines;
    char **labels; /* [classes], sorted by `order` */
    int (*order)(const void *a, const void *b);
    size_t classes;
    size_t in_part[3]; /* lines of each part; without parts all count as train */
    size_t columns;    /* of the first line, and so of all; 3: they have parts */
} csv_list;

/* One line. */
typedef struct csv_entry {
    const char *path, *label;
    lp_split split;
} csv_entry;

bool lp_is_csv_list(const char *path) {
    size_t length = strlen(path);
    return length > 4 && strcasecmp(path + length - 4, ".csv") == 0;
}

static bool find_split(const char *text, lp_split *split) {
    static const struct {
        const char *text;
        lp_split split;
    } names[] = {{"train", LP_SPLIT_TRAIN},    {"training", LP_SPLIT_TRAIN},
                 {"test", LP_SPLIT_TEST},      {"testing", LP_SPLIT_TEST},
                 {"val", LP_SPLIT_VAL},        {"valid", LP_SPLIT_VAL},
                 {"validation", LP_SPLIT_VAL}, {"dev", LP_SPLIT_VAL}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcasecmp(names[i].text, text) == 0) {
            *split = names[i].split;
            return true;
        }
    }
    return false;
}

/* The next entry; its path is NULL behind the last one.  The first line may be a header. */
static lp_status next_entry(csv_list *csv, csv_entry *entry, lp_error *err) {
    char *line = lp_lines_next(&csv->lines), *fields[3];
    *entry = (csv_entry){.path = NULL};
    if (line == NULL) {
        return LP_OK;
    }
    bool first = csv->lines.number == 1;
    size_t count = lp_fields(line, ',', fields, 3);
    csv->columns = first ? count : csv->columns;
    if (first && count >= 2 && strcasecmp(fields[1], "label") == 0) {
        return next_entry(csv, entry, err);
    }
    if (count >= 2 && (fields[0][0] == '\0' || fields[1][0] == '\0')) {
        return lp_lines_fail(&csv->lines, err, "expected path,label, found an empty %s",
                             fields[0][0] == '\0' ? "path" : "label");
    }
    if (count < 2 || count > 3) {
        return lp_lines_fail(&csv->lines, err,
                             "expected path,label or path,label,split, found %zu fields%s", count,
                             count > 3 ? " (a field with a comma stands in double quotes)" : "");
    }
    if (count != csv->columns) {
        return lp_lines_fail(&csv->lines, err,
                             "expected %zu fields, as in the first line, found %zu", csv->columns,
                             count);
    }
    if (fields[0][0] == '/') {
        return lp_lines_fail(&csv->lines, err,
                             "expected a path that begins at the list's folder, found '%.200s'",
                             fields[0]);
    }
    *entry = (csv_entry){fields[0], fields[1], LP_SPLIT_TRAIN};
    if (count == 3 && !find_split(fields[2], &entry->split)) {
        return lp_lines_fail(&csv->lines, err, "expected train, val or test, found '%.40s'",
                             fields[2]);
    }
    csv->in_part[entry->split]++;
    return LP_OK;
}

/* ---- classes --------------------------------------------------------------------------------- */

static bool is_whole(const char *text) {
    size_t sign = text[0] == '-';
    size_t digits = strspn(text + sign, "0123456789");
    return digits > 0 && digits < 18 && text[sign + digits] == '\0';
}

static int by_value(const void *a, const void *b) {
    long long x = strtoll(*(char *const *)a, NULL, 10), y = strtoll(*(char *const *)b, NULL, 10);
    return x != y ? (x > y) - (x < y) : lp_text_order(a, b);
}

/* Of all parts; counts the lines of each. */
static lp_status read_labels(csv_list *csv, lp_error *err) {
    size_t room = 1, count = 0;
    bool whole = true;
    csv_entry entry;
    lp_status status;
    for (const char *c = csv->lines.next; c < csv->lines.end; c++) {
        room += *c == '\n';
    }
    csv->labels = lp_memory_take(&csv->memory, room, sizeof *csv->labels);
    LP_TRY(lp_memory_check(&csv->memory, csv->lines.path, err));
    for (;;) {
        LP_TRY(next_entry(csv, &entry, err));
        if (entry.path == NULL || entry.label == NULL) {
            break;
        }
        size_t size = strlen(entry.label) + 1;
        csv->labels[count] = lp_memory_take(&csv->memory, size, 1);
        LP_TRY(lp_memory_check(&csv->memory, csv->lines.path, err));
        memcpy(csv->labels[count++], entry.label, size);
        whole = whole && is_whole(entry.label);
    }
    csv->order = whole ? by_value : lp_text_order;
    if (count > 0) {
        qsort(csv->labels, count, sizeof *csv->labels, csv->order);
    }
    csv->classes = lp_text_unique(csv->labels, count);
done:
    return status;
}

/* The class of a label, which is one of them. */
static int64_t class_of(const csv_list *csv, const char *label) {
    char *const *found = bsearch(&label, csv->labels, csv->classes, sizeof label, csv->order);
    return found - csv->labels;
}

/* ---- images ---------------------------------------------------------------------------------- */

static lp_status add_part(lp_image_list *list, const char *name, const csv_list *known,
                          lp_split part, lp_error *err) {
    csv_list csv = {.classes = 0};
    char full[LP_PATH_ROOM], place[LP_PATH_ROOM];
    csv_entry entry;
    lp_status status;
    LP_TRY(lp_tree_join(full, list->folder, name, err));
    LP_TRY(lp_lines_open(list->tree, full, &csv.lines, err));
    for (;;) {
        LP_TRY(next_entry(&csv, &entry, err));
        if (entry.path == NULL || entry.label == NULL) {
            break;
        }
        if (entry.split == part) {
            LP_TRY(lp_path_print(place, err, "%s:%zu", csv.lines.path, csv.lines.number));
            LP_TRY(lp_image_list_add_listed(list, place, entry.path, class_of(known, entry.label),
                                            err));
        }
    }
done:
    lp_lines_close(&csv.lines);
    return status;
}

static lp_status add_parts(lp_image_list *list, const char *name, const csv_list *csv,
                           const lp_dataset_options *options, lp_split *split, lp_error *err) {
    bool both = options->split == LP_SPLIT_TRAINVAL && csv->in_part[LP_SPLIT_VAL] > 0;
    lp_status status;
    *split = options->split == LP_SPLIT_TRAINVAL && !both ? LP_SPLIT_TRAIN : options->split;
    if (!both && csv->in_part[*split] == 0) {
        return lp_image_list_fail(list, name, LP_ERR_IO, err, "no line is of the part %s",
                                  lp_split_name(*split));
    }
    if (options->test_share > 0) {
        return lp_image_list_fail(list, name, LP_ERR_ARGUMENT, err,
                                  "the list has a split of its own: a test share cannot be chosen");
    }
    LP_TRY(add_part(list, name, csv, both ? LP_SPLIT_TRAIN : *split, err));
    list->validating = both;
    status = both ? add_part(list, name, csv, LP_SPLIT_VAL, err) : LP_OK;
done:
    return status;
}

lp_status lp_csv_list_read(lp_image_list *list, const char *name, const lp_dataset_options *options,
                           lp_split *split, lp_error *err) {
    csv_list csv = {.classes = 0};
    char full[LP_PATH_ROOM];
    lp_status status;
    LP_TRY(lp_tree_join(full, list->folder, name, err));
    LP_TRY(lp_lines_open(list->tree, full, &csv.lines, err));
    LP_TRY(read_labels(&csv, err));
    for (size_t k = 0; k < csv.classes; k++) {
        LP_TRY(lp_image_list_add_class(list, csv.labels[k], err));
    }
    if (csv.columns == 3) {
        LP_TRY(add_parts(list, name, &csv, options, split, err));
    } else {
        *split = options->split == LP_SPLIT_TRAINVAL ? LP_SPLIT_TRAIN : options->split;
        if (*split == LP_SPLIT_VAL) {
            LP_TRY(lp_image_list_fail(list, name, LP_ERR_IO, err,
                                      "no line is of the part val: the list has no third column"));
        }
        LP_TRY(add_part(list, name, &csv, LP_SPLIT_TRAIN, err));
        lp_dataset_options by_seed = *options;
        by_seed.split = *split;
        LP_TRY(list->count > 0 ? lp_image_list_keep_share(list, &by_seed, err) : LP_OK);
    }
    status =
        list->count > 0
            ? lp_image_list_complete(list, *split != LP_SPLIT_TEST && *split != LP_SPLIT_VAL, err)
            : lp_image_list_fail(list, name, LP_ERR_DATA, err, "the list names no image");
done:
    lp_lines_close(&csv.lines);
    lp_memory_free(&csv.memory);
    return status;
}
