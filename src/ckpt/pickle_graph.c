/* Looking things up in the graph that a pickle gives. */
#include <string.h>

#include "base/alloc.h"
#include "ckpt/pickle.h"

void lp_pickle_free(lp_pickle *pickle) {
    lp_free(pickle->nodes);
    *pickle = (lp_pickle){0};
}

bool lp_pickle_is_string(const lp_pickle *pickle, uint32_t node) {
    lp_node_kind kind = pickle->nodes[node].kind;
    return kind == LP_NODE_TEXT || kind == LP_NODE_BYTES;
}

static bool equals(const lp_pickle *pickle, uint32_t node, const char *text, size_t length) {
    const lp_node *n = &pickle->nodes[node];
    return lp_pickle_is_string(pickle, node) && n->is.text.length == length &&
           memcmp(pickle->bytes + n->is.text.start, text, length) == 0;
}

bool lp_pickle_is_text(const lp_pickle *pickle, uint32_t node, const char *text) {
    return equals(pickle, node, text, strlen(text));
}

bool lp_pickle_begins(const lp_pickle *pickle, uint32_t node, const char *prefix) {
    const lp_node *n = &pickle->nodes[node];
    size_t length = strlen(prefix);
    return lp_pickle_is_string(pickle, node) && n->is.text.length >= length &&
           memcmp(pickle->bytes + n->is.text.start, prefix, length) == 0;
}

bool lp_pickle_same_text(const lp_pickle *pickle, uint32_t a, uint32_t b) {
    const lp_node *other = &pickle->nodes[b];
    return lp_pickle_is_string(pickle, b) &&
           equals(pickle, a, pickle->bytes + other->is.text.start, other->is.text.length);
}

uint32_t lp_pickle_maker(const lp_pickle *pickle, uint32_t node) {
    const lp_node *n = &pickle->nodes[node];
    uint32_t maker = n->kind == LP_NODE_FOREIGN ? n->is.foreign.maker : 0;
    return pickle->nodes[maker].kind == LP_NODE_GLOBAL ? maker : 0;
}

bool lp_pickle_items(const lp_pickle *pickle, uint32_t tuple, size_t count, uint32_t *items) {
    const lp_node *nodes = pickle->nodes;
    if (nodes[tuple].kind != LP_NODE_TUPLE || nodes[tuple].is.items.count < count) {
        return false;
    }
    uint32_t cell = nodes[tuple].is.items.first;
    for (size_t i = 0; i < count; i++) {
        items[i] = nodes[cell].is.cell.value;
        cell = nodes[cell].is.cell.next;
    }
    return true;
}

bool lp_pickle_pair(const lp_pickle *pickle, uint32_t pair, uint32_t items[2]) {
    const lp_node *nodes = pickle->nodes, *node = &nodes[pair];
    if ((node->kind != LP_NODE_TUPLE && node->kind != LP_NODE_LIST) || node->is.items.count != 2) {
        return false;
    }
    items[0] = nodes[node->is.items.first].is.cell.value;
    items[1] = nodes[node->is.items.last].is.cell.value;
    return true;
}

uint32_t lp_pickle_find(const lp_pickle *pickle, uint32_t dictionary, const char *key) {
    const lp_node *nodes = pickle->nodes;
    if (nodes[dictionary].kind == LP_NODE_DICT) {
        uint32_t cell = nodes[dictionary].is.items.first;
        for (; cell != 0; cell = nodes[cell].is.cell.next) {
            if (lp_pickle_is_text(pickle, nodes[cell].is.cell.key, key)) {
                return nodes[cell].is.cell.value;
            }
        }
    }
    return 0;
}
