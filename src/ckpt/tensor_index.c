/* Names, shapes and views of tensors, checked once for all formats, and their values widened or
 * rounded to float32.  Stored bytes are little-endian in every format read here and are put
 * together byte by byte, so that neither the processor's order nor alignment matters. */
#include "ckpt/tensor_index.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/half.h"
#include "base/text.h"

lp_status lp_index_check_name(const char *name, size_t length, lp_error *err) {
    if (length == 0 || length > LP_NAME_MAX) {
        return lp_fail(err, LP_ERR_FORMAT, "a tensor's name has %zu characters, expected 1 to %d",
                       length, LP_NAME_MAX);
    }
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)name[i];
        if (c < 0x20 || c == 0x7f) {
            return lp_fail(err, LP_ERR_FORMAT, "a tensor's name has a control character, 0x%02x",
                           c);
        }
    }
    return LP_OK;
}

/* Counts the elements, and checks that the last of them lies within the storage. */
static lp_status check_view(lp_entry *entry, const char *name, uint64_t available, lp_error *err) {
    lp_tensor *t = &entry->tensor;
    uint64_t last = 0, end = 0, step;
    size_t bytes;
    bool fits = true;
    t->count = 1;
    for (int i = 0; i < t->rank; i++) {
        if (!lp_mul(t->count, t->shape[i], &t->count)) {
            return lp_fail(err, LP_ERR_FORMAT, "tensor %s: its shape overflows", name);
        }
    }
    for (int i = 0; i < t->rank && t->count > 0; i++) {
        fits = fits && lp_mul_u64(t->shape[i] - 1, entry->stride[i], &step) &&
               lp_add_u64(last, step, &last);
    }
    if (t->count > 0 && fits) {
        fits = lp_add_u64(last, 1, &end) && lp_mul_u64(end, entry->bytes, &end) &&
               lp_add_u64(end, entry->offset, &end);
    }
    if (!fits || end > available) {
        return lp_fail(
            err, LP_ERR_FORMAT,
            "tensor %s: its shape and strides reach beyond the %llu bytes of its storage", name,
            (unsigned long long)available);
    }
    if (!lp_mul(t->count, sizeof(float) > entry->bytes ? sizeof(float) : entry->bytes, &bytes)) {
        return lp_fail(err, LP_ERR_FORMAT, "tensor %s: its shape overflows", name);
    }
    return LP_OK;
}

lp_status lp_index_add(lp_index *index, const char *name, size_t name_length, const lp_entry *entry,
                       uint64_t available, lp_error *err) {
    lp_status status;
    LP_TRY(lp_index_check_name(name, name_length, err));
    lp_entry *added = lp_grow_by_one(index->entries, index->count, &index->capacity, sizeof *added);
    LP_TRY(lp_allocated(added, "the index of tensors", index->count + 1, sizeof *added, err));
    index->entries = added;
    added += index->count;
    *added = *entry;
    added->file = index->file;
    added->unwrapped = NULL;
    added->name = lp_alloc(name_length + 1, 1);
    LP_TRY(lp_allocated(added->name, "a tensor's name", name_length + 1, 1, err));
    memcpy(added->name, name, name_length);
    added->name[name_length] = '\0';
    added->tensor.name = added->name;
    index->count++; /* from here on lp_index_free releases the name */
    LP_TRY(check_view(added, added->name, available, err));
    /* check_view has seen to it that the product does not overflow. */
    if (!lp_add_u64(index->viewed, (uint64_t)added->tensor.count * entry->bytes, &index->viewed) ||
        index->viewed / LP_VIEWS_MAX > index->file_size) {
        LP_TRY(lp_fail(err, LP_ERR_FORMAT,
                       "tensor %s: with it the tensors view more than %d times the file's %llu "
                       "bytes",
                       added->name, LP_VIEWS_MAX, (unsigned long long)index->file_size));
    }
done:
    return status;
}

static int compare_entries(const void *a, const void *b) {
    return strcmp(((const lp_entry *)a)->tensor.name, ((const lp_entry *)b)->tensor.name);
}

/* ---- what wraps the names -------------------------------------------------------------------- */

/* Parts of names that no module of a model's own has: DataParallel, torch.compile, FSDP, and
 * activation checkpointing put them round a module, at any depth. */
static const char *const wraps[] = {"module", "_orig_mod", "_fsdp_wrapped_module",
                                    "_checkpoint_wrapped_module"};

