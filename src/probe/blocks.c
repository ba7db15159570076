/* Class blocks.
 *
 * Of one class, with w_i = p_i (1 - p_i), a = C sum_i w_i and m the mean of x under w, the second
 * derivative along weights u and beta = m.u + b in place of the intercept b is
 *
 *     u' H u + a beta^2,   H = I + C sum_i w_i (x_i - m) (x_i - m)'
 *
 * (curvature.c has the same with one covariance for all classes, which is cheaper and, on real
 * features, far from the truth).  H is summed over the rows of the class that weigh most, at most
 * ROWS F of them; what all others weigh is given the covariance within the classes.  Its Cholesky
 * factor is float32 and packed: 2 F (F + 1) bytes a class, 2.1 GB for 1,000 classes of 1,024
 * features.  Above MEMORY there are no blocks, and the solver stays with curvature.c.
 *
 * Where the intercept is penalised or absent, a term of rank one comes on top as in curvature.c.
 *
 * Each rank has the blocks of its share of the classes.  It gets their entries from the ranks that
 * own the rows, and reads the rows themselves. */
#include "probe/blocks.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/parallel.h"
#include "math/curved_rows.h"
#include "math/linalg.h"
#include "math/packed.h"

enum { ROWS = 2, LEAST_ROWS = 256 };
static const uint64_t MEMORY = UINT64_C(3) << 30; /* bytes of all factors */

typedef struct block_worker {
    float *rows, *square, *copy, *weights; /* [most rows, F], [F, F], [F, F], [N] */
} block_worker;

struct lp_blocks {
    const lp_dense *dense;
    size_t most;    /* rows of a class that are taken */
    lp_share share; /* the classes of this rank */
    size_t threads;
    float *factors;  /* [classes of this rank, packed] */
    double *centres; /* [K, F] m */
    double *solved;  /* [K, F] H^-1 m */
    double *own;     /* [K] m.H^-1 m */
    double *weight;  /* [K] a */
    block_worker *workers;
    float *vectors; /* [threads, F] */
    size_t *counts; /* [K] entries of each class, of all ranks */
    /* the entries by class: those of class k, of this rank's, are from first[k] to first[k + 1] */
    size_t *first;
    uint32_t *row;
    float *value;
    /* of the running make or solve */
    const bool *wanted;
    const double *C;
    const double *from;
    double *to;
};

bool lp_blocks_fit(const lp_dense *dense) {
    uint64_t F = dense->problem->width, one = F * (F + 1) / 2 * sizeof(float);
    return dense->basis.covariance != NULL && dense->problem->classes <= MEMORY / one;
}

double lp_blocks_passes(const lp_dense *dense) {
    double F = (double)dense->problem->width, N = (double)dense->problem->count;
    /* for each class ROWS F rows of F^2 / 2 products and F^3 / 6, beside 2 N F of a pass */
    return (ROWS / 4.0 + 1 / 12.0) * F * F / N;
}

lp_blocks *lp_blocks_new(const lp_dense *dense, lp_memory *memory) {
    const lp_problem *problem = dense->problem;
    size_t K = problem->classes, F = problem->width;
    lp_blocks *b = lp_memory_take_zeroed(memory, 1, sizeof *b);
    if (b == NULL) {
        return NULL;
    }
    b->dense = dense;
    b->most = ROWS * F > LEAST_ROWS ? ROWS * F : LEAST_ROWS;
    b->most = b->most < problem->count ? b->most : problem->count;
    b->share = lp_team_share(K);
    b->threads = problem->threads < K ? problem->threads : K;
    b->factors = lp_memory_take(memory, b->share.end - b->share.first,
                                lp_packed_size(F) * sizeof *b->factors);
    b->centres = lp_memory_take(memory, K, F * sizeof *b->centres);
    b->solved = lp_memory_take(memory, K, F * sizeof *b->solved);
    b->own = lp_memory_take(memory, K, sizeof *b->own);
    b->weight = lp_memory_take(memory, K, sizeof *b->weight);
    b->vectors = lp_memory_take(memory, b->threads, F * sizeof *b->vectors);
    b->counts = lp_memory_take(memory, K, sizeof *b->counts);
    b->first = lp_memory_take(memory, K + 1, sizeof *b->first);
    b->workers = lp_memory_take(memory, b->threads, sizeof *b->workers);
    for (size_t t = 0; b->workers != NULL && t < b->threads; t++) {
        block_worker *w = &b->workers[t];
        w->rows = lp_memory_take(memory, b->most, F * sizeof *w->rows);
        w->square = lp_memory_take(memory, F, F * sizeof *w->square);
        w->copy = lp_memory_take(memory, F, F * sizeof *w->copy);
        w->weights = lp_memory_take(memory, problem->count, sizeof *w->weights);
    }
    return b;
}

