/* The walk from a pickle's root to all its tensors.
 *
 * A tensor's name is all keys on the way to it, joined by dots:
 *
 *   dictionary            its keys, texts or integers
 *   list, tuple           the positions, from 0
 *   TorchScript object    the keys of its state
 *   pickled nn.Module     as state_dict() has it: keys of _parameters and _buffers, names of
 *                         children in _modules; these three words are no part of the name
 *   any other object      the keys of its dictionary; where NumPy's arrays are tensors, also the
 *                         positions of what it was made from, and its items
 *
 * The walk has a stack of its own.  A container that it stands in already is not entered again, so
 * circles end; one in which nothing was found is not looked at again, so the time is bounded by the
 * pickle's size and by the number of tensors that are listed, and that has a limit, too. */
#include "ckpt/torch_tree.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "ckpt/array_pickle.h"
#include "ckpt/numpy_array.h"

/* What has become of a container.  It may be entered more than once, under several names. */
enum { UNSEEN, ENTERED, EMPTY };

enum {
    TOO_LONG = LP_NAME_MAX + 1, /* the length of a name that no tensor may have */
    EACH_NODE = 4,              /* what the walk may cost, for each node of the pickle */
    EACH_TENSOR = 16            /* cost of a tensor; of an item: 1 */
};

/* A container on the way from the root. */
typedef struct level {
    uint32_t container, cell; /* cell: the next one, or 0 */
    uint32_t position;        /* of the next one */
    uint32_t passed_over;     /* a list of buffers that state_dict() leaves out, or 0 */
    size_t length;            /* characters of the name before its keys */
    size_t before;            /* tensors in the index when it was entered */
    bool module;              /* the attributes of an nn.Module */
} level;

typedef struct walk {
    const lp_torch_storages *storages;
    const lp_pickle *pickle;
    lp_index *index;
    lp_error *err;
    unsigned char *seen; /* of each node */
    level *levels;
    size_t depth, capacity;
    uint64_t budget;
    char name[LP_NAME_MAX + 1];
} walk;

static lp_status spend(walk *w, uint64_t cost) {
    if (cost > w->budget) {
        return lp_fail(w->err, LP_ERR_FORMAT,
                       "dictionaries or modules share each other so often that their tensors "
                       "cannot be listed");
    }
    w->budget -= cost;
    return LP_OK;
}

/* ---- names ----------------------------------------------------------------------------------- */

/* Puts a text behind the first `length` characters of the name; returns the new length. */
static size_t append(walk *w, size_t length, const char *text, size_t count) {
    if (length > LP_NAME_MAX || count > LP_NAME_MAX - length) {
        return TOO_LONG;
    }
    memcpy(w->name + length, text, count);
    return length + count;
}

/* Puts the name of an item behind those of its containers.  False when its key cannot be one. */
static bool append_key(walk *w, const level *in, uint32_t key, uint32_t position, size_t *length) {
    const lp_node *node = &w->pickle->nodes[key];
    char decimal[24];
    int digits;
    if (lp_pickle_is_string(w->pickle, key)) {
        *length =
            append(w, in->length, w->pickle->bytes + node->is.text.start, node->is.text.length);
        return true;
    }
    if (key != 0 && node->kind != LP_NODE_INT) {
        return false;
    }
    digits = snprintf(decimal, sizeof decimal, "%" PRId64,
                      key != 0 ? node->is.integer : (int64_t)position);
    *length = append(w, in->length, decimal, (size_t)digits);
    return true;
}

/* ---- tensors --------------------------------------------------------------------------------- */

static bool is_array(const walk *w, uint32_t node) {
    return w->storages->arrays && lp_array_pickled(w->pickle, node);
}

