/* Rows that two sets have in common.
 *
 *     row [F] -> rounded to float16 -> multiples of 2^-DIGITS of its size -> 64-bit digest
 *     training set -> digests, sorted, without those of rows with several labels
 *     row of a test set -> its digest is one of them, or not
 *
 * Neither names nor the order of rows hide a row.  Rounded are rows of at least ROUNDED features:
 * a set that was stored as float16 has the digests of the same set in float32, and most rows keep
 * theirs where another program computed them with other roundings.  Two images whose rows differ by
 * less in every feature would have to be the same image, nearly.  Narrower rows may agree by
 * chance, so they are taken as they stand.
 *
 * Rows that a set has with several labels say nothing about an image (a constant feature gives
 * every image the same row), and are left out.  N log N for N rows; 16 bytes each. */
#include "probe/shared_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/half.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/team.h"
#include "linprobe/stats.h"
#include "probe/classifier.h"

enum { ROUNDED = 16, DIGITS = 7, LANES = 4, ROWS = 1024 /* a piece of work */ };

static const float HALF_NORMAL = 0x1p-14F, HALF_LIMIT = 65520; /* what rounds to infinity */

typedef struct row_key {
    uint64_t digest;
    int64_t label;
} row_key;

static uint32_t bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* The nearest float16, an even one on a tie, of |value| < HALF_LIMIT. */
static float round_to_half(float value) {
    uint32_t bits = bits_of(value);
    float size = fabsf(value);
    float large = lp_float_of_bits((bits + 0xfffU + (bits >> 13 & 1)) & ~0x1fffU);
    float small = copysignf((size + 0.5F) - 0.5F, value); /* a multiple of 2^-24 */
    return size < HALF_NORMAL ? small : large;
}

/* Whether float16 can hold the row; and the row's size, the power of two at or below the root of
 * the mean square of what it is rounded to, as an exponent. */
static bool measure(const float *row, size_t width, int *size) {
    double sums[LANES] = {0}, plain[LANES] = {0};
    float largest = 0;
    for (size_t j = 0; j < width; j++) {
        double rounded = (double)round_to_half(row[j]);
        largest = fmaxf(largest, fabsf(row[j]));
        sums[j % LANES] += rounded * rounded;
        plain[j % LANES] += (double)row[j] * (double)row[j];
    }
    bool fits = largest >= HALF_NORMAL && largest < HALF_LIMIT;
    const double *s = fits ? sums : plain;
    double mean = ((s[0] + s[1]) + (s[2] + s[3])) / (double)width;
    (void)frexp(mean, size); /* mean is below 2^size, and at least half of it */
    *size = (int)floor(0.5 * (*size - 1));
    return fits;
}

static uint64_t mix(uint64_t digest, uint32_t value) {
    digest = (digest ^ value) * UINT64_C(0xBF58476D1CE4E5B9); /* splitmix64's multipliers */
    return digest ^ digest >> 29;
}

/* Two different rows of a million agree with a chance of about 1e-7. */
static uint64_t digest_of(const float *row, size_t width) {
    const uint64_t start = UINT64_C(0x9E3779B97F4A7C15) ^ width;
    uint64_t lanes[LANES] = {start, start + 1, start + 2, start + 3};
    int size = 0;
    bool round = width >= ROUNDED, half = round && measure(row, width, &size);
    double scale = ldexp(1, DIGITS - size);
    for (size_t j = 0; j < width; j++) {
        float value = half ? round_to_half(row[j]) : row[j];
        double shifted = (double)value * scale + 0x1.8p52; /* a whole number in the low bits */
        uint64_t whole;
        memcpy(&whole, &shifted, sizeof whole);
        uint32_t exact = bits_of(value + 0.0F); /* -0 is 0 */
        lanes[j % LANES] = mix(lanes[j % LANES], round ? (uint32_t)whole : exact);
    }
    uint64_t digest = 0;
    for (size_t l = 0; l < LANES; l++) {
        digest = mix(mix(digest, (uint32_t)lanes[l]), (uint32_t)(lanes[l] >> 32));
    }
    digest *= UINT64_C(0x94D049BB133111EB);
    return digest ^ digest >> 31;
}

/* ---- the digests of a set ---------------------------------------------------------------------
 */

typedef struct digest_job {
    const float *x;
    size_t count, width;
    const int64_t *labels; /* [N], or NULL */
    row_key *keys;         /* [N] */
} digest_job;