/* Calls for each entry in order, with the class's weight p (1 - p); softmax's label has one too. */
typedef void (*entry_visitor)(lp_blocks *b, size_t k, size_t row, float weight);

static void visit_entries(lp_blocks *b, const lp_entries *e, entry_visitor visit) {
    const lp_problem *problem = b->dense->problem;
    lp_share chunks = lp_pass_share(e->pass);
    for (size_t c = chunks.first; c < chunks.end; c++) {
        const lp_entry_list *list = &e->lists[c];
        size_t n = 0;
        for (size_t i = lp_pass_first_row(e->pass, c); i < lp_pass_first_row(e->pass, c + 1); i++) {
            size_t end = n + e->counts[i];
            bool softmax = e->loss == LP_LOSS_SOFTMAX && n < end;
            size_t label = (size_t)problem->labels[i];
            float others = 0, weight = softmax ? (float)lp_weight_of(problem, label, label) : 1;
            for (; n < end; n++) {
                float p = list->values[n];
                others += p;
                visit(b, (size_t)list->classes[n], i, softmax ? weight * p * (1.0F - p) : p);
            }
            if (softmax) {
                others = others < 1 ? others : 1;
                visit(b, label, i, weight * others * (1.0F - others));
            }
        }
    }
}

static void count_entry(lp_blocks *b, size_t k, size_t row, float weight) {
    (void)row;
    (void)weight;
    b->first[k + 1]++;
}

static void place_entry(lp_blocks *b, size_t k, size_t row, float weight) {
    b->row[b->first[k]] = (uint32_t)row;
    b->value[b->first[k]++] = weight;
}

/* What a rank has of each class, in `from`, becomes what this rank has of its classes: the entries
 * of the ranks one after the other, which is the order of their rows. */
static lp_status join_entries(lp_blocks *b, const size_t *counts, const lp_letter *in,
                              lp_memory *memory, lp_error *err) {
    size_t K = b->dense->problem->classes, ranks = lp_team_size(), all = 0;
    lp_status status;
    for (size_t r = 0; r < ranks; r++) {
        all += in[2 * r].size / sizeof *b->row;
    }
    uint32_t *row = lp_memory_take(memory, all, sizeof *row);
    float *value = lp_memory_take(memory, all, sizeof *value);
    size_t *taken = lp_memory_take_zeroed(memory, ranks, sizeof *taken), placed = 0;
    LP_TRY(lp_memory_check(memory, "class blocks", err));
    for (size_t k = 0; k < K; k++) {
        b->first[k] = placed;
        for (size_t r = 0; k >= b->share.first && k < b->share.end && r < ranks; r++) {
            size_t count = counts[r * K + k];
            memcpy(row + placed, (const uint32_t *)in[2 * r].bytes + taken[r], count * sizeof *row);
            memcpy(value + placed, (const float *)in[2 * r + 1].bytes + taken[r],
                   count * sizeof *value);
            taken[r] += count;
            placed += count;
        }
    }
    b->first[K] = placed;
    b->row = row;
    b->value = value;
done:
    return status;
}

/* Hands the entries, sorted by class, to the ranks that have the classes' blocks.  counts
 * [ranks, K] are what each rank has. */
static lp_status hand_out_entries(lp_blocks *b, const size_t *counts, lp_memory *memory,
                                  lp_error *err) {
    const lp_transport *team = lp_team_transport();
    size_t K = b->dense->problem->classes, me = team->rank, ranks = team->size;
    lp_letter *in = lp_memory_take(memory, 2 * ranks, sizeof *in);
    lp_letter *out = lp_memory_take(memory, 2 * ranks, sizeof *out);
    lp_status status;
    LP_TRY(lp_memory_check(memory, "class blocks", err));
    for (size_t r = 0; r < ranks; r++) {
        lp_share theirs = lp_team_share_of(r, K);
        size_t from = b->first[theirs.first], to = b->first[theirs.end], coming = 0;
        for (size_t k = b->share.first; k < b->share.end; k++) {
            coming += counts[r * K + k];
        }
        out[2 * r] = (lp_letter){r, b->row + from, (to - from) * sizeof *b->row};
        out[2 * r + 1] = (lp_letter){r, b->value + from, (to - from) * sizeof *b->value};
        in[2 * r] =
            (lp_letter){r, lp_memory_take(memory, coming, sizeof *b->row), coming * sizeof *b->row};
        in[2 * r + 1] = (lp_letter){r, lp_memory_take(memory, coming, sizeof *b->value),
                                    coming * sizeof *b->value};
    }
    LP_TRY(lp_memory_check(memory, "class blocks", err));
    for (size_t i = 0; i < 2; i++) { /* its own */
        memcpy(in[2 * me + i].bytes, out[2 * me + i].bytes, in[2 * me + i].size);
    }
    size_t own = in[2 * me].size;
    in[2 * me].size = in[2 * me + 1].size = out[2 * me].size = out[2 * me + 1].size = 0;
    LP_TRY(team->exchange(out, 2 * ranks, in, 2 * ranks, err));
    in[2 * me].size = own;
    LP_TRY(join_entries(b, counts, in, memory, err));
done:
    return status;
}

