/* NumPy's arrays in a pickle, as __reduce__ makes them:
 *
 *   _reconstruct(...), and the state (version, shape, type, column-major, bytes)
 *   _frombuffer(bytes, type, shape, "C" or "F")               in protocol 5
 *   type: dtype("f4", ...), and the state (version, byte order, ...)
 *
 * Bytes of protocol 2 that Python 3 wrote are a text, each byte the character of that number (they
 * are encoded as Latin-1 when Python loads them), and lie in the file in UTF-8: one byte below 128,
 * two from there on.  They are put together when they are read.
 *
 * Reference: numpy/core/src/multiarray/methods.c (array_reduce, array_reduce_ex_picklebuffer),
 * descriptor.c (arraydescr_reduce), numpy/core/numeric.py (_frombuffer). */
#include "ckpt/array_pickle.h"

#include "base/alloc.h"
#include "base/error.h"
#include "ckpt/numpy_array.h"
#include "ckpt/torch_tree.h"

/* The nodes that say what an array is; 0: not there. */
typedef struct array_parts {
    uint32_t shape, type, data;
    bool fortran_order;
} array_parts;

/* The name of the function of NumPy that made a node, a text; or 0. */
static uint32_t maker_of(const lp_pickle *pickle, uint32_t node) {
    uint32_t maker = lp_pickle_maker(pickle, node);
    if (maker == 0) {
        return 0;
    }
    uint32_t module = pickle->nodes[maker].is.global.module;
    return lp_pickle_is_text(pickle, module, "numpy") || lp_pickle_begins(pickle, module, "numpy.")
               ? pickle->nodes[maker].is.global.name
               : 0;
}

static bool is_made_by(const lp_pickle *pickle, uint32_t node, const char *name) {
    return lp_pickle_is_text(pickle, maker_of(pickle, node), name);
}

bool lp_array_pickled(const lp_pickle *pickle, uint32_t node) {
    return is_made_by(pickle, node, "_reconstruct") || is_made_by(pickle, node, "_frombuffer");
}

static array_parts parts_of(const lp_pickle *pickle, uint32_t node) {
    const lp_node *array = &pickle->nodes[node];
    uint32_t items[5];
    if (is_made_by(pickle, node, "_frombuffer")) {
        return lp_pickle_items(pickle, array->is.foreign.arguments, 4, items)
                   ? (array_parts){items[2], items[1], items[0],
                                   lp_pickle_is_text(pickle, items[3], "F")}
                   : (array_parts){0};
    }
    if (!lp_pickle_items(pickle, array->is.foreign.state, 5, items)) {
        return (array_parts){0};
    }
    const lp_node *order = &pickle->nodes[items[3]];
    return (array_parts){items[1], items[2], items[4],
                         order->kind == LP_NODE_INT && order->is.integer != 0};
}

/* "f4" -> 'f', 4; false: it is no plain type.  The number of "U4" counts characters, of 4 bytes. */
static bool read_type(const lp_pickle *pickle, uint32_t type, char *kind, size_t *item,
                      bool *big_endian) {
    uint32_t code, state[2];
    if (!is_made_by(pickle, type, "dtype") ||
        !lp_pickle_items(pickle, pickle->nodes[type].is.foreign.arguments, 1, &code) ||
        !lp_pickle_is_string(pickle, code)) {
        return false;
    }
    const lp_node *text = &pickle->nodes[code];
    const char *c = pickle->bytes + text->is.text.start;
    if (text->is.text.length != 2 || c[0] == 'U' || c[1] < '1' || c[1] > '8') {
        return false;
    }
    *kind = c[0];
    *item = (size_t)(c[1] - '0');
    *big_endian = lp_pickle_items(pickle, pickle->nodes[type].is.foreign.state, 2, state) &&
                  lp_pickle_is_text(pickle, state[1], ">");
    return true;
}

static bool read_shape(const lp_pickle *pickle, uint32_t shape, lp_entry *entry) {
    const lp_node *nodes = pickle->nodes;
    uint64_t sizes[LP_MAX_RANK] = {0};
    size_t rank = 0;
    if (nodes[shape].kind != LP_NODE_TUPLE || nodes[shape].is.items.count > LP_MAX_RANK) {
        return false;
    }
    for (uint32_t cell = nodes[shape].is.items.first; cell != 0; cell = nodes[cell].is.cell.next) {
        const lp_node *size = &nodes[nodes[cell].is.cell.value];
        if (size->kind != LP_NODE_INT || size->is.integer < 0) {
            return false;
        }
        sizes[rank++] = (uint64_t)size->is.integer;
    }
    return lp_entry_shape(entry, sizes, rank);
}

