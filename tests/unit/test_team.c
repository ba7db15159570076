/* Teams of ranks: shares, broadcasts, gathers, comparisons, sums in one order, and the probe's
 * solvers over them: the same bytes for any number of ranks and threads. */
#include <math.h>

#include "base/chunk_sums.h"
#include "forked_team.h"
#include "linprobe/stats.h"
#include "probe/knn.h"
#include "probe_data.h"

static const size_t sizes[] = {1, 2, 3, 5};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

/* ---- shares ---------------------------------------------------------------------------------- */

static void shares_are_neighbours_of_nearly_one_size(void **state) {
    static const lp_transport three = {.rank = 1, .size = 3};
    (void)state;
    lp_team_join(&three);
    for (size_t count = 0; count < 20; count++) {
        size_t end = 0;
        for (size_t r = 0; r < 3; r++) {
            lp_share share = lp_team_share_of(r, count);
            assert_int_equal(share.first, end);
            assert_true(share.end - share.first - count / 3 <= 1);
            end = share.end;
        }
        assert_int_equal(end, count);
    }
    lp_team_join(NULL);
    lp_share whole = lp_team_share(7);
    assert_true(whole.first == 0 && whole.end == 7);
}

/* ---- what ranks hand each other -------------------------------------------------------------- */

static int hand_around(void *context) {
    enum { MANY = 200000 };
    static uint32_t numbers[MANY];
    lp_error err;
    bool any;
    size_t me = lp_team_rank(), ranks = lp_team_size();
    (void)context;
    for (size_t count = 0; count <= MANY; count = count == 0 ? 1 : count * 7 + 3) {
        memset(numbers, 0, sizeof numbers);
        for (uint32_t i = 0; i < count && me == 0; i++) {
            numbers[i] = i * 2654435761U;
        }
        if (lp_team_broadcast(numbers, count * sizeof *numbers, &err) != LP_OK) {
            return 1;
        }
        for (uint32_t i = 0; i < count; i++) {
            if (numbers[i] != i * 2654435761U) {
                return 2;
            }
        }
        lp_share own = lp_team_share(count);
        memset(numbers, 0, sizeof numbers);
        for (size_t i = own.first; i < own.end; i++) {
            numbers[i] = (uint32_t)i + 7;
        }
        if (lp_team_gather(numbers, count, sizeof *numbers, &err) != LP_OK) {
            return 3;
        }
        for (uint32_t i = 0; i < count; i++) {
            if (numbers[i] != i + 7) {
                return 4;
            }
        }
    }
    for (size_t r = 0; r < ranks; r++) {
        if (lp_team_any(r == me, &any, &err) != LP_OK || !any) {
            return 5;
        }
    }
    if (lp_team_any(false, &any, &err) != LP_OK || any || lp_team_meet(&err) != LP_OK) {
        return 6;
    }
    return 0;
}

static void bytes_go_round(void **state) {
    (void)state;
    for (size_t s = 0; s < SIZES; s++) {
        forked_run(sizes[s], hand_around, NULL);
    }
}

static int compare_texts(void *context) {
    lp_error err = {0};
    char text[600];
    bool differs = *(const bool *)context;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    if (differs && lp_team_rank() == 2) {
        text[sizeof text - 2] = 'y'; /* behind what is shown of it */
    }
    lp_status status = lp_team_same("texts", text, "; write the same", &err);
    if (!differs) {
        return status != LP_OK;
    }
    return status != LP_ERR_ARGUMENT ||
           strstr(err.text, "the ranks differ in texts: rank 2 (c) has xxx") == NULL ||
           strstr(err.text, "rank 0 (a) has xxx") == NULL || !lp_team_failure_named();
}

static int compare_bytes(void *context) {
    enum { MANY = 40 << 20 };
    lp_error err = {0};
    char hex[LP_DIGEST_HEX], expected[LP_DIGEST_HEX];
    bool differs = *(const bool *)context;
    unsigned char *bytes = calloc(MANY, 1);
    if (bytes == NULL || lp_digest_bytes(LP_SHA256, bytes, MANY, expected, &err) != LP_OK) {
        return 1;
    }
    bytes[MANY - 1] = differs && lp_team_rank() == 2; /* in the part of rank 2 */
    const lp_block blocks[] = {{bytes, 100}, {bytes + 100, MANY - 100}};
    lp_status status = lp_team_digest("set", blocks, 2, hex, &err);
    free(bytes);
    if (!differs) {
        return status != LP_OK || strcmp(hex, expected) != 0;
    }
    return status != LP_ERR_DATA ||
           strstr(err.text, "set: rank 2 (c) sees other bytes than rank 0 (a)") == NULL;
}

