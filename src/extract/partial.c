/* The journal of a feature set in the making; partial.h has the layout. */
#include "extract/partial.h"

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
#include "feat/npy.h"

struct lp_partial {
    char *out;
    char *folder;
    char *features_path;
    char *journal_path;
    int features; /* file descriptors, -1 = closed */
    int journal;
    size_t rows;
    size_t width;
    size_t done;
};

lp_status lp_inputs_compare(const char *what, const json_t *found, const json_t *expected,
                            lp_error *err) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)expected, key, value) {
        const json_t *other = json_object_get(found, key);
        if (!json_equal(other, value)) {
            char *a = lp_json_dump(other, LP_JSON_COMPACT);
            char *b = lp_json_dump(value, LP_JSON_COMPACT);
            lp_status status = lp_fail(err, LP_ERR_ARGUMENT,
                                       "%s was made from other inputs: %s is %.200s there and "
                                       "%.200s here; remove it or choose another folder",
                                       what, key, a != NULL ? a : "absent", b != NULL ? b : "?");
            free(a);
            free(b);
            return status;
        }
    }
    return LP_OK;
}

/* CRC-32 of a run of rows, read back from the file. */
static lp_status crc_of_rows(const lp_partial *p, size_t first, size_t count, uLong *crc,
                             bool *whole, lp_error *err) {
    unsigned char block[1 << 14];
    size_t left = count * p->width * sizeof(float);
    off_t at = (off_t)(LP_NPY_HEADER + first * p->width * sizeof(float));
    *crc = crc32(0, Z_NULL, 0);
    *whole = true;
    while (left > 0) {
        ssize_t got = pread(p->features, block, left < sizeof block ? left : sizeof block, at);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return lp_fail_errno(err, errno, "%s: cannot be read", p->features_path);
        }
        if (got == 0) { /* shorter than the journal says */
            *whole = false;
            return LP_OK;
        }
        *crc = crc32(*crc, block, (uInt)got);
        left -= (size_t)got;
        at += got;
    }
    return LP_OK;
}

/* Counts the rows that the journal vouches for, up to the first line that does not hold, and cuts
 * both files there. */
static lp_status recover(lp_partial *p, lp_error *err) {
    char *text;
    size_t size;
    off_t good = 0;
    lp_status status = lp_file_read(p->journal_path, 64u << 20, &text, &size, err);
    if (status != LP_OK) {
        return status;
    }
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
    return status;
}

