/* The cache of the Hugging Face hub: from a revision to a file of weights.
 *
 *   revision -> commit      refs/REVISION, else the snapshots' names
 *   commit -> snapshot -> file of weights
 *
 * Reference: huggingface_hub's file_download.py (try_to_load_from_cache, repo_folder_name) and
 * utils/_validators.py (ids); timm and open_clip for "hf-hub:". */
#include "ckpt/hub_cache.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/folder.h"
#include "ckpt/shards.h"

enum {
    PART_MOST = 96,   /* characters of an organisation's or a model's name */
    REF_MOST = 1024,  /* bytes of a file under refs */
    DIGITS_LEAST = 4, /* of an abbreviated commit */
    NAMED_MOST = 8,   /* names in a message */
    LIST_ROOM = 1024
};

/* ---- names ----------------------------------------------------------------------------------- */

static const char *const marks[] = {"hf-hub:", "hf_hub:"};
static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

/* One part of an id: letters, digits, "_", and within it "-" and ".", none of these two twice. */
static bool is_part(const char *text, size_t length) {
    if (length == 0 || length > PART_MOST || strchr(letters, text[0]) == NULL ||
        strchr(letters, text[length - 1]) == NULL) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        bool twice = i > 0 && text[i] == text[i - 1] && (text[i] == '-' || text[i] == '.');
        if (twice || (strchr(letters, text[i]) == NULL && text[i] != '-' && text[i] != '.')) {
            return false;
        }
    }
    return true;
}

static bool is_id(const char *text, size_t length, bool marked) {
    const char *slash = memchr(text, '/', length);
    size_t first = slash != NULL ? (size_t)(slash - text) : 0;
    bool git = length >= 4 && memcmp(text + length - 4, ".git", 4) == 0;
    return !git && (slash != NULL ? is_part(text, first) && is_part(slash + 1, length - first - 1)
                                  : marked && is_part(text, length));
}

/* Names that git allows, but for characters that nobody uses.  They become paths below refs/. */
static bool is_revision(const char *text) {
    size_t length = strlen(text);
    if (length == 0 || length >= LP_HUB_REVISION || text[length - 1] == '/') {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        bool first = i == 0 || text[i - 1] == '/'; /* of a component */
        if ((strchr(letters, text[i]) == NULL && strchr("-./+#=", text[i]) == NULL) ||
            (first && strchr("./-", text[i]) != NULL) || (text[i] == '.' && text[i + 1] == '.')) {
            return false;
        }
    }
    return true;
}

bool lp_hub_parse(const char *word, lp_hub_name *name) {
    *name = (lp_hub_name){0};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0] && !name->marked; i++) {
        size_t length = strlen(marks[i]);
        name->marked = strncmp(word, marks[i], length) == 0;
        word += name->marked ? length : 0;
    }
    size_t length = strcspn(word, "@");
    if (!is_id(word, length, name->marked) ||
        (word[length] == '@' && !is_revision(word + length + 1))) {
        return false;
    }
    (void)snprintf(name->id, sizeof name->id, "%.*s", (int)length, word);
    (void)snprintf(name->revision, sizeof name->revision, "%s",
                   word[length] == '@' ? word + length + 1 : "");
    return true;
}

static bool is_digits(const char *text) {
    return text[strspn(text, "0123456789abcdef")] == '\0';
}

bool lp_hub_is_commit(const char *text) {
    return strlen(text) == LP_HUB_COMMIT - 1 && is_digits(text);
}

lp_status lp_hub_folder(char path[LP_PATH_ROOM], const char *cache, const char *id, lp_error *err) {
    const char *slash = strchr(id, '/');
    int first = slash != NULL ? (int)(slash - id) : 0;
    size_t length = strlen(cache);
    return lp_path_print(path, err, "%s%smodels--%.*s%s%s", cache,
                         length > 0 && cache[length - 1] == '/' ? "" : "/", first, id,
                         slash != NULL ? "--" : "", slash != NULL ? slash + 1 : id);
}

static bool has_folder(const char *path, const char *name) {
    char inner[LP_PATH_ROOM];
    return lp_path_in(inner, path, name, NULL) == LP_OK && lp_is_folder(inner);
}

bool lp_hub_is_folder(const char *path) {
    return has_folder(path, "snapshots") && (has_folder(path, "refs") || has_folder(path, "blobs"));
}

/* ---- what a message says of the cache -------------------------------------------------------- */

