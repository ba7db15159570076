/* The walk from a pickle's root to its tensors.
 *
 *   1. which dictionary holds the weights: a module tree's state, one under a known key, the root
 *   2. each tensor's name: its key, or the attributes that lead to it, joined by dots, as
 *      state_dict() has it
 *   3. its storage by key; offset, shape and strides against that storage's size
 *
 * Reference: torch/serialization.py (_load, _legacy_load: what a persistent id means). */
#include "ckpt/torch_tree.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

enum { DEPTH_MAX = 64 }; /* modules within modules */

#define NOT_COUNTS "offset, shape, strides and size of the storage must be integers of 0 or more"

typedef struct reader {
    const lp_torch_storages *storages;
    const lp_pickle *pickle;
    lp_index *index;
    lp_error *err;
    bool script;
    uint64_t budget; /* what the walk may still cost; shared modules could multiply it */
    char name[LP_NAME_MAX + 1];
} reader;

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

/* A storage that is part of another one, as old versions of PyTorch wrote them: (key, offset, size)
 * in elements.  The tensor's own offset counts from there. */
static lp_status apply_view(reader *r, const lp_node *storage, lp_entry *entry,
                            uint64_t *available) {
    const lp_pickle *pickle = r->pickle;
    const lp_node *view = &pickle->nodes[storage->is.storage.view];
    uint64_t offset, size, end;
    uint32_t items[3];
    if (storage->is.storage.view == 0 || view->kind == LP_NODE_OPAQUE) { /* None */
        return LP_OK;
    }
    if (!lp_pickle_items(pickle, storage->is.storage.view, 3, items) || view->is.items.count != 3 ||
        !read_count(pickle, items[1], &offset) || !read_count(pickle, items[2], &size)) {
        return lp_fail(r->err, LP_ERR_FORMAT, "its storage's view is not (key, offset, size)");
    }
    unsigned bytes = storage->is.storage.type->bytes;
    if (!lp_add_u64(offset, size, &end) || !lp_mul_u64(end, bytes, &end) || end > *available ||
        !lp_add_u64(entry->offset, offset * bytes, &entry->offset)) {
        return lp_fail(r->err, LP_ERR_FORMAT,
                       "its storage's view of %llu elements from %llu reaches beyond its %llu "
                       "bytes",
                       (unsigned long long)size, (unsigned long long)offset,
                       (unsigned long long)*available);
    }
    *available = end;
    return LP_OK;
}

/* The element type, shape and strides of a tensor's node. */
static lp_status fill_shape(reader *r, const lp_node *tensor, lp_entry *entry) {
    const lp_pickle *pickle = r->pickle;
    const lp_node *shape = &pickle->nodes[tensor->is.tensor.shape];
    const lp_node *stride = &pickle->nodes[tensor->is.tensor.stride];
    const lp_torch_type *type = tensor->is.tensor.type;
    uint64_t sizes[LP_MAX_RANK] = {0};
    if (shape->kind != LP_NODE_TUPLE || stride->kind != LP_NODE_TUPLE ||
        shape->is.items.count != stride->is.items.count) {
        return lp_fail(r->err, LP_ERR_FORMAT, "expected shape and strides as tuples of one length");
    }
    if (shape->is.items.count > LP_MAX_RANK) {
        return lp_fail(r->err, LP_ERR_UNSUPPORTED, "%u dimensions, expected at most %d",
                       shape->is.items.count, LP_MAX_RANK);
    }
    if (!read_counts(pickle, tensor->is.tensor.shape, sizes) ||
        !read_counts(pickle, tensor->is.tensor.stride, entry->stride)) {
        return lp_fail(r->err, LP_ERR_FORMAT, NOT_COUNTS);
    }
    if (type == NULL) {
        type = pickle->nodes[tensor->is.tensor.storage].is.storage.type;
    }
    entry->tensor.dtype = type->type;
    entry->tensor.dtype_name = type->storage != NULL ? type->storage : type->dtype;
    entry->bytes = type->bytes;
    return lp_entry_shape(entry, sizes, shape->is.items.count)
               ? LP_OK
               : lp_fail(r->err, LP_ERR_FORMAT, "its shape overflows");
}

