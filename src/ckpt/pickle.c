/* The pickle machine: stack, marks and memo over one array of nodes.
 *
 * Reference: Python's Lib/pickletools.py (instructions), torch/serialization.py and
 * torch/csrc/jit/serialization/pickler.cpp (which of them PyTorch writes).
 *
 *   PROTO 2, then instructions until STOP, which must leave exactly one value on the stack.
 *   GLOBAL      looks its name up in pickle_globals.c; REDUCE, NEWOBJ and BUILD on it make a node
 *               that only records the arguments, or, of a name that is not there, nothing of them.
 *   BINPERSID   ("storage", type, key, place, size, view) makes a storage. */
#include "ckpt/pickle.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "ckpt/pickle_globals.h"

/* An array of node indexes that grows. */
typedef struct refs {
    uint32_t *items;
    size_t count, capacity;
} refs;

typedef struct machine {
    const char *where;
    const unsigned char *bytes;
    size_t size, at; /* at: the next byte */
    size_t opcode;   /* offset of the current instruction */
    refs stack;
    refs marks; /* heights of the stack */
    refs memo;  /* 0 where nothing was put */
    lp_pickle *out;
    lp_error *err;
} machine;

/* The functions below return LP_OK or record an error at the current instruction. */

#define FAIL(m, status, ...) (lp_fail((m)->err, status, __VA_ARGS__), locate(m, status))

static lp_status locate(const machine *m, lp_status status) {
    return lp_prefix(m->err, status, "%s: byte %zu: ", m->where, m->opcode);
}

static lp_status refs_push(machine *m, refs *list, uint32_t item) {
    uint32_t *items = lp_grow_by_one(list->items, list->count, &list->capacity, sizeof *items);
    if (items == NULL) {
        return lp_fail_memory(m->err, m->where, list->count + 1, sizeof *items);
    }
    list->items = items;
    items[list->count++] = item;
    return LP_OK;
}

static lp_node *node_at(const machine *m, uint32_t i) {
    return &m->out->nodes[i];
}

/* Appends a node of zeros.  Pointers to nodes do not survive this; indexes do. */
static lp_status add_node(machine *m, lp_node_kind kind, uint32_t *index) {
    lp_pickle *out = m->out;
    lp_node *nodes = lp_grow_by_one(out->nodes, out->count, &out->capacity, sizeof *nodes);
    if (nodes == NULL) {
        return lp_fail_memory(m->err, m->where, out->count + 1, sizeof *nodes);
    }
    out->nodes = nodes;
    *index = out->count++;
    nodes[*index] = (lp_node){.kind = kind, .at = (uint32_t)m->opcode};
    return LP_OK;
}

static lp_status push(machine *m, uint32_t index) {
    return refs_push(m, &m->stack, index);
}

static lp_status push_new(machine *m, lp_node_kind kind, uint32_t *index) {
    lp_status status = add_node(m, kind, index);
    return status == LP_OK ? push(m, *index) : status;
}

static lp_status push_integer(machine *m, int64_t value) {
    uint32_t index;
    lp_status status;
    LP_TRY(push_new(m, LP_NODE_INT, &index));
    node_at(m, index)->is.integer = value;
done:
    return status;
}

/* Values below the latest mark belong to what is still being collected. */
static lp_status need(machine *m, size_t count) {
    size_t floor = m->marks.count > 0 ? m->marks.items[m->marks.count - 1] : 0;
    if (m->stack.count - floor < count) {
        return FAIL(m, LP_ERR_FORMAT, "needs %zu values, found %zu on the stack", count,
                    m->stack.count - floor);
    }
    return LP_OK;
}

/* The k-th value from the top, 1 being the top; need() comes first. */
static uint32_t top(const machine *m, size_t k) {
    return m->stack.items[m->stack.count - k];
}

static lp_status pop_mark(machine *m, size_t *height) {
    if (m->marks.count == 0) {
        return FAIL(m, LP_ERR_FORMAT, "needs a mark, found none");
    }
    *height = m->marks.items[--m->marks.count];
    return LP_OK;
}