/* Names of a folder in a row, "a, b, c and 4 more", or `none`. */
static void list_names(char list[LIST_ROOM], const lp_folder *folder, const char *none) {
    size_t used = 0, shown = folder->count > NAMED_MOST ? NAMED_MOST : folder->count;
    (void)snprintf(list, LIST_ROOM, "%s", none);
    for (size_t i = 0; i < shown && used < LIST_ROOM / 2; i++) {
        used += (size_t)snprintf(list + used, LIST_ROOM - used, "%s%.60s", i > 0 ? ", " : "",
                                 folder->names[i]);
    }
    if (folder->count > shown) {
        (void)snprintf(list + used, LIST_ROOM - used, " and %zu more", folder->count - shown);
    }
}

/* Downloads that were interrupted, as the end of a message; "" where there are none. */
static void list_incomplete(const char *folder, char text[LIST_ROOM]) {
    char blobs[LP_PATH_ROOM], path[LP_PATH_ROOM];
    lp_folder files;
    struct stat info;
    size_t count = 0;
    unsigned long long bytes = 0;
    text[0] = '\0';
    if (lp_path_in(blobs, folder, "blobs", NULL) != LP_OK ||
        lp_folder_read_kind(blobs, false, &files, NULL) != LP_OK) {
        return;
    }
    for (size_t i = 0; i < files.count; i++) {
        const char *end = strrchr(files.names[i], '.');
        if (end != NULL && strcmp(end, ".incomplete") == 0 &&
            lp_path_in(path, blobs, files.names[i], NULL) == LP_OK && stat(path, &info) == 0) {
            count++;
            bytes += (unsigned long long)info.st_size;
        }
    }
    if (count > 0) {
        (void)snprintf(text, LIST_ROOM, "; blobs/ has %zu interrupted download%s (%llu bytes)",
                       count, count == 1 ? "" : "s", bytes);
    }
    lp_folder_clear(&files);
}

/* ---- revisions ------------------------------------------------------------------------------- */

/* commit is "" where there is no such file under refs. */
static lp_status read_ref(const char *folder, const char *revision, char commit[LP_HUB_COMMIT],
                          lp_error *err) {
    char path[LP_PATH_ROOM], *text = NULL;
    size_t size;
    lp_status status;
    commit[0] = '\0';
    LP_TRY(lp_path_print(path, err, "%s/refs/%s", folder, revision));
    if (!lp_is_file(path)) {
        return LP_OK;
    }
    LP_TRY(lp_file_read(path, REF_MOST, &text, &size, err));
    text[strcspn(text, "\r\n")] = '\0';
    if (!lp_hub_is_commit(text)) {
        LP_TRY(lp_fail(err, LP_ERR_FORMAT,
                       "%s: expected a commit of 40 hexadecimal digits, found \"%.50s\"", path,
                       text));
    }
    memcpy(commit, text, LP_HUB_COMMIT);
done:
    lp_free(text);
    return status;
}

static lp_status fail_unknown(const char *folder, const char *revision, const lp_folder *snapshots,
                              lp_error *err) {
    char path[LP_PATH_ROOM], known[LIST_ROOM], commits[LIST_ROOM];
    lp_folder refs = {0};
    if (lp_path_in(path, folder, "refs", NULL) == LP_OK && lp_is_folder(path)) {
        (void)!lp_folder_read(path, &refs, NULL);
    }
    list_names(known, &refs, "none");
    list_names(commits, snapshots, "none");
    lp_folder_clear(&refs);
    return lp_fail(err, LP_ERR_ARGUMENT,
                   "%s: revision %s is not there; branches and tags there: %s; snapshots: %s",
                   folder, revision, known, commits);
}

/* The snapshot of a revision: one of snapshots->names. */
static lp_status find_snapshot(const char *folder, const char *revision, const lp_folder *snapshots,
                               const char **snapshot, lp_error *err) {
    char commit[LP_HUB_COMMIT], list[LIST_ROOM];
    const char *wanted = revision[0] != '\0' ? revision : "main";
    size_t found = 0, length;
    lp_status status;
    list_names(list, snapshots, "none");
    LP_TRY(read_ref(folder, wanted, commit, err));
    bool named = commit[0] != '\0';
    bool digits = strlen(revision) >= DIGITS_LEAST && is_digits(revision);
    const char *start = named ? commit : revision; /* which is "" where the only one is meant */
    if (!named && !digits && revision[0] != '\0') {
        return fail_unknown(folder, revision, snapshots, err);
    }
    length = strlen(start);
    for (size_t i = 0; i < snapshots->count; i++) {
        if (strncmp(snapshots->names[i], start, length) == 0 &&
            lp_hub_is_commit(snapshots->names[i])) {
            *snapshot = snapshots->names[i];
            found++;
        }
    }
    if (found == 0 && named) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: refs/%s is commit %s, which has no snapshot there; snapshots: %s",
                       folder, wanted, commit, list);
    }
    if (found == 0 && revision[0] != '\0') {
        return fail_unknown(folder, revision, snapshots, err);
    }
    if (found == 0) {
        char incomplete[LIST_ROOM];
        list_incomplete(folder, incomplete);
        return lp_fail(err, LP_ERR_ARGUMENT, "%s: no snapshot is there%s", folder, incomplete);
    }
    if (found > 1) {
        return lp_fail(
            err, LP_ERR_FORMAT, "%s: %zu snapshots%s%s, and %s; name one as ORG/NAME@COMMIT: %s",
            folder, found, revision[0] != '\0' ? " begin with " : "", revision,
            revision[0] != '\0' ? "one is needed" : "no refs/main that says which", list);
    }
