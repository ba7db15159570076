/* Stage: fetch.  An id of the Hugging Face hub -> a model's files.
 *
 *   1. list      GET ENDPOINT/api/models/ID/revision/REVISION?blobs=true: the commit, and the
 * names, sizes and digests of its files
 *   2. choose    the file of weights; configs
 *   3. fetch     GET ENDPOINT/ID/resolve/COMMIT/FILE, each to blobs/DIGEST, linked to from
 *                snapshots/COMMIT/FILE: configs, shards, and the file of weights last
 *   4. publish   refs/REVISION
 *
 * Reference: huggingface_hub's hf_api.py (model_info), file_download.py and constants.py. */
#include "fetch/hub.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "ckpt/shards.h"

enum {
    LIST_MOST = 32 << 20, /* bytes of the list of files: about 250 a file */
    NAME_MOST = 255,      /* of a component of a file's name, as file systems have it */
    PATH_MOST = 1024,
    URL_ROOM = 8192,
    GIT_DIGITS = 40,
    SHA256_DIGITS = 64
};

/* What lies beside weights and says how they are used; what a model does not have is not missed. */
static const char *const configs[] = {"config.json", "preprocessor_config.json",
                                      "processor_config.json", "open_clip_config.json"};

typedef struct hub_job {
    const lp_hub_source *source;
    const lp_hub_name *name;
    const char *revision; /* "main" where the name has none */
    json_t *list;         /* the hub's answer */
    lp_hub_model *model;
    char repository[LP_PATH_ROOM]; /* models--ORG--NAME */
    char place[LP_PATH_ROOM];      /* gets the files by their names */
} hub_job;

/* A file as the hub lists it. */
typedef struct listed_file {
    const char *name, *digest;
    bool git; /* digest is git's */
    uint64_t bytes;
    bool kept; /* it was there under its name, and is whole */
} listed_file;

/* ---- URLs ------------------------------------------------------------------------------------ */

/* Appends text to a URL, percent-encoded (RFC 3986).  False where it is too long. */
static bool add_encoded(char url[URL_ROOM], const char *text) {
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    size_t used = strlen(url);
    for (; *text != '\0' && used + 4 < URL_ROOM; text++) {
        if (strchr(plain, *text) != NULL) {
            url[used++] = *text;
            url[used] = '\0';
        } else {
            used += (size_t)snprintf(url + used, URL_ROOM - used, "%%%02X", (unsigned char)*text);
        }
    }
    return *text == '\0';
}

/* "START ID MIDDLE LAST END", the last part encoded. */
static lp_status print_url(const hub_job *j, char url[URL_ROOM], const char *start,
                           const char *middle, const char *last, lp_error *err) {
    int used = snprintf(url, URL_ROOM, "%s%s%s%s", j->source->endpoint, start, j->name->id, middle);
    return used < URL_ROOM && add_encoded(url, last)
               ? LP_OK
               : lp_fail(err, LP_ERR_ARGUMENT, "%.100s: the address is too long", url);
}

/* ---- what the hub refuses -------------------------------------------------------------------- */

/* Says what helps against a refusal; other failures keep their words. */
static lp_status explain(const hub_job *j, const lp_fetch_answer *answer, lp_status status,
                         lp_error *err) {
    const char *id = j->name->id, *hub = j->source->endpoint;
    const bool gated = strcmp(answer->code, "GatedRepo") == 0;
    char token[256];
    if (status != LP_ERR_IO || answer->elsewhere ||
        (answer->status != 401 && answer->status != 403)) {
        return status;
    }
    (void)snprintf(token, sizeof token,
                   j->source->token != NULL
                       ? "check that the token (HF_TOKEN, or what a login stored) is of that "
                         "account and may read it"
                       : "make a token at %.150s/settings/tokens and set HF_TOKEN to it",
                   hub);
    return lp_fail(err, LP_ERR_IO,
                   "%s: refused (HTTP status %ld, %s): %s; accept its terms, if it has any, at "
                   "%s/%s, and %s",
                   id, answer->status, hub,
                   gated                   ? "the model is gated"
                   : answer->status == 403 ? "there is no right to read it"
                                           : "there is no such model, or it is private or gated",
                   hub, id, token);
}

