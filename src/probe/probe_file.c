/* The probe file; docs/FORMATS.md describes it.
 *
 *     "LPPROBE1", header length uint64, header JSON padded with spaces to a multiple of 8,
 *     weights float64 [K, F], intercepts float64 [K], digests of training rows uint64 [R],
 *     SHA-256 of all that in 64 hexadecimal digits
 *
 * Numbers are little-endian, as in memory.  A file is checked whole before anything of it is used.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json_row.h"
#include "linprobe/multilabel.h"
#include "probe/classifier.h"

static const char MAGIC[8] = {'L', 'P', 'P', 'R', 'O', 'B', 'E', '1'};
enum { PRELUDE = 16, DIGEST = LP_DIGEST_HEX - 1, MAX_HEADER = 64 << 20 };

/* The training record; of a probe without one, its solver alone, because a probe needs it. */
static json_t *meta_json(const lp_probe *probe) {
    const lp_training *t = lp_training_of(probe->training);
    if (t != NULL) {
        return lp_training_json(t, LP_DETAIL_ALL);
    }
    lp_row options = lp_row_new(), meta = lp_row_new();
    lp_row_text(&options, "solver", lp_solver_name(probe->solver));
    lp_row_put(&meta, "options", lp_row_end(&options));
    if (probe->multilabel) {
        lp_row_flag(&meta, "multilabel", true);
    }
    return lp_row_end(&meta);
}

lp_status lp_probe_describe(lp_probe *probe, const lp_training *training, lp_error *err) {
    lp_training_file *file = NULL;
    json_t *meta = lp_training_json(training, LP_DETAIL_ALL);
    lp_status status = meta != NULL
                           ? lp_training_read("training record", meta, &file, err)
                           : lp_fail(err, LP_ERR_MEMORY, "out of memory for a training record");
    json_decref(meta);
    if (status == LP_OK) {
        lp_training_close(probe->training);
        probe->training = file;
    }
    return status;
}

static lp_status build_header(const lp_probe *probe, char **text, lp_error *err) {
    lp_row row = lp_row_new();
    lp_row_text(&row, "format", "linprobe probe");
    lp_row_text(&row, "dtype", "<f8");
    lp_row_count(&row, "classes", probe->classes);
    lp_row_count(&row, "width", probe->width);
    if (probe->knows_rows) {
        lp_row_count(&row, "rows", probe->rows.count);
        lp_row_count(&row, "rows_left_out", probe->rows.left_out);
    }
    lp_row_put(&row, "meta", meta_json(probe));
    json_t *header = lp_row_end(&row);
    *text = header != NULL ? lp_json_dump(header, LP_JSON_COMPACT) : NULL;
    json_decref(header);
    return *text != NULL ? LP_OK : lp_fail(err, LP_ERR_MEMORY, "probe's header could not be built");
}

lp_status lp_probe_save(const lp_probe *probe, const char *path, lp_error *err) {
    char *header = NULL;
    unsigned char *bytes = NULL;
    char hex[LP_DIGEST_HEX];
    lp_status status;
    LP_TRY(build_header(probe, &header, err));
    size_t length = strlen(header);
    uint64_t padded = (length + 7) / 8 * 8;
    size_t weights = probe->classes * probe->width;
    size_t body = PRELUDE + padded + 8 * (weights + probe->classes + probe->rows.count);
    if (length > MAX_HEADER) {
        LP_TRY(lp_fail(err, LP_ERR_ARGUMENT, "%s: meta of %zu bytes is too long", path, length));
    }
    bytes = lp_alloc(body + DIGEST, 1);
    LP_TRY(lp_allocated(bytes, path, body, 1, err));
    memcpy(bytes, MAGIC, sizeof MAGIC);
    memcpy(bytes + 8, &padded, sizeof padded);
    memcpy(bytes + PRELUDE, header, length);
    memset(bytes + PRELUDE + length, ' ', padded - length);
    double *values = (double *)(void *)(bytes + PRELUDE + padded); /* aligned to 8 */
    memcpy(values, probe->weights, weights * sizeof *values);
    memcpy(values + weights, probe->intercepts, probe->classes * sizeof *values);
    if (probe->rows.count > 0) {
        memcpy(values + weights + probe->classes, probe->rows.values, 8 * probe->rows.count);
    }
    LP_TRY(lp_digest_bytes(LP_SHA256, bytes, body, hex, err));
    memcpy(bytes + body, hex, DIGEST);
    status = lp_file_write(path, bytes, body + DIGEST, err);
done:
    lp_free(bytes);
    free(header);
    return status;
}

