/* Data stage: the Python version of CIFAR.
 *
 *   batch  {"data": array uint8 [N, 3072], "labels" or "fine_labels" and "coarse_labels": [N] ints}
 *          -> N records of the binary version: labels, then the row
 *   names  {"label_names" or "fine_label_names" and "coarse_label_names": texts} -> lines
 *
 * An array is what NumPy's __reduce__ makes of it in protocols 0 to 4: _reconstruct(...), and the
 * state (version, shape, type, column-major, bytes).  The published files are of protocol 2 and
 * Python 2, whose texts are bytes; Python 3 writes bytes in that protocol as a text of Latin-1. */
#include "data/cifar_pickle.h"

#include <string.h>

#include "base/error.h"
#include "ckpt/pickle.h"

/* A pickle whose root is a dictionary. */
static lp_status open_dictionary(const char *path, const unsigned char *bytes, size_t size,
                                 lp_pickle *pickle, lp_error *err) {
    lp_status status;
    LP_TRY(lp_pickle_read(path, (const char *)bytes, size, pickle, err));
    if (pickle->nodes[pickle->root].kind != LP_NODE_DICT) {
        status = lp_fail(err, LP_ERR_FORMAT,
                         "%s: expected a pickled dictionary, as CIFAR's Python "
                         "version has them",
                         path);
    }
done:
    return status;
}

/* The list at a key. */
static lp_status find_list(const lp_pickle *pickle, const char *path, const char *key,
                           const lp_node **list, lp_error *err) {
    uint32_t found = lp_pickle_find(pickle, pickle->root, key);
    *list = &pickle->nodes[found];
    return found != 0 && (*list)->kind == LP_NODE_LIST
               ? LP_OK
               : lp_fail(err, LP_ERR_FORMAT, "%s: expected a list '%s'", path, key);
}

/* ---- arrays ---------------------------------------------------------------------------------- */

static bool integer_is(const lp_pickle *pickle, uint32_t node, int64_t value) {
    const lp_node *n = &pickle->nodes[node];
    return n->kind == LP_NODE_INT && n->is.integer == value;
}

/* numpy.dtype("u1", ...) */
static bool is_bytes_type(const lp_pickle *pickle, uint32_t node) {
    uint32_t maker = lp_pickle_maker(pickle, node), first = 0;
    return maker != 0 && lp_pickle_is_text(pickle, pickle->nodes[maker].is.global.name, "dtype") &&
           lp_pickle_items(pickle, pickle->nodes[node].is.foreign.arguments, 1, &first) &&
           (lp_pickle_is_text(pickle, first, "u1") || lp_pickle_is_text(pickle, first, "|u1"));
}

/* A text of characters below 256, as bytes in place of its UTF-8; false: it has others. */
static bool from_latin(const unsigned char *text, size_t length, unsigned char *bytes,
                       size_t count) {
    size_t used = 0;
    for (size_t i = 0; i < length; i++, used++) {
        unsigned c = text[i];
        if (c >= 0xc2 && c <= 0xc3 && i + 1 < length && (text[i + 1] & 0xc0) == 0x80) {
            c = (c & 3) << 6 | (text[++i] & 0x3f);
        } else if (c >= 0x80) {
            return false;
        }
        if (used == count) {
            return false;
        }
        bytes[used] = (unsigned char)c;
    }
    return used == count;
}

/* The rows of "data", uint8 [*count, width]; in the pickle, or converted in memory. */
static lp_status find_rows(const lp_pickle *pickle, const char *path, size_t width,
                           lp_memory *memory, const unsigned char **rows, size_t *count,
                           lp_error *err) {
    uint32_t array = lp_pickle_find(pickle, pickle->root, "data"), state[5], shape[2];
    const lp_node *nodes = pickle->nodes;
    lp_status status;
    if (array == 0 || nodes[array].kind != LP_NODE_FOREIGN ||
        !lp_pickle_items(pickle, nodes[array].is.foreign.state, 5, state) ||
        !lp_pickle_items(pickle, state[1], 2, shape) || !is_bytes_type(pickle, state[2]) ||
        nodes[shape[0]].kind != LP_NODE_INT || !integer_is(pickle, shape[1], (int64_t)width) ||
        nodes[state[1]].is.items.count != 2 || !integer_is(pickle, state[3], 0) ||
        !lp_pickle_is_string(pickle, state[4]) || nodes[shape[0]].is.integer < 1) {
        return lp_fail(err, LP_ERR_FORMAT,
                       "%s: 'data': expected an array of bytes [N, %zu], row by row, as NumPy "
                       "pickles it in protocols 2 to 4",
                       path, width);
    }
    const lp_node *values = &nodes[state[4]];
    const unsigned char *bytes = (const unsigned char *)pickle->bytes + values->is.text.start;
    size_t length = values->is.text.length;
    *count = (size_t)nodes[shape[0]].is.integer;
    if (*count > length / width) {
        return lp_fail(err, LP_ERR_FORMAT, "%s: 'data': %zu rows of %zu bytes, but %zu bytes", path,
                       *count, width, length);
    }
    *rows = bytes;
    if (values->kind == LP_NODE_TEXT) {
        unsigned char *converted = lp_memory_take(memory, *count, width);
        LP_TRY(lp_memory_check(memory, path, err));
        *rows = converted;
        if (!from_latin(bytes, length, converted, *count * width)) {
            return lp_fail(err, LP_ERR_FORMAT, "%s: 'data': expected %zu bytes, as Latin-1", path,
                           *count * width);
        }
    } else if (length != *count * width) {
        return lp_fail(err, LP_ERR_FORMAT, "%s: 'data': expected %zu x %zu bytes, found %zu", path,
                       *count, width, length);
    }
    status = LP_OK;
done:
    return status;
}

