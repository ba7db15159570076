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

static lp_status build_header(const lp_probe *probe, const char *meta, char **text, lp_error *err) {
    json_t *meta_value = NULL;
    *text = NULL;
    if (meta != NULL) {
        lp_status status = lp_json_parse("probe's meta", meta, strlen(meta), &meta_value, err);
        if (status != LP_OK || !json_is_object(meta_value)) {
            json_decref(meta_value);
            return status != LP_OK
                       ? status
                       : lp_fail(err, LP_ERR_FORMAT, "probe's meta: expected a JSON object");
        }
    } else {
        meta_value = json_object();
    }
    json_t *header = json_pack("{s:s, s:s, s:I, s:I, s:o}", "format", "linprobe probe", "dtype",
                               "<f8", "classes", (json_int_t)probe->classes, "width",
                               (json_int_t)probe->width, "meta", meta_value);
    *text = lp_json_dump(header, LP_JSON_COMPACT);
    json_decref(header);
    return *text != NULL ? LP_OK : lp_fail(err, LP_ERR_MEMORY, "probe's header could not be built");
}

lp_status lp_probe_save(const lp_probe *probe, const char *path, const char *meta, lp_error *err) {
    char *header;
    char hex[LP_DIGEST_HEX];
    lp_status status = build_header(probe, meta, &header, err);
    if (status != LP_OK) {
        return status;
    }
    size_t length = strlen(header);
    size_t padded = (length + 7) / 8 * 8;
    size_t weights = probe->classes * probe->width;
    size_t body = PRELUDE + padded + 8 * (weights + probe->classes);
    unsigned char *bytes = lp_alloc(body + DIGEST, 1);
    if (bytes == NULL) {
        status = lp_fail_memory(err, path, body, 1);
    } else if (length > MAX_HEADER) {
        status = lp_fail(err, LP_ERR_ARGUMENT, "%s: meta of %zu bytes is too long", path, length);
    } else {
        memcpy(bytes, MAGIC, sizeof MAGIC);
        put_u64(bytes + 8, padded);
        memcpy(bytes + PRELUDE, header, length);
        memset(bytes + PRELUDE + length, ' ', padded - length);
        put_reals(bytes + PRELUDE + padded, probe->weights, weights);
        put_reals(bytes + PRELUDE + padded + 8 * weights, probe->intercepts, probe->classes);
        status = lp_digest_bytes(LP_SHA256, bytes, body, hex, err);
    }
    if (status == LP_OK) {
        memcpy(bytes + body, hex, DIGEST);
        status = lp_file_write(path, bytes, body + DIGEST, err);
    }
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

static lp_status read_probe(const char *path, const lp_map *map, lp_probe **out, lp_error *err) {
    char hex[LP_DIGEST_HEX];
    json_t *header = NULL;
    lp_probe *probe = NULL;
    size_t classes = 0;
    size_t width = 0;
    if (map->size < PRELUDE + DIGEST || memcmp(map->data, MAGIC, sizeof MAGIC) != 0) {
        return lp_fail(err, LP_ERR_FORMAT, "%s: not a probe file", path);
    }
    uint64_t length = get_u64(map->data + 8);
    if (length > MAX_HEADER || length > map->size - PRELUDE - DIGEST) {
        return lp_fail(err, LP_ERR_FORMAT,
                       "%s: header of %llu bytes in a file of %llu (is it cut off?)", path,
                       (unsigned long long)length, (unsigned long long)map->size);
    }
    size_t body = (size_t)map->size - DIGEST;
    lp_status status = lp_digest_bytes(LP_SHA256, map->data, body, hex, err);
    if (status != LP_OK) {
        return status;
    }
    if (memcmp(hex, map->data + body, DIGEST) != 0) {
        return lp_fail(err, LP_ERR_FORMAT,
                       "%s: the contents do not have the SHA-256 at the end: damaged or cut off",
                       path);
    }
    status = read_header(path, map, (size_t)length, &header, &classes, &width, err);
    if (status == LP_OK) {
        status = lp_probe_new(classes, width, &probe, err);
    }
    if (status == LP_OK) {
        const unsigned char *values = map->data + PRELUDE + length;
        get_reals(values, probe->weights, classes * width);
        get_reals(values + 8 * classes * width, probe->intercepts, classes);
        status = check_values(path, probe, err);
    }
    const json_t *meta = json_object_get(header, "meta");
    if (status == LP_OK && json_is_object(meta)) {
        char *text = lp_json_dump(meta, LP_JSON_COMPACT);
        lp_free(probe->meta);
        probe->meta = text != NULL ? lp_strdup(text) : NULL;
        free(text);
        if (probe->meta == NULL) {
            status = lp_fail(err, LP_ERR_MEMORY, "%s: out of memory for its meta", path);
        }
    }
    json_decref(header);
    if (status != LP_OK) {
        lp_probe_free(probe);
        probe = NULL;
    }
    *out = probe;
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
