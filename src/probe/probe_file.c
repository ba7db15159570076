/* The probe file; docs/FORMATS.md describes it.
 *
 *     "LPPROBE1", header length uint64, header JSON padded with spaces to a multiple of 8,
 *     weights float64 [K, F], intercepts float64 [K], SHA-256 of all that in 64 hexadecimal digits
 *
 * Numbers are little-endian.  A file is checked whole before anything of it is used. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "probe/classifier.h"

static const char MAGIC[8] = {'L', 'P', 'P', 'R', 'O', 'B', 'E', '1'};
enum { PRELUDE = 16, DIGEST = LP_DIGEST_HEX - 1, MAX_HEADER = 64 << 20 };

static void put_u64(unsigned char *bytes, uint64_t value) {
    for (int i = 0; i < 8; i++) {
        bytes[i] = (unsigned char)(value >> (8 * i));
    }
}

static uint64_t get_u64(const unsigned char *bytes) {
    uint64_t value = 0;
    for (int i = 0; i < 8; i++) {
        value |= (uint64_t)bytes[i] << (8 * i);
    }
    return value;
}

static void put_reals(unsigned char *bytes, const double *values, size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint64_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        put_u64(bytes + 8 * i, bits);
    }
}

static void get_reals(const unsigned char *bytes, double *values, size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint64_t bits = get_u64(bytes + 8 * i);
        memcpy(&values[i], &bits, sizeof bits);
    }
}

/* ---- meta: JSON for people and other programs; of it a probe itself needs its solver ---- */

/* The solver that meta's options.solver names.  Files of older versions and of other programs may
 * name none, or one that is not ours: then softmax and one-vs-rest. */
static lp_solver solver_of_meta(const json_t *meta) {
    const char *name = lp_json_text(json_object_get(meta, "options"), "solver",
                                    lp_solver_names[LP_SOLVER_SOFTMAX]);
    for (int i = 0; lp_solver_names[i] != NULL; i++) {
        if (strcmp(lp_solver_names[i], name) == 0) {
            return (lp_solver)i;
        }
    }
    return LP_SOLVER_OVR;
}

/* Meta as it goes into the file: the caller's, with options.solver. */
static lp_status build_meta(const lp_probe *probe, const char *text, json_t **meta, lp_error *err) {
    lp_status status = LP_OK;
    *meta = NULL;
    if (text != NULL) {
        LP_TRY(lp_json_parse("probe's meta", text, strlen(text), meta, err));
        if (!json_is_object(*meta)) {
            status = lp_fail(err, LP_ERR_FORMAT, "probe's meta: expected a JSON object");
            goto done;
        }
    } else {
        *meta = json_object();
    }
    json_t *options = json_object_get(*meta, "options");
    if (!json_is_object(options)) {
        options = json_object();
        (void)json_object_set_new(*meta, "options", options);
    }
    if (json_object_set_new(options, "solver", json_string(lp_solver_name(probe->solver))) != 0) {
        status = lp_fail(err, LP_ERR_MEMORY, "probe's meta could not be built");
    }
done:
    if (status != LP_OK) {
        json_decref(*meta);
        *meta = NULL;
    }
    return status;
}

/* Takes meta over from a file's header. */
static lp_status read_meta(lp_probe *probe, const char *path, const json_t *meta, lp_error *err) {
    probe->solver = solver_of_meta(meta);
    if (!json_is_object(meta)) {
        return LP_OK;
    }
    char *text = lp_json_dump(meta, LP_JSON_COMPACT);
    lp_free(probe->meta);
    probe->meta = text != NULL ? lp_strdup(text) : NULL;
    free(text);
    return probe->meta != NULL
               ? LP_OK
               : lp_fail(err, LP_ERR_MEMORY, "%s: out of memory for its meta", path);
}

/* ---- the file ---- */

