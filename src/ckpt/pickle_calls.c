/* What the globals of a pickle mean.
 *
 *   GLOBAL, STACK_GLOBAL      look a name up in pickle_globals.c
 *   REDUCE, NEWOBJ, BUILD     on a global that is there make a node of its kind; on any other, or
 *                             on what it made, a foreign node that keeps arguments and state
 *   BINPERSID                 ("storage", type, key, place, size, view) makes a storage
 *
 * Reference: torch/_utils.py and torch/_tensor.py (_rebuild_*), torch/serialization.py
 * (persistent_id), dill/_dill.py (_create_namedtuple, _import_module, _get_attr, _create_array). */
#include <string.h>

#include "ckpt/pickle_globals.h"
#include "ckpt/pickle_machine.h"

#define FAIL LP_MACHINE_FAIL

/* Characters of each part of a name that is on the stack: it may be there many times. */
enum { STACK_GLOBAL_MAX = 512 };

/* What is listed and never read: its bytes are known, its values are not. */
static const lp_torch_type unknown_type = {NULL, "unknown", LP_DTYPE_OTHER, 1};
static const lp_torch_type lazy_bits = {NULL, "negated-or-conjugated", LP_DTYPE_OTHER, 1};

static bool has_role(const lp_machine *m, uint32_t node, lp_role role) {
    const lp_node *n = lp_node_at(m, node);
    return n->kind == LP_NODE_GLOBAL && n->is.global.role == (uint32_t)role;
}

/* ---- names ----------------------------------------------------------------------------------- */

/* A name as it may be shown: hostile files must not send escapes to a terminal. */
static const char *printable(const lp_machine *m, uint32_t text, char shown[120]) {
    const lp_node *node = lp_node_at(m, text);
    const char *bytes = m->out->bytes + node->is.text.start;
    size_t length = node->is.text.length, n = length < 116 ? length : 116;
    for (size_t i = 0; i < n; i++) {
        shown[i] = bytes[i];
        if (bytes[i] < 0x20 || bytes[i] > 0x7e) {
            shown[i] = '?';
        }
    }
    memcpy(shown + n, n < length ? "..." : "", n < length ? 4 : 1);
    return shown;
}

static lp_status name_global(lp_machine *m, uint32_t module, uint32_t name, uint32_t *global) {
    const lp_node *module_text = lp_node_at(m, module), *name_text = lp_node_at(m, name);
    const lp_torch_type *type;
    lp_role role =
        lp_global_find(m->out->bytes + module_text->is.text.start, module_text->is.text.length,
                       m->out->bytes + name_text->is.text.start, name_text->is.text.length, &type);
    if (role == LP_ROLE_DANGEROUS) {
        char shown_module[120], shown_name[120];
        return FAIL(m, LP_ERR_UNSUPPORTED,
                    "the global %s%s%s runs code where Python loads it, and has no place among "
                    "weights; nothing was executed",
                    printable(m, module, shown_module), name_text->is.text.length > 0 ? "." : "",
                    printable(m, name, shown_name));
    }
    lp_status status = lp_machine_add(m, LP_NODE_GLOBAL, global);
    if (status == LP_OK) {
        lp_node *node = lp_node_at(m, *global);
        node->is.global.role = (uint32_t)role;
        node->is.global.module = module;
        node->is.global.name = name;
        node->is.global.type = type;
    }
    return status;
}

