/* linprobe fetch NAME: downloads a known model's weights, a data set's archive, or a model of the
 * Hugging Face hub.
 *
 *   1. NAME -> address and checksum          ckpt/known_*.c, data/official_data.c
 *   2. where it goes: --out, else the cache folder; what is there already is verified and kept
 *   3. download, verified by its SHA-256 (or by as many digits as are published of it)
 *
 * An id of the hub: fetch/hub.c does all of this, from cli/places.c on. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/digest.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json_row.h"
#include "base/spelling.h"
#include "ckpt/known_models.h"
#include "ckpt/tf_bundle.h"
#include "cli/data_input.h"
#include "cli/fetch_set.h"
#include "cli/interrupt.h"
#include "cli/model_path.h"
#include "cli/commands.h"
#include "cli/places.h"
#include "cli/settings.h"
#include "data/official_data.h"
#include "fetch/hub.h"
#include "linprobe/checkpoint.h"
#include "report/table.h"

typedef struct item {
    const char *title, *file, *url, *sha256; /* sha256: NULL where none is published */
    uint64_t bytes;
    const lp_known_model *model; /* NULL: a data set */
} item;

typedef struct fetch_job {
    const char *name, *out, *cache, *url, *sha256, *file;
    bool unverified;
    cli_output_settings output;
    bool known, on_hub;     /* what the name is */
    const lp_data_set *set; /* of files to be unpacked; else NULL */
    item item;
    lp_hub_name hub;
    char path[LP_PATH_ROOM];
    char found[LP_DIGEST_HEX];
} fetch_job;

#define AT(member) offsetof(fetch_job, member)
static const cli_option own[] = {
    {CLI_INPUT, "--url", "URL", CLI_TEXT, AT(url),
     .help = "another source of the file; of a data set of several files, what their names come "
             "after"},
    {CLI_INPUT, "--sha256", "HEX", CLI_TEXT, AT(sha256),
     .help = "checksum of a file that has no published one, or of --url"},
    {CLI_INPUT, "--unverified", NULL, CLI_FLAG, AT(unverified),
     .help =
         "take a file without a published checksum as it comes; prints the checksum that it has"},
    {CLI_INPUT, "--file", "NAME", CLI_TEXT, AT(file),
     .help = "of a model of the hub: this file of weights (default: as a folder of weights is "
             "read)"},
    {CLI_OUTPUT, "--out", "PATH", CLI_TEXT, AT(out), .letter = 'o',
     .help = "file or folder that it is written to; of the hub, a folder (default: the cache)"},
    {CLI_OUTPUT, "--cache", "DIR", CLI_TEXT, AT(cache),
     .help = "the cache folder (default: linprobe's own; of the hub, the hub's)"},
    {.name = NULL}};
#undef AT

static bool find_item(const char *name, item *out) {
    const lp_known_model *m = lp_known_model_named(name);
    const lp_data_set *set = lp_data_set_named(name);
    for (int s = 0; s < LP_RECORD_SETS; s++) {
        const lp_official_archive *a = &lp_record_layouts[s].archive;
        if ((set != NULL && set->records == &lp_record_layouts[s]) || strcmp(name, a->file) == 0) {
            *out = (item){lp_record_layouts[s].name, a->file, a->url, a->sha256, a->bytes, NULL};
            return true;
        }
    }
    if (m != NULL) {
        *out = (item){m->title, lp_known_model_file(m), m->url, m->sha256, m->bytes, m};
    }
    return m != NULL;
}