static lp_status take(machine *m, size_t count, const unsigned char **bytes) {
    if (m->size - m->at < count) {
        return FAIL(m, LP_ERR_FORMAT, "the pickle ends %zu bytes too early",
                    count - (m->size - m->at));
    }
    *bytes = m->bytes + m->at;
    m->at += count;
    return LP_OK;
}

/* Little-endian integer of 1 to 8 bytes. */
static lp_status take_number(machine *m, size_t count, uint64_t *value) {
    const unsigned char *bytes = NULL;
    lp_status status = take(m, count, &bytes);
    *value = 0;
    for (size_t i = 0; status == LP_OK && i < count; i++) {
        *value |= (uint64_t)bytes[i] << 8 * i;
    }
    return status;
}

/* A name as it may be shown: hostile files must not send escapes to a terminal. */
static const char *printable(const char *text, size_t length, char shown[120]) {
    size_t n = length < 116 ? length : 116;
    for (size_t i = 0; i < n; i++) {
        shown[i] = text[i];
        if (text[i] < 0x20 || text[i] > 0x7e) {
            shown[i] = '?';
        }
    }
    memcpy(shown + n, n < length ? "..." : "", n < length ? 4 : 1);
    return shown;
}

/* GLOBAL: "module\nname\n". */
static lp_status read_global(machine *m) {
    const char *module = (const char *)m->bytes + m->at;
    const char *end = (const char *)m->bytes + m->size;
    const char *module_end = memchr(module, '\n', (size_t)(end - module));
    const char *name = module_end != NULL ? module_end + 1 : end;
    const char *name_end = memchr(name, '\n', (size_t)(end - name));
    lp_status status;
    if (name_end == NULL) {
        return FAIL(m, LP_ERR_FORMAT, "the pickle ends within the name of a global");
    }
    size_t module_length = (size_t)(module_end - module), length = (size_t)(name_end - name);
    m->at = (size_t)(name_end + 1 - (const char *)m->bytes);

    const lp_torch_type *type;
    lp_role role = lp_global_find(module, module_length, name, length, &type);
    if (role == LP_ROLE_DANGEROUS) {
        char shown_module[120], shown_name[120];
        return FAIL(m, LP_ERR_UNSUPPORTED,
                    "the global %s.%s runs code where Python loads it, and has no place among "
                    "weights; nothing was executed",
                    printable(module, module_length, shown_module),
                    printable(name, length, shown_name));
    }
    uint32_t index;
    LP_TRY(push_new(m, LP_NODE_GLOBAL, &index));
    lp_node *node = node_at(m, index);
    node->is.global.role = (uint32_t)role;
    node->is.global.type = type;
    node->is.global.start = (uint32_t)(module - (const char *)m->bytes);
    node->is.global.length = (uint32_t)(name_end - module);
done:
    return status;
}

/* Puts the stack's values from `height` on into a container, as keys and values or as they are, and
 * takes them off the stack.  A foreign node's items begin its struct, as those of a container. */
static lp_status collect(machine *m, uint32_t container, bool pairs, size_t height) {
    size_t step = pairs ? 2 : 1;
    lp_status status = LP_OK;
    if ((m->stack.count - height) % step != 0) {
        return FAIL(m, LP_ERR_FORMAT, "a dictionary's key has no value");
    }
    for (size_t i = height; i < m->stack.count; i += step) {
        uint32_t cell;
        LP_TRY(add_node(m, LP_NODE_CELL, &cell));
        lp_node *item = node_at(m, cell), *owner = node_at(m, container);
        item->is.cell.key = pairs ? m->stack.items[i] : 0;
        item->is.cell.value = m->stack.items[i + step - 1];
        if (owner->is.items.count++ == 0) {
            owner->is.items.first = cell;
        } else {
            node_at(m, owner->is.items.last)->is.cell.next = cell;
        }
        owner->is.items.last = cell;
    }
    m->stack.count = height;
done:
    return status;
}

static lp_status push_tuple(machine *m, size_t height) {
    uint32_t tuple;
    lp_status status;
    LP_TRY(add_node(m, LP_NODE_TUPLE, &tuple));
    LP_TRY(collect(m, tuple, false, height));
    LP_TRY(push(m, tuple));
done:
    return status;
}

