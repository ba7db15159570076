/* The weights that a tower needs of a checkpoint: their names and shapes, and where they go.
 *
 *     lp_weight_plan plan = {0};
 *     lp_plan_add(&plan, &vit->patch_weight, "D,3,P,P", "visual.conv1.weight");  // and so on
 *     lp_plan_check(&plan, &view, "visual.", ignored);    // learns D, P; notes what is wrong
 *     size_t width = *lp_plan_dimension(&plan, 'D');
 *     status = lp_plan_report(&plan, ckpt, "clip-vit", "", &err);
 *     ...                                                  // lp_plan_read: an arena, filled
 *     lp_plan_free(&plan);
 *
 * A shape is a list of terms: a number, a letter, or a number times a letter ("3D,D").  A letter
 * stands for a dimension, which the first tensor that has it teaches. */
#ifndef LP_MODEL_WEIGHT_PLAN_H
#define LP_MODEL_WEIGHT_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "linprobe/checkpoint.h"
#include "model/tensor_view.h"

enum { LP_PLAN_NAME = 160, LP_PLAN_SHAPE = 64, LP_PLAN_PROBLEMS = 3200, LP_SHAPE_TEXT = 192 };

typedef struct lp_weight {
    char name[LP_PLAN_NAME];
    char shape[LP_PLAN_SHAPE];
    float **to; /* will point to the values; NULL: they follow the weight before, without a gap */
    const lp_tensor *tensor; /* once checked; NULL where missing */
    size_t room;             /* floats to keep free for it at least; set between check and read */
    bool aside;              /* it gets its room alone, and is read when that is filled */
} lp_weight;

/* What a tensor of the view is to the plan. */
typedef enum lp_use {
    LP_USE_UNKNOWN, /* a problem: what no table knows may change what a model computes */
    LP_USE_PLANNED,
    LP_USE_IGNORED, /* known, and of no use: a classifier's head, a buffer */
    LP_USE_BESIDE,  /* of a module beside the encoder */
    LP_USE_OUTSIDE  /* outside the module that is the encoder: the text tower */
} lp_use;

typedef struct lp_weight_plan {
    lp_weight *weights;
    size_t count, room;
    size_t matched;        /* weights that the file has, as they should be */
    lp_use *uses;          /* [view->count], once checked */
    size_t dimensions[26]; /* A to Z; 0 = not known yet */
    bool no_memory;        /* an addition failed; reported by lp_plan_report */
    size_t problems, shown, used;
    char text[LP_PLAN_PROBLEMS];
} lp_weight_plan;

/* Adds a weight; `to` as in lp_weight.  Its shape is copied, its name is formatted. */
void lp_plan_add(lp_weight_plan *plan, float **to, const char *shape, const char *format, ...)
    LP_PRINTF(4, 5);

/* The value of a letter. */
size_t *lp_plan_dimension(lp_weight_plan *plan, char letter);

/* Compares every weight's presence, shape and type with the view, in the order of addition, and
 * says what each tensor of the view is to the plan.  Unknown ones are problems.  inner: the
 * family's part of the names.  ignored (NULL at the end; or NULL): what names begin with behind
 * it, or, as "*x", end with. */
void lp_plan_check(lp_weight_plan *plan, const lp_view *view, const char *inner,
                   const char *const *ignored);

/* Notes another problem, one line. */
void lp_plan_problem(lp_weight_plan *plan, const char *format, ...) LP_PRINTF(2, 3);

/* LP_OK, or one message with all problems: "not a whole FAMILY model WHERE, N tensors are wrong:
 * ...". where: "", or " at 'backbone.'". */
LP_MUST_USE lp_status lp_plan_report(const lp_weight_plan *plan, const lp_checkpoint *ckpt,
                                     const char *family, const char *where, lp_error *err);

/* "768, 3, 16, 16" */
const char *lp_shape_text(const lp_tensor *tensor, char text[LP_SHAPE_TEXT]);

/* Values of all weights together, each once, without the statistics of batch norms (running_mean
 * and _var), as PyTorch counts parameters. */
uint64_t lp_plan_parameters(const lp_weight_plan *plan);

/* Floats that a checked weight takes in the arena. */
size_t lp_plan_floats(const lp_weight *weight);

/* Reads the weights of a checked plan, but those aside, into *arena, which the caller frees, and
 * points the fields of all there, each aligned to 64 bytes where it does not follow another.
 * threads: as lp_checkpoint_read's.  *arena is NULL on failure. */
LP_MUST_USE lp_status lp_plan_read(const lp_weight_plan *plan, lp_checkpoint *ckpt, size_t threads,
                                   float **arena, lp_error *err);

void lp_plan_free(lp_weight_plan *plan);

#endif
