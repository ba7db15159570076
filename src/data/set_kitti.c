/* Data stage: KITTI distance, the task that VTAB made of KITTI's object detection: how far the
 * closest car, van or truck is.
 *
 *   training/image_2/000000.png   images
 *   training/label_2/000000.txt   an object a line: TYPE ... x y z ROTATION, in metres
 *   mapping/train_rand.txt        of each image the line of
 *   mapping/train_mapping.txt     DATE VIDEO FRAME (both of devkit_object.zip)
 *
 * The images have one published part.  TensorFlow Datasets splits it by videos, a tenth of them for
 * the test and a tenth for validation, which NumPy's generator of seed 123 chooses; VTAB and the
 * CLIP paper use that split.  Thresholds: google-research/task_adaptation, data/kitti.py; the
 * split: tensorflow/datasets, kitti.py. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "data/data_sets.h"
#include "data/text_lines.h"

/* ---- NumPy's choice -------------------------------------------------------------------------- */

/* MT19937 (Matsumoto and Nishimura, 1998), as numpy.random.seed starts it. */
enum { WORDS = 624, MIDDLE = 397, SEED = 123 };

typedef struct twister {
    uint32_t words[WORDS];
    size_t next;
} twister;

static void twister_seed(twister *t, uint32_t seed) {
    t->words[0] = seed;
    for (uint32_t i = 1; i < WORDS; i++) {
        uint32_t before = t->words[i - 1];
        t->words[i] = 1812433253U * (before ^ before >> 30) + i;
    }
    t->next = WORDS;
}

static uint32_t twister_next(twister *t) {
    for (size_t i = 0; t->next == WORDS && i < WORDS; i++) {
        uint32_t mixed = (t->words[i] & 0x80000000U) | (t->words[(i + 1) % WORDS] & 0x7fffffffU);
        t->words[i] =
            t->words[(i + MIDDLE) % WORDS] ^ mixed >> 1 ^ ((mixed & 1) != 0 ? 0x9908b0dfU : 0);
    }
    t->next = t->next == WORDS ? 0 : t->next;
    uint32_t y = t->words[t->next++];
    y ^= y >> 11;
    y ^= y << 7 & 0x9d2c5680U;
    y ^= y << 15 & 0xefc60000U;
    return y ^ y >> 18;
}

/* numpy.random.permutation(count): Fisher and Yates from the end; a number up to i by rejection of
 * those above it, under the smallest mask. */
static void permute(twister *t, size_t *items, size_t count) {
    for (size_t i = 0; i < count; i++) {
        items[i] = i;
    }
    for (size_t i = count - 1; i > 0; i--) {
        uint32_t mask = (uint32_t)i, j;
        for (unsigned shift = 1; shift < 32; shift *= 2) {
            mask |= mask >> shift;
        }
        do {
            j = twister_next(t) & mask;
        } while (j > i);
        size_t item = items[i];
        items[i] = items[j];
        items[j] = item;
    }
}

/* ---- the split ------------------------------------------------------------------------------- */

enum { IMAGES_MOST = 1 << 20 };

/* The videos of the set, and which part each image belongs to. */
typedef struct kitti_split {
    lp_memory memory;
    size_t lines;
    char **video_of_line; /* [lines]; NULL: an empty line */
    size_t images;
    size_t *line_of; /* [images], from 0 */
    size_t videos;
    char **names;   /* [videos], sorted */
    lp_split *part; /* [videos] */
} kitti_split;

/* Opens a file of the development kit, which may lie in folders of several names. */
static lp_status open_mapping(const lp_image_list *list, const char *file, lp_lines *lines,
                              lp_error *err) {
    static const char *const places[] = {"", "devkit_object", "devkit"};
    char full[LP_PATH_ROOM], below[LP_PATH_ROOM], name[64];
    lp_status status;
    (void)snprintf(name, sizeof name, "mapping/%s", file);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        LP_TRY(lp_tree_join(below, places[i], name, err));
        LP_TRY(lp_tree_join(full, list->folder, below, err));
        if (lp_tree_has_file(list->tree, full)) {
            return lp_lines_open(list->tree, full, lines, err);
        }
    }
    status = lp_image_list_fail(list, "", LP_ERR_IO, err,
                                "expected %s of KITTI's devkit_object.zip, of which the split is "
                                "made",
                                name);