static lp_status add_tensor(walk *w, uint32_t node, size_t length) {
    lp_entry entry;
    uint64_t available;
    unsigned long long at = w->pickle->nodes[node].at;
    lp_status status;
    LP_TRY(spend(w, EACH_TENSOR + length / EACH_TENSOR));
    if (length == TOO_LONG) {
        LP_TRY(lp_fail(w->err, LP_ERR_FORMAT,
                       "byte %llu: a tensor's name has more than %d "
                       "characters",
                       at, LP_NAME_MAX));
    }
    LP_TRY(lp_index_check_name(w->name, length, w->err));
    status = is_array(w, node)
                 ? lp_array_pickled_entry(w->pickle, node, &entry, &available, w->err)
                 : lp_torch_tensor_entry(w->pickle, w->storages, node, &entry, &available, w->err);
    LP_TRY(lp_prefix(w->err, status, "byte %llu: tensor %.*s: ", at, (int)length, w->name));
    if (is_array(w, node)) {
        w->name[length] = '\0';
        lp_array_show(w->name, true, &entry);
    }
    LP_TRY(lp_index_add(w->index, w->name, length, &entry, available, w->err));
done:
    return status;
}

/* ---- containers ------------------------------------------------------------------------------ */

static bool is_dictionary(const walk *w, uint32_t node) {
    return w->pickle->nodes[node].kind == LP_NODE_DICT;
}

/* Whether a dictionary holds the attributes of an nn.Module. */
static lp_status is_module(walk *w, uint32_t dictionary, bool *module) {
    lp_status status;
    LP_TRY(spend(w, w->pickle->nodes[dictionary].is.items.count)); /* searches are not free */
    *module = lp_pickle_find(w->pickle, dictionary, "_parameters") != 0 &&
              lp_pickle_find(w->pickle, dictionary, "_modules") != 0;
done:
    return status;
}

/* The dictionary of an object: its state, or of a pair of dictionary and slots the one that there
 * is.  0: none. */
static uint32_t attributes_of(const walk *w, uint32_t state) {
    uint32_t pair[2];
    if (is_dictionary(w, state)) {
        return state;
    }
    if (w->pickle->nodes[state].kind == LP_NODE_TUPLE && lp_pickle_pair(w->pickle, state, pair)) {
        return is_dictionary(w, pair[0]) ? pair[0] : is_dictionary(w, pair[1]) ? pair[1] : 0;
    }
    return 0;
}

/* Enters a container under the first `length` characters of the name. */
static lp_status enter(walk *w, level in) {
    lp_status status = LP_OK;
    if (w->seen[in.container] != UNSEEN) {
        return LP_OK;
    }
    level *levels = lp_grow_by_one(w->levels, w->depth, &w->capacity, sizeof *levels);
    LP_TRY(lp_allocated(levels, "the way to the tensors", w->depth + 1, sizeof *levels, w->err));
    w->levels = levels;
    in.cell = w->pickle->nodes[in.container].is.items.first;
    in.before = w->index->count;
    levels[w->depth++] = in;
    w->seen[in.container] = ENTERED;
done:
    return status;
}

/* What an object without items or a state was made from by a call: a module (torch.compile) or its
 * attributes (torch.fx); or 0.  A method was made from a module, too, by getattr. */
static uint32_t wrapped_by(const walk *w, uint32_t foreign) {
    const lp_node *nodes = w->pickle->nodes;
    uint32_t first, maker = lp_pickle_maker(w->pickle, foreign);
    if (nodes[foreign].is.foreign.count > 0 || nodes[foreign].is.foreign.state != 0 || maker == 0 ||
        lp_pickle_is_text(w->pickle, nodes[maker].is.global.name, "getattr") ||
        !lp_pickle_items(w->pickle, nodes[foreign].is.foreign.arguments, 1, &first)) {
        return 0;
    }
    return nodes[first].kind == LP_NODE_FOREIGN || nodes[first].kind == LP_NODE_DICT ? first : 0;
}

/* Enters all parts of an object that may hold NumPy's arrays: what it was made from, its items, its
 * state, and of a pair of attributes and slots both. */