static lp_status build_header(const lp_probe *probe, const char *meta, char **text, lp_error *err) {
    json_t *meta_value;
    *text = NULL;
    lp_status status = build_meta(probe, meta, &meta_value, err);
    if (status != LP_OK) {
        return status;
    }
    json_t *header = json_pack("{s:s, s:s, s:I, s:I, s:o}", "format", "linprobe probe", "dtype",
                               "<f8", "classes", (json_int_t)probe->classes, "width",
                               (json_int_t)probe->width, "meta", meta_value);
    *text = lp_json_dump(header, LP_JSON_COMPACT);
    json_decref(header);
    return *text != NULL ? LP_OK : lp_fail(err, LP_ERR_MEMORY, "probe's header could not be built");
}

lp_status lp_probe_save(const lp_probe *probe, const char *path, const char *meta, lp_error *err) {
    char *header = NULL;
    unsigned char *bytes = NULL;
    char hex[LP_DIGEST_HEX];
    lp_status status;
    LP_TRY(build_header(probe, meta, &header, err));
    size_t length = strlen(header);
    size_t padded = (length + 7) / 8 * 8;
    size_t weights = probe->classes * probe->width;
    size_t body = PRELUDE + padded + 8 * (weights + probe->classes);
    if (length > MAX_HEADER) {
        status = lp_fail(err, LP_ERR_ARGUMENT, "%s: meta of %zu bytes is too long", path, length);
        goto done;
    }
    bytes = lp_alloc(body + DIGEST, 1);
    if (bytes == NULL) {
        status = lp_fail_memory(err, path, body, 1);
        goto done;
    }
    memcpy(bytes, MAGIC, sizeof MAGIC);
    put_u64(bytes + 8, padded);
    memcpy(bytes + PRELUDE, header, length);
    memset(bytes + PRELUDE + length, ' ', padded - length);
    put_reals(bytes + PRELUDE + padded, probe->weights, weights);
    put_reals(bytes + PRELUDE + padded + 8 * weights, probe->intercepts, probe->classes);
    LP_TRY(lp_digest_bytes(LP_SHA256, bytes, body, hex, err));
    memcpy(bytes + body, hex, DIGEST);
    status = lp_file_write(path, bytes, body + DIGEST, err);
done:
    lp_free(bytes);
    free(header);
    return status;
}

/* The header's dimensions, such that the file's size is right for them. */
static lp_status read_header(const char *path, const lp_map *map, size_t length, json_t **header,
                             size_t *classes, size_t *width, lp_error *err) {
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
    uint64_t values;
    uint64_t bytes;
    if (K < 2 || F < 1 || !lp_mul_u64((uint64_t)K, (uint64_t)F + 1, &values) ||
        !lp_mul_u64(values, 8, &bytes) || map->size - PRELUDE - length < DIGEST ||
        bytes != map->size - PRELUDE - length - DIGEST) {
        return lp_fail(err, LP_ERR_FORMAT, "%s: %llu bytes do not fit %lld classes x %lld features",
                       path, (unsigned long long)map->size, (long long)K, (long long)F);
    }
    *classes = (size_t)K;
    *width = (size_t)F;
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
    uint64_t header = get_u64(map->data + 8);
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

static lp_status read_probe(const char *path, const lp_map *map, lp_probe **out, lp_error *err) {
    json_t *header = NULL;
    lp_probe *probe = NULL;
    size_t length = 0, classes = 0, width = 0;
    lp_status status;
    LP_TRY(check_file(path, map, &length, err));
    LP_TRY(read_header(path, map, length, &header, &classes, &width, err));
    LP_TRY(lp_probe_new(classes, width, &probe, err));
    const unsigned char *values = map->data + PRELUDE + length;
    get_reals(values, probe->weights, classes * width);
    get_reals(values + 8 * classes * width, probe->intercepts, classes);
    LP_TRY(check_values(path, probe, err));
    LP_TRY(read_meta(probe, path, json_object_get(header, "meta"), err));
    *out = probe;
    probe = NULL;
done:
    json_decref(header);
    lp_probe_free(probe);
    return status;
}

lp_status lp_probe_load(const char *path, lp_probe **probe, lp_error *err) {
    lp_map map;
    *probe = NULL;
    lp_status status = lp_map_open(path, &map, err);
    if (status == LP_OK) {
        status = read_probe(path, &map, probe, err);
        lp_map_close(&map);
    }
    return status;
}