lp_status lp_machine_global(lp_machine *m) {
    const char *module = (const char *)m->bytes + m->at;
    const char *end = (const char *)m->bytes + m->size;
    const char *module_end = memchr(module, '\n', (size_t)(end - module));
    const char *name = module_end != NULL ? module_end + 1 : end;
    const char *name_end = memchr(name, '\n', (size_t)(end - name));
    uint32_t module_text, name_text, global;
    lp_status status;
    if (name_end == NULL) {
        return FAIL(m, LP_ERR_FORMAT, "the pickle ends within the name of a global");
    }
    m->at = (size_t)(name_end + 1 - (const char *)m->bytes);
    LP_TRY(
        lp_machine_add_text(m, LP_NODE_TEXT, module, (size_t)(module_end - module), &module_text));
    LP_TRY(lp_machine_add_text(m, LP_NODE_TEXT, name, (size_t)(name_end - name), &name_text));
    LP_TRY(name_global(m, module_text, name_text, &global));
    LP_TRY(lp_machine_replace(m, 0, global));
done:
    return status;
}

/* A global of two texts that are on the stack, or were. */
static lp_status find_global(lp_machine *m, uint32_t module, uint32_t name, uint32_t *global) {
    if (!lp_pickle_is_string(m->out, module) || !lp_pickle_is_string(m->out, name)) {
        return FAIL(m, LP_ERR_FORMAT, "a global's name is not made from two texts");
    }
    if (lp_node_at(m, module)->is.text.length > STACK_GLOBAL_MAX ||
        lp_node_at(m, name)->is.text.length > STACK_GLOBAL_MAX) {
        return FAIL(m, LP_ERR_UNSUPPORTED, "a global's name has more than %d characters",
                    STACK_GLOBAL_MAX);
    }
    return name_global(m, module, name, global);
}

lp_status lp_machine_stack_global(lp_machine *m) {
    uint32_t global;
    lp_status status;
    LP_TRY(lp_machine_need(m, 2));
    LP_TRY(find_global(m, lp_machine_top(m, 2), lp_machine_top(m, 1), &global));
    LP_TRY(lp_machine_replace(m, 2, global));
done:
    return status;
}

/* ---- storages and tensors -------------------------------------------------------------------- */

/* A storage, or the class of a pickled module with its source text. */
lp_status lp_machine_persistent(lp_machine *m) {
    uint32_t items[6], index;
    lp_status status;
    LP_TRY(lp_machine_need(m, 1));
    uint32_t id = lp_machine_top(m, 1);
    if (lp_pickle_items(m->out, id, 2, items) && lp_pickle_is_text(m->out, items[0], "module")) {
        return lp_machine_replace(m, 1, items[1]);
    }
    if (!lp_pickle_items(m->out, id, 5, items) || !lp_pickle_is_text(m->out, items[0], "storage") ||
        !has_role(m, items[1], LP_ROLE_STORAGE) || !lp_pickle_is_string(m->out, items[2]) ||
        lp_node_at(m, items[4])->kind != LP_NODE_INT) {
        return FAIL(m, LP_ERR_FORMAT,
                    "a persistent id is not (\"storage\", type, key, place, size)");
    }
    bool six = lp_pickle_items(m->out, id, 6, items);
    LP_TRY(lp_machine_add(m, LP_NODE_STORAGE, &index));
    lp_node *node = lp_node_at(m, index);
    node->is.storage.type = lp_node_at(m, items[1])->is.global.type;
    node->is.storage.key = items[2];
    node->is.storage.size = items[4];
    node->is.storage.view = six ? items[5] : 0;
    LP_TRY(lp_machine_replace(m, 1, index));
done:
    return status;
}

/* The type of a tensor, where it is not that of its storage: the argument that names one, and the
 * metadata behind it, which say that values are to be negated or conjugated.  No weights are. */
static const lp_torch_type *own_type(const lp_machine *m, uint32_t arguments, bool typed) {
    uint32_t items[8];
    size_t metadata = typed ? 7 : 6;
    if (lp_pickle_items(m->out, arguments, metadata + 1, items)) {
        const lp_node *node = lp_node_at(m, items[metadata]);
        if (node->kind == LP_NODE_DICT && node->is.items.count > 0) {
            return &lazy_bits;
        }
    }
    if (!typed || !lp_pickle_items(m->out, arguments, 7, items)) {
        return NULL;
    }
    const lp_torch_type *type = lp_node_at(m, items[6])->is.global.type;
    return type != NULL ? type : &unknown_type;
}

