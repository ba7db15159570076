/* What a pickle says, as data: nothing in it is ever called or constructed.
 *
 * A pickle is a program for a stack machine.  This interpreter knows the instructions that PyTorch
 * and Python write in protocols 1 to 5, and gives a meaning only to the globals in the table of
 * pickle_globals.c.  What any other global makes is a foreign node: what was put into it is kept,
 * so that tensors in it can be found.  Globals that run code when Python loads them are an error
 * that names them.
 *
 * The result is a graph of small nodes in one array, linked by index.  Texts and bytes stay where
 * they are in the pickle.  A byte of the pickle adds at most two nodes and nothing is copied, so
 * memory is at most 250 times the pickle's size, however often it refers to the same value; and the
 * interpreter does not recurse, so that depth costs nothing.  The graph may share nodes and may
 * contain cycles: whoever walks it must bound the walk.
 */
#ifndef LP_CKPT_PICKLE_H
#define LP_CKPT_PICKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "linprobe/checkpoint.h"

/* Most nodes of a pickle that is read, and most values on its stack and in its memo.  A tensor
 * takes about 40 nodes, so that the pickles of real models are far below; long texts cost nothing.
 */
enum { LP_PICKLE_NODES = 8 << 20 };

/* A type of PyTorch's storages and tensors. */
typedef struct lp_torch_type {
    const char *storage; /* "HalfStorage", or NULL where a type has none */
    const char *dtype;   /* "float16", or NULL */
    lp_dtype type;
    unsigned bytes; /* of one element */
} lp_torch_type;

typedef enum lp_node_kind {
    LP_NODE_OPAQUE, /* something that no tensor needs: None, a float, a large integer, a device */
    LP_NODE_INT,    /* also booleans */
    LP_NODE_TEXT,   /* UTF-8 */
    LP_NODE_BYTES,  /* also what Python 2 calls str */
    LP_NODE_TUPLE,
    LP_NODE_LIST, /* also sets */
    LP_NODE_DICT,
    LP_NODE_CELL, /* one item of the three above, or of a foreign node */
    LP_NODE_GLOBAL,
    LP_NODE_STORAGE,
    LP_NODE_TENSOR,
    LP_NODE_OBJECT, /* an instance of a TorchScript class */
    LP_NODE_FOREIGN /* what a global outside the table made, and what was put into it */
} lp_node_kind;

typedef struct lp_node {
    lp_node_kind kind;
    uint64_t at; /* byte offset of the instruction that made it */
    union {
        int64_t integer;
        struct {
            uint64_t start, length; /* in the pickle's bytes */
        } text;                     /* also of bytes */
        struct {
            uint32_t first, last, count; /* cells; first and last are 0 when there are none */
        } items;
        struct {
            uint32_t key, value, next; /* key is 0 outside dictionaries; next is 0 at the end */
        } cell;
        struct {
            uint32_t role;             /* of pickle_globals.c's table */
            uint32_t module, name;     /* texts */
            const lp_torch_type *type; /* where it names one */
        } global;
        struct {
            uint32_t key;  /* a string: the member data/<key> holds its bytes */
            uint32_t size; /* integer: elements */
            uint32_t view; /* a sixth member of its id, or 0 */
            const lp_torch_type *type;
        } storage;
        struct {
            uint32_t storage, offset, shape, stride; /* as the file gives them, unchecked */
            const lp_torch_type *type;               /* NULL: that of the storage */
        } tensor;
        struct {
            uint32_t state; /* a node, or 0 */
        } object;
        struct {
            uint32_t first, last, count; /* as items; cells without a key were appended */
            uint32_t maker, arguments;   /* what was called with which tuple; arguments may be 0 */
            uint32_t state;              /* what BUILD gave it, or 0 */
        } foreign;
    } is;
} lp_node;

/* Node 0 is unused, so that 0 means none.  `bytes` belongs to the caller and must stay. */
typedef struct lp_pickle {
    const char *bytes;
    lp_node *nodes;
    uint32_t count, root;
    size_t capacity;
    size_t end; /* bytes up to the end of the STOP instruction; what follows is not looked at */
} lp_pickle;

/* Interprets a pickle.  `where` ("file: member") opens each message;
 * LP_ERR_UNSUPPORTED for an instruction, protocol or global that is refused, with its byte offset,
 * LP_ERR_FORMAT for a pickle that contradicts itself or ends early. */
LP_MUST_USE lp_status lp_pickle_read(const char *where, const char *bytes, size_t size,
                                     lp_pickle *pickle, lp_error *err);
void lp_pickle_free(lp_pickle *pickle);

/* Whether a node is a text or bytes, which Python 2 does not tell apart. */
bool lp_pickle_is_string(const lp_pickle *pickle, uint32_t node);

/* True for such a node equal to a string, or beginning with it; and for two of them that are
 * equal. */
bool lp_pickle_is_text(const lp_pickle *pickle, uint32_t node, const char *text);
bool lp_pickle_begins(const lp_pickle *pickle, uint32_t node, const char *prefix);
bool lp_pickle_same_text(const lp_pickle *pickle, uint32_t a, uint32_t b);

/* The global that made a foreign node, or 0. */
uint32_t lp_pickle_maker(const lp_pickle *pickle, uint32_t node);

/* The first `count` items of a tuple; false when it is none or shorter. */
bool lp_pickle_items(const lp_pickle *pickle, uint32_t tuple, size_t count, uint32_t *items);

/* The two items of a pair: a tuple or a list of exactly two. */
bool lp_pickle_pair(const lp_pickle *pickle, uint32_t pair, uint32_t items[2]);

/* The value of a dictionary's key, or 0. */
uint32_t lp_pickle_find(const lp_pickle *pickle, uint32_t dictionary, const char *key);

#endif