/* The same for the list of files, which tells whether there is such a model. */
static lp_status explain_list(const hub_job *j, const lp_fetch_answer *answer, lp_status status,
                              lp_error *err) {
    if (status == LP_ERR_IO && answer->status == 404) {
        bool revision = strcmp(answer->code, "RevisionNotFound") == 0;
        return lp_fail(err, LP_ERR_IO, "%s: no such %s there%s%s (HTTP status 404, %s)",
                       j->name->id, revision ? "branch, tag or commit" : "model",
                       revision ? ": " : "", revision ? j->revision : "", j->source->endpoint);
    }
    if (status == LP_ERR_IO && answer->status == 0) {
        return lp_prefix(err, status, "%s: the hub cannot be asked: ", j->name->id);
    }
    return explain(j, answer, status, err);
}

/* ---- the list of files ----------------------------------------------------------------------- */

/* A relative name without anything that leads elsewhere or steers a terminal. */
static bool is_plain(const char *name) {
    size_t length = strlen(name), start = 0;
    if (length == 0 || length > PATH_MOST) {
        return false;
    }
    for (size_t i = 0; i <= length; i++) {
        unsigned char c = (unsigned char)name[i];
        if (c == '/' || c == '\0') {
            size_t size = i - start;
            bool dots = size <= 2 && strspn(name + start, ".") >= size;
            if (dots || size > NAME_MOST) { /* empty, too */
                return false;
            }
            start = i + 1;
        } else if (c < 0x20 || c == 0x7f || c == '\\') {
            return false;
        }
    }
    return true;
}

static bool is_hex(const char *text, size_t digits) {
    return text != NULL && strlen(text) == digits && text[strspn(text, "0123456789abcdef")] == '\0';
}

static lp_status check_list(hub_job *j, lp_error *err) {
    const json_t *files = json_object_get(j->list, "siblings");
    const char *commit = lp_json_text(j->list, "sha", "");
    size_t i;
    json_t *file;
    if (!lp_hub_is_commit(commit) || !json_is_array(files)) {
        return lp_fail(err, LP_ERR_FORMAT,
                       "expected an object with a commit \"sha\" and a list \"siblings\"");
    }
    json_array_foreach(files, i, file) {
        const char *name = lp_json_text(file, "rfilename", NULL);
        if (name == NULL || !is_plain(name)) {
            return lp_fail(err, LP_ERR_FORMAT,
                           "siblings: file %zu: expected a relative name, found %s%.100s%s", i + 1,
                           name != NULL ? "\"" : "", name != NULL ? name : "none",
                           name != NULL ? "\"" : "");
        }
    }
    memcpy(j->model->commit, commit, LP_HUB_COMMIT);
    return LP_OK;
}

static lp_status get_list(hub_job *j, lp_error *err) {
    char url[URL_ROOM], *text = NULL;
    size_t size;
    lp_fetch_answer answer = {0};
    lp_status status;
    LP_TRY(print_url(j, url, "/api/models/", "/revision/", j->revision, err));
    size_t used = strlen(url);
    (void)snprintf(url + used, sizeof url - used, "?blobs=true");
    const lp_fetch_request request = {
        .url = url, .token = j->source->token, .answer = &answer, .progress = j->source->progress};
    status = lp_fetch_text(&request, LIST_MOST, &text, &size, err);
    LP_TRY(explain_list(j, &answer, status, err));
    LP_TRY(lp_json_parse(url, text, size, &j->list, err));
    status = lp_prefix(err, check_list(j, err), "%s: ", url);
done:
    lp_free(text);
    return status;
}

static const json_t *find_listed(const hub_job *j, const char *name) {
    size_t i;
    json_t *file;
    json_array_foreach(json_object_get(j->list, "siblings"), i, file) {
        if (strcmp(lp_json_text(file, "rfilename", ""), name) == 0) {
            return file;
        }
    }
    return NULL;
}

