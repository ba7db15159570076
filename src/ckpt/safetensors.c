/* The safetensors format:
 *
 *   8 bytes   length n of the header, little-endian
 *   n bytes   JSON: {"name": {"dtype": "F32", "shape": [...], "data_offsets": [begin, end]}, ...,
 *             "__metadata__": {...}}; offsets count from the end of the header
 *   the rest  the values, row-major, without gaps or overlaps
 *
 * Reference: huggingface/safetensors README.md ("Format"). */
#include "ckpt/safetensors.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json.h"

/* Longest header that is read.  A tensor takes about 100 bytes of it. */
enum { HEADER_MAX = 4 << 20 };

static const struct {
    const char *name;
    lp_dtype type;
    unsigned bytes; /* 0: less than one each, and the size in bytes is not checked */
} types[] = {
    {"F16", LP_DTYPE_F16, 2},       {"BF16", LP_DTYPE_BF16, 2},     {"F32", LP_DTYPE_F32, 4},
    {"F64", LP_DTYPE_F64, 8},       {"I64", LP_DTYPE_I64, 8},       {"I32", LP_DTYPE_I32, 4},
    {"I16", LP_DTYPE_I16, 2},       {"I8", LP_DTYPE_I8, 1},         {"U8", LP_DTYPE_U8, 1},
    {"BOOL", LP_DTYPE_BOOL, 1},     {"U16", LP_DTYPE_OTHER, 2},     {"U32", LP_DTYPE_OTHER, 4},
    {"U64", LP_DTYPE_OTHER, 8},     {"C64", LP_DTYPE_OTHER, 8},     {"F8_E4M3", LP_DTYPE_OTHER, 1},
    {"F8_E5M2", LP_DTYPE_OTHER, 1}, {"F8_E8M0", LP_DTYPE_OTHER, 1}, {"F4", LP_DTYPE_OTHER, 0},
    {"F6_E2M3", LP_DTYPE_OTHER, 0}, {"F6_E3M2", LP_DTYPE_OTHER, 0}};

bool lp_safetensors_recognise(const lp_map *file) {
    return file->size > 8 && file->data[8] == '{';
}

/* A JSON array of counts; false when it is anything else. */
static bool read_counts(const json_t *array, size_t max, uint64_t *values, size_t *count) {
    if (!json_is_array(array) || json_array_size(array) > max) {
        return false;
    }
    *count = json_array_size(array);
    for (size_t i = 0; i < *count; i++) {
        const json_t *value = json_array_get(array, i);
        if (!json_is_integer(value) || json_integer_value(value) < 0) {
            return false;
        }
        values[i] = (uint64_t)json_integer_value(value);
    }
    return true;
}

/* Where a tensor's values lie, from the end of the header. */
typedef struct extent {
    uint64_t begin, end;
    const char *name;
} extent;

static lp_status add_tensor(const char *name, const json_t *value, const lp_map *file,
                            uint64_t start, extent *where, lp_index *index, lp_error *err) {
    lp_entry entry = {0};
    uint64_t shape[LP_MAX_RANK], offsets[2] = {0, 0};
    size_t rank = 0, pair = 0, t = 0;
    const json_t *shape_value = json_object_get(value, "shape");
    const char *type = json_string_value(json_object_get(value, "dtype"));
    lp_status status;
    LP_TRY(lp_index_check_name(name, strlen(name), err));
    if (json_array_size(shape_value) > LP_MAX_RANK) {
        return lp_fail(err, LP_ERR_UNSUPPORTED, "tensor %s: %zu dimensions, expected at most %d",
                       name, json_array_size(shape_value), LP_MAX_RANK);
    }
    if (type == NULL || !read_counts(shape_value, LP_MAX_RANK, shape, &rank) ||
        !read_counts(json_object_get(value, "data_offsets"), 2, offsets, &pair) || pair != 2) {
        return lp_fail(err, LP_ERR_FORMAT,
                       "tensor %s: expected a dtype, a shape and two data_offsets, as counts",
                       name);
    }
    while (t < sizeof types / sizeof types[0] && strcmp(types[t].name, type) != 0) {
        t++;
    }
    if (t == sizeof types / sizeof types[0]) {
        return lp_fail(err, LP_ERR_UNSUPPORTED, "tensor %s: unknown dtype \"%.20s\"", name, type);
    }
    entry.tensor.dtype = types[t].type;
    entry.tensor.dtype_name = types[t].name;
    entry.bytes = types[t].bytes;
    if (!lp_entry_shape(&entry, shape, rank)) {
        return lp_fail(err, LP_ERR_FORMAT, "tensor %s: its shape overflows", name);
    }
    *where = (extent){offsets[0], offsets[1], name};
    if (offsets[1] < offsets[0] || offsets[1] > file->size - start) {
        return lp_fail(err, LP_ERR_FORMAT,
                       "tensor %s: data_offsets %llu to %llu, expected a range within the %llu "
                       "bytes of data",
                       name, (unsigned long long)offsets[0], (unsigned long long)offsets[1],
                       (unsigned long long)(file->size - start));
    }
    entry.offset = start + offsets[0];
    lp_entry_contiguous(&entry);
    LP_TRY(lp_index_add(index, name, strlen(name), &entry, start + offsets[1], err));
    /* lp_index_add has checked that this product fits. */
    uint64_t bytes = (uint64_t)index->entries[index->count - 1].tensor.count * entry.bytes;
    if (entry.bytes > 0 && bytes != offsets[1] - offsets[0]) {
        LP_TRY(lp_fail(err, LP_ERR_FORMAT,
                       "tensor %s: data_offsets hold %llu bytes, expected %llu for its shape", name,
                       (unsigned long long)(offsets[1] - offsets[0]), (unsigned long long)bytes));
    }
done:
    return status;
}

