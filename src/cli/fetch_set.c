/* A data set's files: CACHE/data/NAME.partial/ gets them, and what their archives hold; it becomes
 * CACHE/data/NAME/ when all is there.  CIFAR's and STL-10's archives lie in the cache as they are.
 */
#include "cli/fetch_set.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/archive.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/json_row.h"
#include "cli/data_input.h"
#include "cli/interrupt.h"
#include "cli/meter.h"
#include "cli/places.h"
#include "fetch/unpack.h"

bool fetch_set_is_possible(const lp_data_set *set) {
    return set != NULL && set->downloads[0].url != NULL;
}

static lp_status settle_folder(const fetch_set_request *r, char folder[LP_PATH_ROOM],
                               char partial[LP_PATH_ROOM], lp_error *err) {
    const char *cache = r->cache != NULL ? r->cache : places_cache();
    lp_status status;
    LP_TRY(r->out != NULL ? lp_path_print(folder, err, "%s", r->out)
                          : lp_path_print(folder, err, "%s/data/%s", cache, r->set->name));
    size_t length = strlen(folder);
    while (length > 1 && folder[length - 1] == '/') {
        folder[--length] = '\0';
    }
    LP_TRY(lp_path_print(partial, err, "%s.partial", folder));
done:
    return status;
}

/* What must be known of each file before any is fetched. */
static lp_status check_digests(const fetch_set_request *r, lp_error *err) {
    for (size_t i = 0; i < LP_SET_DOWNLOADS && r->set->downloads[i].url != NULL; i++) {
        if (r->set->downloads[i].md5 == NULL && !r->unverified) {
            return lp_fail(err, LP_ERR_ARGUMENT,
                           "%s: no checksum is published of %s: take the file as it comes with "
                           "--unverified",
                           r->set->title, lp_path_name(r->set->downloads[i].url));
        }
    }
    return LP_OK;
}

static lp_status fetch_file(const fetch_set_request *r, const lp_set_download *file,
                            const char *partial, const char *folder, char path[LP_PATH_ROOM],
                            json_t **rows, lp_error *err) {
    const char *name = lp_path_name(file->url), *md5 = r->unverified ? NULL : file->md5;
    char url[LP_PATH_ROOM], found[LP_DIGEST_HEX] = "";
    lp_status status;
    LP_TRY(lp_path_in(path, partial, name, err));
    if (r->from != NULL) {
        size_t length = strlen(r->from);
        bool ends = length > 0 && r->from[length - 1] == '/';
        LP_TRY(lp_path_print(url, err, "%s%s%s", r->from, ends ? "" : "/", name));
    } else {
        LP_TRY(lp_path_print(url, err, "%s", file->url));
    }
    const lp_fetch_request request = {.url = url, .path = path, .md5 = md5, .found = found};
    LP_TRY(download_file(name, NULL, &request, err));
    lp_row row = lp_row_new();
    lp_row_text(&row, "name", name);
    lp_row_text(&row, "verified", md5 != NULL ? "MD5" : "nothing");
    lp_row_text(&row, "digest", found);
    lp_row_text(&row, "path", folder);
    lp_rows_append(rows, lp_row_end(&row));
done:
    return status;
}

static bool show_files(void *context, uint64_t done, uint64_t total, const char *line) {
    (void)line;
    meter_show(context, (double)done, (double)total);
    return interrupt_signal() == 0;
}

static lp_status unpack_files(const fetch_set_request *r, const char *partial, lp_error *err) {
    char path[LP_PATH_ROOM];
    lp_status status = LP_OK;
    for (size_t i = 0; i < LP_SET_DOWNLOADS && r->set->downloads[i].url != NULL; i++) {
        const char *name = lp_path_name(r->set->downloads[i].url);
        if (lp_archive_ending(name) == 0) {
            continue; /* read as it is */
        }
        meter m;
        LP_TRY(lp_path_in(path, partial, name, err));
        meter_start(&m, name, "files");
        status = lp_unpack(path, partial, (lp_progress){show_files, &m}, err);
        meter_end(&m);
        LP_TRY(status);
    }
    for (size_t i = 0; i < LP_SET_DOWNLOADS && r->set->downloads[i].url != NULL; i++) {
        LP_TRY(lp_path_in(path, partial, lp_path_name(r->set->downloads[i].url), err));
        if (lp_archive_ending(path) > 0) {
            (void)unlink(path); /* all of them are unpacked */
        }
    }
done:
    return status;
}