/* Adds what lies above `height` to the container just below it. */
static lp_status extend(machine *m, lp_node_kind kind, size_t height) {
    size_t floor = m->marks.count > 0 ? m->marks.items[m->marks.count - 1] : 0;
    uint32_t container = height > floor ? m->stack.items[height - 1] : 0; /* 0: opaque */
    lp_node_kind found = node_at(m, container)->kind;
    if (found != kind && found != LP_NODE_FOREIGN) {
        return FAIL(m, LP_ERR_FORMAT, "adds to something that is not a %s",
                    kind == LP_NODE_DICT ? "dictionary" : "list");
    }
    return collect(m, container, kind == LP_NODE_DICT, height);
}

static bool has_role(const machine *m, uint32_t node, lp_role role) {
    const lp_node *n = node_at(m, node);
    return n->kind == LP_NODE_GLOBAL && n->is.global.role == role;
}

/* BINPERSID: a storage, or the class of a pickled module with its source text. */
static lp_status read_persistent(machine *m) {
    uint32_t items[6], index;
    lp_status status;
    LP_TRY(need(m, 1));
    if (lp_pickle_items(m->out, top(m, 1), 2, items) &&
        lp_pickle_is_text(m->out, items[0], "module")) {
        m->stack.items[m->stack.count - 1] = items[1];
        return LP_OK;
    }
    if (!lp_pickle_items(m->out, top(m, 1), 5, items) ||
        !lp_pickle_is_text(m->out, items[0], "storage") ||
        !has_role(m, items[1], LP_ROLE_STORAGE) || node_at(m, items[2])->kind != LP_NODE_TEXT ||
        node_at(m, items[4])->kind != LP_NODE_INT) {
        return FAIL(m, LP_ERR_FORMAT,
                    "a persistent id is not (\"storage\", type, key, place, size)");
    }
    bool six = lp_pickle_items(m->out, top(m, 1), 6, items);
    m->stack.count--;
    LP_TRY(push_new(m, LP_NODE_STORAGE, &index));
    lp_node *node = node_at(m, index);
    node->is.storage.type = node_at(m, items[1])->is.global.type;
    node->is.storage.key = items[2];
    node->is.storage.size = items[4];
    node->is.storage.view = six ? items[5] : 0;
done:
    return status;
}

static lp_status rebuild_tensor(machine *m, uint32_t arguments, bool typed, uint32_t *result) {
    uint32_t items[7];
    lp_status status;
    if (!lp_pickle_items(m->out, arguments, typed ? 7 : 4, items) ||
        node_at(m, items[0])->kind != LP_NODE_STORAGE ||
        (typed && !has_role(m, items[6], LP_ROLE_DTYPE))) {
        return FAIL(m, LP_ERR_FORMAT,
                    "a tensor is not rebuilt from (storage, offset, shape, stride, ...)");
    }
    LP_TRY(add_node(m, LP_NODE_TENSOR, result));
    lp_node *node = node_at(m, *result);
    node->is.tensor.storage = items[0];
    node->is.tensor.offset = items[1];
    node->is.tensor.shape = items[2];
    node->is.tensor.stride = items[3];
    node->is.tensor.type = typed ? node_at(m, items[6])->is.global.type : NULL;
done:
    return status;
}

/* OrderedDict and its argument: nothing, another dictionary, or a list of pairs, as Python 2 wrote
 * it.  The list becomes a dictionary in its place, so that to do it again costs nothing. */
static lp_status order_dict(machine *m, uint32_t arguments, uint32_t *result) {
    uint32_t pair[2], list = 0;
    if (!lp_pickle_items(m->out, arguments, 1, &list)) {
        return add_node(m, LP_NODE_DICT, result);
    }
    *result = list;
    lp_node *node = node_at(m, list);
    uint32_t cell = node->kind == LP_NODE_LIST ? node->is.items.first : 0;
    bool fits = node->kind == LP_NODE_LIST || node->kind == LP_NODE_DICT;
    for (; cell != 0 && fits; cell = node_at(m, cell)->is.cell.next) {
        fits = lp_pickle_pair(m->out, node_at(m, cell)->is.cell.value, pair);
        node_at(m, cell)->is.cell.key = fits ? pair[0] : 0;
        node_at(m, cell)->is.cell.value = fits ? pair[1] : 0;
    }
    node->kind = LP_NODE_DICT;
    return fits ? LP_OK : FAIL(m, LP_ERR_FORMAT, "OrderedDict is not made from a list of pairs");
}