static lp_status rebuild_tensor(lp_machine *m, uint32_t arguments, bool typed, uint32_t *result) {
    uint32_t items[7];
    lp_status status;
    if (!lp_pickle_items(m->out, arguments, typed ? 7 : 4, items) ||
        lp_node_at(m, items[0])->kind != LP_NODE_STORAGE ||
        (typed && !has_role(m, items[6], LP_ROLE_DTYPE) &&
         !has_role(m, items[6], LP_ROLE_FOREIGN))) {
        return FAIL(m, LP_ERR_FORMAT,
                    "a tensor is not rebuilt from (storage, offset, shape, stride, ...)");
    }
    LP_TRY(lp_machine_add(m, LP_NODE_TENSOR, result));
    lp_node *node = lp_node_at(m, *result);
    node->is.tensor.storage = items[0];
    node->is.tensor.offset = items[1];
    node->is.tensor.shape = items[2];
    node->is.tensor.stride = items[3];
    node->is.tensor.type = own_type(m, arguments, typed);
done:
    return status;
}

/* ---- calls ----------------------------------------------------------------------------------- */

/* OrderedDict and its argument: nothing, another dictionary, or a list of pairs, as Python 2 wrote
 * it.  The list becomes a dictionary in its place, so that to do it again costs nothing. */
static lp_status order_dict(lp_machine *m, uint32_t arguments, uint32_t *result) {
    uint32_t pair[2], list = 0;
    if (!lp_pickle_items(m->out, arguments, 1, &list)) {
        return lp_machine_add(m, LP_NODE_DICT, result);
    }
    *result = list;
    lp_node *node = lp_node_at(m, list);
    uint32_t cell = node->kind == LP_NODE_LIST ? node->is.items.first : 0;
    bool fits = node->kind == LP_NODE_LIST || node->kind == LP_NODE_DICT;
    for (; cell != 0 && fits; cell = lp_node_at(m, cell)->is.cell.next) {
        fits = lp_pickle_pair(m->out, lp_node_at(m, cell)->is.cell.value, pair);
        lp_node_at(m, cell)->is.cell.key = fits ? pair[0] : 0;
        lp_node_at(m, cell)->is.cell.value = fits ? pair[1] : 0;
    }
    node->kind = LP_NODE_DICT;
    return fits ? LP_OK : FAIL(m, LP_ERR_FORMAT, "OrderedDict is not made from a list of pairs");
}

static lp_status make_foreign(lp_machine *m, uint32_t maker, uint32_t arguments, uint32_t *result) {
    lp_status status = lp_machine_add(m, LP_NODE_FOREIGN, result);
    if (status == LP_OK) {
        lp_node_at(m, *result)->is.foreign.maker = maker;
        lp_node_at(m, *result)->is.foreign.arguments = arguments;
    }
    return status;
}

/* A tensor of another class: (function, class, the function's arguments, state). */
static lp_status rebuild_subclass(lp_machine *m, uint32_t arguments, uint32_t *result) {
    uint32_t items[4] = {0};
    bool fits = lp_pickle_items(m->out, arguments, 4, items);
    bool typed = has_role(m, items[0], LP_ROLE_TENSOR_TYPED);
    if (fits && (typed || has_role(m, items[0], LP_ROLE_TENSOR))) {
        return rebuild_tensor(m, items[2], typed, result);
    }
    return fits && has_role(m, items[0], LP_ROLE_FOREIGN)
               ? make_foreign(m, items[0], items[2], result)
               : FAIL(m, LP_ERR_FORMAT, "wrong arguments for a tensor of another class");
}