done:
    return status;
}

/* ---- weights --------------------------------------------------------------------------------- */

/* Another snapshot that has weights, as the end of a message; "" where there is none. */
static void name_better(const char *folder, const char *snapshot, const lp_folder *snapshots,
                        char text[LIST_ROOM]) {
    char path[LP_PATH_ROOM];
    text[0] = '\0';
    for (size_t i = 0; i < snapshots->count && text[0] == '\0'; i++) {
        char *picked = NULL;
        if (strcmp(snapshots->names[i], snapshot) != 0 &&
            lp_path_print(path, NULL, "%s/snapshots/%s", folder, snapshots->names[i]) == LP_OK &&
            lp_shards_pick(path, &picked, NULL) == LP_OK) {
            (void)snprintf(text, LIST_ROOM, "; snapshot %.60s has %.100s: ORG/NAME@%.60s names it",
                           snapshots->names[i], lp_path_name(picked), snapshots->names[i]);
        }
        lp_free(picked);
    }
}

static lp_status fail_without(const char *folder, const char *snapshot, const lp_folder *snapshots,
                              const lp_folder *files, lp_error *err) {
    char list[LIST_ROOM], incomplete[LIST_ROOM], better[LIST_ROOM];
    list_names(list, files, "none");
    list_incomplete(folder, incomplete);
    name_better(folder, snapshot, snapshots, better);
    return lp_fail(err, LP_ERR_ARGUMENT, "%s/snapshots/%s: no weights are there; its files: %s%s%s",
                   folder, snapshot, list, incomplete, better);
}

/* A link whose blob is gone, or that leads in a circle. */
static lp_status check_link(const char *path, lp_error *err) {
    struct stat info;
    int reason = stat(path, &info) == 0 ? 0 : errno;
    return reason == 0 ? LP_OK
                       : lp_fail(err, LP_ERR_ARGUMENT, "%s: %s", path,
                                 reason == ENOENT ? "not there, or a link to what is not there"
                                                  : strerror(reason));
}

/* The file of weights can be opened, and so can all those that it names if it is an index. */
static lp_status check_files(const char *path, lp_error *err) {
    char shard[LP_PATH_ROOM];
    const char *end = strrchr(path, '.');
    lp_map map = {0};
    lp_shards shards = {0};
    lp_status status;
    LP_TRY(check_link(path, err));
    if (strcmp(end != NULL ? end : "", ".json") == 0) {
        LP_TRY(lp_map_open(path, &map, err));
        LP_TRY(lp_prefix(err, lp_shards_read(&map, &shards, err), "%s: ", path));
    }
    for (size_t i = 0; i < shards.count; i++) {
        LP_TRY(lp_path_beside(shard, path, shards.names[i], err));
        LP_TRY(check_link(shard, err));
    }
done:
    lp_shards_free(&shards);
    lp_map_close(&map);
    return status;
}

lp_status lp_hub_pick(const char *folder, const char *revision, char **path, lp_error *err) {
    char place[LP_PATH_ROOM], file[LP_PATH_ROOM];
    const char *snapshot = NULL, *name;
    lp_folder snapshots = {0}, files = {0};
    lp_status status;
    *path = NULL;
    LP_TRY(lp_path_in(place, folder, "snapshots", err));
    LP_TRY(lp_folder_read_kind(place, true, &snapshots, err));
    LP_TRY(find_snapshot(folder, revision, &snapshots, &snapshot, err));
    LP_TRY(lp_path_print(place, err, "%s/snapshots/%s", folder, snapshot));
    LP_TRY(lp_folder_read_kind(place, false, &files, err));
    LP_TRY(lp_shards_choose(place, (const char *const *)files.names, files.count, &name, err));
    if (name == NULL) {
        LP_TRY(fail_without(folder, snapshot, &snapshots, &files, err));
    }
    LP_TRY(lp_path_in(file, place, name, err));
    LP_TRY(check_files(file, err));
    *path = lp_strdup(file);
    LP_TRY(lp_allocated(*path, folder, strlen(file), 1, err));
done:
    lp_folder_clear(&snapshots);
    lp_folder_clear(&files);
    return status;
}