static bool is_listed(const hub_job *j, const char *name) {
    return find_listed(j, name) != NULL;
}

static lp_status describe(const hub_job *j, const char *name, listed_file *out, lp_error *err) {
    const json_t *file = find_listed(j, name), *lfs = json_object_get(file, "lfs");
    const char *large = lp_json_text(lfs, "sha256", NULL);
    const json_t *size = json_object_get(json_is_object(lfs) ? lfs : file, "size");
    *out =
        (listed_file){.name = name,
                      .git = !json_is_object(lfs),
                      .digest = json_is_object(lfs) ? large : lp_json_text(file, "blobId", NULL)};
    if (file == NULL) {
        return lp_fail(err, LP_ERR_FORMAT, "%s: has no file %s, which its index of weights names",
                       j->name->id, name);
    }
    if (!is_hex(out->digest, out->git ? GIT_DIGITS : SHA256_DIGITS)) {
        return lp_fail(err, LP_ERR_FORMAT,
                       "%s: %s: the hub gives no digest to verify it by (expected lfs.sha256 or "
                       "blobId)",
                       j->name->id, name);
    }
    if (!json_is_integer(size) || json_integer_value(size) < 0) {
        return lp_fail(err, LP_ERR_FORMAT, "%s: %s: the hub gives no size", j->name->id, name);
    }
    out->bytes = (uint64_t)json_integer_value(size);
    return LP_OK;
}

/* The file that was asked for is not among `names`. */
static lp_status fail_without(const hub_job *j, const char *const *names, size_t count,
                              lp_error *err) {
    char text[1024] = "none";
    size_t used = 0;
    for (size_t i = 0; i < count && used < sizeof text / 2; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%.60s", i > 0 ? ", " : "",
                                 names[i]);
    }
    return lp_fail(err, LP_ERR_ARGUMENT, "%s: it has no file %.100s; its files: %s", j->name->id,
                   j->source->weights, text);
}

/* The file of weights among the list's; *weights belongs to the list. */
static lp_status choose(const hub_job *j, const char **weights, lp_error *err) {
    const json_t *list = json_object_get(j->list, "siblings");
    size_t count = 0, i;
    json_t *file;
    const char **names = lp_alloc(json_array_size(list), sizeof *names);
    lp_status status;
    LP_TRY(lp_allocated(names, "list of files", json_array_size(list), sizeof *names, err));
    json_array_foreach(list, i, file) {
        const char *name = lp_json_text(file, "rfilename", "");
        if (strchr(name, '/') == NULL) {
            names[count++] = name;
        }
    }
    *weights = j->source->weights;
    if (*weights == NULL) {
        status = lp_shards_choose(j->name->id, names, count, weights, err);
        if (status != LP_OK && err != NULL) { /* it says "name one" */
            size_t used = strlen(err->text);
            (void)snprintf(err->text + used, sizeof err->text - used, " with --file");
        }
        LP_TRY(status);
    } else if (strchr(*weights, '/') != NULL || !is_listed(j, *weights)) {
        LP_TRY(fail_without(j, names, count, err));
    }
    if (*weights == NULL) {
        LP_TRY(lp_fail(err, LP_ERR_FORMAT, "%s: no weights that are read: " LP_SHARDS_EXPECTED,
                       j->name->id));
    }
done:
    lp_free(names);
    return status;
}

/* ---- files ----------------------------------------------------------------------------------- */

/* Where a file's bytes are written: in a folder under its own name, in the cache as a blob. */
static lp_status print_target(const hub_job *j, const listed_file *file, char path[LP_PATH_ROOM],
                              lp_error *err) {
    return j->source->folder != NULL
               ? lp_path_in(path, j->place, file->name, err)
               : lp_path_print(path, err, "%s/blobs/%s", j->repository, file->digest);
}

/* Is the file there already under its name in the cache?  Other files of that name, which somebody
 * put there, are left alone; links are not. */