/* The checksum that counts: the published one, or the user's, which must not contradict it. */
static lp_status settle_checksum(fetch_job *j, lp_error *err) {
    const char *known = j->url == NULL ? j->item.sha256 : NULL;
    size_t length = j->sha256 != NULL ? strlen(j->sha256) : 0;
    size_t known_length = known != NULL ? strlen(known) : 0;
    if (j->sha256 != NULL &&
        (length < 8 || length > 64 || strspn(j->sha256, "0123456789abcdefABCDEF") != length)) {
        return lp_fail(err, LP_ERR_ARGUMENT, "--sha256: expected 8 to 64 hexadecimal digits");
    }
    if (j->sha256 != NULL && j->unverified) {
        return lp_fail(err, LP_ERR_ARGUMENT, "--sha256 and --unverified exclude each other");
    }
    if (j->sha256 != NULL && known != NULL &&
        strncasecmp(j->sha256, known, length < known_length ? length : known_length) != 0) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "--sha256 is not the published one of %s, %s; another file has --url, too",
                       j->item.title, known);
    }
    if (length < known_length || j->sha256 == NULL) {
        j->sha256 = j->item.sha256; /* the longer of the two; and what can be verified is */
    }
    if (j->sha256 == NULL && !j->unverified) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s has no published checksum: give one with --sha256 HEX, or take the file "
                       "as it comes with --unverified",
                       j->item.title);
    }
    return LP_OK;
}

/* --out FILE, --out FOLDER, or the cache. */
static lp_status settle_path(fetch_job *j, lp_error *err) {
    size_t length = j->out != NULL ? strlen(j->out) : 0;
    bool folder = length > 0 && (j->out[length - 1] == '/' || lp_is_folder(j->out));
    const char *cache = j->cache != NULL ? j->cache : places_cache();
    char parent[LP_PATH_ROOM];
    lp_status status;
    LP_TRY(j->out != NULL && !folder
               ? lp_path_print(j->path, err, "%s", j->out)
               : lp_path_in(j->path, folder ? j->out : cache, j->item.file, err));
    LP_TRY(lp_path_beside(parent, j->path, "", err));
    if (parent[0] != '\0') {
        LP_TRY(lp_make_folders(parent, err));
    }
done:
    return status;
}

/* Whether it is the index of a checkpoint of TensorFlow, with values beside it. */
static bool is_checkpoint(const fetch_job *j) {
    return lp_bundle_is_index(j->item.file);
}

/* A file that another program fetched is as good, if it is the right one. */
static lp_status find_elsewhere(fetch_job *j, bool *found, lp_error *err) {
    char path[LP_PATH_ROOM];
    lp_status status;
    if (j->out != NULL || j->url != NULL || j->item.model == NULL || j->sha256 == NULL ||
        is_checkpoint(j) || lp_is_file(j->path)) {
        return LP_OK;
    }
    LP_TRY(model_path_elsewhere(j->item.model, path, err));
    if (path[0] != '\0') {
        LP_TRY(lp_digest_file(LP_SHA256, path, j->found, err));
        *found = strncasecmp(j->found, j->sha256, strlen(j->sha256)) == 0;
    }
    if (*found) {
        memcpy(j->path, path, sizeof path);
    }
done:
    return status;
}

static void print_result(const fetch_job *j) {
    static const lp_column columns[] = {{"name", "name", NULL},
                                        {"path", "file", NULL},
                                        {"verified", "verified by", NULL},
                                        {"sha256", "SHA-256", NULL}};
    char verified[32] = "nothing";
    if (j->sha256 != NULL) {
        (void)snprintf(verified, sizeof verified, strlen(j->sha256) < 64 ? "%zu digits" : "SHA-256",
                       strlen(j->sha256));
    }
    json_t *rows = json_pack("[{s:s, s:o, s:s, s:s}]", "name",
                             j->item.model != NULL ? j->item.model->name : j->item.title, "path",
                             lp_json_any_text(j->path), "verified", verified, "sha256", j->found);
    lp_table_print(stdout, j->output.format, columns, sizeof columns / sizeof columns[0], rows);
}

/* The values of a checkpoint of TensorFlow, whose index comes after them. */
static lp_status fetch_values(const fetch_job *j, const char *url, lp_error *err) {
    char from[LP_PATH_ROOM], path[LP_PATH_ROOM];
    lp_status status;
    LP_TRY(lp_known_model_values(url, from, err));
    LP_TRY(lp_known_model_values(j->path, path, err));
    const lp_fetch_request request = {.url = from, .path = path};
    LP_TRY(download_file(j->item.title, NULL, &request, err));
done:
    return status;
}

