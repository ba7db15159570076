/* Which of a file's tensors are the image encoder: one rule for all that training programs save.
 *
 *   1. A family recognises an encoder by a few of its tensors.  Wherever their names end so, what
 *      stands before is a place where an encoder may lie.
 *   2. At each place the families are asked in their order; the first whose plan of weights has no
 *      problem makes it a whole encoder.
 *   3. One whole encoder is taken.  Of several, the best by a stated order, or the one that the
 *      caller names.  Of none, the message shows the nearest. */
#ifndef LP_MODEL_SELECTION_H
#define LP_MODEL_SELECTION_H

#include "model/tower.h"

enum { LP_SELECTION_TEXT = 480 };

/* The encoder that was taken: source and plan, and the tower of source.family's kind. */
typedef struct lp_selection {
    lp_source source;
    lp_weight_plan plan;
    void *tower;
    char prefix[LP_PLAN_NAME];    /* what its names begin with in the file */
    bool one_of_several;          /* the file holds other whole encoders, too */
    char said[LP_SELECTION_TEXT]; /* other encoders, and what was passed over; "": nothing */
} lp_selection;

/* LP_ERR_UNSUPPORTED: nothing of any family; LP_ERR_FORMAT: none is whole, the message compares the
 * file with the nearest family; LP_ERR_ARGUMENT: none lies where options->select says;
 * LP_ERR_MEMORY.  options stay the caller's, and must outlive the selection.  Released by
 * lp_selection_free, also after a failure. */
LP_MUST_USE lp_status lp_selection_find(lp_checkpoint *ckpt, const lp_encoder_options *options,
                                        lp_selection *selection, lp_error *err);
void lp_selection_free(lp_selection *selection);

#endif
