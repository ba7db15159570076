/* An evaluation:
 *
 *     probe, test set -> metrics, counts of each class, predictions -> confusion [K, K]
 *                     -> how well its probabilities rank the rows
 *                     -> rows that the probe was trained on
 *
 * Superclasses come from the test set's provenance. */
#include "linprobe/evaluation.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "probe/classifier.h"

lp_examples lp_features_examples(const lp_features *f) {
    return (lp_examples){f->count, f->width, f->classes, f->x, f->labels};
}

/* Takes over the superclasses of the test set where it has one for each class of the probe. */
static lp_status take_groups(lp_evaluation *e, lp_error *err) {
    const lp_provenance *p = e->test->provenance;
    if (p == NULL || p->data.superclass_of == NULL || p->data.classes != e->classes) {
        return LP_OK;
    }
    e->group_of = lp_alloc(e->classes, sizeof *e->group_of);
    if (e->group_of == NULL) {
        return lp_fail_memory(err, "superclasses", e->classes, sizeof *e->group_of);
    }
    for (size_t k = 0; k < e->classes; k++) {
        e->group_of[k] = (size_t)p->data.superclass_of[k];
    }
    e->groups = p->data.superclasses;
    e->group_names = p->data.superclass_names;
    return LP_OK;
}

/* Without training rows, a class has the intercept -infinity. */
static void count_strangers(const lp_probe *probe, const lp_features *test, lp_trained_rows *rows) {
    size_t K = probe->classes;
    rows->strange = K;
    for (size_t i = 0; i < test->count; i++) {
        bool several = test->marks != NULL, strange = false;
        size_t first = several ? 0 : (size_t)test->labels[i], end = several ? K : first + 1;
        for (size_t k = first; k < end && k < K; k++) {
            if (isinf(probe->intercepts[k]) && (!several || test->marks[i * K + k] > 0)) {
                strange = true;
                rows->strange = k < rows->strange ? k : rows->strange;
            }
        }
        rows->strangers += strange;
    }
}

lp_status lp_trained_rows_count(const lp_probe *probe, const lp_features *test, size_t threads,
                                lp_trained_rows *rows, lp_error *err) {
    const lp_training *t = lp_probe_training(probe);
    *rows = (lp_trained_rows){.known = probe->knows_rows, .at_least = probe->rows.left_out > 0};
    count_strangers(probe, test, rows);
    if (probe->knows_rows) {
        return lp_row_digests_count(&probe->rows, test->x, test->count, test->width, threads,
                                    &rows->count, err);
    }
    for (size_t i = 0; t != NULL && i < 2; i++) {
        const lp_training_set *set = i == 0 ? &t->train : &t->validation;
        if (set->count > 0 && set->sha256 != NULL && strcmp(set->sha256, test->digest) == 0) {
            rows->known = true;
            rows->count = test->count;
        }
    }
    return LP_OK;
}

lp_status lp_evaluation_run(const lp_probe *probe, const lp_features *test,
                            lp_probability probability, size_t threads, lp_evaluation *e,
                            lp_error *err) {
    size_t K = lp_probe_classes(probe);
    const lp_examples examples = lp_features_examples(test);
    lp_status status;
    memset(e, 0, sizeof *e);
    e->test = test;
    e->classes = K;
    e->probability = probability;
    e->correct_of = lp_alloc(K, sizeof *e->correct_of);
    e->count_of = lp_alloc(K, sizeof *e->count_of);
    e->predicted = lp_alloc(test->count, sizeof *e->predicted);
    e->confidence = lp_alloc(test->count, sizeof *e->confidence);
    e->confusion = lp_alloc(K, K * sizeof *e->confusion);
    if (e->correct_of == NULL || e->count_of == NULL || e->predicted == NULL ||
        e->confidence == NULL || e->confusion == NULL) {
        status = lp_fail_memory(err, "confusion matrix", K, K * sizeof *e->confusion);
        goto done;
    }
    const lp_evaluation_outputs outputs = {e->correct_of, e->count_of, e->predicted, e->confidence};
    LP_TRY(lp_probe_evaluate(probe, &examples, probability, threads, &e->metrics, &outputs, err));
    LP_TRY(lp_probe_rank(probe, &examples, probability, threads, &e->ranking, err));
    lp_confusion_count(test->labels, e->predicted, test->count, K, e->confusion);
    LP_TRY(take_groups(e, err));
    LP_TRY(lp_trained_rows_count(probe, test, threads, &e->trained_rows, err));
done:
    if (status != LP_OK) {
        lp_evaluation_free(e);
    }
    return status;
}

void lp_evaluation_free(lp_evaluation *e) {
    lp_free(e->correct_of);
    lp_free(e->count_of);
    lp_free(e->predicted);
    lp_free(e->confidence);
    lp_free(e->confusion);
    lp_free(e->group_of);
    memset(e, 0, sizeof *e);
}
