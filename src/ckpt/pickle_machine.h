/* The pickle machine's parts that its two files share: pickle.c has the instructions that move
 * values about, pickle_calls.c those that give a meaning to globals. */
#ifndef LP_CKPT_PICKLE_MACHINE_H
#define LP_CKPT_PICKLE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "ckpt/pickle.h"

/* An array of node indexes that grows. */
typedef struct lp_refs {
    uint32_t *items;
    size_t count, capacity;
} lp_refs;

typedef struct lp_machine {
    const char *where;
    const unsigned char *bytes;
    size_t size, at; /* at: the next byte */
    size_t opcode;   /* offset of the current instruction */
    lp_refs stack;
    lp_refs marks;    /* heights of the stack */
    lp_refs memo;     /* 0 where nothing was put */
    size_t memorised; /* values in it */
    lp_pickle *out;
    lp_error *err;
} lp_machine;

/* Records an error at the current instruction, and returns its status.  So do the functions below,
 * unless they return LP_OK. */
#define LP_MACHINE_FAIL(m, status, ...)                                                            \
    (lp_fail((m)->err, status, __VA_ARGS__),                                                       \
     lp_prefix((m)->err, status, "%s: byte %zu: ", (m)->where, (m)->opcode))

/* Pointers to nodes do not survive lp_machine_add; indexes do. */
static inline lp_node *lp_node_at(const lp_machine *m, uint32_t i) {
    return &m->out->nodes[i];
}

/* The k-th value from the top, 1 being the top; lp_machine_need comes first. */
static inline uint32_t lp_machine_top(const lp_machine *m, size_t k) {
    return m->stack.items[m->stack.count - k];
}

/* Checks that the stack has so many values above the latest mark: those below it belong to what is
 * still being collected. */
LP_MUST_USE lp_status lp_machine_need(lp_machine *m, size_t count);

/* Appends a node of zeros. */
LP_MUST_USE lp_status lp_machine_add(lp_machine *m, lp_node_kind kind, uint32_t *index);

/* Replaces the top `count` values by one. */
LP_MUST_USE lp_status lp_machine_replace(lp_machine *m, size_t count, uint32_t value);

/* Adds text or bytes that lie in the pickle. */
LP_MUST_USE lp_status lp_machine_add_text(lp_machine *m, lp_node_kind kind, const char *start,
                                          size_t length, uint32_t *index);

/* GLOBAL, with its operands in the pickle, and STACK_GLOBAL: -> global. */
LP_MUST_USE lp_status lp_machine_global(lp_machine *m);
LP_MUST_USE lp_status lp_machine_stack_global(lp_machine *m);

/* BINPERSID: id -> value. */
LP_MUST_USE lp_status lp_machine_persistent(lp_machine *m);

/* REDUCE, and with `instance` NEWOBJ: callable, tuple of arguments -> value. */
LP_MUST_USE lp_status lp_machine_apply(lp_machine *m, bool instance);

/* BUILD: value, state -> value. */
LP_MUST_USE lp_status lp_machine_build(lp_machine *m);

#endif
