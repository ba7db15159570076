/* The pickle machine: stack, marks and memo over one array of nodes.
 *
 * Reference: Python's Lib/pickletools.py (instructions), torch/serialization.py and
 * torch/csrc/jit/serialization/pickler.cpp (which of them PyTorch writes).
 *
 *   Instructions until STOP, which must leave exactly one value on the stack.  Protocols 2 to 5
 *   begin with PROTO and their number; protocol 1 with any other instruction.  Protocol 0 is
 *   refused: PyTorch writes persistent ids in it that it cannot read itself. */
#include "ckpt/pickle.h"

#include <string.h>

#include "base/alloc.h"
#include "ckpt/pickle_machine.h"

#define FAIL LP_MACHINE_FAIL

enum { PROTOCOL_MAX = 5 };

static lp_status refs_push(lp_machine *m, lp_refs *list, uint32_t item) {
    if (list->count == LP_PICKLE_NODES) {
        return FAIL(m, LP_ERR_UNSUPPORTED, "more than %d values", LP_PICKLE_NODES);
    }
    uint32_t *items = lp_grow_by_one(list->items, list->count, &list->capacity, sizeof *items);
    if (items == NULL) {
        return lp_fail_memory(m->err, m->where, list->count + 1, sizeof *items);
    }
    list->items = items;
    items[list->count++] = item;
    return LP_OK;
}

lp_status lp_machine_add(lp_machine *m, lp_node_kind kind, uint32_t *index) {
    lp_pickle *out = m->out;
    if (out->count == LP_PICKLE_NODES) {
        return FAIL(m, LP_ERR_UNSUPPORTED, "more than %d values", LP_PICKLE_NODES);
    }
    lp_node *nodes = lp_grow_by_one(out->nodes, out->count, &out->capacity, sizeof *nodes);
    if (nodes == NULL) {
        return lp_fail_memory(m->err, m->where, out->count + 1, sizeof *nodes);
    }
    out->nodes = nodes;
    *index = out->count++;
    nodes[*index] = (lp_node){.kind = kind, .at = m->opcode};
    return LP_OK;
}

static lp_status push(lp_machine *m, uint32_t index) {
    return refs_push(m, &m->stack, index);
}

lp_status lp_machine_replace(lp_machine *m, size_t count, uint32_t value) {
    m->stack.count -= count;
    return push(m, value);
}

static lp_status push_new(lp_machine *m, lp_node_kind kind) {
    uint32_t index;
    lp_status status = lp_machine_add(m, kind, &index);
    return status == LP_OK ? push(m, index) : status;
}

static lp_status push_integer(lp_machine *m, int64_t value) {
    lp_status status = push_new(m, LP_NODE_INT);
    if (status == LP_OK) {
        lp_node_at(m, lp_machine_top(m, 1))->is.integer = value;
    }
    return status;
}

/* The lowest value above the latest mark. */
static size_t floor_of(const lp_machine *m) {
    return m->marks.count > 0 ? m->marks.items[m->marks.count - 1] : 0;
}

lp_status lp_machine_need(lp_machine *m, size_t count) {
    size_t found = m->stack.count - floor_of(m);
    return found >= count
               ? LP_OK
               : FAIL(m, LP_ERR_FORMAT, "needs %zu values, found %zu on the stack", count, found);
}

static lp_status pop_mark(lp_machine *m, size_t *height) {
    if (m->marks.count == 0) {
        return FAIL(m, LP_ERR_FORMAT, "needs a mark, found none");
    }
    *height = m->marks.items[--m->marks.count];
    return LP_OK;
}

/* ---- operands -------------------------------------------------------------------------------- */

static lp_status take(lp_machine *m, uint64_t count, const unsigned char **bytes) {
    if (m->size - m->at < count) {
        return FAIL(m, LP_ERR_FORMAT, "the pickle ends %llu bytes too early",
                    (unsigned long long)(count - (m->size - m->at)));
    }
    *bytes = m->bytes + m->at;
    m->at += (size_t)count;
    return LP_OK;
}

