/* Training problems for the probe's tests. */
#ifndef LP_TESTS_PROBE_DATA_H
#define LP_TESTS_PROBE_DATA_H

#include "base/random.h"
#include "check.h"
#include "linprobe/probe.h"
#include "normal.h"
#include "probe/examples.h"
#include "probe/solver.h"

typedef struct dataset {
    lp_examples set;
    float *x;
    const float **rows; /* of x */
    int64_t *labels;
} dataset;

static inline dataset dataset_new(size_t count, size_t width, size_t classes) {
    dataset data;
    data.x = calloc(count * width, sizeof *data.x);
    data.labels = calloc(count, sizeof *data.labels);
    data.rows = calloc(count, sizeof *data.rows);
    assert_non_null(data.x);
    assert_non_null(data.rows);
    assert_non_null(data.labels);
    for (size_t i = 0; i < count; i++) {
        data.rows[i] = data.x + i * width;
    }
    data.set = (lp_examples){count, width, classes, data.x, data.labels};
    return data;
}

static inline void dataset_free(dataset *data) {
    free(data->x);
    free(data->rows);
    free(data->labels);
}

/* Overlapping Gaussian clouds; every class occurs when count >= classes. */
static inline dataset dataset_random(size_t count, size_t width, size_t classes, uint64_t seed) {
    dataset data = dataset_new(count, width, classes);
    double *means = calloc(classes * width, sizeof *means);
    lp_random random;
    assert_non_null(means);
    lp_random_seed(&random, seed);
    for (size_t i = 0; i < classes * width; i++) {
        means[i] = random_normal(&random);
    }
    for (size_t i = 0; i < count; i++) {
        size_t k = i < classes ? i : (size_t)lp_random_below(&random, classes);
        data.labels[i] = (int64_t)k;
        for (size_t j = 0; j < width; j++) {
            data.x[i * width + j] = (float)(0.5 + means[k * width + j] + random_normal(&random));
        }
    }
    free(means);
    return data;
}

static inline lp_example_rows dataset_rows(const dataset *data) {
    const lp_examples *set = &data->set;
    return (lp_example_rows){set->count, set->width, set->classes, data->rows, data->labels};
}

/* The problem that solvers see of all examples of all classes.  The arrays are the caller's: labels
 * [count], counts and names [classes]; they are filled in. */
static inline lp_problem dataset_problem(const dataset *data, int32_t *labels, size_t *counts,
                                         size_t *names) {
    const lp_examples *set = &data->set;
    for (size_t k = 0; k < set->classes; k++) {
        counts[k] = 0;
        names[k] = k;
    }
    for (size_t i = 0; i < set->count; i++) {
        labels[i] = (int32_t)data->labels[i];
        counts[labels[i]]++;
    }
    return (lp_problem){.count = set->count,
                        .width = set->width,
                        .classes = set->classes,
                        .x = data->rows,
                        .labels = labels,
                        .counts = counts,
                        .names = names,
                        .tolerance = 1e-6,
                        .max_iterations = 100};
}

/* tests/golden/probe/small.txt */
static inline dataset dataset_golden(void) {
    size_t count;
    size_t width;
    size_t classes;
    FILE *in = fopen(LP_TEST_DATA "/golden/probe/small.txt", "r");
    assert_non_null(in);
    assert_int_equal(fscanf(in, "%zu %zu %zu", &count, &width, &classes), 3);
    dataset data = dataset_new(count, width, classes);
    for (size_t i = 0; i < count; i++) {
        long long label;
        assert_int_equal(fscanf(in, "%lld", &label), 1);
        data.labels[i] = label;
        for (size_t j = 0; j < width; j++) {
            assert_int_equal(fscanf(in, "%f", &data.x[i * width + j]), 1);
        }
    }
    (void)fclose(in);
    return data;
}

/* The examples of the first two classes alone. */
static inline void dataset_keep_two(dataset *data) {
    size_t kept = 0;
    for (size_t i = 0; i < data->set.count; i++) {
        if (data->labels[i] < 2) {
            data->labels[kept] = data->labels[i];
            memmove(data->x + kept * data->set.width, data->x + i * data->set.width,
                    data->set.width * sizeof *data->x);
            kept++;
        }
    }
    data->set.count = kept;
    data->set.classes = 2;
}

/* Largest |a - b|. */
static inline double largest_difference(const double *a, const double *b, size_t count) {
    double largest = 0;
    for (size_t i = 0; i < count; i++) {
        double difference = a[i] > b[i] ? a[i] - b[i] : b[i] - a[i];
        largest = difference <= largest ? largest : difference; /* NaN is kept */
    }
    return largest;
}

#endif