/* A module, as a global whose name is empty: so a dangerous one is refused. */
static lp_status import_module(lp_machine *m, uint32_t arguments, uint32_t *result) {
    uint32_t module, name;
    lp_status status;
    if (!lp_pickle_items(m->out, arguments, 1, &module)) {
        return FAIL(m, LP_ERR_FORMAT, "a module is imported without a name");
    }
    LP_TRY(lp_machine_add_text(m, LP_NODE_TEXT, m->out->bytes, 0, &name));
    LP_TRY(find_global(m, module, name, result));
done:
    return status;
}

/* An attribute of a module is the global of that name. */
static lp_status get_attribute(lp_machine *m, uint32_t callable, uint32_t arguments,
                               uint32_t *result) {
    uint32_t items[2] = {0};
    bool fits = lp_pickle_items(m->out, arguments, 2, items);
    const lp_node *module = lp_node_at(m, items[0]);
    return fits && module->kind == LP_NODE_GLOBAL &&
                   lp_node_at(m, module->is.global.name)->is.text.length == 0
               ? find_global(m, module->is.global.module, items[1], result)
               : make_foreign(m, callable, arguments, result);
}

/* (function, its arguments, state): what a call and BUILD make one after the other. */
static lp_status rebuild_with_state(lp_machine *m, uint32_t arguments, uint32_t *result) {
    uint32_t items[3] = {0};
    lp_status status;
    if (!lp_pickle_items(m->out, arguments, 3, items) || !has_role(m, items[0], LP_ROLE_FOREIGN) ||
        lp_node_at(m, items[1])->kind != LP_NODE_TUPLE) {
        return FAIL(m, LP_ERR_FORMAT, "wrong arguments for an array");
    }
    LP_TRY(make_foreign(m, items[0], items[1], result));
    lp_node_at(m, *result)->is.foreign.state = items[2];
done:
    return status;
}

/* An instance of a named tuple, whose class a call made: the tuple of its values becomes
 * a dictionary in its place, so that this is done once. */
static lp_status name_values(lp_machine *m, uint32_t class, uint32_t values) {
    uint32_t items[2];
    lp_node *node = lp_node_at(m, values);
    if (!lp_pickle_items(m->out, lp_node_at(m, class)->is.foreign.arguments, 2, items) ||
        lp_node_at(m, items[1])->kind != LP_NODE_TUPLE ||
        lp_node_at(m, items[1])->is.items.count != node->is.items.count) {
        return FAIL(m, LP_ERR_FORMAT, "a named tuple's values are not as many as its fields");
    }
    uint32_t field = lp_node_at(m, items[1])->is.items.first;
    for (uint32_t cell = node->is.items.first; cell != 0;
         cell = lp_node_at(m, cell)->is.cell.next) {
        lp_node_at(m, cell)->is.cell.key = lp_node_at(m, field)->is.cell.value;
        field = lp_node_at(m, field)->is.cell.next;
    }
    node->kind = LP_NODE_DICT;
    return LP_OK;
}