/* Little-endian integer of 1 to 8 bytes. */
static lp_status take_number(lp_machine *m, size_t count, uint64_t *value) {
    const unsigned char *bytes = NULL;
    lp_status status = take(m, count, &bytes);
    *value = 0;
    for (size_t i = 0; status == LP_OK && i < count; i++) {
        *value |= (uint64_t)bytes[i] << 8 * i;
    }
    return status;
}

/* Text up to the end of a line, which is passed over. */
static lp_status take_line(lp_machine *m, const char **line, size_t *length) {
    *line = (const char *)m->bytes + m->at;
    const char *end = memchr(*line, '\n', m->size - m->at);
    if (end == NULL) {
        return FAIL(m, LP_ERR_FORMAT, "the pickle ends within a line");
    }
    *length = (size_t)(end - *line);
    m->at += *length + 1;
    return LP_OK;
}

/* An integer in decimal.  *fits: it has at most 18 digits; what has more is no size. */
static lp_status take_decimal(lp_machine *m, int64_t *value, bool *fits) {
    const char *line;
    size_t length = 0, i = 0;
    lp_status status;
    *value = 0;
    LP_TRY(take_line(m, &line, &length));
    if (length > 0 && line[length - 1] == 'L') { /* as Python 2 spells long ones */
        length--;
    }
    bool negative = length > 0 && line[0] == '-';
    i = negative;
    *fits = length - i <= 18;
    if (i == length) {
        return FAIL(m, LP_ERR_FORMAT, "expected a decimal number");
    }
    for (; i < length; i++) {
        if (line[i] < '0' || line[i] > '9') {
            return FAIL(m, LP_ERR_FORMAT, "expected a decimal number");
        }
        *value = *fits ? 10 * *value + (line[i] - '0') : 0;
    }
    *value = negative ? -*value : *value;
done:
    return status;
}

static lp_status read_decimal(lp_machine *m) {
    int64_t value;
    bool fits = false;
    lp_status status;
    LP_TRY(take_decimal(m, &value, &fits));
    status = fits ? push_integer(m, value) : push_new(m, LP_NODE_OPAQUE);
done:
    return status;
}

/* LONG1 and LONG4: a two's-complement integer of any length.  What does not fit in 64 bits (a
 * seed) cannot be a size or an offset. */
