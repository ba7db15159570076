/* The journal of a feature set that is being written; set_writer.h has the layout. */
#include "feat/set_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/file.h"
#include "base/npy.h"
#include "feat/meta_json.h"

struct lp_set_writer {
    const lp_provenance *provenance;
    char *out, *folder; /* the folder is "<out>.partial" until the set is whole */
    char features_path[LP_PATH_ROOM], journal_path[LP_PATH_ROOM];
    int features; /* file descriptors, -1 = closed */
    int journal;
    size_t rows, width, done;
};

/* What only a set that is being written needs.  Without memory it stays, and does no harm. */
static void remove_working_files(const char *folder) {
    static const char *const names[] = {"journal", "inputs.json"};
    for (int i = 0; i < 2; i++) {
        char *path = lp_path_join(folder, names[i]);
        if (path != NULL) {
            (void)unlink(path);
            lp_free(path);
        }
    }
}

lp_status lp_set_is_there(const char *out, const lp_provenance *p, bool *there, lp_error *err) {
    char *path = lp_path_join(out, "meta.json");
    lp_status status;
    *there = false;
    LP_TRY(lp_allocated(path, out, 1, 1, err));
    if (lp_is_file(path)) {
        LP_TRY(lp_provenance_check(path, out, p, true, err));
        *there = true;
        remove_working_files(out); /* of a run that was killed after it gave the set its name */
    } else if (lp_is_folder(out) || lp_is_file(out)) {
        status = lp_fail(err, LP_ERR_ARGUMENT, "%s: exists and is not a feature set", out);
    }
done:
    lp_free(path);
    return status;
}

/* The path of a file in the folder that is being written. */
static lp_status path_of(const lp_set_writer *p, const char *name, char path[LP_PATH_ROOM],
                         lp_error *err) {
    return lp_path_print(path, err, "%s/%s", p->folder, name);
}

/* CRC-32 of a run of rows, read back from the file. */
static lp_status crc_of_rows(const lp_set_writer *p, size_t first, size_t count, uLong *crc,
                             bool *whole, lp_error *err) {
    unsigned char block[1 << 14];
    size_t left = count * p->width * sizeof(float);
    off_t at = (off_t)(LP_NPY_HEADER + first * p->width * sizeof(float));
    *crc = crc32(0, Z_NULL, 0);
    *whole = true;
    while (left > 0) {
        ssize_t got = pread(p->features, block, left < sizeof block ? left : sizeof block, at);
        if (got > 0) {
            *crc = crc32(*crc, block, (uInt)got);
            left -= (size_t)got;
            at += got;
        } else if (got == 0) { /* shorter than the journal says */
            *whole = false;
            return LP_OK;
        } else if (errno != EINTR) {
            return lp_fail_errno(err, errno, "%s: cannot be read", p->features_path);
        }
    }
    return LP_OK;
}

/* Counts the rows that the journal vouches for, up to the first line that does not hold, and cuts
 * both files there. */
static lp_status recover(lp_set_writer *p, lp_error *err) {
    char *text;
    size_t size;
    off_t good = 0;
    lp_status status;
    LP_TRY(lp_file_read(p->journal_path, 64u << 20, &text, &size, err));
    const char *line = text;
    for (const char *end; status == LP_OK && (end = strchr(line, '\n')) != NULL; line = end + 1) {
        char *next;
        uLong crc;
        size_t first = strtoull(line, &next, 10);
        size_t count = strtoull(next, &next, 10);
        uLong recorded = strtoul(next, &next, 16);
        if (next != end || first != p->done || count == 0 || count > p->rows - first) {
            break;
        }
        bool whole;
        status = crc_of_rows(p, first, count, &crc, &whole, err);
        if (status != LP_OK || !whole || crc != recorded) {
            break;
        }
        p->done += count;
        good = (off_t)(end + 1 - text);
    }
    lp_free(text);
    off_t bytes = (off_t)(LP_NPY_HEADER + p->done * p->width * sizeof(float));
    if (status == LP_OK &&
        (ftruncate(p->journal, good) != 0 || lseek(p->journal, 0, SEEK_END) < 0 ||
         ftruncate(p->features, bytes) != 0 || lseek(p->features, 0, SEEK_END) < 0)) {
        status = lp_fail_errno(err, errno, "%s: cannot be resumed", p->folder);
    }
done:
    return status;
}