/* Where its values begin: storage and offset, after fill_shape.  *available is how far they may
 * reach. */
static lp_status fill_place(reader *r, const lp_node *tensor, lp_entry *entry,
                            uint64_t *available) {
    const lp_pickle *pickle = r->pickle;
    const lp_node *storage = &pickle->nodes[tensor->is.tensor.storage];
    const lp_node *key = &pickle->nodes[storage->is.storage.key];
    uint64_t offset, elements;
    lp_torch_storage found;
    char name[LP_TORCH_KEY_MAX + 1];
    if (!read_count(pickle, tensor->is.tensor.offset, &offset) ||
        !read_count(pickle, storage->is.storage.size, &elements)) {
        return lp_fail(r->err, LP_ERR_FORMAT, NOT_COUNTS);
    }
    if (key->is.text.length > LP_TORCH_KEY_MAX) {
        return lp_fail(r->err, LP_ERR_FORMAT, "its storage has a key of %u characters",
                       key->is.text.length);
    }
    memcpy(name, pickle->bytes + key->is.text.start, key->is.text.length);
    name[key->is.text.length] = '\0';
    if (!r->storages->find(r->storages->context, name, &found)) {
        return lp_fail(r->err, LP_ERR_FORMAT, "its storage, %s%s, is not in the file",
                       r->storages->prefix, name);
    }
    if (!lp_mul_u64(elements, storage->is.storage.type->bytes, available) ||
        *available > found.bytes) {
        return lp_fail(r->err, LP_ERR_FORMAT,
                       "its storage, %s%s, has %llu bytes, expected %llu elements of %s",
                       r->storages->prefix, name, (unsigned long long)found.bytes,
                       (unsigned long long)elements, storage->is.storage.type->storage);
    }
    if (!lp_mul_u64(offset, entry->bytes, &entry->offset)) {
        return lp_fail(r->err, LP_ERR_FORMAT, "its offset overflows");
    }
    entry->storage = found.number;
    return r->storages->views ? apply_view(r, storage, entry, available) : LP_OK;
}

static lp_status spend(reader *r, uint64_t cost) {
    if (cost > r->budget) {
        return lp_fail(r->err, LP_ERR_FORMAT,
                       "the modules share each other so often that they cannot be listed");
    }
    r->budget -= cost;
    return LP_OK;
}

static lp_status add_tensor(reader *r, uint32_t node, size_t name_length) {
    lp_entry entry = {0};
    uint64_t available = 0;
    const lp_node *tensor = &r->pickle->nodes[node];
    lp_status status;
    LP_TRY(spend(r, 32 + name_length));
    LP_TRY(lp_index_check_name(r->name, name_length, r->err));
    status = fill_shape(r, tensor, &entry);
    status = status == LP_OK ? fill_place(r, tensor, &entry, &available) : status;
    LP_TRY(
        lp_prefix(r->err, status, "byte %u: tensor %.*s: ", tensor->at, (int)name_length, r->name));
    LP_TRY(lp_index_add(r->index, r->name, name_length, &entry, available, r->err));
done:
    return status;
}

/* Passes over what is no tensor, but not over tensors of kinds that are not read (quantised,
 * sparse): without them the weights would not be whole. */
static lp_status check_foreign(reader *r, uint32_t value, size_t name_length) {
    static const char *const makers[] = {"torch._utils\n", "torch._tensor\n"};
    const lp_node *node = &r->pickle->nodes[value];
    const lp_node *maker = &r->pickle->nodes[node->is.maker];
    const char *text = r->pickle->bytes + maker->is.global.start;
    for (size_t i = 0; i < 2; i++) {
        size_t length = strlen(makers[i]);
        if (maker->is.global.length > length && memcmp(text, makers[i], length) == 0) {
            return lp_fail(r->err, LP_ERR_UNSUPPORTED,
                           "byte %u: tensor %.*s: of a kind that is not read (%.*s)", node->at,
                           (int)name_length, r->name, (int)(maker->is.global.length - length),
                           text + length);
        }
    }
    return LP_OK;
}

