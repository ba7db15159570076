/* linprobe cache: what is in linprobe's own cache, and how to be rid of it.
 *
 *     CACHE/<file of a known model or data set>[.part]      downloads
 *     CACHE/<folder of a known checkpoint of TensorFlow>/   its two files
 *     CACHE/features/<model>-<point>/<data>-<split>-<key>   feature sets, [.partial] unfinished
 * ones
 *     CACHE/data/<set>                                      data sets, [.partial] unfinished ones
 *     CACHE/digests                                         of large files that were read
 *
 * Nothing else is listed or removed: of a set's folder only the files that linprobe writes.  The
 * files of a data set have any names, so that its folder is not removed. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/digest_memory.h"
#include "base/error.h"
#include "base/folder.h"
#include "base/json_row.h"
#include "base/spelling.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/general.h"
#include "cli/places.h"
#include "cli/settings.h"
#include "ckpt/known_models.h"
#include "ckpt/tf_bundle.h"
#include "data/data_sets.h"
#include "data/official_data.h"
#include "report/table.h"

enum { NAMES_MOST = 256 };

typedef struct cache_entry {
    char *name; /* below the cache */
    const char *kind;
    uint64_t bytes;
    bool chosen;
    bool kept; /* never removed: a data set */
} cache_entry;

typedef struct cache_job {
    const char *names[NAMES_MOST];
    size_t name_count;
    const char *cache;
    bool remove;
    cli_output_settings output;
    cache_entry *entries;
    size_t count, room, others;
} cache_job;

#define AT(member) offsetof(cache_job, member)
static const cli_option own[] = {
    {CLI_INPUT, "--cache", "DIR", CLI_TEXT, AT(cache), .help = "the cache folder"},
    {CLI_METHOD, "--remove", NULL, CLI_FLAG, AT(remove),
     .help = "remove what is named, and list it"},
    {.name = NULL}};
static const cli_word words[] = {
    {"NAME", AT(names), .most = NAMES_MOST, .count_offset = AT(name_count)}, {.name = NULL}};
static const cli_group groups[] = {
    {own, 0, NULL}, {cli_format_option, AT(output), NULL}, {.options = NULL}};
#undef AT

static void set_defaults(void *settings) {
    cache_job *j = settings;
    j->cache = places_cache();
}

/* ---- what is there --------------------------------------------------------------------------- */

/* Whether the first `length` bytes of a name are a file's. */
static bool is_file(const char *file, const char *name, size_t length) {
    return strlen(file) == length && memcmp(file, name, length) == 0;
}

/* A file that linprobe downloads, whole or in part. */
static const char *download_kind(const char *name) {
    size_t length = strlen(name) - (lp_text_ends(name, ".part") ? strlen(".part") : 0);
    const lp_known_model *m;
    char values[LP_PATH_ROOM];
    lp_error ignored;
    bool found = false;
    for (size_t i = 0; (m = lp_known_model_at(i)) != NULL; i++) {
        const char *file = lp_known_model_file(m);
        found =
            found || (m->hub == NULL && is_file(file, name, length)) ||
            (lp_bundle_is_index(file) && lp_known_model_values(file, values, &ignored) == LP_OK &&
             is_file(values, name, length));
    }
    for (int s = 0; s < LP_RECORD_SETS; s++) {
        found = found || is_file(lp_record_layouts[s].archive.file, name, length);
    }
    return !found ? NULL : name[length] != '\0' ? "part of a download" : "download";
}

/* The files of a feature set, finished or not. */
static bool is_own_file(const char *name) {
    static const char *const own_files[] = {"features.npy", "labels.npy", "meta.json",
                                            "timing.json",  "journal",    "inputs.json"};
    bool found = false;
    for (size_t i = 0; i < sizeof own_files / sizeof own_files[0]; i++) {
        size_t length = strlen(own_files[i]);
        found =
            found || strcmp(name, own_files[i]) == 0 ||
            (strncmp(name, own_files[i], length) == 0 && strncmp(name + length, ".tmp.", 5) == 0);
    }
    return found;
}

/* Feature sets bear the digest of what they were made from. */
static bool is_set_name(const char *name) {
    size_t length = strlen(name) - (lp_text_ends(name, ".partial") ? strlen(".partial") : 0);
    return length > 17 && name[length - 17] == '-' &&
           strspn(name + length - 16, "0123456789abcdef") >= 16;
}

static uint64_t size_of(const char *path) {
    struct stat info;
    return lstat(path, &info) == 0 && S_ISREG(info.st_mode) ? (uint64_t)info.st_size : 0;
}