static lp_status open_files(lp_partial *p, const json_t *inputs, lp_error *err) {
    p->journal = open(p->journal_path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (p->journal < 0) {
        return lp_fail_errno(err, errno, "%s: cannot be opened", p->journal_path);
    }
    /* flock, not fcntl: a POSIX lock would go when recover() closes the journal it has read. */
    if (flock(p->journal, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        return lp_fail(err, LP_ERR_IO, "%s: another process is writing this feature set",
                       p->folder);
    }
    char *inputs_path = lp_path_join(p->folder, "inputs.json");
    if (inputs_path == NULL) {
        return lp_fail_memory(err, p->folder, 1, 1);
    }
    lp_status status;
    if (lp_is_file(inputs_path)) {
        json_t *found;
        status = lp_json_read(inputs_path, &found, err);
        if (status == LP_OK) {
            status = lp_inputs_compare(p->folder, found, inputs, err);
            json_decref(found);
        }
    } else {
        status = lp_json_write(inputs_path, inputs, err);
    }
    lp_free(inputs_path);
    if (status != LP_OK) {
        return status;
    }
    p->features = open(p->features_path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (p->features < 0) {
        return lp_fail_errno(err, errno, "%s: cannot be opened", p->features_path);
    }
    char header[LP_NPY_HEADER];
    lp_npy_header(header, "<f4", p->rows, p->width);
    status = lp_write_all(p->features, p->features_path, header, sizeof header, err);
    return status == LP_OK ? recover(p, err) : status;
}

lp_status lp_partial_open(const char *out, const json_t *inputs, size_t rows, size_t width,
                          lp_partial **partial, size_t *done, lp_error *err) {
    static const char suffix[] = ".partial";
    size_t length = strlen(out);
    *partial = NULL;
    lp_partial *p = lp_alloc_zeroed(1, sizeof *p);
    if (p == NULL) {
        return lp_fail_memory(err, out, 1, sizeof *p);
    }
    p->features = p->journal = -1;
    p->rows = rows;
    p->width = width;
    p->out = lp_strdup(out);
    p->folder = lp_alloc(length + sizeof suffix, 1);
    if (p->out == NULL || p->folder == NULL) {
        lp_partial_close(p);
        return lp_fail_memory(err, out, length, 2);
    }
    while (length > 1 && p->out[length - 1] == '/') { /* "out/" is "out" */
        p->out[--length] = '\0';
    }
    const char *name = lp_path_name(p->out);
    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        lp_partial_close(p);
        return lp_fail(err, LP_ERR_ARGUMENT, "%s: expected the name of a new folder", out);
    }
    memcpy(p->folder, p->out, length);
    memcpy(p->folder + length, suffix, sizeof suffix);
    lp_status status = lp_make_folders(p->folder, err);
    if (status == LP_OK) {
        p->features_path = lp_path_join(p->folder, "features.npy");
        p->journal_path = lp_path_join(p->folder, "journal");
        status = p->features_path != NULL && p->journal_path != NULL
                     ? open_files(p, inputs, err)
                     : lp_fail_memory(err, out, length, 2);
    }
    if (status != LP_OK) {
        lp_partial_close(p);
        return status;
    }
    *done = p->done;
    *partial = p;
    return LP_OK;
}

lp_status lp_partial_append(lp_partial *p, const float *values, size_t count, lp_error *err) {
    size_t bytes = count * p->width * sizeof(float);
    char line[64];
    lp_status status = lp_write_all(p->features, p->features_path, values, bytes, err);
    if (status == LP_OK && fdatasync(p->features) != 0) {
        status = lp_fail_errno(err, errno, "%s: cannot be synced", p->features_path);
    }
    if (status == LP_OK) {
        uLong crc = crc32_z(crc32(0, Z_NULL, 0), (const unsigned char *)values, bytes);
        int size = snprintf(line, sizeof line, "%zu %zu %08lx\n", p->done, count, crc);
        status = lp_write_all(p->journal, p->journal_path, line, (size_t)size, err);
    }
    if (status == LP_OK && fdatasync(p->journal) != 0) {
        status = lp_fail_errno(err, errno, "%s: cannot be synced", p->journal_path);
    }
    if (status == LP_OK) {
        p->done += count;
    }
    return status;
}

static lp_status write_labels(const lp_partial *p, const int64_t *labels, lp_error *err) {
    char header[LP_NPY_HEADER];
    lp_writer *writer;
    char *path = lp_path_join(p->folder, "labels.npy");
    if (path == NULL) {
        return lp_fail_memory(err, p->folder, 1, 1);
    }
    lp_npy_header(header, "<i8", p->rows, 0);
    lp_status status = lp_writer_open(path, &writer, err);
    if (status == LP_OK) {
        status = lp_writer_put(writer, header, sizeof header, err);
        if (status == LP_OK) {
            status = lp_writer_put(writer, labels, p->rows * sizeof *labels, err);
        }
        if (status == LP_OK) {
            status = lp_writer_commit(writer, err);
        } else {
            lp_writer_abort(writer);
        }
    }
    lp_free(path);
    return status;
}

/* SHA-256 of features.npy followed by labels.npy. */
static lp_status digest_of_set(const lp_partial *p, char hex[LP_DIGEST_HEX], lp_error *err) {
    static const char *const names[] = {"features.npy", "labels.npy"};
    lp_digest *digest;
    lp_status status = lp_digest_new(LP_SHA256, &digest, err);
    for (int i = 0; status == LP_OK && i < 2; i++) {
        lp_map map = {0};
        char *path = lp_path_join(p->folder, names[i]);
        status = path != NULL ? lp_map_open(path, &map, err) : lp_fail_memory(err, p->folder, 1, 1);
        if (status == LP_OK) {
            status = lp_digest_add(digest, map.data, (size_t)map.size, err);
            lp_map_close(&map);
        }
        lp_free(path);
    }
    if (status == LP_OK) {
        status = lp_digest_hex(digest, hex, err);
    }
    lp_digest_free(digest);
    return status;
}

static lp_status write_meta(const lp_partial *p, json_t *meta, lp_error *err) {
    char hex[LP_DIGEST_HEX];
    char *path = lp_path_join(p->folder, "meta.json");
    lp_status status =
        path != NULL ? digest_of_set(p, hex, err) : lp_fail_memory(err, p->folder, 1, 1);
    if (status == LP_OK && json_object_set_new(meta, "sha256", json_string(hex)) != 0) {
        status = lp_fail_memory(err, path, 1, LP_DIGEST_HEX);
    }
    if (status == LP_OK) {
        status = lp_json_write(path, meta, err);
    }
    lp_free(path);
    return status;
}

static void remove_member(const lp_partial *p, const char *name) {
    char *path = lp_path_join(p->folder, name);
    if (path != NULL) {
        (void)unlink(path);
        lp_free(path);
    }
}

lp_status lp_partial_finish(lp_partial *p, const int64_t *labels, json_t *meta, lp_error *err) {
    if (p->done != p->rows) {
        return lp_fail(err, LP_ERR_ARGUMENT, "%s: %zu of %zu rows are there", p->folder, p->done,
                       p->rows);
    }
    lp_status status = write_labels(p, labels, err);
    if (status == LP_OK) {
        status = write_meta(p, meta, err);
    }
    if (status == LP_OK && rename(p->folder, p->out) != 0) {
        status = lp_fail_errno(err, errno, "%s: cannot be renamed to %s", p->folder, p->out);
    }
    if (status != LP_OK) {
        return status;
    }
    status = lp_sync_parent(p->out, err);
    /* The working files go last: until here the work can be resumed.  They go even where the folder
     * could not be synced, because the set is whole, and no later call would look for them. */
    lp_free(p->folder);
    p->folder = lp_strdup(p->out);
    if (p->folder != NULL) {
        remove_member(p, "journal");
        remove_member(p, "inputs.json");
    }
    return status;
}

void lp_partial_close(lp_partial *p) {
    if (p != NULL) {
        if (p->features >= 0) {
            (void)close(p->features);
        }
        if (p->journal >= 0) {
            (void)close(p->journal);
        }
        lp_free(p->out);
        lp_free(p->folder);
        lp_free(p->features_path);
        lp_free(p->journal_path);
        lp_free(p);
    }
}