/* ---- records --------------------------------------------------------------------------------- */

/* Writes the labels at a key to byte `at` of each record. */
static lp_status put_labels(const lp_pickle *pickle, const char *path, const char *key,
                            size_t classes, unsigned char *records, size_t record, size_t at,
                            size_t count, lp_error *err) {
    const lp_node *list;
    lp_status status;
    size_t i = 0;
    LP_TRY(find_list(pickle, path, key, &list, err));
    if (list->is.items.count != count) {
        return lp_fail(err, LP_ERR_FORMAT, "%s: %u labels in '%s', but %zu images", path,
                       list->is.items.count, key, count);
    }
    for (uint32_t cell = list->is.items.first; i < count; i++) {
        const lp_node *label = &pickle->nodes[pickle->nodes[cell].is.cell.value];
        if (label->kind != LP_NODE_INT || label->is.integer < 0 ||
            (uint64_t)label->is.integer >= classes) {
            return lp_fail(err, LP_ERR_DATA,
                           "%s: '%s': entry %zu: expected a label from 0 to %zu, found %lld", path,
                           key, i, classes - 1,
                           label->kind == LP_NODE_INT ? (long long)label->is.integer : -1);
        }
        records[i * record + at] = (unsigned char)label->is.integer;
        cell = pickle->nodes[cell].is.cell.next;
    }
done:
    return status;
}

lp_status lp_cifar_unpickle(const lp_record_layout *layout, const char *path,
                            const unsigned char *bytes, size_t size, lp_memory *memory,
                            unsigned char **records, size_t *records_size, lp_error *err) {
    size_t record = lp_record_bytes(layout), labels = layout->label_bytes, count = 0;
    const unsigned char *rows = NULL;
    lp_pickle pickle = {0};
    lp_status status;
    LP_TRY(open_dictionary(path, bytes, size, &pickle, err));
    LP_TRY(find_rows(&pickle, path, record - labels, memory, &rows, &count, err));
    *records = lp_memory_take(memory, count, record);
    LP_TRY(lp_memory_check(memory, path, err));
    *records_size = count * record;
    for (size_t i = 0; i < count; i++) {
        memcpy(*records + i * record + labels, rows + i * (record - labels), record - labels);
    }
    for (size_t kind = 0; kind < labels; kind++) { /* coarse before fine */
        LP_TRY(put_labels(&pickle, path, layout->pickled.labels[kind], layout->classes[kind],
                          *records, record, labels - 1 - kind, count, err));
    }
done:
    lp_pickle_free(&pickle);
    return status;
}

lp_status lp_cifar_unpickle_names(const char *path, const char *key, const unsigned char *bytes,
                                  size_t size, lp_memory *memory, unsigned char **text,
                                  size_t *text_size, lp_error *err) {
    lp_pickle pickle = {0};
    const lp_node *list;
    size_t used = 0;
    lp_status status;
    LP_TRY(open_dictionary(path, bytes, size, &pickle, err));
    LP_TRY(find_list(&pickle, path, key, &list, err));
    *text = lp_memory_take(memory, size, 1); /* each name has a byte before it, at least */
    LP_TRY(lp_memory_check(memory, path, err));
    uint32_t cell = list->is.items.first;
    for (size_t i = 0; i < list->is.items.count; i++) {
        uint32_t value = pickle.nodes[cell].is.cell.value;
        const lp_node *name = &pickle.nodes[value];
        if (!lp_pickle_is_string(&pickle, value) || name->is.text.length >= size - used) {
            LP_TRY(
                lp_fail(err, LP_ERR_FORMAT, "%s: '%s': entry %zu: expected a name", path, key, i));
        }
        memcpy(*text + used, pickle.bytes + name->is.text.start, name->is.text.length);
        used += name->is.text.length;
        (*text)[used++] = '\n';
        cell = pickle.nodes[cell].is.cell.next;
    }
    *text_size = used;
done:
    lp_pickle_free(&pickle);
    return status;
}