static lp_status add(cache_job *j, const char *name, const char *kind, uint64_t bytes,
                     lp_error *err) {
    cache_entry *entries = lp_grow_by_one(j->entries, j->count, &j->room, sizeof *entries);
    char *copy = entries != NULL ? lp_strdup(name) : NULL;
    j->entries = entries != NULL ? entries : j->entries;
    if (copy == NULL) {
        return lp_fail_memory(err, "list of the cache", j->count + 1, sizeof *entries);
    }
    j->entries[j->count++] =
        (cache_entry){copy, kind, bytes, false, strncmp(name, "data/", 5) == 0};
    return LP_OK;
}

/* Adds the sizes of the files that are linprobe's; false where there are none. */
static lp_status measure(const char *path, bool (*is_ours)(const char *name), uint64_t *bytes,
                         bool *found, lp_error *err) {
    char file[LP_PATH_ROOM];
    lp_folder files = {.count = 0};
    lp_status status;
    *bytes = 0;
    *found = false;
    LP_TRY(lp_folder_read(path, &files, err));
    for (size_t f = 0; f < files.count; f++) {
        if (is_ours(files.names[f])) {
            LP_TRY(lp_path_in(file, path, files.names[f], err));
            *bytes += size_of(file);
            *found = true;
        }
    }
done:
    lp_folder_clear(&files);
    return status;
}

/* A folder of feature sets, "features/<model>". */
static lp_status scan_sets(cache_job *j, const char *below, lp_error *err) {
    char path[LP_PATH_ROOM], name[LP_PATH_ROOM];
    lp_folder sets = {.count = 0};
    lp_status status;
    LP_TRY(lp_path_in(path, j->cache, below, err));
    LP_TRY(lp_folder_read(path, &sets, err));
    for (size_t i = 0; i < sets.count; i++) {
        uint64_t bytes = 0;
        bool found = false;
        LP_TRY(lp_path_in(name, below, sets.names[i], err));
        LP_TRY(lp_path_in(path, j->cache, name, err));
        if (is_set_name(sets.names[i]) && lp_is_folder(path)) {
            LP_TRY(measure(path, is_own_file, &bytes, &found, err));
        }
        if (found) {
            bool partial = lp_text_ends(sets.names[i], ".partial");
            LP_TRY(add(j, name, partial ? "unfinished features" : "features", bytes, err));
        } else {
            j->others++;
        }
    }
done:
    lp_folder_clear(&sets);
    return status;
}

static lp_status scan_features(cache_job *j, lp_error *err) {
    char path[LP_PATH_ROOM], below[LP_PATH_ROOM];
    lp_folder models = {.count = 0};
    lp_status status;
    LP_TRY(lp_path_in(path, j->cache, "features", err));
    LP_TRY(lp_folder_read_kind(path, true, &models, err));
    for (size_t i = 0; i < models.count; i++) {
        LP_TRY(lp_path_in(below, "features", models.names[i], err));
        LP_TRY(scan_sets(j, below, err));
    }
done:
    lp_folder_clear(&models);
    return status;
}

static lp_status scan_digests(cache_job *j, const char *path, lp_error *err) {
    uint64_t bytes;
    bool found;
    lp_status status;
    LP_TRY(measure(path, lp_is_digest_memory, &bytes, &found, err));
    if (found) {
        status = add(j, PLACES_DIGESTS, "digests", bytes, err);
    }
done:
    return status;
}

enum { DEPTH_MOST = 32 };

/* The size of all files in a folder and below it. */
static lp_status measure_all(const char *path, int depth, uint64_t *bytes, lp_error *err) {
    char file[LP_PATH_ROOM];
    lp_folder files = {.count = 0};
    lp_status status;
    LP_TRY(lp_folder_read(path, &files, err));
    for (size_t f = 0; f < files.count; f++) {
        LP_TRY(lp_path_in(file, path, files.names[f], err));
        *bytes += size_of(file);
        if (lp_is_folder(file) && depth < DEPTH_MOST) {
            LP_TRY(measure_all(file, depth + 1, bytes, err));
        }
    }
done:
    lp_folder_clear(&files);
    return status;
}

static lp_status scan_data(cache_job *j, const char *path, lp_error *err) {
    char folder[LP_PATH_ROOM], name[LP_PATH_ROOM], set[64];
    lp_folder sets = {.count = 0};
    lp_status status;
    LP_TRY(lp_folder_read(path, &sets, err));
    for (size_t i = 0; i < sets.count; i++) {
        bool partial = lp_text_ends(sets.names[i], ".partial");
        size_t length = strlen(sets.names[i]) - (partial ? strlen(".partial") : 0);
        uint64_t bytes = 0;
        (void)snprintf(set, sizeof set, "%.*s", (int)(length < 64 ? length : 63), sets.names[i]);
        LP_TRY(lp_path_in(name, "data", sets.names[i], err));
        LP_TRY(lp_path_in(folder, path, sets.names[i], err));
        if (lp_data_set_named(set) != NULL && lp_is_folder(folder)) {
            LP_TRY(measure_all(folder, 0, &bytes, err));
            LP_TRY(add(j, name, partial ? "unfinished data set" : "data set", bytes, err));
        } else {
            j->others++;
        }
    }
done:
    lp_folder_clear(&sets);
    return status;
}

