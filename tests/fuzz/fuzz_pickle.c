/* The pickle interpreter by itself, and that every link of its graph leads somewhere. */
#include "ckpt/pickle.h"
#include "fuzz.h"

static void fuzz_one(fuzz_input input) {
    lp_error err = {0};
    lp_pickle pickle;
    if (!fuzz_succeeds(
            lp_pickle_read("pickle", (const char *)input.data, input.size, &pickle, &err), &err)) {
        fuzz_require(pickle.nodes == NULL, "no nodes after a failure");
        return;
    }
    fuzz_require(pickle.root > 0 && pickle.root < pickle.count, "a root");
    fuzz_require(pickle.count <= 2 * input.size + 1, "at most two nodes a byte");
    for (uint32_t i = 1; i < pickle.count; i++) {
        const lp_node *n = &pickle.nodes[i];
        switch (n->kind) {
        case LP_NODE_TEXT:
        case LP_NODE_BYTES:
            fuzz_require(n->is.text.start <= input.size &&
                             n->is.text.length <= input.size - n->is.text.start,
                         "text within the pickle");
            (void)lp_pickle_is_text(&pickle, i, "state_dict");
            break;
        case LP_NODE_DICT:
            (void)lp_pickle_find(&pickle, i, "model");
            /* fall through */
        case LP_NODE_TUPLE:
        case LP_NODE_LIST:
            fuzz_require(n->is.items.first < pickle.count && n->is.items.last < pickle.count,
                         "items within the graph");
            break;
        case LP_NODE_CELL:
            fuzz_require(n->is.cell.key < pickle.count && n->is.cell.value < pickle.count &&
                             n->is.cell.next < pickle.count,
                         "a cell's links within the graph");
            break;
        case LP_NODE_FOREIGN:
            fuzz_require(n->is.foreign.first < pickle.count && n->is.foreign.last < pickle.count,
                         "a foreign node's items within the graph");
            fuzz_require(n->is.foreign.maker > 0 && n->is.foreign.maker < pickle.count &&
                             n->is.foreign.arguments < pickle.count &&
                             n->is.foreign.state < pickle.count,
                         "a foreign node's links within the graph");
            break;
        case LP_NODE_GLOBAL:
            fuzz_require(lp_pickle_is_string(&pickle, n->is.global.module) &&
                             lp_pickle_is_string(&pickle, n->is.global.name),
                         "a global's two texts");
            break;
        case LP_NODE_TENSOR:
            fuzz_require(n->is.tensor.storage < pickle.count &&
                             pickle.nodes[n->is.tensor.storage].kind == LP_NODE_STORAGE,
                         "a tensor's storage");
            break;
        default:
            break;
        }
    }
    lp_pickle_free(&pickle);
}