static lp_status enter_parts(walk *w, uint32_t object, size_t length) {
    const lp_node *nodes = w->pickle->nodes;
    uint32_t state = nodes[object].is.foreign.state;
    uint32_t parts[] = {nodes[object].is.foreign.arguments, object, state, 0};
    lp_status status = LP_OK;
    if (!is_dictionary(w, state) && attributes_of(w, state) != 0) {
        (void)lp_pickle_items(w->pickle, state, 2, parts + 2);
    }
    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && status == LP_OK; i++) {
        lp_node_kind kind = nodes[parts[i]].kind;
        if (parts[i] == object || kind == LP_NODE_DICT || kind == LP_NODE_TUPLE ||
            kind == LP_NODE_LIST) {
            status = enter(w, (level){.container = parts[i], .length = length});
        }
    }
    return status;
}

/* Enters an instance of a class that is not known: what it has as a dictionary or list, else its
 * attributes.  Those of a module of torch.fx are an argument. */
static lp_status enter_foreign(walk *w, uint32_t value, size_t length) {
    const lp_node *nodes = w->pickle->nodes;
    level in = {.length = length};
    uint32_t wrapped;
    lp_status status;
    if (w->storages->arrays) {
        return enter_parts(w, value, length);
    }
    while (nodes[value].kind == LP_NODE_FOREIGN && (wrapped = wrapped_by(w, value)) != 0) {
        LP_TRY(spend(w, 1));
        value = wrapped;
    }
    bool argument = nodes[value].kind == LP_NODE_DICT;
    if (!argument && nodes[value].is.foreign.count > 0) {
        in.container = value;
        return enter(w, in);
    }
    in.container = argument ? value : attributes_of(w, nodes[value].is.foreign.state);
    if (in.container == 0 || w->seen[in.container] != UNSEEN) {
        return LP_OK;
    }
    LP_TRY(is_module(w, in.container, &in.module));
    if (in.module) {
        in.passed_over = lp_pickle_find(w->pickle, in.container, "_non_persistent_buffers_set");
    }
    status = in.module || !argument ? enter(w, in) : LP_OK;
done:
    return status;
}

/* Enters a value, when it holds something, under the first `length` characters of the name. */
static lp_status enter_value(walk *w, uint32_t value, size_t length) {
    const lp_node *node = &w->pickle->nodes[value];
    switch (node->kind) {
    case LP_NODE_TUPLE:
    case LP_NODE_LIST:
    case LP_NODE_DICT:
        return enter(w, (level){.container = value, .length = length});
    case LP_NODE_OBJECT:
        return is_dictionary(w, node->is.object.state)
                   ? enter(w, (level){.container = node->is.object.state, .length = length})
                   : LP_OK;
    case LP_NODE_FOREIGN:
        return enter_foreign(w, value, length);
    default:
        return LP_OK;
    }
}

/* An attribute of a module: three of them hold all tensors, and are no part of the name. */
static lp_status visit_attribute(walk *w, const level *in, const lp_node *cell) {
    uint32_t key = cell->is.cell.key;
    level inner = {.container = cell->is.cell.value, .length = in->length};
    bool buffers = lp_pickle_is_text(w->pickle, key, "_buffers");
    if (!is_dictionary(w, inner.container) ||
        (!buffers && !lp_pickle_is_text(w->pickle, key, "_parameters") &&
         !lp_pickle_is_text(w->pickle, key, "_modules"))) {
        return LP_OK;
    }
    inner.passed_over = buffers ? in->passed_over : 0;
    return enter(w, inner);
}

/* Whether a list has a text. */
static lp_status is_listed(walk *w, uint32_t list, uint32_t key, bool *listed) {
    const lp_node *nodes = w->pickle->nodes;
    lp_status status = LP_OK;
    uint32_t cell = nodes[list].kind == LP_NODE_LIST ? nodes[list].is.items.first : 0;
    *listed = false;
    for (; cell != 0 && !*listed; cell = nodes[cell].is.cell.next) {
        LP_TRY(spend(w, 1));
        *listed = lp_pickle_same_text(w->pickle, nodes[cell].is.cell.value, key);
    }
done:
    return status;
}