static void ranks_that_see_different_things_refuse_each_other(void **state) {
    bool differs = false;
    (void)state;
    forked_run(3, compare_texts, &differs);
    forked_run(3, compare_bytes, &differs);
    differs = true;
    forked_run(3, compare_texts, &differs);
    forked_run(3, compare_bytes, &differs);
}

static int die_or_wait(void *context) {
    lp_error err = {0};
    (void)context;
    if (lp_team_rank() == 1) {
        return 0; /* gone, without a word */
    }
    return lp_team_meet(&err) != LP_ERR_IO || strstr(err.text, "rank 1 (b): is gone") == NULL;
}

static void a_failed_exchange_is_an_error(void **state) {
    (void)state;
    forked_run(2, die_or_wait, NULL);
}

/* ---- sums ------------------------------------------------------------------------------------ */

enum { TERMS = 5 };

/* Numbers of which no two orders of addition give the same sum. */
static double term(size_t chunk, size_t j) {
    return sin((double)(chunk * TERMS + j + 1)) * pow(10, (double)((chunk * 7 + j) % 13));
}

static double plain_tree(size_t first, size_t width, size_t chunks, size_t j) {
    if (width == 1) {
        return term(first, j);
    }
    double left = plain_tree(first, width / 2, chunks, j);
    return first + width / 2 < chunks ? left + plain_tree(first + width / 2, width / 2, chunks, j)
                                      : left;
}

static lp_status take_terms(void *context, size_t chunk, size_t worker, double *sums,
                            lp_error *err) {
    (void)context;
    (void)worker;
    (void)err;
    for (size_t j = 0; j < TERMS; j++) {
        sums[j] = term(chunk, j);
    }
    return LP_OK;
}

static int sum_terms(void *context) {
    lp_error err = {0};
    (void)context;
    for (size_t chunks = 1; chunks < 40; chunks++) {
        size_t whole = 1;
        while (whole < chunks) {
            whole *= 2;
        }
        for (size_t threads = 1; threads <= 4; threads += 3) {
            lp_memory memory = {0};
            double *total = NULL;
            lp_chunk_sums *sums = lp_chunk_sums_new(&memory, chunks, TERMS + 2, threads, false);
            for (int again = 0; again < 2; again++) {
                if (lp_chunk_sums_run(sums, TERMS, 1, take_terms, NULL, &total, &err) != LP_OK) {
                    return 1;
                }
                for (size_t j = 0; j < TERMS; j++) {
                    double expected = plain_tree(0, whole, chunks, j);
                    if (memcmp(&total[j], &expected, sizeof expected) != 0) {
                        return 2;
                    }
                }
            }
            lp_memory_free(&memory);
        }
    }
    return 0;
}

static void sums_have_one_order(void **state) {
    (void)state;
    for (size_t ranks = 1; ranks <= FORKED_MOST; ranks++) {
        forked_run(ranks, sum_terms, NULL);
    }
}

static int sum_other_models(void *context) {
    lp_error err = {0};
    lp_memory memory = {0};
    double *total, model[3] = {1, 2, 3};
    (void)context;
    model[2] += lp_team_rank() == 1 ? 1e-15 : 0;
    lp_chunk_sums *sums = lp_chunk_sums_new(&memory, 9, TERMS, 1, false);
    return lp_chunk_sums_run(sums, TERMS, lp_chunk_mark(0, model, 3), take_terms, NULL, &total,
                             &err) != LP_ERR_DATA ||
           strstr(err.text, "sums of different models") == NULL;
}

static void sums_of_different_models_are_refused(void **state) {
    (void)state;
    forked_run(2, sum_other_models, NULL);
}

/* ---- probes ---------------------------------------------------------------------------------- */

enum { N = 3000, F = 6, K = 7, SIZE = K * (F + 1) };

typedef struct fit_case {
    dataset train, test;
    lp_fit_options options;
    double *expected; /* shared: weights and intercepts of one rank */
    lp_fit_report *report;
    lp_score *scores; /* [2] of one rank: the probe's, and of nearest neighbours */
} fit_case;