size_t lp_index_unwrap(const char *name, char *out) {
    size_t used = 0;
    for (const char *dot; (dot = strchr(name, '.')) != NULL; name = dot + 1) {
        size_t length = (size_t)(dot - name);
        if (!lp_text_in(wraps, sizeof wraps / sizeof wraps[0], name, length)) {
            memcpy(out + used, name, length + 1);
            used += length + 1;
        }
    }
    size_t length = strlen(name);
    memcpy(out + used, name, length + 1);
    return used + length;
}

/* Orders by name; returns one that stands twice, or NULL. */
static const char *order(lp_index *index) {
    if (index->count > 0) {
        qsort(index->entries, index->count, sizeof *index->entries, compare_entries);
    }
    for (size_t i = 1; i < index->count; i++) {
        if (compare_entries(&index->entries[i - 1], &index->entries[i]) == 0) {
            return index->entries[i].tensor.name;
        }
    }
    return NULL;
}

lp_status lp_index_finish(lp_index *index, lp_error *err) {
    char name[LP_NAME_MAX + 1];
    lp_status status = LP_OK;
    for (size_t i = 0; i < index->count; i++) {
        lp_entry *entry = &index->entries[i];
        size_t length = lp_index_unwrap(entry->name, name);
        if (length < strlen(entry->name)) {
            entry->unwrapped = lp_strdup(name);
            LP_TRY(lp_allocated(entry->unwrapped, "a tensor's name", length + 1, 1, err));
            entry->tensor.name = entry->unwrapped;
        }
    }
    if (order(index) == NULL) {
        return LP_OK;
    }
    /* Two models that only a wrap tells apart: all names stay as the file has them. */
    for (size_t i = 0; i < index->count; i++) {
        index->entries[i].tensor.name = index->entries[i].name;
    }
    const char *twice = order(index);
    if (twice != NULL) {
        LP_TRY(lp_fail(err, LP_ERR_FORMAT, "tensor %s stands twice", twice));
    }
done:
    return status;
}

const lp_entry *lp_index_find(const lp_index *index, const char *name) {
    lp_entry key = {.tensor = {.name = name}};
    return index->count == 0 ? NULL
                             : bsearch(&key, index->entries, index->count, sizeof *index->entries,
                                       compare_entries);
}

void lp_index_free(lp_index *index) {
    for (size_t i = 0; i < index->count; i++) {
        lp_free(index->entries[i].name);
        lp_free(index->entries[i].unwrapped);
    }
    lp_free(index->entries);
    *index = (lp_index){0};
}

bool lp_entry_shape(lp_entry *entry, const uint64_t *shape, size_t rank) {
    entry->tensor.rank = (int)rank;
    for (size_t i = 0; i < rank; i++) {
        entry->tensor.shape[i] = (size_t)shape[i];
        if (shape[i] > SIZE_MAX) {
            return false;
        }
    }
    return true;
}

void lp_entry_contiguous(lp_entry *entry) {
    uint64_t stride = 1;
    for (int i = entry->tensor.rank - 1; i >= 0; i--) {
        entry->stride[i] = stride;
        stride *= entry->tensor.shape[i]; /* wraps only where the count overflows as well */
    }
}

/* ---- values ---------------------------------------------------------------------------------- */

static uint16_t load16(const unsigned char *p) {
    return (uint16_t)(p[0] | p[1] << 8);
}

uint32_t lp_load32(const unsigned char *p) {
    return load16(p) | (uint32_t)load16(p + 2) << 16;
}

uint64_t lp_load64(const unsigned char *p) {
    return lp_load32(p) | (uint64_t)lp_load32(p + 4) << 32;
}

static float load_f64(const unsigned char *p) {
    uint64_t bits = lp_load64(p);
    double value;
    memcpy(&value, &bits, sizeof value);
    return (float)value;
}

/* Two's complement, here and below without the conversions that C leaves to the implementation. */
static float load_i64(const unsigned char *p) {
    uint64_t bits = lp_load64(p);
    int64_t value;
    memcpy(&value, &bits, sizeof value);
    return (float)value;
}

/* n values, `stride` bytes apart.  Those that lie close have a loop of their own, which the
 * compiler can make vector instructions. */