static lp_status fetch_item(fetch_job *j, lp_error *err) {
    const char *url = j->url != NULL ? j->url : j->item.url;
    lp_checkpoint *ckpt = NULL;
    bool found = false;
    lp_status status;
    LP_TRY(settle_path(j, err));
    if (is_checkpoint(j) && !lp_bundle_is_index(j->path)) {
        LP_TRY(lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: a checkpoint of TensorFlow is two files: expected --out with a folder, "
                       "or a name that ends in .index",
                       j->path));
    }
    LP_TRY(find_elsewhere(j, &found, err));
    const lp_fetch_request request = {.url = url,
                                      .path = j->path,
                                      .bytes = j->url == NULL ? j->item.bytes : 0,
                                      .sha256 = j->sha256,
                                      .prefix = j->sha256 != NULL && strlen(j->sha256) < 64,
                                      .found = j->found};
    if (is_checkpoint(j)) {
        LP_TRY(fetch_values(j, url, err));
    }
    if (!found) {
        LP_TRY(download_file(j->item.title, NULL, &request, err));
    }
    if (is_checkpoint(j)) { /* whether both are whole */
        status = lp_checkpoint_open(j->path, &ckpt, err);
        LP_TRY(lp_prefix(err, status,
                         "%s: remove both files to download them again: ", j->item.title));
    }
    print_result(j);
done:
    lp_checkpoint_close(ckpt);
    return status;
}

/* ---- the Hugging Face hub -------------------------------------------------------------------- */

static void print_model(const fetch_job *j, const lp_hub_model *model) {
    static const lp_column columns[] = {{"name", "file", NULL},
                                        {"path", "path", NULL},
                                        {"verified", "verified by", NULL},
                                        {"digest", "digest", NULL}};
    json_t *rows = json_array();
    for (size_t i = 0; i < model->count; i++) {
        const lp_hub_file *file = &model->files[i];
        lp_rows_append(&rows, json_pack("{s:s, s:s, s:s, s:o, s:s, s:s}", "model", j->hub.id,
                                        "commit", model->commit, "name", file->name, "path",
                                        lp_json_any_text(file->path), "verified", file->verified,
                                        "digest", file->digest));
    }
    lp_table_print(stdout, j->output.format, columns, sizeof columns / sizeof columns[0], rows);
}

static lp_status download_hub_file(const char *what, const lp_fetch_request *request,
                                   lp_error *err) {
    return download_file(what, NULL, request, err);
}

static bool go_on(void *context, uint64_t done, uint64_t total, const char *line) {
    (void)context, (void)done, (void)total, (void)line;
    return interrupt_signal() == 0;
}

static lp_status fetch_model(fetch_job *j, lp_error *err) {
    places_hub_access access = {.token = NULL};
    lp_hub_model model = {.count = 0};
    lp_status status;
    LP_TRY(places_reach_hub(&access, err));
    if (access.offline != NULL) {
        LP_TRY(lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: %s is set, so that nothing is downloaded; unset it, or use what is in "
                       "the cache",
                       j->hub.id, access.offline));
    }
    LP_TRY(j->cache != NULL ? lp_path_print(j->path, err, "%s", j->cache)
                            : places_hub(j->path, err));
    if (j->path[0] == '\0' && j->out == NULL) {
        LP_TRY(lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: no place for it: neither HOME nor HF_HOME is set; give --out FOLDER",
                       j->hub.id));
    }
    const lp_hub_source source = {.endpoint = access.endpoint,
                                  .token = access.token,
                                  .cache = j->path,
                                  .folder = j->out,
                                  .weights = j->file,
                                  .progress = {.step = go_on},
                                  .download = download_hub_file};
    LP_TRY(lp_hub_fetch(&source, &j->hub, &model, err));
    print_model(j, &model);
done:
    lp_hub_model_clear(&model);
    places_hub_access_clear(&access);
    return status;
}

/* ---- the command ----------------------------------------------------------------------------- */