static lp_status find_kept(const hub_job *j, listed_file *file, lp_error *err) {
    char path[LP_PATH_ROOM], found[LP_DIGEST_HEX];
    struct stat info;
    lp_status status;
    LP_TRY(lp_path_in(path, j->place, file->name, err));
    if (!lp_is_file(path)) {
        return LP_OK;
    }
    LP_TRY(lp_digest_file(file->git ? LP_GIT_BLOB : LP_SHA256, path, found, err));
    file->kept = strcmp(found, file->digest) == 0;
    if (!file->kept && lstat(path, &info) == 0 && !S_ISLNK(info.st_mode)) {
        LP_TRY(lp_fail(err, LP_ERR_FORMAT,
                       "%s: is there already, with %s %s, expected %s; move it away to fetch it "
                       "anew",
                       path, file->git ? "git's SHA-1" : "SHA-256", found, file->digest));
    }
done:
    return status;
}

/* Downloads the bytes of a file, unless they are there. */
static lp_status get_bytes(const hub_job *j, listed_file *file, lp_error *err) {
    char url[URL_ROOM], middle[64], path[LP_PATH_ROOM];
    lp_fetch_answer answer = {0};
    lp_status status;
    if (j->source->folder == NULL) {
        LP_TRY(find_kept(j, file, err));
    }
    if (file->kept) {
        return LP_OK;
    }
    (void)snprintf(middle, sizeof middle, "/resolve/%s/", j->model->commit);
    LP_TRY(print_url(j, url, "/", middle, file->name, err));
    LP_TRY(print_target(j, file, path, err));
    /* The hub's own library takes what ends so for an interrupted download, but not for one of its
     * own, which it would go on with. */
    const lp_fetch_request request = {.url = url,
                                      .token = j->source->token,
                                      .path = path,
                                      .ending = ".linprobe.incomplete",
                                      .bytes = file->bytes,
                                      .sha256 = file->git ? NULL : file->digest,
                                      .git_blob = file->git ? file->digest : NULL,
                                      .answer = &answer};
    status = explain(j, &answer, j->source->download(file->name, &request, err), err);
done:
    return status;
}

/* Makes the link from the snapshot to the blob. */
static lp_status link_blob(const listed_file *file, const char *path, lp_error *err) {
    char target[128], found[sizeof target];
    (void)snprintf(target, sizeof target, "../../blobs/%s", file->digest);
    ssize_t length = readlink(path, found, sizeof found);
    if (length == (ssize_t)strlen(target) && memcmp(found, target, (size_t)length) == 0) {
        return LP_OK;
    }
    if ((length >= 0 && unlink(path) != 0) || symlink(target, path) != 0) {
        return lp_fail_errno(err, errno,
                             "%s: a symbolic link cannot be made there, which the hub's cache "
                             "needs (with --out FOLDER, plain files are written)",
                             path);
    }
    return lp_sync_parent(path, err);
}

/* Gives a file whose bytes are there its name, and notes it. */
static lp_status publish(hub_job *j, const listed_file *file, lp_error *err) {
    lp_hub_model *m = j->model;
    char path[LP_PATH_ROOM];
    lp_status status;
    LP_TRY(lp_path_in(path, j->place, file->name, err));
    if (j->source->folder == NULL && !file->kept) {
        LP_TRY(link_blob(file, path, err));
    }
    lp_hub_file *files = lp_grow_by_one(m->files, m->count, &m->room, sizeof *files);
    LP_TRY(lp_allocated(files, "list of files", m->count + 1, sizeof *files, err));
    m->files = files;
    files += m->count++;
    *files = (lp_hub_file){.name = lp_strdup(file->name),
                           .path = lp_strdup(path),
                           .verified = file->git ? "git's SHA-1" : "SHA-256"};
    (void)snprintf(files->digest, sizeof files->digest, "%s", file->digest);
    if (files->name == NULL || files->path == NULL) {
        status = lp_fail_memory(err, "list of files", m->count, LP_PATH_ROOM);
    }
done:
    return status;
}