/* Sorts the entries by class; `memory` holds the arrays until they are used. */
static lp_status sort_entries(lp_blocks *b, const lp_entries *e, lp_memory *memory, lp_error *err) {
    size_t K = b->dense->problem->classes, ranks = lp_team_size();
    size_t *counts = lp_memory_take_zeroed(memory, ranks, K * sizeof *counts);
    lp_status status;
    LP_TRY(lp_memory_check(memory, "class blocks", err));
    memset(b->first, 0, (K + 1) * sizeof *b->first);
    visit_entries(b, e, count_entry);
    memcpy(counts + lp_team_rank() * K, b->first + 1, K * sizeof *counts);
    LP_TRY(lp_team_gather(counts, ranks, K * sizeof *counts, err));
    for (size_t k = 0; k < K; k++) {
        b->first[k + 1] += b->first[k];
        b->counts[k] = 0;
        for (size_t r = 0; r < ranks; r++) {
            b->counts[k] += counts[r * K + k];
        }
    }
    b->row = lp_memory_take(memory, b->first[K] + 1, sizeof *b->row);
    b->value = lp_memory_take(memory, b->first[K] + 1, sizeof *b->value);
    LP_TRY(lp_memory_check(memory, "class blocks", err));
    visit_entries(b, e, place_entry);
    for (size_t k = K; k > 0; k--) { /* each had moved on to the next one's first */
        b->first[k] = b->first[k - 1];
    }
    b->first[0] = 0;
    status = ranks > 1 ? hand_out_entries(b, counts, memory, err) : LP_OK;
done:
    return status;
}

/* The weight of place `place` when w [count] is sorted by falling weight; reorders w. */
static float weight_at(float *w, size_t count, size_t place) {
    size_t low = 0, high = count - 1;
    while (low < high) {
        float pivot = w[low + (high - low) / 2];
        size_t i = low, j = high;
        for (;;) { /* Hoare's: places up to j get the larger ones, and neither part is empty */
            while (w[i] > pivot) {
                i++;
            }
            while (w[j] < pivot) {
                j--;
            }
            if (i >= j) {
                break;
            }
            float other = w[i];
            w[i++] = w[j];
            w[j--] = other;
        }
        if (place <= j) {
            high = j;
        } else {
            low = j + 1;
        }
    }
    return w[low];
}

/* Moves the entries of class k that weigh most to the front of its own, in their order, and returns
 * how many are taken. */
static size_t take_heaviest(lp_blocks *b, const block_worker *w, size_t k) {
    uint32_t *row = b->row + b->first[k];
    float *value = b->value + b->first[k];
    size_t count = b->first[k + 1] - b->first[k], taken = 0, above = 0;
    if (count <= b->most) {
        return count;
    }
    memcpy(w->weights, value, count * sizeof *value);
    float least = weight_at(w->weights, count, b->most - 1);
    for (size_t n = 0; n < count; n++) {
        above += value[n] > least;
    }
    for (size_t n = 0, ties = b->most - above; n < count; n++) {
        if (value[n] > least || (value[n] == least && ties > 0)) {
            ties -= value[n] == least;
            row[taken] = row[n];
            value[taken++] = value[n];
        }
    }
    return taken;
}

static double sum_of(const float *values, size_t count) {
    double sum = 0;
    for (size_t n = 0; n < count; n++) {
        sum += (double)values[n];
    }
    return sum;
}

/* Mean of the class's entries, less the mean of all x; 0 where there are none. */
static void find_centre(const lp_weighted_rows *rows, double *centre) {
    double sum = sum_of(rows->weight, rows->count);
    memset(centre, 0, rows->width * sizeof *centre);
    lp_weighted_sum(rows, centre);
    for (size_t j = 0; sum > 0 && j < rows->width; j++) {
        centre[j] /= sum;
    }
}

static float *factor_of(const lp_blocks *b, size_t k) {
    return b->factors + (k - b->share.first) * lp_packed_size(b->dense->problem->width);
}

static void solve_vector(const lp_blocks *b, size_t k, float *vector) {
    lp_packed_solve(factor_of(b, k), b->dense->problem->width, vector);
}