/* Whether a folder, and no link to one, is a checkpoint's of TensorFlow. */
static bool is_checkpoint_folder(const char *path, const char *name) {
    const lp_known_model *m;
    size_t length = strlen(name);
    struct stat info;
    bool known = false;
    for (size_t i = 0; (m = lp_known_model_at(i)) != NULL; i++) {
        const char *file = lp_known_model_file(m);
        known = known || (strncmp(file, name, length) == 0 && file[length] == '/');
    }
    return known && lstat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static lp_status scan_checkpoint(cache_job *j, const char *below, lp_error *err) {
    char path[LP_PATH_ROOM], name[LP_PATH_ROOM];
    lp_folder files = {.count = 0};
    bool found = false;
    lp_status status;
    LP_TRY(lp_path_in(path, j->cache, below, err));
    LP_TRY(lp_folder_read(path, &files, err));
    for (size_t f = 0; f < files.count; f++) {
        LP_TRY(lp_path_in(name, below, files.names[f], err));
        LP_TRY(lp_path_in(path, j->cache, name, err));
        const char *kind = download_kind(name);
        if (kind != NULL && lp_is_file(path)) {
            LP_TRY(add(j, name, kind, size_of(path), err));
            found = true;
        }
    }
    j->others += found ? 0 : 1;
done:
    lp_folder_clear(&files);
    return status;
}

static lp_status scan(cache_job *j, lp_error *err) {
    char path[LP_PATH_ROOM];
    lp_folder names = {.count = 0};
    lp_status status = LP_OK;
    if (!lp_is_folder(j->cache)) {
        return LP_OK;
    }
    LP_TRY(lp_folder_read(j->cache, &names, err));
    for (size_t i = 0; i < names.count; i++) {
        const char *name = names.names[i], *kind = download_kind(name);
        LP_TRY(lp_path_in(path, j->cache, name, err));
        if (strcmp(name, "features") == 0 && lp_is_folder(path)) {
            LP_TRY(scan_features(j, err));
        } else if (strcmp(name, "data") == 0 && lp_is_folder(path)) {
            LP_TRY(scan_data(j, path, err));
        } else if (strcmp(name, PLACES_DIGESTS) == 0 && lp_is_folder(path)) {
            LP_TRY(scan_digests(j, path, err));
        } else if (kind != NULL && lp_is_file(path)) {
            LP_TRY(add(j, name, kind, size_of(path), err));
        } else if (is_checkpoint_folder(path, name)) {
            LP_TRY(scan_checkpoint(j, name, err));
        } else {
            j->others++;
        }
    }
done:
    lp_folder_clear(&names);
    return status;
}

/* ---- choosing and removing ------------------------------------------------------------------- */

/* Whether an entry is what was named, or lies in the folder that was. */
static bool is_named(const char *entry, const char *name) {
    size_t length = strlen(name);
    while (length > 0 && name[length - 1] == '/') {
        length--;
    }
    return length > 0 && strncmp(entry, name, length) == 0 &&
           (entry[length] == '\0' || entry[length] == '/');
}

/* Without names everything is chosen. */
static lp_status choose(cache_job *j, lp_error *err) {
    for (size_t i = 0; i < j->count; i++) {
        j->entries[i].chosen = j->name_count == 0;
    }
    for (size_t n = 0; n < j->name_count; n++) {
        char meant[LP_SPELLING_TEXT];
        lp_spelling near = lp_spelling_of(j->names[n]);
        bool found = false;
        for (size_t i = 0; i < j->count; i++) {
            if (is_named(j->entries[i].name, j->names[n])) {
                j->entries[i].chosen = found = true;
            }
            lp_spelling_try(&near, j->entries[i].name);
        }
        if (!found) {
            return lp_fail(err, LP_ERR_ARGUMENT,
                           "%s: nothing of linprobe's in the cache %s has this name; `linprobe "
                           "cache` lists what is there%s",
                           j->names[n], j->cache, lp_spelling_text(&near, meant));
        }
    }
    return LP_OK;
}

static lp_status remove_file(const char *path, lp_error *err) {
    return unlink(path) == 0 ? LP_OK : lp_fail_errno(err, errno, "%s: cannot be removed", path);
}

/* A set, or the digests. */
static lp_status remove_folder(const char *path, lp_error *err) {
    char file[LP_PATH_ROOM];
    lp_folder files = {.count = 0};
    lp_status status;
    LP_TRY(lp_folder_read(path, &files, err));
    for (size_t f = 0; f < files.count; f++) {
        if (is_own_file(files.names[f]) || lp_is_digest_memory(files.names[f])) {
            LP_TRY(lp_path_in(file, path, files.names[f], err));
            LP_TRY(remove_file(file, err));
        }
    }
    if (rmdir(path) != 0) {
        LP_TRY(lp_fail_errno(err, errno,
                             "%s: linprobe's files are removed, but not the folder, which has "
                             "other files",
                             path));
    }
done:
    lp_folder_clear(&files);
    return status;
}

/* What cannot be removed stays, the rest goes; the first failure is returned. */
static lp_status remove_chosen(const cache_job *j, lp_error *err) {
    lp_status status = LP_OK;
    for (size_t i = 0; i < j->count; i++) {
        char path[LP_PATH_ROOM], folder[LP_PATH_ROOM];
        lp_error wrong = {LP_OK};
        lp_status each = LP_OK;
        if (j->entries[i].chosen) {
            each = lp_path_in(path, j->cache, j->entries[i].name, &wrong);
            if (j->entries[i].kept) {
                each = lp_fail(&wrong, LP_ERR_UNSUPPORTED,
                               "%s: a data set may hold files that linprobe did not write: remove "
                               "its folder yourself",
                               path);
            }
            each = each != LP_OK        ? each
                   : lp_is_folder(path) ? remove_folder(path, &wrong)
                                        : remove_file(path, &wrong);
        }
        if (each == LP_OK && j->entries[i].chosen && strchr(j->entries[i].name, '/') != NULL &&
            lp_path_beside(folder, path, "", &wrong) == LP_OK) {
            (void)rmdir(folder); /* the model's, where this was its last set or file */
        }
        if (each != LP_OK && status == LP_OK) {
            status = each;
            *err = wrong;
        }
    }
    return status;
}

/* ---- the command ----------------------------------------------------------------------------- */

static void print(const cache_job *j) {
    static const lp_column columns[] = {
        {"name", "name", NULL}, {"kind", "kind", NULL}, {"megabytes", "MB", "%.1f"}};
    static const lp_column csv[] = {
        {"name", NULL, NULL}, {"kind", NULL, NULL}, {"bytes", NULL, NULL}, {"path", NULL, NULL}};
    json_t *rows = json_array();
    double total = 0;
    for (size_t i = 0; i < j->count; i++) {
        const cache_entry *e = &j->entries[i];
        char path[LP_PATH_ROOM] = "";
        lp_error ignored;
        if (e->chosen && lp_path_in(path, j->cache, e->name, &ignored) == LP_OK) {
            lp_row row = lp_row_new();
            lp_row_text(&row, "name", e->name);
            lp_row_text(&row, "kind", e->kind);
            lp_row_count(&row, "bytes", e->bytes);
            lp_row_real(&row, "megabytes", (double)e->bytes * 1e-6);
            lp_row_text(&row, "path", path);
            lp_rows_append(&rows, lp_row_end(&row));
            total += (double)e->bytes * 1e-6;
        }
    }
    bool text = j->output.format == LP_FORMAT_TEXT;
    lp_table_print(stdout, j->output.format, text ? columns : csv,
                   text ? sizeof columns / sizeof columns[0] : sizeof csv / sizeof csv[0], rows);
    general_note("%s: %.1f MB%s", j->cache, total, j->remove ? " removed" : "");
    if (j->others > 0 && j->name_count == 0) {
        general_note("%zu other files and folders there are not linprobe's", j->others);
    }
}

static lp_status check(void *settings, lp_error *err) {
    const cache_job *j = settings;
    return !j->remove || j->name_count > 0
               ? LP_OK
               : lp_fail(err, LP_ERR_ARGUMENT, "--remove needs the names of what is removed");
}

static lp_status show_cache(void *job, lp_error *err) {
    cache_job *j = job;
    lp_status status;
    LP_TRY(scan(j, err));
    LP_TRY(choose(j, err));
    if (j->remove) {
        LP_TRY(remove_chosen(j, err));
    }
    print(j);
done:
    for (size_t i = 0; i < j->count; i++) {
        lp_free(j->entries[i].name);
    }
    lp_free(j->entries);
    return status;
}

const cli_command cli_cache = {
    .name = "cache",
    .summary = "lists linprobe's downloads and features, and removes what is named",
    .size = sizeof(cache_job),
    .defaults = set_defaults,
    .words = words,
    .groups = groups,
    .check = check,
    .work = show_cache,
    .usage = "[NAME...] [--remove] [options]",
    .details =
        "The cache is $LINPROBE_CACHE, else $XDG_CACHE_HOME/linprobe, else ~/.cache/linprobe "
        "(~/Library/Caches/linprobe on macOS). A NAME is one that is listed, or the folder of "
        "several: features/clip-vit-b-32-projected. Files that linprobe did not write are never "
        "removed; nor are data sets.",
};