/* A file's arrays, as its header says. */
typedef struct probe_shape {
    size_t classes, width;
    bool knows_rows;
    size_t rows, rows_left_out; /* digests of training rows */
} probe_shape;

/* The shape, such that the file's size is right for it. */
static lp_status read_header(const char *path, const lp_map *map, size_t length, json_t **header,
                             probe_shape *shape, lp_error *err) {
    const char *text = (const char *)map->data + PRELUDE;
    lp_status status = lp_json_parse(path, text, length, header, err);
    if (status != LP_OK) {
        return status;
    }
    const char *format = lp_json_text(*header, "format", "");
    if (strcmp(format, "linprobe probe") != 0) {
        return lp_fail(err, LP_ERR_FORMAT, "%s: format '%.64s', expected 'linprobe probe'", path,
                       format);
    }
    const char *dtype = lp_json_text(*header, "dtype", "");
    if (strcmp(dtype, "<f8") != 0) {
        return lp_fail(err, LP_ERR_UNSUPPORTED, "%s: dtype '%.64s', expected '<f8'", path, dtype);
    }
    json_int_t K = json_integer_value(json_object_get(*header, "classes"));
    json_int_t F = json_integer_value(json_object_get(*header, "width"));
    json_int_t R = json_integer_value(json_object_get(*header, "rows"));
    json_int_t left_out = json_integer_value(json_object_get(*header, "rows_left_out"));
    uint64_t values, bytes;
    if (K < 2 || F < 1 || R < 0 || left_out < 0 ||
        !lp_mul_u64((uint64_t)K, (uint64_t)F + 1, &values) ||
        !lp_add_u64(values, (uint64_t)R, &values) || !lp_mul_u64(values, 8, &bytes) ||
        map->size - PRELUDE - length < DIGEST || bytes != map->size - PRELUDE - length - DIGEST) {
        return lp_fail(err, LP_ERR_FORMAT,
                       "%s: %llu bytes do not fit %lld classes x %lld features and %lld rows", path,
                       (unsigned long long)map->size, (long long)K, (long long)F, (long long)R);
    }
    *shape = (probe_shape){(size_t)K, (size_t)F, json_object_get(*header, "rows") != NULL,
                           (size_t)R, (size_t)left_out};
    return LP_OK;
}

/* Files of before they had any keep none. */
static lp_status read_rows(const char *path, const unsigned char *from, const probe_shape *shape,
                           lp_probe *probe, lp_error *err) {
    lp_row_digests *rows = &probe->rows;
    rows->values = lp_alloc(shape->rows, sizeof *rows->values);
    if (rows->values == NULL) {
        return lp_fail_memory(err, path, shape->rows, sizeof *rows->values);
    }
    memcpy(rows->values, from, shape->rows * sizeof *rows->values);
    rows->count = shape->rows;
    rows->left_out = shape->rows_left_out;
    probe->knows_rows = shape->knows_rows;
    for (size_t i = 1; i < rows->count; i++) {
        if (rows->values[i - 1] >= rows->values[i]) {
            return lp_fail(err, LP_ERR_FORMAT,
                           "%s: the digest of row %zu is not larger than the one before", path, i);
        }
    }
    return LP_OK;
}

