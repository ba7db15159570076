/* Two classifiers on the same test set.
 *
 *     labels, predictions a, predictions b [N] -> right in both, in a alone (b), in b alone (c),
 *     in neither -> exact McNemar p, Tango interval of (b - c) / N; p of all pairs -> Holm
 *
 * b + c examples are right in exactly one.  Where both are equally good, b is Binomial(b + c, 1/2):
 * p is twice the smaller tail (McNemar 1947, the exact conditional form).
 *
 * Tango's interval holds every difference d for which |T(d)| <= 1.96, with
 *     T(d) = (b - c - N d) / sqrt(N (2 q + d (1 - d))),
 * q the maximum likelihood estimate of P(second alone right) given the difference d:
 *     q = (sqrt(B^2 - 8 N C) - B) / 4N,  B = -b - c + (2 N - b + c) d,  C = -c d (1 - d).
 * T falls as d grows.  At d = 0 it is McNemar's chi: the interval leaves out 0 exactly where the
 * asymptotic test (without correction) rejects, a little sooner than the exact test does. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "probe/metrics.h"

double lp_mcnemar(size_t b, size_t c) {
    size_t n = b + c, k = b < c ? b : c;
    if (b == c) {
        return 1;
    }
    /* log of C(n, k) / 2^n, then the smaller terms relative to it */
    double log_term = -(double)n * log(2);
    for (size_t i = 1; i <= k; i++) {
        log_term += log((double)(n - k + i) / (double)i);
    }
    double term = 1, sum = 1;
    for (size_t i = k; i > 0 && term > 1e-20 * sum; i--) {
        term *= (double)i / (double)(n - i + 1);
        sum += term;
    }
    return fmin(1, 2 * exp(log_term) * sum);
}

/* Whether T(d) > 1.96. */
static bool score_above(double b, double c, double n, double d) {
    double B = -b - c + (2 * n - b + c) * d;
    double C = -c * d * (1 - d);
    double q = (sqrt(fmax(0, B * B - 8 * n * C)) - B) / (4 * n);
    return b - c - n * d > LP_NORMAL_975 * sqrt(fmax(0, n * (2 * q + d * (1 - d))));
}

/* Where T(d) is 1.96. */
static double lower_limit(double b, double c, double n) {
    double low = -1, high = 1;
    for (int i = 0; i < 100; i++) {
        double middle = low + (high - low) / 2;
        *(score_above(b, c, n, middle) ? &low : &high) = middle;
    }
    return low + (high - low) / 2;
}

lp_interval lp_tango(size_t b, size_t c, size_t count) {
    /* the upper limit as the mirror image: T is 0 / 0 at d = 0 where b = c = 0 */
    lp_interval interval = {lower_limit((double)b, (double)c, (double)count),
                            -lower_limit((double)c, (double)b, (double)count)};
    return interval;
}

void lp_compare(const int64_t *labels, const int64_t *first, const int64_t *second, size_t count,
                lp_paired *pair) {
    memset(pair, 0, sizeof *pair);
    for (size_t i = 0; i < count; i++) {
        bool a = first[i] == labels[i], b = second[i] == labels[i];
        pair->both += a && b;
        pair->first_only += a && !b;
        pair->second_only += b && !a;
    }
    pair->count = count;
    pair->difference = ((double)pair->first_only - (double)pair->second_only) / (double)count;
    pair->interval = lp_tango(pair->first_only, pair->second_only, count);
    pair->p = lp_mcnemar(pair->first_only, pair->second_only);
}

typedef struct ranked {
    double p;
    size_t index;
} ranked;

static int by_p(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    return x->p != y->p ? (x->p < y->p ? -1 : 1) : (x->index < y->index ? -1 : 1);
}

lp_status lp_holm(const double *p, size_t count, double *adjusted, lp_error *err) {
    ranked *order = lp_alloc(count, sizeof *order);
    if (order == NULL) {
        return lp_fail_memory(err, "Holm's correction", count, sizeof *order);
    }
    for (size_t i = 0; i < count; i++) {
        order[i] = (ranked){p[i], i};
    }
    qsort(order, count, sizeof *order, by_p);
    double largest = 0;
    for (size_t i = 0; i < count; i++) {
        largest = fmax(largest, fmin(1, order[i].p * (double)(count - i)));
        adjusted[order[i].index] = largest;
    }
    lp_free(order);
    return LP_OK;
}