done:
    return status;
}

static lp_status read_videos(const lp_image_list *list, kitti_split *s, lp_error *err) {
    lp_lines lines = {.text = NULL};
    char *line, *fields[2];
    lp_status status;
    LP_TRY(open_mapping(list, "train_mapping.txt", &lines, err));
    s->lines = 1;
    for (const char *c = lines.next; c < lines.end; c++) {
        s->lines += *c == '\n';
    }
    s->video_of_line = lp_memory_take_zeroed(&s->memory, s->lines, sizeof(char *));
    LP_TRY(lp_memory_check(&s->memory, lines.path, err));
    while ((line = lp_lines_next(&lines)) != NULL) {
        if (lp_fields(line, ' ', fields, 2) < 2) {
            LP_TRY(lp_lines_fail(&lines, err, "expected DATE VIDEO FRAME, found '%.80s'", line));
        }
        size_t size = strlen(fields[1]) + 1;
        char *copy = lp_memory_take(&s->memory, size, 1);
        LP_TRY(lp_memory_check(&s->memory, lines.path, err));
        memcpy(copy, fields[1], size);
        s->video_of_line[lines.number - 1] = copy;
    }
done:
    lp_lines_close(&lines);
    return status;
}

/* The numbers with commas between them, from 1. */
static lp_status read_order(const lp_image_list *list, kitti_split *s, lp_error *err) {
    lp_lines lines = {.text = NULL};
    char *line;
    lp_status status;
    LP_TRY(open_mapping(list, "train_rand.txt", &lines, err));
    s->line_of = lp_memory_take(&s->memory, (size_t)(lines.end - lines.text) + 1, sizeof(size_t));
    LP_TRY(lp_memory_check(&s->memory, lines.path, err));
    while ((line = lp_lines_next(&lines)) != NULL) {
        for (char *at = line, *end; *at != '\0'; at = end + (*end == ',')) {
            long number = strtol(at, &end, 10);
            end += strspn(end, " \t");
            bool there = end > at && number >= 1 && (size_t)number <= s->lines &&
                         s->video_of_line[number - 1] != NULL;
            if (!there || (*end != ',' && *end != '\0') || s->images == IMAGES_MOST) {
                LP_TRY(lp_lines_fail(&lines, err,
                                     "expected numbers of lines of train_mapping.txt with commas "
                                     "between them, found '%.20s' as number %zu",
                                     at, s->images + 1));
            }
            s->line_of[s->images++] = (size_t)number - 1;
        }
    }
    if (s->images == 0) {
        LP_TRY(lp_lines_fail(&lines, err, "expected numbers of lines, found none"));
    }
done:
    lp_lines_close(&lines);
    return status;
}

/* The number of a video, which is one of them. */
static size_t video_at(const kitti_split *s, const char *name) {
    char *const *found = bsearch(&name, s->names, s->videos, sizeof name, lp_text_order);
    return (size_t)(found - s->names);
}

/* The videos with images, sorted, without repetitions. */
static lp_status list_videos(kitti_split *s, lp_error *err) {
    lp_status status;
    s->names = lp_memory_take(&s->memory, s->images, sizeof(char *));
    LP_TRY(lp_memory_check(&s->memory, "videos", err));
    for (size_t i = 0; i < s->images; i++) {
        s->names[i] = s->video_of_line[s->line_of[i]];
    }
    if (s->images > 0) {
        qsort(s->names, s->images, sizeof(char *), lp_text_order);
    }
    s->videos = lp_text_unique(s->names, s->images);
done:
    return status;
}