static lp_status digest_rows(void *context, size_t index, size_t worker, lp_error *err) {
    const digest_job *job = context;
    lp_share own = lp_team_share(job->count);
    size_t first = own.first + index * ROWS, end = first + ROWS < own.end ? first + ROWS : own.end;
    (void)worker;
    (void)err;
    for (size_t i = first; i < end; i++) {
        job->keys[i] = (row_key){digest_of(job->x + i * job->width, job->width),
                                 job->labels != NULL ? job->labels[i] : 0};
    }
    return LP_OK;
}

static lp_status make_keys(digest_job *job, size_t threads, lp_memory *memory, lp_error *err) {
    lp_share own = lp_team_share(job->count);
    size_t pieces = (own.end - own.first + ROWS - 1) / ROWS;
    lp_status status;
    job->keys = lp_memory_take(memory, job->count, sizeof *job->keys);
    LP_TRY(lp_memory_check(memory, "rows in common", err));
    threads = threads > 0 ? threads : lp_processor_count();
    LP_TRY(lp_parallel_for(threads, pieces, digest_rows, job, err));
    status = lp_team_gather(job->keys, job->count, sizeof *job->keys, err);
done:
    return status;
}

static int by_digest(const void *a, const void *b) {
    const row_key *x = a, *y = b;
    return (x->digest > y->digest) - (x->digest < y->digest);
}

/* Keeps one of each digest, and none that occurs with several labels. */
static size_t keep_telling(row_key *keys, size_t count) {
    size_t kept = 0;
    for (size_t first = 0, end; first < count; first = end) {
        bool one_label = true;
        for (end = first; end < count && keys[end].digest == keys[first].digest; end++) {
            one_label = one_label && keys[end].label == keys[first].label;
        }
        if (one_label) {
            keys[kept++] = keys[first];
        }
    }
    return kept;
}

lp_status lp_row_digests_make(const lp_examples *examples, size_t most, size_t threads,
                              lp_row_digests *digests, lp_error *err) {
    digest_job job = {examples->x, examples->count, examples->width, examples->labels, NULL};
    lp_memory memory = {0};
    lp_status status;
    *digests = (lp_row_digests){0};
    LP_TRY(make_keys(&job, threads, &memory, err));
    qsort(job.keys, job.count, sizeof *job.keys, by_digest);
    size_t telling = keep_telling(job.keys, job.count);
    size_t kept = telling < most ? telling : most;
    digests->values = lp_alloc(kept, sizeof *digests->values);
    LP_TRY(lp_allocated(digests->values, "rows in common", kept, sizeof *digests->values, err));
    for (size_t i = 0; i < kept; i++) {
        digests->values[i] = job.keys[i].digest;
    }
    digests->count = kept;
    digests->left_out = telling - kept;
done:
    lp_memory_free(&memory);
    return status;
}

static int by_value(const void *a, const void *b) {
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

lp_status lp_row_digests_count(const lp_row_digests *digests, const float *x, size_t count,
                               size_t width, size_t threads, size_t *shared, lp_error *err) {
    digest_job job = {.x = x, .count = count, .width = width};
    lp_memory memory = {0};
    lp_status status;
    *shared = 0;
    LP_TRY(make_keys(&job, threads, &memory, err));
    for (size_t i = 0; i < count && digests->count > 0; i++) {
        *shared += bsearch(&job.keys[i].digest, digests->values, digests->count,
                           sizeof *digests->values, by_value) != NULL;
    }
done:
    lp_memory_free(&memory);
    return status;
}

/* ---- two sets, and a probe and a set ----------------------------------------------------------
 */

lp_status lp_shared_rows(const lp_examples *train, const lp_examples *test, size_t threads,
                         size_t *shared, lp_error *err) {
    lp_row_digests digests = {0};
    lp_status status;
    *shared = 0;
    LP_TRY(lp_row_digests_make(train, train->count, threads, &digests, err));
    LP_TRY(lp_row_digests_count(&digests, test->x, test->count, test->width, threads, shared, err));
done:
    lp_free(digests.values);
    return status;
}

lp_status lp_probe_record_rows(lp_probe *probe, const lp_examples *train, size_t threads,
                               lp_error *err) {
    lp_row_digests digests;
    lp_status status = lp_row_digests_make(train, LP_MOST_ROW_DIGESTS, threads, &digests, err);
    if (status == LP_OK) {
        lp_free(probe->rows.values);
        probe->rows = digests;
        probe->knows_rows = true;
    }
    return status;
}