static int compare_extents(const void *a, const void *b) {
    const extent *x = a, *y = b;
    if (x->begin != y->begin) {
        return x->begin < y->begin ? -1 : 1;
    }
    return x->end < y->end ? -1 : x->end > y->end;
}

/* The tensors must follow each other from the first byte to the last. */
static lp_status check_extents(extent *extents, size_t count, uint64_t data, lp_error *err) {
    uint64_t end = 0;
    if (count > 0) {
        qsort(extents, count, sizeof *extents, compare_extents);
    }
    for (size_t i = 0; i < count; i++) {
        if (extents[i].begin != end) {
            return lp_fail(
                err, LP_ERR_FORMAT, "tensor %s: %s at byte %llu of the data", extents[i].name,
                extents[i].begin < end ? "it overlaps another one" : "there is a gap before it",
                (unsigned long long)extents[i].begin);
        }
        end = extents[i].end;
    }
    if (end != data) {
        return lp_fail(err, LP_ERR_FORMAT, "%llu bytes of data, expected %llu",
                       (unsigned long long)data, (unsigned long long)end);
    }
    return LP_OK;
}

/* Texts that the writing program added. */
static void note_metadata(json_t *metadata, lp_index *index) {
    const char *key;
    json_t *value;
    json_object_foreach(metadata, key, value) {
        if (json_is_string(value)) {
            lp_arch_note_text(&index->archs, key, strlen(key), json_string_value(value),
                              json_string_length(value));
        }
    }
}

lp_status lp_safetensors_index(const lp_map *file, lp_index *index, lp_error *err) {
    uint64_t length = lp_load64(file->data), start;
    json_t *header = NULL;
    extent *extents = NULL;
    lp_status status;
    if (!lp_add_u64(8, length, &start) || start > file->size) {
        return lp_fail(err, LP_ERR_FORMAT,
                       "the header is said to have %llu bytes, but the file has only %llu",
                       (unsigned long long)length, (unsigned long long)file->size);
    }
    if (length > HEADER_MAX) {
        return lp_fail(err, LP_ERR_UNSUPPORTED, "a header of %llu bytes, expected at most %d",
                       (unsigned long long)length, HEADER_MAX);
    }
    LP_TRY(lp_json_parse("header", (const char *)file->data + 8, (size_t)length, &header, err));
    size_t members = json_object_size(header), count = 0;
    extents = lp_alloc(members, sizeof *extents);
    LP_TRY(lp_allocated(extents, "header", members, sizeof *extents, err));
    const char *name;
    json_t *value;
    json_object_foreach(header, name, value) {
        if (strcmp(name, "__metadata__") == 0) {
            note_metadata(value, index);
        } else {
            LP_TRY(add_tensor(name, value, file, start, &extents[count++], index, err));
        }
    }
    LP_TRY(check_extents(extents, count, file->size - start, err));
done:
    lp_free(extents);
    json_decref(header);
    return status;
}
