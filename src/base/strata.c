/* Stratified choices.
 *
 *     labels [N] -> rows by class, each class shuffled (Fisher and Yates, one generator over the
 *     classes in order) -> held out / folds / each / a limited number */
#include "base/strata.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"

lp_status lp_strata_new(const int64_t *labels, size_t count, size_t classes, uint64_t seed,
                        lp_strata **out, lp_error *err) {
    *out = NULL;
    for (size_t i = 0; i < count; i++) {
        if (labels[i] < 0 || (uint64_t)labels[i] >= classes) {
            return lp_fail(err, LP_ERR_DATA, "labels: row %zu holds %lld, expected 0 to %zu", i,
                           (long long)labels[i], classes - 1);
        }
    }
    lp_strata *s = lp_alloc_zeroed(1, sizeof *s);
    if (s != NULL) {
        s->count = count;
        s->classes = classes;
        s->first = lp_alloc_zeroed(classes + 1, sizeof *s->first);
        s->rows = lp_alloc(count, sizeof *s->rows);
    }
    if (s == NULL || s->first == NULL || s->rows == NULL) {
        lp_strata_free(s);
        return lp_fail_memory(err, "split", count, sizeof *s->rows);
    }
    /* first[k] counts class k - 1, then sums up to where class k starts. */
    for (size_t i = 0; i < count; i++) {
        s->first[labels[i] + 1]++;
    }
    for (size_t k = 0; k < classes; k++) {
        s->first[k + 1] += s->first[k];
    }
    for (size_t i = 0; i < count; i++) { /* each start moves to its class's end ... */
        s->rows[s->first[labels[i]]++] = i;
    }
    memmove(s->first + 1, s->first, classes * sizeof *s->first); /* ... which starts the next */
    s->first[0] = 0;
    lp_random random;
    lp_random_seed(&random, seed);
    for (size_t k = 0; k < classes; k++) {
        lp_random_shuffle(&random, s->rows + s->first[k], s->first[k + 1] - s->first[k]);
    }
    *out = s;
    return LP_OK;
}

void lp_strata_free(lp_strata *strata) {
    if (strata != NULL) {
        lp_free(strata->first);
        lp_free(strata->rows);
        lp_free(strata);
    }
}

void lp_strata_rarest(const int8_t *marks, size_t count, size_t classes, size_t *images,
                      int64_t *labels) {
    memset(images, 0, classes * sizeof *images);
    for (size_t i = 0; i < count * classes; i++) {
        images[i % classes] += marks[i] > 0;
    }
    for (size_t i = 0; i < count; i++) {
        size_t rarest = classes;
        for (size_t k = 0; k < classes; k++) {
            bool rarer = rarest == classes || images[k] < images[rarest];
            rarest = marks[i * classes + k] > 0 && rarer ? k : rarest;
        }
        labels[i] = (int64_t)rarest;
    }
}

/* The first `take` rows of class k. */
static void choose(const lp_strata *s, size_t k, size_t take, bool *chosen) {
    for (size_t i = 0; i < take; i++) {
        chosen[s->rows[s->first[k] + i]] = true;
    }
}

void lp_strata_hold_out(const lp_strata *s, double fraction, bool *chosen) {
    memset(chosen, 0, s->count * sizeof *chosen);
    for (size_t k = 0; k < s->classes; k++) {
        size_t have = s->first[k + 1] - s->first[k];
        size_t take = (size_t)floor((double)have * fraction + 0.5);
        take = take == 0 && fraction > 0 ? 1 : take;
        choose(s, k, have == 0 ? 0 : take < have ? take : have - 1, chosen);
    }
}

void lp_strata_folds(const lp_strata *s, size_t folds, size_t *fold) {
    /* Dealt like cards, one class after the other. */
    for (size_t i = 0; i < s->count; i++) {
        fold[s->rows[i]] = i % folds;
    }
}

lp_status lp_strata_each(const lp_strata *s, size_t each, bool *chosen, lp_error *err) {
    memset(chosen, 0, s->count * sizeof *chosen);
    for (size_t k = 0; k < s->classes; k++) {
        size_t have = s->first[k + 1] - s->first[k];
        if (have < each) {
            return lp_fail(err, LP_ERR_DATA, "class %zu has %zu examples, expected at least %zu", k,
                           have, each);
        }
        choose(s, k, each, chosen);
    }
    return LP_OK;
}

/* Adds `total` to what is taken, in proportion to what is left of each class: the whole parts, then
 * one more where the remainder is largest, of equal ones in the first class. */
static void add_in_proportion(const size_t *left, size_t classes, size_t total, size_t sum,
                              size_t *take, uint64_t *remainder) {
    size_t rest = total;
    for (size_t k = 0; k < classes; k++) {
        uint64_t product = (uint64_t)total * left[k];
        take[k] += (size_t)(product / sum);
        rest -= (size_t)(product / sum);
        remainder[k] = product % sum;
    }
    for (; rest > 0; rest--) {
        size_t most = 0;
        for (size_t k = 1; k < classes; k++) {
            most = remainder[k] > remainder[most] ? k : most;
        }
        take[most]++;
        remainder[most] = 0;
    }
}

lp_status lp_strata_limit(const lp_strata *s, size_t each, size_t total, bool *chosen,
                          lp_error *err) {
    size_t sum = 0, occurring = 0;
    lp_memory memory = {0};
    size_t *left = lp_memory_take(&memory, s->classes, sizeof *left);
    size_t *take = lp_memory_take_zeroed(&memory, s->classes, sizeof *take);
    uint64_t *remainder = lp_memory_take(&memory, s->classes, sizeof *remainder);
    lp_status status;
    LP_TRY(lp_memory_check(&memory, "choice", err));
    memset(chosen, 0, s->count * sizeof *chosen);
    for (size_t k = 0; k < s->classes; k++) {
        size_t have = s->first[k + 1] - s->first[k];
        left[k] = each > 0 && each < have ? each : have;
        sum += left[k];
        occurring += left[k] > 0;
    }
    if (total > 0 && total < occurring) {
        LP_TRY(lp_fail(err, LP_ERR_DATA, "a limit of %zu images is less than the %zu classes",
                       total, occurring));
    }
    if (total == 0 || total >= sum) {
        memcpy(take, left, s->classes * sizeof *take);
    } else {
        for (size_t k = 0; k < s->classes; k++) {
            take[k] = left[k] > 0;
            left[k] -= take[k];
        }
        if (total > occurring) { /* so that some are left */
            add_in_proportion(left, s->classes, total - occurring, sum - occurring, take,
                              remainder);
        }
    }
    for (size_t k = 0; k < s->classes; k++) {
        choose(s, k, take[k], chosen);
    }
done:
    lp_memory_free(&memory);
    return status;
}

size_t lp_strata_rows(const bool *chosen, size_t count, bool value, size_t *rows) {
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        if (chosen[i] == value) {
            rows[found++] = i;
        }
    }
    return found;
}
