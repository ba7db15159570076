/* From a tensor's node to its entry:
 *
 *   1. element type, shape and strides
 *   2. its storage by key; offset, shape and strides against that storage's size
 *
 * A tensor of a kind that is not read is listed as well, so that a file which holds one beside the
 * wanted weights can be read, and whoever needs this one is told what it is.
 *
 * Reference: torch/serialization.py (_load, _legacy_load: what a persistent id means),
 * torch/_utils.py (_rebuild_*: what their arguments are). */
#include "ckpt/torch_tensor.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

#define NOT_COUNTS "offset, shape, strides and size of the storage must be integers of 0 or more"

/* ---- kinds that are not read ----------------------------------------------------------------- */

/* The functions that make them, under torch._utils or torch._tensor; where the shape stands among
 * the arguments, and where among those of that argument.  -1: not there. */
static const struct {
    const char *maker;
    int shape, inner;
} kinds[] = {
    {"_rebuild_qtensor", 2, -1},
    {"_rebuild_sparse_tensor", 1, 2},
    {"_rebuild_meta_tensor_no_storage", 1, -1},
    {"_rebuild_wrapper_subclass", 2, -1},
    {"_rebuild_nested_tensor", -1, -1},
    {"_rebuild_device_tensor_from_numpy", -1, -1},
    {"_rebuild_xla_tensor", -1, -1},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* The name of the function that made a foreign tensor, a text; or 0. */
static uint32_t rebuilder_of(const lp_pickle *pickle, uint32_t node) {
    uint32_t maker = lp_pickle_maker(pickle, node);
    if (maker == 0) {
        return 0;
    }
    uint32_t module = pickle->nodes[maker].is.global.module;
    uint32_t name = pickle->nodes[maker].is.global.name;
    return (lp_pickle_is_text(pickle, module, "torch._utils") ||
            lp_pickle_is_text(pickle, module, "torch._tensor")) &&
                   lp_pickle_begins(pickle, name, "_rebuild_")
               ? name
               : 0;
}

bool lp_torch_is_tensor(const lp_pickle *pickle, uint32_t node) {
    return pickle->nodes[node].kind == LP_NODE_TENSOR || rebuilder_of(pickle, node) != 0;
}

/* ---- counts ---------------------------------------------------------------------------------- */

/* A count in the pickle: an integer that is not negative. */
static bool read_count(const lp_pickle *pickle, uint32_t node, uint64_t *value) {
    const lp_node *n = &pickle->nodes[node];
    if (n->kind != LP_NODE_INT || n->is.integer < 0) {
        return false;
    }
    *value = (uint64_t)n->is.integer;
    return true;
}

/* The counts in a tuple of at most LP_MAX_RANK. */
static bool read_counts(const lp_pickle *pickle, uint32_t tuple, uint64_t *values) {
    const lp_node *nodes = pickle->nodes;
    uint32_t cell = nodes[tuple].is.items.first;
    for (size_t i = 0; cell != 0; cell = nodes[cell].is.cell.next, i++) {
        if (!read_count(pickle, nodes[cell].is.cell.value, &values[i])) {
            return false;
        }
    }
    return true;
}

/* Item i of a tuple, or 0 (also for i = -1). */
static uint32_t item_at(const lp_pickle *pickle, uint32_t tuple, int i) {
    uint32_t items[3];
    return i >= 0 && lp_pickle_items(pickle, tuple, (size_t)i + 1, items) ? items[i] : 0;
}

/* A tensor of a kind that is not read. */
static lp_status fill_foreign(const lp_pickle *pickle, uint32_t node, lp_entry *entry,
                              lp_error *err) {
    uint64_t sizes[LP_MAX_RANK] = {0};
    uint32_t shape = 0;
    uint32_t name = rebuilder_of(pickle, node);
    entry->tensor.dtype = LP_DTYPE_OTHER;
    entry->tensor.dtype_name = "unknown";
    for (size_t i = 0; i < KINDS; i++) {
        if (lp_pickle_is_text(pickle, name, kinds[i].maker)) {
            entry->tensor.dtype_name = kinds[i].maker;
            shape = item_at(pickle, pickle->nodes[node].is.foreign.arguments, kinds[i].shape);
            shape = kinds[i].inner >= 0 ? item_at(pickle, shape, kinds[i].inner) : shape;
        }
    }
    const lp_node *tuple = &pickle->nodes[shape];
    if (tuple->kind != LP_NODE_TUPLE || tuple->is.items.count > LP_MAX_RANK ||
        !read_counts(pickle, shape, sizes)) {
        return LP_OK;
    }
    return lp_entry_shape(entry, sizes, tuple->is.items.count)
               ? LP_OK
               : lp_fail(err, LP_ERR_FORMAT, "its shape overflows");
}

/* ---- tensors --------------------------------------------------------------------------------- */

/* The element type, shape and strides of a tensor's node. */
static lp_status fill_shape(const lp_pickle *pickle, const lp_node *tensor, lp_entry *entry,
                            lp_error *err) {
    const lp_node *shape = &pickle->nodes[tensor->is.tensor.shape];
    const lp_node *stride = &pickle->nodes[tensor->is.tensor.stride];
    const lp_torch_type *type = tensor->is.tensor.type;
    uint64_t sizes[LP_MAX_RANK] = {0};
    if (shape->kind != LP_NODE_TUPLE || stride->kind != LP_NODE_TUPLE ||
        shape->is.items.count != stride->is.items.count) {
        return lp_fail(err, LP_ERR_FORMAT, "expected shape and strides as tuples of one length");
    }
    if (shape->is.items.count > LP_MAX_RANK) {
        return lp_fail(err, LP_ERR_UNSUPPORTED, "%u dimensions, expected at most %d",
                       shape->is.items.count, LP_MAX_RANK);
    }
    if (!read_counts(pickle, tensor->is.tensor.shape, sizes) ||
        !read_counts(pickle, tensor->is.tensor.stride, entry->stride)) {
        return lp_fail(err, LP_ERR_FORMAT, NOT_COUNTS);
    }
    if (type == NULL) {
        type = pickle->nodes[tensor->is.tensor.storage].is.storage.type;
    }
    entry->tensor.dtype = type->type;
    entry->tensor.dtype_name = type->storage != NULL ? type->storage : type->dtype;
    entry->bytes = type->bytes;
    return lp_entry_shape(entry, sizes, shape->is.items.count)
               ? LP_OK
               : lp_fail(err, LP_ERR_FORMAT, "its shape overflows");
}

/* A storage that is part of another one, as old versions of PyTorch wrote them: (key, offset, size)
 * in elements.  The tensor's own offset counts from there. */
static lp_status apply_view(const lp_pickle *pickle, const lp_node *storage, lp_entry *entry,
                            uint64_t *available, lp_error *err) {
    const lp_node *view = &pickle->nodes[storage->is.storage.view];
    uint64_t offset, size, end;
    uint32_t items[3];
    if (storage->is.storage.view == 0 || view->kind == LP_NODE_OPAQUE) { /* None */
        return LP_OK;
    }
    if (!lp_pickle_items(pickle, storage->is.storage.view, 3, items) || view->is.items.count != 3 ||
        !read_count(pickle, items[1], &offset) || !read_count(pickle, items[2], &size)) {
        return lp_fail(err, LP_ERR_FORMAT, "its storage's view is not (key, offset, size)");
    }
    unsigned bytes = storage->is.storage.type->bytes;
    if (!lp_add_u64(offset, size, &end) || !lp_mul_u64(end, bytes, &end) || end > *available ||
        !lp_add_u64(entry->offset, offset * bytes, &entry->offset)) {
        return lp_fail(err, LP_ERR_FORMAT,
                       "its storage's view of %llu elements from %llu reaches beyond its %llu "
                       "bytes",
                       (unsigned long long)size, (unsigned long long)offset,
                       (unsigned long long)*available);
    }
    *available = end;
    return LP_OK;
}

/* Where its values begin: storage and offset, after fill_shape.  *available is how far they may
 * reach. */
static lp_status fill_place(const lp_pickle *pickle, const lp_torch_storages *storages,
                            const lp_node *tensor, lp_entry *entry, uint64_t *available,
                            lp_error *err) {
    const lp_node *storage = &pickle->nodes[tensor->is.tensor.storage];
    const lp_node *key = &pickle->nodes[storage->is.storage.key];
    uint64_t offset, elements;
    lp_torch_storage found;
    char name[LP_TORCH_KEY_MAX + 1];
    if (!read_count(pickle, tensor->is.tensor.offset, &offset) ||
        !read_count(pickle, storage->is.storage.size, &elements)) {
        return lp_fail(err, LP_ERR_FORMAT, NOT_COUNTS);
    }
    if (key->is.text.length > LP_TORCH_KEY_MAX) {
        return lp_fail(err, LP_ERR_FORMAT, "its storage has a key of %llu characters",
                       (unsigned long long)key->is.text.length);
    }
    memcpy(name, pickle->bytes + key->is.text.start, key->is.text.length);
    name[key->is.text.length] = '\0';
    if (!storages->find(storages->context, name, &found)) {
        return lp_fail(err, LP_ERR_FORMAT, "its storage, %s%s, is not in the file",
                       storages->prefix, name);
    }
    if (!lp_mul_u64(elements, storage->is.storage.type->bytes, available) ||
        *available > found.bytes) {
        return lp_fail(err, LP_ERR_FORMAT,
                       "its storage, %s%s, has %llu bytes, expected %llu elements of %s",
                       storages->prefix, name, (unsigned long long)found.bytes,
                       (unsigned long long)elements, storage->is.storage.type->storage);
    }
    if (!lp_mul_u64(offset, entry->bytes, &entry->offset)) {
        return lp_fail(err, LP_ERR_FORMAT, "its offset overflows");
    }
    entry->storage = found.number;
    return storages->views ? apply_view(pickle, storage, entry, available, err) : LP_OK;
}

lp_status lp_torch_tensor_entry(const lp_pickle *pickle, const lp_torch_storages *storages,
                                uint32_t node, lp_entry *entry, uint64_t *available,
                                lp_error *err) {
    const lp_node *tensor = &pickle->nodes[node];
    lp_status status;
    *entry = (lp_entry){0};
    *available = 0;
    if (tensor->kind != LP_NODE_TENSOR) {
        return fill_foreign(pickle, node, entry, err);
    }
    LP_TRY(fill_shape(pickle, tensor, entry, err));
    LP_TRY(fill_place(pickle, storages, tensor, entry, available, err));
done:
    return status;
}