static lp_status check_values(const char *path, const lp_probe *probe, lp_error *err) {
    for (size_t i = 0; i < probe->classes * probe->width; i++) {
        if (!isfinite(probe->weights[i])) {
            return lp_fail(err, LP_ERR_DATA, "%s: the weight of class %zu, feature %zu is %g", path,
                           i / probe->width, i % probe->width, probe->weights[i]);
        }
    }
    for (size_t k = 0; k < probe->classes; k++) {
        if (!(probe->intercepts[k] <= DBL_MAX)) { /* minus infinity is an absent class */
            return lp_fail(err, LP_ERR_DATA, "%s: the intercept of class %zu is %g", path, k,
                           probe->intercepts[k]);
        }
    }
    return LP_OK;
}

/* The length of the header in *length, of a file whose size and digest are right. */
static lp_status check_file(const char *path, const lp_map *map, size_t *length, lp_error *err) {
    char hex[LP_DIGEST_HEX];
    if (map->size < PRELUDE + DIGEST || memcmp(map->data, MAGIC, sizeof MAGIC) != 0) {
        return lp_fail(err, LP_ERR_FORMAT, "%s: not a probe file", path);
    }
    uint64_t header;
    memcpy(&header, map->data + 8, sizeof header);
    if (header > MAX_HEADER || header > map->size - PRELUDE - DIGEST) {
        return lp_fail(err, LP_ERR_FORMAT,
                       "%s: header of %llu bytes in a file of %llu (is it cut off?)", path,
                       (unsigned long long)header, (unsigned long long)map->size);
    }
    *length = (size_t)header;
    size_t body = (size_t)map->size - DIGEST;
    lp_status status = lp_digest_bytes(LP_SHA256, map->data, body, hex, err);
    if (status == LP_OK && memcmp(hex, map->data + body, DIGEST) != 0) {
        status = lp_fail(err, LP_ERR_FORMAT,
                         "%s: the contents do not have the SHA-256 at the end: damaged or cut off",
                         path);
    }
    return status;
}

lp_status lp_probe_load(const char *path, lp_probe **out, lp_error *err) {
    lp_status status = lp_probe_load_any(path, out, err);
    if (status == LP_OK && (*out)->multilabel) {
        lp_probe_free(*out);
        *out = NULL;
        status = lp_fail(err, LP_ERR_UNSUPPORTED,
                         "%s: it was trained on several labels an image (multi-label): it ranks "
                         "images for each class, and chooses no class; there are eval and "
                         "compare of it on such sets, and nothing else",
                         path);
    }
    return status;
}

lp_status lp_probe_load_any(const char *path, lp_probe **out, lp_error *err) {
    lp_map map = {0};
    json_t *header = NULL;
    lp_probe *probe = NULL;
    probe_shape shape = {0};
    size_t length = 0;
    lp_status status;
    *out = NULL;
    LP_TRY(lp_map_open(path, &map, err));
    LP_TRY(check_file(path, &map, &length, err));
    LP_TRY(read_header(path, &map, length, &header, &shape, err));
    LP_TRY(lp_probe_new(shape.classes, shape.width, &probe, err));
    const unsigned char *values = map.data + PRELUDE + length;
    size_t weights = shape.classes * shape.width;
    memcpy(probe->weights, values, 8 * weights);
    memcpy(probe->intercepts, values + 8 * weights, 8 * shape.classes);
    LP_TRY(read_rows(path, values + 8 * (weights + shape.classes), &shape, probe, err));
    LP_TRY(check_values(path, probe, err));
    const json_t *meta = json_object_get(header, "meta");
    probe->solver = lp_training_solver(meta);
    probe->multilabel = json_is_true(json_object_get(meta, "multilabel"));
    LP_TRY(lp_training_read(path, meta, &probe->training, err));
    *out = probe;
    probe = NULL;
done:
    json_decref(header);
    lp_probe_free(probe);
    lp_map_close(&map);
    return status;
}