static lp_status make_block(void *context, size_t index, size_t worker, lp_error *err) {
    lp_blocks *b = context;
    const lp_dense *dense = b->dense;
    const block_worker *w = &b->workers[worker];
    size_t F = dense->problem->width, k = b->share.first + index, model = k / dense->rows;
    const float *mean = lp_pass_mean(dense->pass);
    float *vector = b->vectors + worker * F;
    if (!b->wanted[model]) {
        return LP_OK;
    }
    double C = b->C[model], *m = b->centres + k * F;
    lp_weighted_rows rows = {
        dense->problem->x,     F, mean, b->first[k + 1] - b->first[k], b->row + b->first[k],
        b->value + b->first[k]};
    rows.count = take_heaviest(b, w, k);
    find_centre(&rows, m);
    for (size_t j = 0; j < F; j++) {
        m[j] += (double)mean[j];
        vector[j] = (float)m[j];
    }
    rows.mean = vector;
    if (rows.count > 0) {
        lp_weighted_take(&rows, w->rows);
        lp_gram(w->rows, rows.count, F, w->square);
    } else {
        memset(w->square, 0, F * F * sizeof *w->square);
    }
    double rest = fmax(0, b->weight[k] - C * sum_of(rows.weight, rows.count));
    lp_combine(w->square, F, (float)C, (float)rest, dense->basis.covariance);
    if (!lp_packed_factor(w->square, F, w->copy, factor_of(b, k))) {
        return lp_fail(err, LP_ERR_DATA, "the second derivative of class %zu is not finite", k);
    }
    solve_vector(b, k, vector);
    b->own[k] = 0;
    for (size_t j = 0; j < F; j++) {
        b->solved[k * F + j] = (double)vector[j];
        b->own[k] += m[j] * (double)vector[j];
    }
    return LP_OK;
}

lp_status lp_blocks_make(lp_blocks *b, const lp_entries *entries, const bool *wanted,
                         const double *C, const double *weight, double *work, lp_error *err) {
    const lp_problem *problem = b->dense->problem;
    size_t K = problem->classes;
    double F = (double)problem->width, flops = 0;
    lp_memory memory = {0};
    lp_status status;
    LP_TRY(sort_entries(b, entries, &memory, err));
    b->wanted = wanted;
    b->C = C;
    for (size_t k = 0; k < K; k++) {
        size_t count = b->counts[k];
        b->weight[k] =
            wanted[k / b->dense->rows] ? C[k / b->dense->rows] * weight[k] : b->weight[k];
        flops += wanted[k / b->dense->rows]
                     ? (double)(count < b->most ? count : b->most) * F * F + F * F * F / 3
                     : 0;
    }
    LP_TRY(lp_parallel_for(b->threads, b->share.end - b->share.first, make_block, b, err));
    *work = flops / (4 * (double)problem->count * F * (double)K);
done:
    b->row = NULL;
    b->value = NULL;
    lp_memory_free(&memory);
    return status;
}

/* As lp_precondition of curvature.c, which see, with H for its diagonal. */
static lp_status solve_class(void *context, size_t index, size_t worker, lp_error *err) {
    const lp_blocks *b = context;
    const lp_dense *dense = b->dense;
    size_t F = dense->problem->width, D = dense->size, k = b->share.first + index;
    const double *m = b->centres + k * F, *solved = b->solved + k * F, *from = b->from + k * D;
    double *to = b->to + k * D, a = b->weight[k];
    float *vector = b->vectors + worker * F;
    bool intercept = dense->scale > 0;
    (void)err;
    if (!b->wanted[k / dense->rows]) {
        return LP_OK;
    }
    double force = intercept ? from[F] / dense->scale : 0; /* d/d beta */
    double beta = force / a, along = 0, factor = 0;
    for (size_t j = 0; j < F; j++) {
        vector[j] = (float)(from[j] - m[j] * force);
    }
    solve_vector(b, k, vector);
    for (size_t j = 0; j < F; j++) {
        to[j] = (double)vector[j];
        along += m[j] * to[j];
    }
    if (!intercept) {
        factor = a * along / (1 + a * b->own[k]);
    } else if (dense->penalty > 0) {
        double share = dense->penalty / (dense->scale * dense->scale);
        factor = share * (along - beta) / (1 + share * (b->own[k] + 1 / a));
    }
    if (factor != 0) {
        along -= factor * b->own[k];
        beta += intercept ? factor / a : 0;
        for (size_t j = 0; j < F; j++) {
            to[j] -= factor * solved[j];
        }
    }
    to[F] = intercept ? (beta - along) / dense->scale : 0;
    return LP_OK;
}

lp_status lp_blocks_solve(const lp_blocks *blocks, const bool *wanted, const double *from,
                          double *to, lp_error *err) {
    lp_blocks job = *blocks;
    job.wanted = wanted;
    job.from = from;
    job.to = to;
    lp_status status;
    LP_TRY(lp_parallel_for(job.threads, job.share.end - job.share.first, solve_class, &job, err));
    status = lp_team_gather(to, job.dense->problem->classes, job.dense->size * sizeof *to, err);
done:
    return status;
}