/* The inputs of the folder that is being written: written down, or the same as those that are. */
static lp_status settle_inputs(const lp_set_writer *p, lp_error *err) {
    char path[LP_PATH_ROOM];
    lp_status status;
    LP_TRY(path_of(p, "inputs.json", path, err));
    status = lp_is_file(path) ? lp_provenance_check(path, p->folder, p->provenance, false, err)
                              : lp_provenance_write_inputs(path, p->provenance, err);
done:
    return status;
}

static lp_status open_files(lp_set_writer *p, lp_error *err) {
    lp_status status;
    LP_TRY(path_of(p, "features.npy", p->features_path, err));
    LP_TRY(path_of(p, "journal", p->journal_path, err));
    p->journal = open(p->journal_path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (p->journal < 0) {
        return lp_fail_errno(err, errno, "%s: cannot be opened", p->journal_path);
    }
    /* flock, not fcntl: a POSIX lock would go when recover() closes the journal it has read. */
    if (flock(p->journal, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        return lp_fail(err, LP_ERR_IO, "%s: another process is writing this feature set",
                       p->folder);
    }
    LP_TRY(settle_inputs(p, err));
    p->features = open(p->features_path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (p->features < 0) {
        return lp_fail_errno(err, errno, "%s: cannot be opened", p->features_path);
    }
    char header[LP_NPY_HEADER];
    lp_npy_header(header, "<f4", p->rows, p->width);
    LP_TRY(lp_write_all(p->features, p->features_path, header, sizeof header, err));
    LP_TRY(recover(p, err));
done:
    return status;
}

static lp_status name_folders(lp_set_writer *p, const char *out, lp_error *err) {
    size_t length = strlen(out), bytes = length + sizeof ".partial";
    p->out = lp_strdup(out);
    p->folder = lp_alloc(bytes, 1);
    if (p->out == NULL || p->folder == NULL) {
        return lp_fail_memory(err, out, length, 2);
    }
    while (length > 1 && p->out[length - 1] == '/') { /* "out/" is "out" */
        p->out[--length] = '\0';
    }
    const char *name = lp_path_name(p->out);
    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        return lp_fail(err, LP_ERR_ARGUMENT, "%s: expected the name of a new folder", out);
    }
    (void)snprintf(p->folder, bytes, "%s.partial", p->out);
    return LP_OK;
}

lp_status lp_set_writer_open(const char *out, const lp_provenance *provenance, size_t rows,
                             size_t width, lp_set_writer **writer, size_t *done, lp_error *err) {
    lp_set_writer *p = lp_alloc_zeroed(1, sizeof *p);
    lp_status status;
    *writer = NULL;
    LP_TRY(lp_allocated(p, out, 1, sizeof *p, err));
    p->provenance = provenance;
    p->features = p->journal = -1;
    p->rows = rows;
    p->width = width;
    LP_TRY(name_folders(p, out, err));
    LP_TRY(lp_make_folders(p->folder, err));
    LP_TRY(open_files(p, err));
    *done = p->done;
    *writer = p;
    p = NULL;
done:
    lp_set_writer_close(p);
    return status;
}

lp_status lp_set_writer_append(lp_set_writer *p, const float *values, size_t count, lp_error *err) {
    size_t bytes = count * p->width * sizeof(float);
    char line[64];
    lp_status status;
    LP_TRY(lp_write_all(p->features, p->features_path, values, bytes, err));
    if (fdatasync(p->features) != 0) {
        return lp_fail_errno(err, errno, "%s: cannot be synced", p->features_path);
    }
    uLong crc = crc32_z(crc32(0, Z_NULL, 0), (const unsigned char *)values, bytes);
    int size = snprintf(line, sizeof line, "%zu %zu %08lx\n", p->done, count, crc);
    LP_TRY(lp_write_all(p->journal, p->journal_path, line, (size_t)size, err));
    if (fdatasync(p->journal) != 0) {
        return lp_fail_errno(err, errno, "%s: cannot be synced", p->journal_path);
    }
    p->done += count;
done:
    return status;
}

/* labels.npy of [rows] (columns 0) or [rows, columns]. */
static lp_status write_labels(const lp_set_writer *p, const char *type, size_t columns,
                              const void *labels, size_t bytes, lp_error *err) {
    char header[LP_NPY_HEADER], path[LP_PATH_ROOM];
    lp_writer *writer = NULL;
    lp_status status;
    lp_npy_header(header, type, p->rows, columns);
    LP_TRY(path_of(p, "labels.npy", path, err));
    LP_TRY(lp_writer_open(path, &writer, err));
    LP_TRY(lp_writer_put(writer, header, sizeof header, err));
    LP_TRY(lp_writer_put(writer, labels, bytes, err));
    return lp_writer_commit(writer, err);
done:
    lp_writer_abort(writer);
    return status;
}

/* Adds a file of the folder to a digest. */
static lp_status digest_member(const lp_set_writer *p, const char *name, lp_digest *digest,
                               lp_error *err) {
    lp_map map = {0};
    char path[LP_PATH_ROOM];
    lp_status status;
    LP_TRY(path_of(p, name, path, err));
    LP_TRY(lp_map_open(path, &map, err));
    LP_TRY(lp_digest_add(digest, map.data, (size_t)map.size, err));
done:
    lp_map_close(&map);
    return status;
}

/* SHA-256 of features.npy followed by labels.npy. */
static lp_status digest_of_set(const lp_set_writer *p, char hex[LP_DIGEST_HEX], lp_error *err) {
    lp_digest *digest = NULL;
    lp_status status;
    LP_TRY(lp_digest_new(LP_SHA256, &digest, err));
    LP_TRY(digest_member(p, "features.npy", digest, err));
    LP_TRY(digest_member(p, "labels.npy", digest, err));
    LP_TRY(lp_digest_hex(digest, hex, err));
done:
    lp_digest_free(digest);
    return status;
}

static lp_status write_meta(const lp_set_writer *p, lp_error *err) {
    char hex[LP_DIGEST_HEX], path[LP_PATH_ROOM];
    lp_status status;
    LP_TRY(path_of(p, "meta.json", path, err));
    LP_TRY(digest_of_set(p, hex, err));
    json_t *meta = lp_provenance_json(p->provenance, p->rows, p->width, hex, LP_DETAIL_ALL);
    LP_TRY(lp_json_write(path, meta, err));
done:
    return status;
}

static lp_status finish(lp_set_writer *p, const char *type, size_t columns, const void *labels,
                        size_t bytes, lp_error *err) {
    lp_status status;
    if (p->done != p->rows) {
        return lp_fail(err, LP_ERR_ARGUMENT, "%s: %zu of %zu rows are there", p->folder, p->done,
                       p->rows);
    }
    LP_TRY(write_labels(p, type, columns, labels, bytes, err));
    LP_TRY(write_meta(p, err));
    if (rename(p->folder, p->out) != 0) {
        return lp_fail_errno(err, errno, "%s: cannot be renamed to %s", p->folder, p->out);
    }
    status = lp_sync_parent(p->out, err);
    /* The working files go last: until here the work can be resumed.  They go even where the folder
     * could not be synced, because the set is whole. */
    remove_working_files(p->out);
done:
    return status;
}

lp_status lp_set_writer_finish(lp_set_writer *p, const int64_t *labels, lp_error *err) {
    return finish(p, "<i8", 0, labels, p->rows * sizeof *labels, err);
}

lp_status lp_set_writer_finish_marks(lp_set_writer *p, const int8_t *marks, size_t classes,
                                     lp_error *err) {
    return finish(p, "|i1", classes, marks, p->rows * classes, err);
}

void lp_set_writer_close(lp_set_writer *p) {
    if (p != NULL) {
        if (p->features >= 0) {
            (void)close(p->features);
        }
        if (p->journal >= 0) {
            (void)close(p->journal);
        }
        lp_free(p->out);
        lp_free(p->folder);
        lp_free(p);
    }
}