lp_status fetch_set(const fetch_set_request *r, lp_error *err) {
    static const lp_column columns[] = {{"name", "file", NULL},
                                        {"verified", "verified by", NULL},
                                        {"digest", "digest", NULL},
                                        {"path", "in", NULL}};
    char folder[LP_PATH_ROOM], partial[LP_PATH_ROOM], path[LP_PATH_ROOM];
    json_t *rows = json_array();
    lp_status status;
    LP_TRY(settle_folder(r, folder, partial, err));
    if (lp_is_folder(folder)) {
        LP_TRY(lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: is there already; move it away to fetch %s anew, or use it: --data "
                       "%s:%s",
                       folder, r->set->title, r->set->name, folder));
    }
    LP_TRY(check_digests(r, err));
    LP_TRY(lp_make_folders(partial, err));
    for (size_t i = 0; i < LP_SET_DOWNLOADS && r->set->downloads[i].url != NULL; i++) {
        LP_TRY(fetch_file(r, &r->set->downloads[i], partial, folder, path, &rows, err));
    }
    LP_TRY(unpack_files(r, partial, err));
    if (rename(partial, folder) != 0) {
        LP_TRY(lp_fail_errno(err, errno, "%s: cannot be renamed to %s", partial, folder));
    }
    lp_table_print(stdout, r->format, columns, sizeof columns / sizeof columns[0],
                   json_incref(rows));
done:
    json_decref(rows);
    return status;
}

/* Where the cache has the set, or would have it: CIFAR's and STL-10's archive, or what was unpacked
 * from one beside it. */
static lp_status place_in_cache(const lp_data_set *set, const char *cache, char path[LP_PATH_ROOM],
                                lp_error *err) {
    const lp_record_layout *records = set->records;
    if (records == NULL) {
        return lp_path_print(path, err, "%s/data/%s", cache, set->name);
    }
    const char *const names[] = {records->archive.file, records->folder, records->pickled.folder};
    lp_status status;
    for (size_t i = 0; i < 3; i++) {
        if (names[i] != NULL) {
            LP_TRY(lp_path_in(path, cache, names[i], err));
            if (lp_is_file(path) || (i > 0 && lp_is_folder(path))) {
                goto done;
            }
        }
    }
    LP_TRY(lp_path_in(path, cache, names[0], err));
done:
    return status;
}

lp_status fetch_set_find(const char *word, const char *cache, char found[LP_PATH_ROOM],
                         lp_error *err) {
    const lp_data_set *set = lp_data_set_named(word);
    char path[LP_PATH_ROOM];
    lp_status status;
    LP_TRY(lp_path_print(found, err, "%s", word));
    if (set == NULL || lp_is_file(word) || lp_is_folder(word)) {
        return LP_OK;
    }
    if (cache != NULL) {
        LP_TRY(place_in_cache(set, cache, path, err));
    }
    if (cache == NULL || (!lp_is_file(path) && !lp_is_folder(path))) {
        LP_TRY(place_in_cache(set, places_cache(), path, err));
    }
    if (!lp_is_file(path) && !lp_is_folder(path)) {
        bool can = set->records != NULL || fetch_set_is_possible(set);
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: %s is not in %s: %s%s%ssay where it is, as %s:PATH", word, set->title,
                       path, can ? "`linprobe fetch " : "", can ? set->name : "",
                       can ? "`, or " : "", set->name);
    }
    LP_TRY(lp_path_print(found, err, "%s:%s", set->name, path));
done:
    return status;
}
