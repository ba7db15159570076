/* Arrays of the programs that run on JAX and TensorFlow have a layer's inputs before its outputs.
 * They are shown as PyTorch has weights, without being copied:
 *
 *   "kernel" (Flax, TensorFlow) and, where Haiku's names count, "w":
 *     [H, W, in, out]                        -> [out, in, H, W]
 *     [in, out]                              -> [out, in]
 *   "kernel" alone:
 *     [in, heads, width] (queries, ...)      -> [heads * width, in]
 *     [heads, width, out] (called "out")     -> [out, heads * width]
 *   "bias" [heads, width]                    -> one row
 *   "scale", "offset", "average" (Haiku's batch norms) [1, 1, 1, C] -> [C]
 *
 * Reference: flax/linen (Conv, Dense, DenseGeneral), haiku/_src (conv.py, basic.py, batch_norm.py,
 * moving_averages.py). */
#include "ckpt/numpy_array.h"

#include <string.h>

static const struct {
    char kind;
    size_t item;
    lp_dtype type;
    const char *name;
} types[] = {
    {'f', 2, LP_DTYPE_F16, "float16"}, {'f', 4, LP_DTYPE_F32, "float32"},
    {'f', 8, LP_DTYPE_F64, "float64"}, {'i', 8, LP_DTYPE_I64, "int64"},
    {'i', 4, LP_DTYPE_I32, "int32"},   {'i', 2, LP_DTYPE_I16, "int16"},
    {'i', 1, LP_DTYPE_I8, "int8"},     {'u', 1, LP_DTYPE_U8, "uint8"},
    {'b', 1, LP_DTYPE_BOOL, "bool"},
};

void lp_array_type(char kind, size_t item, bool big_endian, const char *other, lp_entry *entry) {
    entry->bytes = (unsigned)item;
    entry->tensor.dtype = LP_DTYPE_OTHER;
    entry->tensor.dtype_name = other;
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (types[i].kind == kind && types[i].item == item) {
            bool swapped = big_endian && item > 1;
            entry->tensor.dtype = swapped ? LP_DTYPE_OTHER : types[i].type;
            entry->tensor.dtype_name = swapped ? "big-endian numbers" : types[i].name;
        }
    }
}

void lp_array_strides(bool fortran_order, lp_entry *entry) {
    uint64_t stride = 1;
    lp_entry_contiguous(entry);
    for (int i = 0; i < entry->tensor.rank && fortran_order; i++) {
        entry->stride[i] = stride;
        stride *= entry->tensor.shape[i]; /* as in lp_entry_contiguous */
    }
}

/* Whether a name ends with these parts. */
static bool ends_so(const char *name, const char *parts) {
    size_t length = strlen(name), tail = strlen(parts);
    return length >= tail && strcmp(name + length - tail, parts) == 0 &&
           (length == tail || name[length - tail - 1] == '.');
}

/* An axis of a view. */
static void set_axis(lp_entry *entry, int axis, uint64_t size, uint64_t stride) {
    entry->tensor.shape[axis] = (size_t)size;
    entry->stride[axis] = stride;
}

/* Whether axes that follow each other can be shown as one: of arrays that are row-major and have
 * values. */
static bool is_joined(const lp_entry *entry) {
    lp_entry rows = *entry;
    lp_entry_contiguous(&rows);
    bool joined = true;
    for (int i = 0; i < entry->tensor.rank; i++) {
        joined = joined && entry->tensor.shape[i] > 0 && rows.stride[i] == entry->stride[i];
    }
    return joined;
}

/* A vector behind axes of size 1. */
static void drop_ones(lp_entry *entry) {
    const lp_entry as_is = *entry;
    int last = as_is.tensor.rank - 1;
    for (int i = 0; i < last; i++) {
        if (as_is.tensor.shape[i] != 1) {
            return;
        }
    }
    entry->tensor.rank = 1;
    set_axis(entry, 0, as_is.tensor.shape[last], as_is.stride[last]);
}

void lp_array_show(const char *name, bool haiku, lp_entry *entry) {
    size_t n[LP_MAX_RANK] = {0};
    uint64_t stride[LP_MAX_RANK] = {0};
    int rank = entry->tensor.rank;
    for (int i = 0; i < rank; i++) {
        n[i] = entry->tensor.shape[i];
        stride[i] = entry->stride[i];
    }
    bool kernel = ends_so(name, "kernel"), weight = kernel || (haiku && ends_so(name, "w"));
    if (weight && rank == 4) {
        static const int axes[] = {3, 2, 0, 1};
        for (int i = 0; i < 4; i++) {
            set_axis(entry, i, n[axes[i]], stride[axes[i]]);
        }
    } else if (weight && rank == 2) {
        set_axis(entry, 0, n[1], stride[1]);
        set_axis(entry, 1, n[0], stride[0]);
    } else if (kernel && rank == 3 && is_joined(entry)) {
        bool out = ends_so(name, "out.kernel");
        size_t outputs = out ? n[2] : n[1] * n[2], inputs = out ? n[0] * n[1] : n[0];
        entry->tensor.rank = 2;
        set_axis(entry, 0, outputs, 1);
        set_axis(entry, 1, inputs, outputs);
    } else if (ends_so(name, "bias") && rank == 2 && is_joined(entry)) {
        entry->tensor.rank = 1;
        set_axis(entry, 0, n[0] * n[1], 1);
    } else if (haiku && rank > 1 &&
               (ends_so(name, "scale") || ends_so(name, "offset") || ends_so(name, "average"))) {
        drop_ones(entry);
    }
}