static lp_status get_file(hub_job *j, const char *name, lp_error *err) {
    listed_file file;
    lp_status status;
    LP_TRY(describe(j, name, &file, err));
    LP_TRY(get_bytes(j, &file, err));
    LP_TRY(publish(j, &file, err));
done:
    return status;
}

/* The shards that an index names, which is at `path`. */
static lp_status get_shards(hub_job *j, const char *path, lp_error *err) {
    lp_map map = {0};
    lp_shards shards = {0};
    lp_status status;
    LP_TRY(lp_map_open(path, &map, err));
    LP_TRY(lp_prefix(err, lp_shards_read(&map, &shards, err), "%s: ", path));
    for (size_t i = 0; i < shards.count; i++) {
        LP_TRY(get_file(j, shards.names[i], err));
    }
done:
    lp_shards_free(&shards);
    lp_map_close(&map);
    return status;
}

static lp_status get_weights(hub_job *j, const char *name, lp_error *err) {
    const char *end = strrchr(name, '.');
    char path[LP_PATH_ROOM];
    listed_file file;
    lp_status status;
    LP_TRY(describe(j, name, &file, err));
    LP_TRY(get_bytes(j, &file, err));
    if (end != NULL && strcmp(end, ".json") == 0) {
        LP_TRY(file.kept ? lp_path_in(path, j->place, name, err)
                         : print_target(j, &file, path, err));
        LP_TRY(get_shards(j, path, err));
    }
    LP_TRY(publish(j, &file, err));
done:
    return status;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static lp_status make_places(hub_job *j, lp_error *err) {
    char blobs[LP_PATH_ROOM];
    lp_status status;
    if (j->source->folder != NULL) {
        LP_TRY(lp_path_print(j->place, err, "%s", j->source->folder));
    } else {
        LP_TRY(lp_hub_folder(j->repository, j->source->cache, j->name->id, err));
        LP_TRY(lp_path_print(j->place, err, "%s/snapshots/%s", j->repository, j->model->commit));
        LP_TRY(lp_path_in(blobs, j->repository, "blobs", err));
        LP_TRY(lp_make_folders(blobs, err));
    }
    LP_TRY(lp_make_folders(j->place, err));
done:
    return status;
}

/* From here on the revision means this commit. */
static lp_status write_ref(const hub_job *j, lp_error *err) {
    char path[LP_PATH_ROOM], folder[LP_PATH_ROOM];
    lp_status status = LP_OK;
    if (j->source->folder == NULL && strcmp(j->revision, j->model->commit) != 0) {
        LP_TRY(lp_path_print(path, err, "%s/refs/%s", j->repository, j->revision));
        LP_TRY(lp_path_beside(folder, path, "", err));
        LP_TRY(lp_make_folders(folder, err));
        LP_TRY(lp_file_write(path, j->model->commit, LP_HUB_COMMIT - 1, err));
    }
done:
    return status;
}

lp_status lp_hub_fetch(const lp_hub_source *source, const lp_hub_name *name, lp_hub_model *model,
                       lp_error *err) {
    hub_job j = {.source = source,
                 .name = name,
                 .revision = name->revision[0] != '\0' ? name->revision : "main",
                 .model = model};
    const char *weights;
    lp_status status;
    *model = (lp_hub_model){.count = 0};
    LP_TRY(get_list(&j, err));
    LP_TRY(choose(&j, &weights, err));
    LP_TRY(make_places(&j, err));
    for (size_t i = 0; i < sizeof configs / sizeof configs[0]; i++) {
        if (is_listed(&j, configs[i])) {
            LP_TRY(get_file(&j, configs[i], err));
        }
    }
    LP_TRY(get_weights(&j, weights, err));
    LP_TRY(write_ref(&j, err));
done:
    json_decref(j.list);
    return status;
}

void lp_hub_model_clear(lp_hub_model *model) {
    for (size_t i = 0; i < model->count; i++) {
        lp_free(model->files[i].name);
        lp_free(model->files[i].path);
    }
    lp_free(model->files);
    *model = (lp_hub_model){.count = 0};
}