static lp_status make_foreign(machine *m, uint32_t maker, uint32_t arguments, uint32_t *result) {
    lp_status status = add_node(m, LP_NODE_FOREIGN, result);
    if (status == LP_OK) {
        node_at(m, *result)->is.foreign.maker = maker;
        node_at(m, *result)->is.foreign.arguments = arguments;
    }
    return status;
}

/* A tensor of another class: (function, class, the function's arguments, state). */
static lp_status rebuild_subclass(machine *m, uint32_t arguments, uint32_t *result) {
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

/* A global's call: -> value. */
static lp_status call(machine *m, lp_role role, uint32_t callable, uint32_t arguments,
                      uint32_t *result) {
    switch (role) {
    case LP_ROLE_ORDERED_DICT:
        return order_dict(m, arguments, result);
    case LP_ROLE_DEFAULT_DICT:
        return add_node(m, LP_NODE_DICT, result);
    case LP_ROLE_TENSOR:
    case LP_ROLE_TENSOR_TYPED:
        return rebuild_tensor(m, arguments, role == LP_ROLE_TENSOR_TYPED, result);
    case LP_ROLE_SUBCLASS:
        return rebuild_subclass(m, arguments, result);
    case LP_ROLE_PARAMETER:
        if (!lp_pickle_items(m->out, arguments, 1, result) ||
            (node_at(m, *result)->kind != LP_NODE_TENSOR &&
             node_at(m, *result)->kind != LP_NODE_FOREIGN)) {
            return FAIL(m, LP_ERR_FORMAT, "wrong arguments for a parameter");
        }
        return LP_OK;
    case LP_ROLE_FIRST:
        return lp_pickle_items(m->out, arguments, 1, result)
                   ? LP_OK
                   : FAIL(m, LP_ERR_FORMAT, "wrong arguments for a list or text");
    case LP_ROLE_SET:
        if (!lp_pickle_items(m->out, arguments, 1, result)) {
            return add_node(m, LP_NODE_LIST, result);
        }
        return node_at(m, *result)->kind == LP_NODE_LIST
                   ? LP_OK
                   : FAIL(m, LP_ERR_FORMAT, "a set is not made from a list");
    case LP_ROLE_INERT:
        return add_node(m, LP_NODE_OPAQUE, result);
    case LP_ROLE_CLASS:
        return add_node(m, LP_NODE_OBJECT, result);
    case LP_ROLE_FOREIGN:
        return make_foreign(m, callable, arguments, result);
    case LP_ROLE_STORAGE:
    case LP_ROLE_DTYPE:
    case LP_ROLE_DANGEROUS:
        break;
    }
    return FAIL(m, LP_ERR_UNSUPPORTED, "a global is called that a checkpoint may only name");
}

/* REDUCE and NEWOBJ: callable, arguments -> value. */
static lp_status apply(machine *m, bool instance) {
    uint32_t arguments, callable, result = 0;
    lp_status status;
    LP_TRY(need(m, 2));
    arguments = top(m, 1);
    callable = top(m, 2);
    const lp_node *global = node_at(m, callable);
    if (global->kind != LP_NODE_GLOBAL || node_at(m, arguments)->kind != LP_NODE_TUPLE) {
        return FAIL(m, LP_ERR_FORMAT, "calls something that is not a global with a tuple");
    }
    lp_role role = (lp_role)global->is.global.role;
    if (instance && role != LP_ROLE_CLASS && role != LP_ROLE_FOREIGN) {
        return FAIL(m, LP_ERR_UNSUPPORTED, "a global is called that a checkpoint may only name");
    }
    LP_TRY(call(m, role, callable, arguments, &result));
    m->stack.count -= 2;
    LP_TRY(push(m, result));
done:
    return status;
}

/* BUILD: value, state -> value.  Of a dictionary the state is its attributes (_metadata). */
static lp_status build(machine *m) {
    lp_status status;
    LP_TRY(need(m, 2));
    lp_node *object = node_at(m, top(m, 2));
    if (object->kind == LP_NODE_OBJECT) {
        object->is.object.state = top(m, 1);
    } else if (object->kind == LP_NODE_FOREIGN) {
        object->is.foreign.state = top(m, 1);
    } else if (object->kind != LP_NODE_DICT) {
        LP_TRY(FAIL(m, LP_ERR_UNSUPPORTED, "gives a state to something that has none"));
    }
    m->stack.count--;
done:
    return status;
}

static lp_status put(machine *m, size_t width) {
    uint64_t slot = 0;
    lp_status status;
    LP_TRY(need(m, 1));
    LP_TRY(take_number(m, width, &slot));
    /* A pickle cannot have more slots than bytes, so the memo is bounded by them too. */
    if (slot >= m->size) {
        LP_TRY(FAIL(m, LP_ERR_FORMAT, "memo slot %llu in a pickle of %zu bytes",
                    (unsigned long long)slot, m->size));
    }
    while (m->memo.count <= slot) {
        LP_TRY(refs_push(m, &m->memo, 0));
    }
    m->memo.items[slot] = top(m, 1);
done:
    return status;
}

static lp_status get(machine *m, size_t width) {
    uint64_t slot;
    lp_status status;
    LP_TRY(take_number(m, width, &slot));
    if (slot >= m->memo.count || m->memo.items[slot] == 0) {
        LP_TRY(FAIL(m, LP_ERR_FORMAT, "memo slot %llu is empty", (unsigned long long)slot));
    }
    LP_TRY(push(m, m->memo.items[slot]));
done:
    return status;
}

static lp_status read_text(machine *m, size_t width) {
    uint64_t length;
    const unsigned char *bytes = NULL;
    uint32_t index;
    lp_status status;
    LP_TRY(take_number(m, width, &length));
    LP_TRY(take(m, (size_t)length, &bytes));
    LP_TRY(push_new(m, LP_NODE_TEXT, &index));
    node_at(m, index)->is.text.start = (uint32_t)(bytes - m->bytes);
    node_at(m, index)->is.text.length = (uint32_t)length;
done:
    return status;
}

/* LONG1 and LONG4: a two's-complement integer of any length.  What does not fit in 64 bits (a
 * seed) cannot be a size or an offset. */
static lp_status read_long(machine *m, size_t width) {
    uint64_t length, value;
    int64_t integer;
    const unsigned char *bytes;
    uint32_t index;
    lp_status status;
    LP_TRY(take_number(m, width, &length));
    if (length > 8) {
        LP_TRY(take(m, (size_t)length, &bytes));
        return push_new(m, LP_NODE_OPAQUE, &index);
    }
    LP_TRY(take_number(m, (size_t)length, &value));
    if (length > 0 && length < 8 && (value >> (8 * length - 1)) != 0) {
        value |= UINT64_MAX << 8 * length;
    }
    memcpy(&integer, &value, sizeof integer);
    LP_TRY(push_integer(m, integer));
done:
    return status;
}

static lp_status step(machine *m, unsigned opcode) {
    uint64_t number = 0;
    const unsigned char *bytes;
    uint32_t index;
    size_t height = 0;
    lp_status status;
    switch (opcode) {
    case '(': /* MARK */
        return refs_push(m, &m->marks, (uint32_t)m->stack.count);
    case 'c':
        return read_global(m);
    case 'Q': /* BINPERSID */
        return read_persistent(m);
    case 'R':  /* REDUCE */
    case 0x81: /* NEWOBJ */
        return apply(m, opcode == 0x81);
    case 'b':
        return build(m);
    case 'q': /* BINPUT, LONG_BINPUT */
    case 'r':
        return put(m, opcode == 'q' ? 1 : 4);
    case 'h': /* BINGET, LONG_BINGET */
    case 'j':
        return get(m, opcode == 'h' ? 1 : 4);
    case 'X': /* BINUNICODE; BINSTRING and SHORT_BINSTRING: text of Python 2 */
    case 'T':
    case 'U':
        return read_text(m, opcode == 'U' ? 1 : 4);
    case 'N': /* NONE */
        return push_new(m, LP_NODE_OPAQUE, &index);
    case 0x88: /* NEWTRUE, NEWFALSE */
    case 0x89:
        return push_integer(m, opcode == 0x88);
    case 'K': /* BININT1, BININT2 */
    case 'M':
        LP_TRY(take_number(m, opcode == 'K' ? 1 : 2, &number));
        return push_integer(m, (int64_t)number);
    case 'J': /* BININT: signed */
        LP_TRY(take_number(m, 4, &number));
        return push_integer(m, number < 0x80000000u ? (int64_t)number
                                                    : (int64_t)number - INT64_C(0x100000000));
    case 0x8a: /* LONG1, LONG4 */
    case 0x8b:
        return read_long(m, opcode == 0x8a ? 1 : 4);
    case 'G': /* BINFLOAT */
        LP_TRY(take(m, 8, &bytes));
        return push_new(m, LP_NODE_OPAQUE, &index);
    case ']': /* EMPTY_LIST */
        return push_new(m, LP_NODE_LIST, &index);
    case '}': /* EMPTY_DICT */
        return push_new(m, LP_NODE_DICT, &index);
    case ')': /* EMPTY_TUPLE */
        return push_new(m, LP_NODE_TUPLE, &index);
    case 't': /* TUPLE */
        LP_TRY(pop_mark(m, &height));
        return push_tuple(m, height);
    case 0x85: /* TUPLE1, TUPLE2, TUPLE3 */
    case 0x86:
    case 0x87:
        LP_TRY(need(m, opcode - 0x84));
        return push_tuple(m, m->stack.count - (opcode - 0x84));
    case 'a': /* APPEND */
        LP_TRY(need(m, 2));
        return extend(m, LP_NODE_LIST, m->stack.count - 1);
    case 's': /* SETITEM */
        LP_TRY(need(m, 3));
        return extend(m, LP_NODE_DICT, m->stack.count - 2);
    case 'e': /* APPENDS, SETITEMS */
    case 'u':
        LP_TRY(pop_mark(m, &height));
        return extend(m, opcode == 'u' ? LP_NODE_DICT : LP_NODE_LIST, height);
    default:
        return FAIL(m, LP_ERR_UNSUPPORTED,
                    "instruction 0x%02x is not one of those that PyTorch writes", opcode);
    }
done:
    return status;
}

static lp_status run(machine *m) {
    uint32_t unused;
    uint64_t protocol = 0, opcode = 0;
    lp_status status;
    LP_TRY(add_node(m, LP_NODE_OPAQUE, &unused));
    LP_TRY(take_number(m, 1, &opcode));
    LP_TRY(take_number(m, 1, &protocol));
    if (opcode != 0x80) {
        LP_TRY(FAIL(m, LP_ERR_FORMAT, "expected a pickle's PROTO instruction, found 0x%02x",
                    (unsigned)opcode));
    }
    if (protocol != 2) {
        LP_TRY(FAIL(m, LP_ERR_UNSUPPORTED,
                    "pickle protocol %u; save it again with torch.save's default, protocol 2",
                    (unsigned)protocol));
    }
    for (;;) {
        m->opcode = m->at;
        LP_TRY(take_number(m, 1, &opcode));
        if (opcode == '.') {
            break;
        }
        LP_TRY(step(m, (unsigned)opcode));
    }
    if (m->stack.count != 1 || m->marks.count != 0) {
        LP_TRY(FAIL(m, LP_ERR_FORMAT, "expected one value at the end, found %zu and %zu marks",
                    m->stack.count, m->marks.count));
    }
    m->out->root = top(m, 1);
    m->out->end = m->at;
done:
    return status;
}

lp_status lp_pickle_read(const char *where, const char *bytes, size_t size, lp_pickle *pickle,
                         lp_error *err) {
    *pickle = (lp_pickle){.bytes = bytes};
    if (size > LP_PICKLE_MAX) {
        return lp_fail(err, LP_ERR_UNSUPPORTED, "%s: a pickle of %zu bytes, expected at most %d",
                       where, size, LP_PICKLE_MAX);
    }
    machine m = {.where = where,
                 .bytes = (const unsigned char *)bytes,
                 .size = size,
                 .out = pickle,
                 .err = err};
    lp_status status = run(&m);
    lp_free(m.stack.items);
    lp_free(m.marks.items);
    lp_free(m.memo.items);
    if (status != LP_OK) {
        lp_pickle_free(pickle);
    }
    return status;
}