/* Appends a dictionary's key to the first `length` characters of the name. */
static lp_status append_name(reader *r, size_t length, uint32_t key, size_t *total) {
    const lp_node *text = &r->pickle->nodes[key];
    if (text->is.text.length > LP_NAME_MAX - length) {
        return lp_fail(r->err, LP_ERR_FORMAT, "byte %u: a name of more than %d characters",
                       text->at, LP_NAME_MAX);
    }
    memcpy(r->name + length, r->pickle->bytes + text->is.text.start, text->is.text.length);
    *total = length + text->is.text.length;
    return LP_OK;
}

static uint32_t first_cell(const lp_node *nodes, uint32_t node) {
    return nodes[node].kind == LP_NODE_DICT ? nodes[node].is.items.first : 0;
}

/* Adds the tensors of a dictionary under the first `length` characters of the name, and those of
 * the modules in it, which have a dictionary for their state. */
static lp_status add_tensors(reader *r, uint32_t dictionary, size_t length, int depth) {
    const lp_node *nodes = r->pickle->nodes;
    lp_status status = LP_OK;
    if (depth > DEPTH_MAX) {
        return lp_fail(r->err, LP_ERR_FORMAT, "modules are nested deeper than %d, or in a circle",
                       DEPTH_MAX);
    }
    for (uint32_t cell = first_cell(nodes, dictionary); cell != 0;
         cell = nodes[cell].is.cell.next) {
        uint32_t value = nodes[cell].is.cell.value;
        lp_node_kind kind = nodes[value].kind;
        bool module = kind == LP_NODE_DICT || (r->script && kind == LP_NODE_OBJECT);
        size_t total = 0;
        LP_TRY(spend(r, 1));
        if (nodes[nodes[cell].is.cell.key].kind != LP_NODE_TEXT ||
            (kind != LP_NODE_TENSOR && kind != LP_NODE_FOREIGN && !module)) {
            continue;
        }
        LP_TRY(append_name(r, length, nodes[cell].is.cell.key, &total));
        if (!module) {
            LP_TRY(kind == LP_NODE_TENSOR ? add_tensor(r, value, total)
                                          : check_foreign(r, value, total));
            continue;
        }
        if (total == LP_NAME_MAX) {
            LP_TRY(
                lp_fail(r->err, LP_ERR_FORMAT, "a name of more than %d characters", LP_NAME_MAX));
        }
        r->name[total] = '.';
        LP_TRY(add_tensors(r, kind == LP_NODE_DICT ? value : nodes[value].is.state, total + 1, depth + 1));
    }
done:
    return status;
}

/* Whether the file holds a module with its class instead of its weights. */
static bool holds_pickled_module(const lp_pickle *pickle) {
    uint32_t model = lp_pickle_find(pickle, pickle->root, "model");
    return pickle->nodes[pickle->root].kind == LP_NODE_FOREIGN ||
           pickle->nodes[model].kind == LP_NODE_FOREIGN;
}

lp_status lp_torch_tree_index(const lp_pickle *pickle, const lp_torch_storages *storages,
                              lp_index *index, lp_torch_tree *tree, lp_error *err) {
    const lp_node *root = &pickle->nodes[pickle->root];
    size_t before = index->count;
    reader r = {.storages = storages,
                .pickle = pickle,
                .index = index,
                .err = err,
                .script = root->kind == LP_NODE_OBJECT,
                .budget = 4 * (uint64_t)pickle->end};
    tree->script = r.script;
    tree->wrapper = NULL;
    lp_status status =
        add_tensors(&r, r.script ? root->is.state : pickle->root, 0, 0);
    if (status == LP_OK && index->count == before) {
        status = lp_fail(err, LP_ERR_UNSUPPORTED,
                         holds_pickled_module(pickle)
                             ? "a whole pickled module, which only its own program can load: save "
                               "its state_dict() instead"
                             : "no tensors found: expected a dictionary of them, also under "
                               "\"state_dict\", \"model\" or \"teacher\", or a TorchScript module");
    }
    return status;
}