static void convert_row(lp_dtype type, const unsigned char *from, uint64_t stride, size_t n,
                        float *to) {
#define EACH(step, expression)                                                                     \
    for (size_t i = 0; i < n; i++) {                                                               \
        const unsigned char *p = from + i * (step);                                                \
        to[i] = (expression);                                                                      \
    }
#define ROW(bytes, expression)                                                                     \
    if (stride == (bytes)) {                                                                       \
        EACH(bytes, expression)                                                                    \
    } else {                                                                                       \
        EACH(stride, expression)                                                                   \
    }                                                                                              \
    break
    switch (type) {
    case LP_DTYPE_F16:
        ROW(2, lp_half_to_float(load16(p)));
    case LP_DTYPE_BF16:
        ROW(2, lp_bfloat16_to_float(load16(p)));
    case LP_DTYPE_F32:
        ROW(4, lp_float_of_bits(lp_load32(p)));
    case LP_DTYPE_F64:
        ROW(8, load_f64(p));
    case LP_DTYPE_I64:
        ROW(8, load_i64(p));
    case LP_DTYPE_I32:
        ROW(4, (float)((int64_t)(lp_load32(p) ^ 0x80000000u) - INT64_C(0x80000000)));
    case LP_DTYPE_I16:
        ROW(2, (float)((load16(p) ^ 0x8000) - 0x8000));
    case LP_DTYPE_I8:
        ROW(1, (float)((*p ^ 0x80) - 0x80));
    case LP_DTYPE_U8:
        ROW(1, (float)*p);
    case LP_DTYPE_BOOL:
        ROW(1, *p != 0 ? 1.0f : 0.0f);
    case LP_DTYPE_OTHER:
        break;
    }
#undef ROW
#undef EACH
}

/* The axes of a view, joined from the last one as long as the next steps over them exactly: the
 * whole tensor where it is contiguous.  What is left are `outer` axes over rows. */
typedef struct rows {
    int outer;
    size_t length;   /* values of a row */
    uint64_t stride; /* elements between them */
} rows;

static rows join_axes(const lp_entry *entry) {
    const lp_tensor *t = &entry->tensor;
    rows r = {t->rank, 1, t->rank > 0 ? entry->stride[t->rank - 1] : 1};
    while (r.outer > 0 &&
           (entry->stride[r.outer - 1] == r.length * r.stride || t->shape[r.outer - 1] == 1)) {
        r.length *= t->shape[--r.outer];
    }
    return r;
}

bool lp_entry_is_whole(const lp_entry *entry, uint64_t storage_bytes) {
    rows r = join_axes(entry);
    return r.outer == 0 && r.stride == 1 && entry->offset == 0 &&
           (uint64_t)r.length * entry->bytes == storage_bytes;
}

void lp_entry_widen(const lp_entry *entry, const unsigned char *bytes, size_t count,
                    float *values) {
    convert_row(entry->tensor.dtype, bytes, entry->bytes, count, values);
}

static bool all_finite(const float *values, size_t n) {
    uint32_t odd = 0, bits;
    for (size_t i = 0; i < n; i++) {
        memcpy(&bits, &values[i], sizeof bits);
        odd |= (bits & 0x7f800000u) == 0x7f800000u;
    }
    return odd == 0;
}

lp_status lp_entry_check(const lp_entry *entry, const float *values, lp_error *err) {
    const lp_tensor *t = &entry->tensor;
    for (size_t i = all_finite(values, t->count) ? t->count : 0; i < t->count; i++) {
        if (!isfinite(values[i])) {
            return lp_fail(err, LP_ERR_DATA, "tensor %s: value %zu of %zu is %s", t->name, i,
                           t->count, isnan(values[i]) ? "not a number" : "infinite");
        }
    }
    return LP_OK;
}

lp_status lp_entry_check_type(const lp_entry *entry, lp_error *err) {
    const lp_tensor *t = &entry->tensor;
    return t->dtype != LP_DTYPE_OTHER
               ? LP_OK
               : lp_fail(err, LP_ERR_UNSUPPORTED,
                         "tensor %s: values of type %s cannot be read; expected floating point of "
                         "16, 32 or 64 bits, or integers",
                         t->name, t->dtype_name);
}

lp_status lp_entry_convert(const lp_entry *entry, const unsigned char *storage, float *values,
                           lp_error *err) {
    const lp_tensor *t = &entry->tensor;
    rows r = join_axes(entry);
    size_t position[LP_MAX_RANK] = {0};
    uint64_t at = 0; /* elements from the first one */
    for (size_t done = 0; done < t->count; done += r.length) {
        convert_row(t->dtype, storage + entry->offset + at * entry->bytes, r.stride * entry->bytes,
                    r.length, values + done);
        for (int axis = r.outer - 1; axis >= 0; axis--) {
            at += entry->stride[axis];
            if (++position[axis] < t->shape[axis]) {
                break;
            }
            at -= entry->stride[axis] * t->shape[axis];
            position[axis] = 0;
        }
    }
    return lp_entry_check(entry, values, err);
}