static lp_status split_videos(const lp_image_list *list, kitti_split *s, lp_error *err) {
    twister t;
    lp_status status;
    size_t each = s->videos / 10 > 0 ? s->videos / 10 : 1;
    if (s->videos < 3) {
        return lp_image_list_fail(list, "", LP_ERR_DATA, err,
                                  "expected images of three videos at least, found %zu", s->videos);
    }
    size_t *order = lp_memory_take(&s->memory, s->videos, sizeof *order);
    size_t *rest = lp_memory_take(&s->memory, s->videos, sizeof *rest), left = 0;
    s->part = lp_memory_take_zeroed(&s->memory, s->videos, sizeof *s->part); /* train */
    LP_TRY(lp_memory_check(&s->memory, "videos", err));
    twister_seed(&t, SEED);
    permute(&t, order, s->videos);
    for (size_t i = 0; i < each; i++) {
        s->part[order[i]] = LP_SPLIT_TEST;
    }
    for (size_t v = 0; v < s->videos; v++) {
        if (s->part[v] == LP_SPLIT_TRAIN) {
            rest[left++] = v;
        }
    }
    permute(&t, order, left);
    for (size_t i = 0; i < each; i++) {
        s->part[rest[order[i]]] = LP_SPLIT_VAL;
    }
done:
    return status;
}

/* ---- labels ---------------------------------------------------------------------------------- */

/* The class of an image by the z of its closest vehicle. */
static lp_status read_distance(const lp_image_list *list, const char *name, char place[],
                               int64_t *label, lp_error *err) {
    enum { FIELDS = 15, Z = 13 };
    static const double thresholds[] = {8, 20, 999};
    char full[LP_PATH_ROOM], *line, *fields[FIELDS];
    double closest = 1000, z;
    lp_lines lines = {.text = NULL};
    lp_status status;
    LP_TRY(lp_tree_join(full, list->folder, name, err));
    LP_TRY(lp_lines_open(list->tree, full, &lines, err));
    (void)snprintf(place, LP_PATH_ROOM, "%s", lines.path);
    while ((line = lp_lines_next(&lines)) != NULL) {
        size_t count = lp_fields(line, ' ', fields, FIELDS);
        if (count < FIELDS) {
            LP_TRY(lp_lines_fail(&lines, err, "expected %d fields of an object, found %zu", FIELDS,
                                 count));
        }
        if (strcmp(fields[0], "Car") == 0 || strcmp(fields[0], "Van") == 0 ||
            strcmp(fields[0], "Truck") == 0) {
            if (lp_parse_real("distance", fields[Z], -99.999, 1e4, &z, NULL) != LP_OK) {
                LP_TRY(lp_lines_fail(&lines, err, "expected a distance in metres, found '%.40s'",
                                     fields[Z]));
            }
            closest = z < closest ? z : closest;
        }
    }
    *label = 0;
    for (size_t i = 0; i < sizeof thresholds / sizeof *thresholds; i++) {
        *label += closest > thresholds[i];
    }
done:
    lp_lines_close(&lines);
    return status;
}

lp_status lp_read_kitti_distance(lp_image_list *list, lp_split part,
                                 const lp_dataset_options *options, lp_error *err) {
    static const char *const classes[] = {"up to 8 m", "8 to 20 m", "over 20 m", "no vehicle"};
    char labels[64], image[64], place[LP_PATH_ROOM];
    kitti_split s = {.images = 0};
    int64_t label = 0;
    lp_status status = LP_OK;
    (void)options;
    for (size_t k = 0; list->class_count < sizeof classes / sizeof *classes; k++) {
        LP_TRY(lp_image_list_add_class(list, classes[k], err));
    }
    LP_TRY(read_videos(list, &s, err));
    LP_TRY(read_order(list, &s, err));
    LP_TRY(list_videos(&s, err));
    LP_TRY(split_videos(list, &s, err));
    for (size_t i = 0; i < s.images; i++) {
        if (s.part[video_at(&s, s.video_of_line[s.line_of[i]])] != part) {
            continue;
        }
        (void)snprintf(labels, sizeof labels, "training/label_2/%06zu.txt", i);
        (void)snprintf(image, sizeof image, "training/image_2/%06zu.png", i);
        status = read_distance(list, labels, place, &label, err);
        if (status != LP_OK) {
            LP_TRY(lp_image_list_refuse(list, image, status, err));
            continue;
        }
        LP_TRY(lp_image_list_add_listed(list, place, image, label, err));
    }
done:
    lp_memory_free(&s.memory);
    return status;
}
