/* What every kind of encoder network offers to encoder.c.  A kind is one constant of this type
 * (net.h: lp_net_kind), named by its families in families.c. */
#ifndef LP_MODEL_TOWER_H
#define LP_MODEL_TOWER_H

#include "linprobe/encoder.h"
#include "model/weight_plan.h"

struct lp_family;

/* A file and what is known of it. */
typedef struct lp_source {
    lp_checkpoint *ckpt;
    lp_view view; /* the encoder's tensors, and what stands beside them */
    const struct lp_family *family;
    const char *prefix; /* what the view's names of the encoder begin with: the family's part; "" */
    const char *outer; /* where the view lies in the file: "state_dict."; outer_length characters */
    size_t outer_length;
    const lp_encoder_options *options;
} lp_source;

typedef struct lp_tower_kind {
    /* Makes a tower without its weights and adds these to the plan, which it checks
     * (lp_plan_check); what is wrong are the plan's problems.  *tower is what `free` frees, also
     * after a failure (LP_ERR_MEMORY); NULL when there is none. */
    lp_status (*plan)(const lp_source *source, lp_weight_plan *plan, void **tower, lp_error *err);
    /* Of a tower whose plan has no problem: decides what weights do not say, and fills in what info
     * has of name and dimensions, activation, pool and feature widths; the family's constants stand
     * in info already and may be changed. */
    lp_status (*choose)(const lp_source *source, lp_weight_plan *plan, void *tower,
                        lp_encoder_info *info, lp_error *err);
    /* The plan's weights are read, but those aside: reads these, and makes those that run of all,
     * on at most `threads` threads. */
    lp_status (*pack)(void *tower, const lp_weight_plan *plan, lp_checkpoint *ckpt, size_t threads,
                      lp_error *err);
    void (*free)(void *tower);
    /* As lp_encoder_scratch; SIZE_MAX where the number does not fit. */
    size_t (*scratch)(const void *tower, size_t batch);
    /* The largest batch that a run takes. */
    size_t (*max_batch)(const void *tower);
    /* As lp_encoder_run, batch > 0, the feature point exists. */
    void (*run)(const void *tower, const float *images, size_t batch, lp_feature_point point,
                float *features, float *scratch, const lp_observer *observer);
} lp_tower_kind;

/* Parameters that a further thread loads; fewer take less time than a thread costs.  Tests lower
 * it; changed by nothing else. */
extern size_t lp_encoder_least_of_thread;

/* How many of `threads` threads may have scratch memory of so many floats each: together they take
 * at most 64 MiB, or there is one. */
size_t lp_tower_workers(size_t threads, size_t floats);

/* Calls of a run's observer, which may be NULL: a stage's values; the end of a piece of work that
 * read or wrote so many floats. */
static inline void lp_observe(const lp_observer *observer, const char *stage, const float *values,
                              size_t rows, size_t columns) {
    if (observer != NULL && observer->observe_stage != NULL) {
        observer->observe_stage(observer->context, stage, values, rows, columns);
    }
}

static inline void lp_end_stage(const lp_observer *observer, const char *stage, double operations,
                                double floats) {
    if (observer != NULL && observer->stage_done != NULL) {
        observer->stage_done(observer->context, stage, operations, floats * sizeof(float));
    }
}

#endif
