/* NumPy's zip files of arrays: a member NAME.npy is the array NAME (numpy/lib/npyio.py, savez),
 * stored or deflated.  A '/' in a name is a dot here.
 *
 * Arrays called "kernel" are those of Flax and TensorFlow, which have a layer's inputs before its
 * outputs.  They are shown as PyTorch has weights, without being copied:
 *
 *   [H, W, in, out]                        -> [out, in, H, W]
 *   [in, out]                              -> [out, in]
 *   [in, heads, width] (queries, ...)      -> [heads * width, in]
 *   [heads, width, out] (called "out")     -> [out, heads * width]
 *
 * and a "bias" [heads, width] as one row (flax/linen: Conv, Dense, DenseGeneral). */
#include "ckpt/numpy_zip.h"

#include <stdio.h>
#include <string.h>

#include "base/archive.h"
#include "base/error.h"
#include "base/npy.h"

enum {
    HEADER_MOST = 4096, /* bytes of an array's header; NumPy writes 128 */
    SHRINKS_MOST = 1032 /* deflate, to 1 */
};

static const char ending[] = ".npy";

static bool is_array(const char *name) {
    size_t length = strlen(name), tail = sizeof ending - 1;
    return length > tail && strcmp(name + length - tail, ending) == 0;
}

bool lp_numpy_zip_recognise(const lp_torch_zip *zip) {
    for (size_t i = 0; i < zip->count; i++) {
        if (is_array(zip->members[i].name)) {
            return true;
        }
    }
    return false;
}

/* ---- one array ------------------------------------------------------------------------------- */

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

static void set_type(const lp_npy *npy, lp_entry *entry) {
    entry->bytes = (unsigned)npy->item;
    entry->tensor.dtype = LP_DTYPE_OTHER;
    entry->tensor.dtype_name = lp_npy_is_text(npy) ? "text" : "another type";
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (types[i].kind == npy->kind && types[i].item == npy->item) {
            bool swapped = npy->big_endian && npy->item > 1;
            entry->tensor.dtype = swapped ? LP_DTYPE_OTHER : types[i].type;
            entry->tensor.dtype_name = swapped ? "big-endian numbers" : types[i].name;
        }
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

/* What Flax has in another order than PyTorch.  Axes can be joined where rows follow each other. */
static void show_as_weight(const char *name, const lp_npy *npy, lp_entry *entry) {
    const lp_entry as_is = *entry;
    const size_t *n = as_is.tensor.shape;
    const uint64_t *stride = as_is.stride;
    bool kernel = ends_so(name, "kernel"), joined = npy->count > 0 && !npy->fortran_order;
    if (kernel && npy->rank == 4) {
        static const int axes[] = {3, 2, 0, 1};
        for (int i = 0; i < 4; i++) {
            set_axis(entry, i, n[axes[i]], stride[axes[i]]);
        }
    } else if (kernel && npy->rank == 2) {
        set_axis(entry, 0, n[1], stride[1]);
        set_axis(entry, 1, n[0], stride[0]);
    } else if (kernel && npy->rank == 3 && joined) {
        size_t outputs = ends_so(name, "out.kernel") ? n[2] : n[1] * n[2];
        entry->tensor.rank = 2;
        set_axis(entry, 0, outputs, 1);
        set_axis(entry, 1, npy->count / outputs, outputs);
    } else if (ends_so(name, "bias") && npy->rank == 2 && joined) {
        entry->tensor.rank = 1;
        set_axis(entry, 0, npy->count, 1);
    }
}

static lp_status add_array(lp_archive *archive, const lp_member *member, size_t place,
                           uint64_t file_size, lp_index *index, lp_error *err) {
    unsigned char header[HEADER_MOST];
    char name[LP_NAME_MAX + 1];
    size_t length = strlen(member->name) - (sizeof ending - 1), got;
    lp_entry entry = {.storage = place};
    lp_npy npy;
    lp_status status;
    LP_TRY(lp_index_check_name(member->name, length, err));
    (void)snprintf(name, sizeof name, "%.*s", (int)length, member->name);
    for (char *slash = strchr(name, '/'); slash != NULL; slash = strchr(slash, '/')) {
        *slash = '.';
    }
    if (member->size / SHRINKS_MOST > file_size) {
        LP_TRY(lp_fail(err, LP_ERR_FORMAT, "%s: %llu bytes cannot come from a file of %llu",
                       member->name, (unsigned long long)member->size,
                       (unsigned long long)file_size));
    }
    LP_TRY(lp_archive_read(archive, header, sizeof header, &got, err));
    if (lp_npy_begin(header, got) > got) {
        LP_TRY(lp_fail(err, LP_ERR_FORMAT, "%s: .npy header: expected at most %d bytes",
                       member->name, HEADER_MOST));
    }
    LP_TRY(lp_npy_parse(member->name, header, got < sizeof header ? got : member->size, &npy, err));
    uint64_t shape[LP_NPY_MAX_RANK], stride = 1;
    for (int i = 0; i < npy.rank; i++) {
        shape[i] = npy.shape[i];
    }
    (void)lp_entry_shape(&entry, shape, (size_t)npy.rank);
    lp_entry_contiguous(&entry);
    for (int i = 0; i < npy.rank && npy.fortran_order; i++) {
        entry.stride[i] = stride;
        stride *= shape[i];
    }
    entry.offset = npy.offset;
    set_type(&npy, &entry);
    show_as_weight(name, &npy, &entry);
    status = lp_index_add(index, name, length, &entry, member->size, err);
done:
    return status;
}

/* ---- all of them ----------------------------------------------------------------------------- */

lp_status lp_numpy_zip_index(const lp_torch_zip *zip, uint64_t file_size, lp_index *index,
                             lp_error *err) {
    lp_archive *archive;
    lp_member member;
    bool more = true;
    lp_status status;
    LP_TRY(lp_torch_zip_open(zip, &archive, err));
    for (size_t place = 0; more; place++) {
        LP_TRY(lp_torch_zip_next(zip, archive, &member, &more, err));
        if (more && is_array(member.name)) {
            LP_TRY(lp_prefix(err, add_array(archive, &member, place, file_size, index, err),
                             "%s: ", zip->path));
        }
    }
done:
    lp_archive_close(archive);
    return status;
}