/* An item of a dictionary, list or tuple. */
static lp_status visit_item(walk *w, const level *in, const lp_node *cell, uint32_t position) {
    uint32_t key = cell->is.cell.key, value = cell->is.cell.value;
    size_t length;
    bool left_out;
    lp_status status;
    LP_TRY(is_listed(w, in->passed_over, key, &left_out));
    if (left_out || !append_key(w, in, key, position, &length)) {
        return LP_OK;
    }
    if (lp_torch_is_tensor(w->pickle, value) || is_array(w, value)) {
        return add_tensor(w, value, length);
    }
    if (length != TOO_LONG && lp_pickle_is_string(w->pickle, value)) {
        const lp_node *text = &w->pickle->nodes[value];
        lp_arch_note_text(&w->index->archs, w->name, length, w->pickle->bytes + text->is.text.start,
                          text->is.text.length);
    }
    status = enter_value(w, value, append(w, length, ".", 1));
done:
    return status;
}

/* Goes through the containers, the deepest one first, until none is left. */
static lp_status run(walk *w) {
    lp_status status = LP_OK;
    while (w->depth > 0) {
        level *top = &w->levels[w->depth - 1];
        if (top->cell == 0) {
            w->seen[top->container] = w->index->count > top->before ? UNSEEN : EMPTY;
            w->depth--;
            continue;
        }
        const level in = *top; /* entering another one may move them */
        const lp_node *cell = &w->pickle->nodes[in.cell];
        top->cell = cell->is.cell.next;
        top->position++;
        LP_TRY(spend(w, 1));
        LP_TRY(in.module ? visit_attribute(w, &in, cell) : visit_item(w, &in, cell, in.position));
    }
done:
    return status;
}

/* ---- the root -------------------------------------------------------------------------------- */

/* NumPy's arrays may be weights, but PyTorch's files are read without them, and those of arrays
 * only where they have names; the constants of a frozen module are not read. */
static lp_status no_tensors(const walk *w, bool script) {
    size_t arrays = 0;
    lp_error *err = w->err;
    for (uint32_t i = 1; i < w->pickle->count; i++) {
        arrays += lp_array_pickled(w->pickle, i);
    }
    if (script) {
        return lp_fail(err, LP_ERR_UNSUPPORTED,
                       "no tensors found: a TorchScript module without parameters, as "
                       "torch.jit.freeze makes it of one: save it before it is frozen");
    }
    if (arrays > 0) {
        return lp_fail(err, LP_ERR_UNSUPPORTED, "no tensors found, but %zu NumPy arrays%s", arrays,
                       w->storages->arrays
                           ? " in places without a name, as under a key that is neither a text "
                             "nor an integer: save them in a dictionary by their names"
                           : ", which are not read: save them as tensors or as .safetensors");
    }
    return lp_fail(err, LP_ERR_UNSUPPORTED,
                   "no tensors found: expected a dictionary of them, or modules that hold them");
}

lp_status lp_torch_tree_index(const lp_pickle *pickle, const lp_torch_storages *storages,
                              lp_index *index, lp_torch_tree *tree, lp_error *err) {
    size_t before = index->count;
    walk w = {.storages = storages,
              .pickle = pickle,
              .index = index,
              .err = err,
              .seen = lp_alloc_zeroed(pickle->count, 1),
              .budget = EACH_NODE * (uint64_t)pickle->count};
    lp_status status;
    tree->script = pickle->nodes[pickle->root].kind == LP_NODE_OBJECT;
    LP_TRY(lp_allocated(w.seen, "the way to the tensors", pickle->count, 1, err));
    if (lp_torch_is_tensor(pickle, pickle->root) || is_array(&w, pickle->root)) {
        LP_TRY(add_tensor(&w, pickle->root, append(&w, 0, "tensor", strlen("tensor"))));
    }
    LP_TRY(enter_value(&w, pickle->root, 0));
    LP_TRY(run(&w));
    if (index->count == before) {
        status = no_tensors(&w, tree->script);
    }
done:
    lp_free(w.seen);
    lp_free(w.levels);
    return status;
}