static bool count_bytes(const lp_entry *entry, uint64_t *bytes) {
    bool fits = true;
    *bytes = entry->bytes;
    for (int i = 0; i < entry->tensor.rank && fits; i++) {
        fits = lp_mul_u64(*bytes, entry->tensor.shape[i], bytes);
    }
    return fits;
}

lp_status lp_array_pickled_entry(const lp_pickle *pickle, uint32_t node, lp_entry *entry,
                                 uint64_t *available, lp_error *err) {
    const array_parts array = parts_of(pickle, node);
    const lp_node *data = &pickle->nodes[array.data];
    size_t item;
    char kind;
    bool big_endian;
    *entry = (lp_entry){.storage = array.data};
    *available = 0;
    if (!read_shape(pickle, array.shape, entry)) {
        return lp_fail(err, LP_ERR_FORMAT, "an array's shape is not a tuple of at most %d counts",
                       LP_MAX_RANK);
    }
    if (!read_type(pickle, array.type, &kind, &item, &big_endian) ||
        !lp_pickle_is_string(pickle, array.data)) {
        lp_array_type(0, 0, false, "another type", entry); /* of objects, records, texts */
        return LP_OK;
    }
    lp_array_type(kind, item, big_endian, "another type", entry);
    uint64_t stored = data->is.text.length;
    uint64_t most = data->kind == LP_NODE_TEXT ? 2 : 1; /* bytes of the file for one */
    if (!count_bytes(entry, available) || *available > stored || *available < stored / most) {
        return lp_fail(err, LP_ERR_FORMAT,
                       "an array of another size than its %llu bytes in the file",
                       (unsigned long long)stored);
    }
    lp_array_strides(array.fortran_order, entry);
    return LP_OK;
}

/* ---- the file -------------------------------------------------------------------------------- */

static bool find_storage(const void *context, const char *key, lp_torch_storage *found) {
    (void)context, (void)key, (void)found;
    return false;
}

bool lp_array_pickle_recognise(const lp_map *file) {
    return file->size > 0 && file->data[0] == 0x80;
}

lp_status lp_array_pickle_index(const lp_map *file, lp_pickle *pickle, lp_index *index,
                                lp_error *err) {
    const lp_torch_storages storages = {.find = find_storage, .prefix = "", .arrays = true};
    lp_torch_tree tree;
    lp_status status = lp_pickle_read("a pickle that torch.save did not write",
                                      (const char *)file->data, (size_t)file->size, pickle, err);
    LP_TRY(status);
    if (pickle->end != file->size) {
        LP_TRY(lp_fail(err, LP_ERR_FORMAT, "byte %zu: %llu bytes behind the pickle", pickle->end,
                       (unsigned long long)(file->size - pickle->end)));
    }
    LP_TRY(lp_torch_tree_index(pickle, &storages, index, &tree, err));
done:
    return status;
}

/* Characters below 256 of a text in UTF-8, as bytes [count]; false: it has others, or is not as
 * long. */
static bool from_latin(const unsigned char *text, uint64_t length, unsigned char *bytes,
                       uint64_t count) {
    uint64_t used = 0;
    for (uint64_t i = 0; i < length; i++) {
        unsigned c = text[i];
        if (c >= 0x80) {
            if ((c & 0xfe) != 0xc2 || i + 1 == length || (text[i + 1] & 0xc0) != 0x80) {
                return false;
            }
            c = (c & 3) << 6 | (text[++i] & 0x3f);
        }
        if (used == count) {
            return false;
        }
        bytes[used++] = (unsigned char)c;
    }
    return used == count;
}

lp_status lp_array_pickle_read(const lp_pickle *pickle, const lp_entry *entry, float *values,
                               lp_error *err) {
    const lp_node *data = &pickle->nodes[entry->storage];
    const unsigned char *bytes = (const unsigned char *)pickle->bytes + data->is.text.start;
    unsigned char *decoded = NULL;
    lp_status status;
    if (data->kind == LP_NODE_TEXT) {
        decoded = lp_alloc(entry->tensor.count, entry->bytes);
        LP_TRY(lp_allocated(decoded, entry->name, entry->tensor.count, entry->bytes, err));
        if (!from_latin(bytes, data->is.text.length, decoded,
                        (uint64_t)entry->tensor.count * entry->bytes)) {
            LP_TRY(lp_fail(err, LP_ERR_FORMAT,
                           "tensor %s: expected %zu values of %u bytes as "
                           "Latin-1",
                           entry->tensor.name, entry->tensor.count, entry->bytes));
        }
        bytes = decoded;
    }
    LP_TRY(lp_entry_convert(entry, bytes, values, err));
done:
    lp_free(decoded);
    return status;
}