static lp_status read_long(lp_machine *m, size_t width) {
    uint64_t length, value;
    int64_t integer;
    const unsigned char *bytes;
    lp_status status;
    LP_TRY(take_number(m, width, &length));
    if (length > 8) {
        LP_TRY(take(m, length, &bytes));
        return push_new(m, LP_NODE_OPAQUE);
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

lp_status lp_machine_add_text(lp_machine *m, lp_node_kind kind, const char *start, size_t length,
                              uint32_t *index) {
    lp_status status = lp_machine_add(m, kind, index);
    if (status == LP_OK) {
        lp_node *node = lp_node_at(m, *index);
        node->is.text.start = (uint64_t)(start - (const char *)m->bytes);
        node->is.text.length = length;
    }
    return status;
}

/* A text or bytes behind a length of `width` bytes. */
static lp_status read_text(lp_machine *m, lp_node_kind kind, size_t width) {
    uint64_t length;
    const unsigned char *bytes = NULL;
    uint32_t index;
    lp_status status;
    LP_TRY(take_number(m, width, &length));
    LP_TRY(take(m, length, &bytes));
    LP_TRY(lp_machine_add_text(m, kind, (const char *)bytes, (size_t)length, &index));
    LP_TRY(push(m, index));
done:
    return status;
}

static lp_status read_frame(lp_machine *m) {
    uint64_t length;
    lp_status status;
    LP_TRY(take_number(m, 8, &length));
    if (length > m->size - m->at) {
        status = FAIL(m, LP_ERR_FORMAT, "a frame of %llu bytes, of which %zu are there",
                      (unsigned long long)length, m->size - m->at);
    }
done:
    return status;
}

static lp_status read_protocol(lp_machine *m) {
    uint64_t protocol;
    lp_status status;
    LP_TRY(take_number(m, 1, &protocol));
    if (protocol > PROTOCOL_MAX) {
        status = FAIL(m, LP_ERR_UNSUPPORTED,
                      "pickle protocol %u; save it again in protocol 2, torch.save's default",
                      (unsigned)protocol);
    }
done:
    return status;
}

/* ---- containers ------------------------------------------------------------------------------ */

/* Puts the stack's values from `height` on into a container, as keys and values or as they are, and
 * takes them off the stack.  A foreign node's items begin its struct, as those of a container. */
static lp_status collect(lp_machine *m, uint32_t container, bool pairs, size_t height) {
    size_t step = pairs ? 2 : 1;
    lp_status status = LP_OK;
    if ((m->stack.count - height) % step != 0) {
        return FAIL(m, LP_ERR_FORMAT, "a dictionary's key has no value");
    }
    for (size_t i = height; i < m->stack.count; i += step) {
        uint32_t cell;
        LP_TRY(lp_machine_add(m, LP_NODE_CELL, &cell));
        lp_node *item = lp_node_at(m, cell), *owner = lp_node_at(m, container);
        item->is.cell.key = pairs ? m->stack.items[i] : 0;
        item->is.cell.value = m->stack.items[i + step - 1];
        if (owner->is.items.count++ == 0) {
            owner->is.items.first = cell;
        } else {
            lp_node_at(m, owner->is.items.last)->is.cell.next = cell;
        }
        owner->is.items.last = cell;
    }
    m->stack.count = height;
done:
    return status;
}

/* A new container of what lies above `height`. */
static lp_status push_filled(lp_machine *m, lp_node_kind kind, size_t height) {
    uint32_t container;
    lp_status status;
    LP_TRY(lp_machine_add(m, kind, &container));
    LP_TRY(collect(m, container, kind == LP_NODE_DICT, height));
    LP_TRY(push(m, container));
done:
    return status;
}

/* The same above the latest mark, which it takes away. */
static lp_status push_marked(lp_machine *m, lp_node_kind kind) {
    size_t height = 0;
    lp_status status;
    LP_TRY(pop_mark(m, &height));
    LP_TRY(push_filled(m, kind, height));
done:
    return status;
}

/* Adds what lies above `height` to the container just below it. */
static lp_status extend(lp_machine *m, lp_node_kind kind, size_t height) {
    uint32_t container = height > floor_of(m) ? m->stack.items[height - 1] : 0; /* 0: opaque */
    lp_node_kind found = lp_node_at(m, container)->kind;
    if (found != kind && found != LP_NODE_FOREIGN) {
        return FAIL(m, LP_ERR_FORMAT, "adds to something that is not a %s",
                    kind == LP_NODE_DICT ? "dictionary" : "list");
    }
    return collect(m, container, kind == LP_NODE_DICT, height);
}

static lp_status extend_marked(lp_machine *m, lp_node_kind kind) {
    size_t height = 0;
    lp_status status;
    LP_TRY(pop_mark(m, &height));
    LP_TRY(extend(m, kind, height));
done:
    return status;
}

/* ---- stack and memo -------------------------------------------------------------------------- */

/* POP takes away a value, or the mark where there is none above it. */
static lp_status pop(lp_machine *m) {
    size_t unused;
    if (m->stack.count > floor_of(m)) {
        m->stack.count--;
        return LP_OK;
    }
    return pop_mark(m, &unused);
}

static lp_status pop_to_mark(lp_machine *m) {
    size_t height = 0;
    lp_status status;
    LP_TRY(pop_mark(m, &height));
    m->stack.count = height;
done:
    return status;
}

static lp_status duplicate(lp_machine *m) {
    lp_status status;
    LP_TRY(lp_machine_need(m, 1));
    LP_TRY(push(m, lp_machine_top(m, 1)));
done:
    return status;
}

static lp_status put(lp_machine *m, uint64_t slot) {
    lp_status status;
    LP_TRY(lp_machine_need(m, 1));
    /* A pickle cannot have more slots than bytes, so the memo is bounded by them too. */
    if (slot >= m->size) {
        LP_TRY(FAIL(m, LP_ERR_FORMAT, "memo slot %llu in a pickle of %zu bytes",
                    (unsigned long long)slot, m->size));
    }
    while (m->memo.count <= slot) {
        LP_TRY(refs_push(m, &m->memo, 0));
    }
    m->memorised += m->memo.items[slot] == 0;
    m->memo.items[slot] = lp_machine_top(m, 1);
done:
    return status;
}

static lp_status get(lp_machine *m, uint64_t slot) {
    return slot < m->memo.count && m->memo.items[slot] != 0
               ? push(m, m->memo.items[slot])
               : FAIL(m, LP_ERR_FORMAT, "memo slot %llu is empty", (unsigned long long)slot);
}

/* OBJ: mark, class, arguments -> an instance, as Python 2 writes those of old classes. */
static lp_status read_object(lp_machine *m) {
    size_t height = 0;
    uint32_t class;
    lp_status status;
    LP_TRY(pop_mark(m, &height));
    if (m->stack.count == height) {
        return FAIL(m, LP_ERR_FORMAT, "an instance has no class");
    }
    class = m->stack.items[height];
    LP_TRY(push_filled(m, LP_NODE_TUPLE, height + 1));
    m->stack.items[height] = class;
    LP_TRY(lp_machine_apply(m, true));
done:
    return status;
}

/* ---- instructions ---------------------------------------------------------------------------- */

static lp_status step(lp_machine *m, unsigned opcode) {
    uint64_t number = 0;
    int64_t decimal = 0;
    bool fits;
    const unsigned char *bytes;
    const char *line;
    size_t length;
    lp_status status;
    switch (opcode) {
    case 0x80: /* PROTO */
        return read_protocol(m);
    case 0x95: /* FRAME */
        return read_frame(m);

    case 'c': /* GLOBAL */
        return lp_machine_global(m);
    case 0x93: /* STACK_GLOBAL */
        return lp_machine_stack_global(m);
    case 'Q': /* BINPERSID */
        return lp_machine_persistent(m);
    case 'R':  /* REDUCE */
    case 0x81: /* NEWOBJ */
        return lp_machine_apply(m, opcode == 0x81);
    case 0x92: /* NEWOBJ_EX: class, arguments, arguments with names, which are dropped */
        LP_TRY(lp_machine_need(m, 3));
        m->stack.count--;
        return lp_machine_apply(m, true);
    case 'o': /* OBJ */
        return read_object(m);
    case 'b': /* BUILD */
        return lp_machine_build(m);

    case '(': /* MARK */
        return refs_push(m, &m->marks, (uint32_t)m->stack.count);
    case '0': /* POP */
        return pop(m);
    case '1': /* POP_MARK */
        return pop_to_mark(m);
    case '2': /* DUP */
        return duplicate(m);
    case 'q': /* BINPUT, LONG_BINPUT */
    case 'r':
        LP_TRY(take_number(m, opcode == 'q' ? 1 : 4, &number));
        return put(m, number);
    case 0x94: /* MEMOIZE: the next slot */
        return put(m, m->memorised);
    case 'h': /* BINGET, LONG_BINGET */
    case 'j':
        LP_TRY(take_number(m, opcode == 'h' ? 1 : 4, &number));
        return get(m, number);
    case 'p': /* PUT, GET: in decimal */
    case 'g':
        LP_TRY(take_decimal(m, &decimal, &fits));
        number = fits && decimal >= 0 ? (uint64_t)decimal : UINT64_MAX;
        return opcode == 'p' ? put(m, number) : get(m, number);

    case 'X':  /* BINUNICODE */
    case 0x8c: /* SHORT_BINUNICODE */
    case 0x8d: /* BINUNICODE8 */
        return read_text(m, LP_NODE_TEXT, opcode == 'X' ? 4 : opcode == 0x8c ? 1 : 8);
    case 'T': /* BINSTRING, BINBYTES */
    case 'B':
        return read_text(m, LP_NODE_BYTES, 4);
    case 'U': /* SHORT_BINSTRING, SHORT_BINBYTES */
    case 'C':
        return read_text(m, LP_NODE_BYTES, 1);
    case 0x8e: /* BINBYTES8, BYTEARRAY8 */
    case 0x96:
        return read_text(m, LP_NODE_BYTES, 8);
    case 'N': /* NONE */
        return push_new(m, LP_NODE_OPAQUE);
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
    case 'I': /* INT, LONG: in decimal; also booleans, as 00 and 01 */
    case 'L':
        return read_decimal(m);
    case 0x8a: /* LONG1, LONG4 */
    case 0x8b:
        return read_long(m, opcode == 0x8a ? 1 : 4);
    case 'G': /* BINFLOAT */
        LP_TRY(take(m, 8, &bytes));
        return push_new(m, LP_NODE_OPAQUE);
    case 'F': /* FLOAT: in decimal */
        LP_TRY(take_line(m, &line, &length));
        return push_new(m, LP_NODE_OPAQUE);

    case ']':  /* EMPTY_LIST */
    case 0x8f: /* EMPTY_SET */
        return push_new(m, LP_NODE_LIST);
    case '}': /* EMPTY_DICT */
        return push_new(m, LP_NODE_DICT);
    case ')': /* EMPTY_TUPLE */
        return push_new(m, LP_NODE_TUPLE);
    case 't': /* TUPLE */
        return push_marked(m, LP_NODE_TUPLE);
    case 'l':  /* LIST */
    case 0x91: /* FROZENSET */
        return push_marked(m, LP_NODE_LIST);
    case 'd': /* DICT */
        return push_marked(m, LP_NODE_DICT);
    case 0x85: /* TUPLE1, TUPLE2, TUPLE3 */
    case 0x86:
    case 0x87:
        LP_TRY(lp_machine_need(m, opcode - 0x84));
        return push_filled(m, LP_NODE_TUPLE, m->stack.count - (opcode - 0x84));
    case 'a': /* APPEND */
        LP_TRY(lp_machine_need(m, 2));
        return extend(m, LP_NODE_LIST, m->stack.count - 1);
    case 's': /* SETITEM */
        LP_TRY(lp_machine_need(m, 3));
        return extend(m, LP_NODE_DICT, m->stack.count - 2);
    case 'e':  /* APPENDS */
    case 0x90: /* ADDITEMS */
        return extend_marked(m, LP_NODE_LIST);
    case 'u': /* SETITEMS */
        return extend_marked(m, LP_NODE_DICT);

    case 'P': /* PERSID, STRING, UNICODE, INST */
    case 'S':
    case 'V':
    case 'i':
        return FAIL(m, LP_ERR_UNSUPPORTED,
                    "pickle protocol 0, in which PyTorch cannot read its own files either; save it "
                    "again in protocol 2, torch.save's default");
    default:
        return FAIL(m, LP_ERR_UNSUPPORTED,
                    "instruction 0x%02x, which pickles of tensors and of arrays do not have",
                    opcode);
    }
done:
    return status;
}

static lp_status run(lp_machine *m) {
    uint32_t unused;
    uint64_t opcode = 0;
    lp_status status;
    LP_TRY(lp_machine_add(m, LP_NODE_OPAQUE, &unused));
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
    m->out->root = lp_machine_top(m, 1);
    m->out->end = m->at;
done:
    return status;
}

lp_status lp_pickle_read(const char *where, const char *bytes, size_t size, lp_pickle *pickle,
                         lp_error *err) {
    *pickle = (lp_pickle){.bytes = bytes};
    lp_machine m = {.where = where,
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