static int fit_and_compare(void *context) {
    fit_case *c = context;
    lp_error err = {0};
    lp_probe *probe = NULL;
    lp_fit_report report = {0};
    lp_score scores[2] = {{0}, {0}};
    const size_t k[] = {9};
    const lp_knn_options near = {.k = k, .k_count = 1, .temperature = 0.1, .threads = 2};
    memset(scores, 0, sizeof scores);
    c->options.threads = 1 + lp_team_size() % 2;
    if (lp_probe_fit(&c->train.set, &c->options, &probe, &report, &err) != LP_OK ||
        lp_probe_score(probe, &c->test.set, 1, &scores[0], &err) != LP_OK ||
        lp_knn_score(&c->train.set, &c->test.set, &near, &scores[1], &err) != LP_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    report.seconds = 0;
    if (lp_team_size() == 1) {
        memcpy(c->expected, lp_probe_weights(probe), K * F * sizeof(double));
        memcpy(c->expected + K * F, lp_probe_intercepts(probe), K * sizeof(double));
        *c->report = report;
        memcpy(c->scores, scores, sizeof scores);
        return 0;
    }
    if (memcmp(c->expected, lp_probe_weights(probe), K * F * sizeof(double)) != 0 ||
        memcmp(c->expected + K * F, lp_probe_intercepts(probe), K * sizeof(double)) != 0) {
        return 2;
    }
    if (report.passes != c->report->passes || report.iterations != c->report->iterations ||
        report.objective != c->report->objective || report.gap != c->report->gap) {
        return 3;
    }
    for (int s = 0; s < 2; s++) {
        if (scores[s].correct != c->scores[s].correct || scores[s].top5 != c->scores[s].top5 ||
            scores[s].mean_per_class != c->scores[s].mean_per_class) {
            return 4 + s;
        }
    }
    return 0;
}

static void probes_do_not_depend_on_ranks(void **state) {
    static const struct {
        lp_solver solver;
        double C;
        bool standardize;
        lp_class_weight weight;
    } cases[] = {{LP_SOLVER_SOFTMAX, 1e-3, false, LP_CLASS_WEIGHT_NONE},
                 {LP_SOLVER_SOFTMAX, 100, true, LP_CLASS_WEIGHT_NONE},
                 {LP_SOLVER_SOFTMAX, 1, false, LP_CLASS_WEIGHT_BALANCED},
                 {LP_SOLVER_OVR, 1, false, LP_CLASS_WEIGHT_NONE},
                 {LP_SOLVER_OVR, 1, true, LP_CLASS_WEIGHT_BALANCED},
                 {LP_SOLVER_LIBLINEAR, 1, false, LP_CLASS_WEIGHT_NONE}};
    fit_case c = {.train = dataset_random(N, F, K, 11), .test = dataset_random(501, F, K, 12)};
    (void)state;
    c.expected = forked_shared(SIZE * sizeof *c.expected);
    c.report = forked_shared(sizeof *c.report);
    c.scores = forked_shared(2 * sizeof *c.scores);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lp_fit_defaults(&c.options);
        c.options.solver = cases[i].solver;
        c.options.C = cases[i].C;
        c.options.standardize = cases[i].standardize;
        c.options.class_weight = cases[i].weight;
        for (size_t s = 0; s < SIZES; s++) {
            forked_run(sizes[s], fit_and_compare, &c);
        }
        assert_true(c.expected[0] != 0);
    }
    dataset_free(&c.train);
    dataset_free(&c.test);
}

static int fit_with_nan(void *context) {
    fit_case *c = context;
    lp_error err = {0};
    lp_probe *probe = NULL;
    lp_fit_report report;
    lp_status status = lp_probe_fit(&c->train.set, &c->options, &probe, &report, &err);
    return lp_team_rank() == 2 ? status != LP_ERR_DATA || strstr(err.text, "row 2999") == NULL
                               : status != LP_ERR_IO;
}

static void a_rank_looks_at_its_rows(void **state) {
    fit_case c = {.train = dataset_random(N, F, K, 11)};
    (void)state;
    lp_fit_defaults(&c.options);
    c.train.x[N * F - 1] = NAN;
    forked_run(3, fit_with_nan, &c);
    dataset_free(&c.train);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_are_neighbours_of_nearly_one_size),
        cmocka_unit_test(bytes_go_round),
        cmocka_unit_test(ranks_that_see_different_things_refuse_each_other),
        cmocka_unit_test(a_failed_exchange_is_an_error),
        cmocka_unit_test(sums_have_one_order),
        cmocka_unit_test(sums_of_different_models_are_refused),
        cmocka_unit_test(probes_do_not_depend_on_ranks),
        cmocka_unit_test(a_rank_looks_at_its_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