#define AT(member) offsetof(fetch_job, member)
static const cli_word words[] = {{"NAME", AT(name), .content = CONTENT_UNKNOWN}, {.name = NULL}};
static const cli_group groups[] = {
    {own, 0, NULL}, {cli_format_option, AT(output), NULL}, {.options = NULL}};
#undef AT

/* Finds out what the name means, and checks that the options fit it. */
static lp_status check(void *settings, lp_error *err) {
    fetch_job *j = settings;
    j->known = find_item(j->name, &j->item);
    j->on_hub = lp_hub_parse(j->name, &j->hub) && (!j->known || j->hub.marked);
    if (!j->on_hub && j->item.model != NULL && j->item.model->hub != NULL) {
        j->on_hub = lp_hub_parse(j->item.model->hub, &j->hub);
    }
    if (j->on_hub && (j->url != NULL || j->sha256 != NULL || j->unverified)) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "--url, --sha256 and --unverified are not for models of the Hugging Face "
                       "hub, which publishes the digest of each file");
    }
    j->set = j->known || j->on_hub ? NULL : lp_data_set_named(j->name);
    if (j->set != NULL && (j->file != NULL || j->sha256 != NULL)) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "--file and --sha256 are not for a data set of several files");
    }
    if (j->on_hub || !j->known) {
        return LP_OK;
    }
    if (is_checkpoint(j) && j->url != NULL && !lp_bundle_is_index(j->url)) {
        return lp_fail(
            err, LP_ERR_ARGUMENT,
            "--url %s: expected the address of the checkpoint's index, which ends in .index",
            j->url);
    }
    return j->file == NULL
               ? settle_checksum(j, err)
               : lp_fail(err, LP_ERR_ARGUMENT, "--file is for models of the Hugging Face hub");
}

static lp_status fetch(void *job, lp_error *err) {
    fetch_job *j = job;
    if (j->on_hub) {
        return fetch_model(j, err);
    }
    if (j->known) {
        return fetch_item(j, err);
    }
    if (j->set != NULL && !fetch_set_is_possible(j->set)) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s is not to be had from a public address directly: get it from its "
                       "authors, and name the folder: --data %s:PATH",
                       j->set->title, j->set->name);
    }
    if (j->set != NULL) {
        const fetch_set_request request = {.set = j->set,
                                           .out = j->out,
                                           .cache = j->cache,
                                           .from = j->url,
                                           .unverified = j->unverified,
                                           .format = j->output.format};
        return fetch_set(&request, err);
    }
    char meant[LP_SPELLING_TEXT];
    lp_spelling near = lp_spelling_of(j->name);
    model_path_try(&near);
    for (const lp_data_set *set = lp_data_sets; set->name != NULL; set++) {
        lp_spelling_try(&near, set->name);
    }
    return lp_fail(err, LP_ERR_ARGUMENT,
                   "'%.100s' is no known model (`linprobe models` lists them), nor a data "
                   "set by name, nor an id of the Hugging Face hub (org/name)%s",
                   j->name, lp_spelling_text(&near, meant));
}

const cli_command cli_fetch = {
    .name = "fetch",
    .summary = "downloads an encoder or a data set, and verifies it",
    .size = sizeof(fetch_job),
    .words = words,
    .groups = groups,
    .check = check,
    .work = fetch,
    .usage = "NAME [--out PATH] [options]",
    .details =
        "NAME is one of `linprobe models`; or a data set by name, as cifar-100 or dtd; or an id of "
        "the Hugging Face hub, [hf-hub:]org/name[@revision]. What is there is verified and kept. "
        "Of "
        "some models only the first digits of the SHA-256 are published; the result says by how "
        "many the file was verified. Interrupted, the same command goes on.\n\n"
        "A data set is unpacked into the cache, where `--data NAME` finds it. Of its files the MD5 "
        "digests are published.\n\n"
        "Of the hub: the weights and the configs beside them go into the hub's own cache, where "
        "other programs find them, too; --out writes plain files into a folder. The variables of "
        "the hub's own library are respected: HF_ENDPOINT, HF_TOKEN, HF_HOME, HF_HUB_CACHE, "
        "HF_HUB_OFFLINE and others.",
};
