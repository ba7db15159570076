/* Profile: laps of the threads' clocks, and OpenBLAS's rate to compare them with. */
#include "extract/profile.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/parallel.h"
#include "math/gemm.h"

enum { SQUARE = 1024 };

static const double BLAS_SECONDS = 0.3;

/* stages is a list of at most LP_PROFILE_STAGES with room for what there is. */
static lp_stage *find_stage(lp_stage *stages, size_t *count, const char *name) {
    size_t i = 0;
    while (i < *count && stages[i].name != name && strcmp(stages[i].name, name) != 0) {
        i++;
    }
    assert(i < LP_PROFILE_STAGES);
    if (i == *count) {
        stages[(*count)++] = (lp_stage){.name = name};
    }
    return &stages[i];
}

void lp_stopwatch_start(lp_stopwatch *watch) {
    if (watch != NULL) {
        watch->last = lp_clock_seconds();
    }
}

void lp_stopwatch_lap(void *context, const char *name, double operations, double bytes) {
    lp_stopwatch *watch = context;
    if (watch == NULL) {
        return;
    }
    double now = lp_clock_seconds();
    lp_stage *stage = find_stage(watch->stages, &watch->count, name);
    stage->seconds += now - watch->last;
    stage->operations += operations;
    stage->bytes += bytes;
    watch->last = now;
}

void lp_profile_add(lp_profile *profile, const lp_stopwatch *watch) {
    for (size_t i = 0; i < watch->count; i++) {
        const lp_stage *from = &watch->stages[i];
        lp_stage *to = find_stage(profile->stages, &profile->count, from->name);
        to->seconds += from->seconds;
        to->operations += from->operations;
        to->bytes += from->bytes;
    }
}

void lp_profile_close(lp_profile *profile) {
    double left = (double)profile->threads * profile->seconds;
    for (size_t i = 0; i < profile->count; i++) {
        left -= profile->stages[i].seconds;
    }
    find_stage(profile->stages, &profile->count, "waiting")->seconds += left;
}

/* ---- OpenBLAS's rate ------------------------------------------------------------------------- */

typedef struct square_work {
    float *memory; /* a, b, and c of each thread: [2 + threads][SQUARE, SQUARE] */
    double rates[];
} square_work;

static lp_status multiply(void *context, size_t index, size_t worker, lp_error *err) {
    square_work *w = context;
    const size_t square = (size_t)SQUARE * SQUARE;
    const float *a = w->memory, *b = a + square;
    float *c = w->memory + (2 + index) * square;
    double start = 0, took = 0;
    (void)worker;
    (void)err;
    for (size_t times = 0; took < BLAS_SECONDS; times++) { /* the first is for practice */
        lp_gemm_nt(SQUARE, SQUARE, SQUARE, 1, a, SQUARE, b, SQUARE, 0, c, SQUARE);
        double now = lp_clock_seconds();
        start = times == 0 ? now : start;
        took = now - start;
        w->rates[index] = times > 0 ? 2.0 * SQUARE * SQUARE * SQUARE * (double)times / took : 0;
    }
    return LP_OK;
}

double lp_profile_blas_rate(size_t threads) {
    double sum = 0;
    lp_error ignored;
    square_work *w = lp_alloc_zeroed(1, sizeof *w + threads * sizeof *w->rates);
    if (w != NULL) {
        w->memory = lp_alloc_zeroed(2 + threads, (size_t)SQUARE * SQUARE * sizeof *w->memory);
    }
    if (w != NULL && w->memory != NULL &&
        lp_parallel_for(threads, threads, multiply, w, &ignored) == LP_OK) {
        for (size_t t = 0; t < threads; t++) {
            sum += w->rates[t];
        }
    }
    lp_free(w != NULL ? w->memory : NULL);
    lp_free(w);
    return sum / (double)threads;
}