/* A global's call. */
static lp_status call(lp_machine *m, lp_role role, uint32_t callable, uint32_t arguments,
                      uint32_t *result) {
    switch (role) {
    case LP_ROLE_ORDERED_DICT:
        return order_dict(m, arguments, result);
    case LP_ROLE_DEFAULT_DICT:
        return lp_machine_add(m, LP_NODE_DICT, result);
    case LP_ROLE_TENSOR:
    case LP_ROLE_TENSOR_TYPED:
        return rebuild_tensor(m, arguments, role == LP_ROLE_TENSOR_TYPED, result);
    case LP_ROLE_SUBCLASS:
        return rebuild_subclass(m, arguments, result);
    case LP_ROLE_PARAMETER:
        if (!lp_pickle_items(m->out, arguments, 1, result) ||
            (lp_node_at(m, *result)->kind != LP_NODE_TENSOR &&
             lp_node_at(m, *result)->kind != LP_NODE_FOREIGN)) {
            return FAIL(m, LP_ERR_FORMAT, "wrong arguments for a parameter");
        }
        return LP_OK;
    case LP_ROLE_FIRST:
        return lp_pickle_items(m->out, arguments, 1, result)
                   ? LP_OK
                   : FAIL(m, LP_ERR_FORMAT, "wrong arguments for a list or text");
    case LP_ROLE_SET:
        if (!lp_pickle_items(m->out, arguments, 1, result)) {
            return lp_machine_add(m, LP_NODE_LIST, result);
        }
        return lp_node_at(m, *result)->kind == LP_NODE_LIST
                   ? LP_OK
                   : FAIL(m, LP_ERR_FORMAT, "a set is not made from a list");
    case LP_ROLE_MODULE:
        return import_module(m, arguments, result);
    case LP_ROLE_ATTRIBUTE:
        return get_attribute(m, callable, arguments, result);
    case LP_ROLE_WITH_STATE:
        return rebuild_with_state(m, arguments, result);
    case LP_ROLE_INERT:
        return lp_machine_add(m, LP_NODE_OPAQUE, result);
    case LP_ROLE_CLASS:
        return lp_machine_add(m, LP_NODE_OBJECT, result);
    case LP_ROLE_NAMED_TUPLE:
    case LP_ROLE_FOREIGN:
        return make_foreign(m, callable, arguments, result);
    case LP_ROLE_STORAGE:
    case LP_ROLE_DTYPE:
    case LP_ROLE_DANGEROUS:
        break;
    }
    return FAIL(m, LP_ERR_UNSUPPORTED, "a global is called that a checkpoint may only name");
}

/* A class within a class is what getattr makes, in protocols before 4: so what a foreign call made
 * may be called itself. */
lp_status lp_machine_apply(lp_machine *m, bool instance) {
    uint32_t arguments, callable, result = 0;
    lp_role role = LP_ROLE_FOREIGN;
    lp_status status;
    LP_TRY(lp_machine_need(m, 2));
    arguments = lp_machine_top(m, 1);
    callable = lp_machine_top(m, 2);
    const lp_node *maker = lp_node_at(m, callable);
    if ((maker->kind != LP_NODE_GLOBAL && maker->kind != LP_NODE_FOREIGN) ||
        lp_node_at(m, arguments)->kind != LP_NODE_TUPLE) {
        return FAIL(m, LP_ERR_FORMAT, "calls something that is not a global with a tuple");
    }
    if (maker->kind == LP_NODE_GLOBAL) {
        role = (lp_role)maker->is.global.role;
    } else if (instance && has_role(m, maker->is.foreign.maker, LP_ROLE_NAMED_TUPLE)) {
        LP_TRY(name_values(m, callable, arguments));
        return lp_machine_replace(m, 2, arguments);
    }
    if (instance && role != LP_ROLE_CLASS && role != LP_ROLE_FOREIGN) {
        return FAIL(m, LP_ERR_UNSUPPORTED, "a global is called that a checkpoint may only name");
    }
    LP_TRY(call(m, role, callable, arguments, &result));
    LP_TRY(lp_machine_replace(m, 2, result));
done:
    return status;
}

/* Of a dictionary, a list or a tensor the state is its attributes, which are dropped. */
lp_status lp_machine_build(lp_machine *m) {
    lp_status status;
    LP_TRY(lp_machine_need(m, 2));
    lp_node *object = lp_node_at(m, lp_machine_top(m, 2));
    switch (object->kind) {
    case LP_NODE_OBJECT:
        object->is.object.state = lp_machine_top(m, 1);
        break;
    case LP_NODE_FOREIGN:
        object->is.foreign.state = lp_machine_top(m, 1);
        break;
    case LP_NODE_DICT:
    case LP_NODE_LIST:
    case LP_NODE_TENSOR:
        break;
    default:
        return FAIL(m, LP_ERR_UNSUPPORTED, "gives a state to something that has none");
    }
    m->stack.count--;
done:
    return status;
}
