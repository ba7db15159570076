/* Sections of an evaluation: what a reader asks first stands first. */
#include "report/evaluation_page.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json_row.h"
#include "feat/meta_json.h"
#include "report/data_words.h"
#include "report/heat_map.h"
#include "report/multilabel_rows.h"
#include "report/reliability.h"

void lp_evaluation_title(const lp_features *test, char title[LP_EVALUATION_TITLE]) {
    const lp_provenance *p = test->provenance;
    const char *encoder = p == NULL                 ? NULL
                          : p->encoder.name != NULL ? p->encoder.name
                                                    : p->encoder.family;
    if (encoder != NULL && p->data.name != NULL) {
        char data[LP_DATA_TITLE];
        (void)snprintf(title, LP_EVALUATION_TITLE, "%.90s on %.159s", encoder,
                       lp_data_title(&p->data, test->count, data));
    } else {
        (void)snprintf(title, LP_EVALUATION_TITLE, "%.250s", test->path);
    }
}

json_t *lp_evaluation_origin(const lp_features *set) {
    return set->provenance != NULL ? lp_provenance_json(set->provenance, set->count, set->width,
                                                        set->digest, LP_DETAIL_BRIEF)
                                   : json_object();
}

/* ---- charts ---------------------------------------------------------------------------------- */

lp_status lp_evaluation_confusion_chart(const lp_evaluation *e, lp_chart **chart, lp_error *err) {
    char on[LP_EVALUATION_TITLE], title[LP_EVALUATION_TITLE + 32];
    const char **names = lp_evaluation_names(e);
    lp_status status;
    *chart = NULL;
    LP_TRY(lp_allocated((const void *)names, "class names", e->classes, sizeof *names, err));
    lp_evaluation_title(e->test, on);
    (void)snprintf(title, sizeof title, "Confusion: %s", on);
    const lp_heat_map map = {.title = title,
                             .classes = e->classes,
                             .counts = e->confusion,
                             .names = names,
                             .group_of = e->groups > 0 ? e->group_of : NULL,
                             .group_names = e->group_names,
                             .groups = e->groups};
    LP_TRY(lp_heat_map_chart(&map, chart, err));
done:
    lp_free((void *)names);
    return status;
}

static lp_status superclass_chart(const lp_evaluation *e, lp_chart **chart, lp_error *err) {
    size_t *counts = lp_evaluation_groups(e);
    const lp_heat_map map = {.title = "Confusion between superclasses",
                             .classes = e->groups,
                             .counts = counts,
                             .names = e->group_names};
    lp_status status;
    *chart = NULL;
    LP_TRY(lp_allocated(counts, "superclasses", e->groups, e->groups * sizeof *counts, err));
    LP_TRY(lp_heat_map_chart(&map, chart, err));
done:
    lp_free(counts);
    return status;
}

/* ---- sections -------------------------------------------------------------------------------- */

static void add_table(const lp_evaluation *e, lp_evaluation_table table, const char *caption,
                      lp_html *page) {
    size_t count;
    const lp_column *columns = lp_evaluation_columns(table, &count);
    lp_html_table(page, caption, columns, count, lp_evaluation_rows(e, table));
}

/* The summary's one row, turned: a measure a row, so that nothing is cut off on a phone. */
static void add_summary(const lp_evaluation *e, lp_html *page) {
    static const lp_column columns[] = {{"measure", "measure", NULL},
                                        {"value", "value", "%.3f"},
                                        {"low", "95 % from", "%.3f"},
                                        {"high", "to", "%.3f"}};
    const lp_metrics *m = &e->metrics;
    const lp_score *score = &m->score;
    char published[96];
    const lp_provenance *from = e->test->provenance;
    const lp_set_metric own = from != NULL ? lp_data_metric(&from->data) : LP_METRIC_ACCURACY;
    lp_interval own_interval;
    double own_value = lp_metric_value(own, score, &e->ranking, &own_interval);
    (void)snprintf(published, sizeof published, "published by: %s, %%",
                   lp_metric_words_of(own)->sentence);
    const struct {
        const char *name;
        double scale, value;
        lp_interval interval;
    } measures[] = {
        {published, 100, own_value, own_interval},
        {"top-1 accuracy, %", 100, score->top1, score->top1_interval},
        {"top-5 accuracy, %", 100, score->top5, score->top5_interval},
        {"mean accuracy per class, %", 100, score->mean_per_class, score->mean_per_class_interval},
        {"expected calibration error, %", 100, m->calibration_error, {NAN, NAN}},
        {"log loss, nats", 1, m->log_loss, m->log_loss_interval},
        {"area under the ROC curve, %", 100, e->ranking.roc_auc, {NAN, NAN}},
        {"mean average precision (11 points), %", 100, e->ranking.map_11, {NAN, NAN}},
    };
    char text[160];
    json_t *rows = json_array();
    size_t first = own == LP_METRIC_ACCURACY; /* it stands first as it is */
    for (size_t i = first; i < sizeof measures / sizeof measures[0]; i++) {
        lp_row row = lp_row_new();
        lp_row_text(&row, "measure", measures[i].name);
        lp_row_real(&row, "value", measures[i].scale * measures[i].value);
        lp_row_interval(&row, "", measures[i].interval, measures[i].scale);
        lp_rows_append(&rows, lp_row_end(&row));
    }
    lp_html_heading(page, "Accuracy");
    if (e->trained_rows.count > 0) {
        (void)snprintf(
            text, sizeof text, "Warning: the probe was trained on %s%zu of these %zu images.",
            e->trained_rows.at_least ? "at least " : "", e->trained_rows.count, e->test->count);
        lp_html_paragraph(page, text);
    }
    lp_html_table(page, "On the test set", columns, sizeof columns / sizeof columns[0], rows);
    (void)snprintf(text, sizeof text,
                   "%zu of %zu test images right, %zu classes. Intervals: 95 %%.", score->correct,
                   score->count, e->classes);
    lp_html_paragraph(page, text);
}

static lp_status add_confusion(const lp_evaluation *e, lp_html *page, lp_error *err) {
    lp_chart *classes = NULL, *superclasses = NULL;
    lp_status status;
    lp_html_heading(page, "Confusion");
    LP_TRY(lp_evaluation_confusion_chart(e, &classes, err));
    lp_html_chart(page, classes, NULL,
                  e->groups > 0 ? "Shares of each true class, on a square-root scale. Classes of "
                                  "one superclass stand together."
                                : "Shares of each true class, on a square-root scale.");
    add_table(e, LP_TABLE_CONFUSED, "The pairs that are confused most", page);
    if (e->groups > 0) {
        LP_TRY(superclass_chart(e, &superclasses, err));
        lp_html_heading(page, "Superclasses");
        lp_html_chart(page, superclasses, NULL,
                      "Each predicted class counts for its superclass. Numbers: percent of the "
                      "true superclass.");
        add_table(e, LP_TABLE_SUPERCLASSES, "Accuracy between superclasses", page);
    }
done:
    lp_chart_free(classes);
    lp_chart_free(superclasses);
    return status;
}

typedef struct ranked_class {
    double accuracy; /* above 1: a class without images, which stands last */
    size_t class;
} ranked_class;

static int by_accuracy(const void *a, const void *b) {
    const ranked_class *x = a, *y = b;
    return x->accuracy != y->accuracy ? (x->accuracy > y->accuracy) - (x->accuracy < y->accuracy)
                                      : (x->class > y->class) - (x->class < y->class);
}

static lp_status add_classes(const lp_evaluation *e, lp_html *page, lp_error *err) {
    size_t count;
    const lp_column *columns = lp_evaluation_columns(LP_TABLE_CLASSES, &count);
    json_t *rows = lp_evaluation_rows(e, LP_TABLE_CLASSES), *sorted = json_array();
    ranked_class *order = lp_alloc(e->classes, sizeof *order);
    lp_status status;
    LP_TRY(lp_allocated(order, "classes", e->classes, sizeof *order, err));
    for (size_t k = 0; k < e->classes; k++) {
        bool any = e->count_of[k] > 0;
        order[k] = (ranked_class){any ? (double)e->correct_of[k] / (double)e->count_of[k] : 2, k};
    }
    qsort(order, e->classes, sizeof *order, by_accuracy);
    for (size_t k = 0; k < e->classes; k++) {
        lp_rows_append(&sorted, json_incref(json_array_get(rows, order[k].class)));
    }
    lp_html_heading(page, "Classes");
    lp_html_table(page, "Accuracy of each class, the hardest first", columns, count, sorted);
    sorted = NULL;
done:
    lp_free(order);
    json_decref(rows);
    json_decref(sorted);
    return status;
}

static lp_status add_calibration(const lp_evaluation *e, lp_html *page, lp_error *err) {
    lp_chart *chart = NULL;
    lp_status status;
    LP_TRY(lp_reliability_chart("Confidence and accuracy", e->metrics.bins, &chart, err));
    lp_html_heading(page, "Calibration");
    lp_html_chart(page, chart, NULL,
                  e->probability == LP_PROBABILITY_OVR
                      ? "Probabilities are normalised sigmoids, as the probe is one-vs-rest. "
                        "Below the dashed line the probe is too sure of itself."
                      : "Probabilities are the softmax of the logits. Below the dashed line "
                        "the probe is too sure of itself.");
    add_table(e, LP_TABLE_CALIBRATION, "Bins of confidence", page);
done:
    lp_chart_free(chart);
    return status;
}

lp_status lp_evaluation_page(const lp_evaluation *e, const lp_contact_sheet *mistakes,
                             lp_html *page, lp_error *err) {
    lp_status status;
    add_summary(e, page);
    LP_TRY(add_confusion(e, page, err));
    LP_TRY(add_classes(e, page, err));
    LP_TRY(add_calibration(e, page, err));
    if (mistakes != NULL && mistakes->count > 0) {
        lp_html_heading(page, "Mistakes");
        lp_html_contacts(page, mistakes, "True class \xe2\x86\x92 prediction (its probability).");
    }
done:
    return status;
}

void lp_multilabel_page(const lp_multilabel_evaluation *e, lp_html *page) {
    static const char *const headings[] = {"Ranking", "Classes"};
    static const char *const captions[] = {"Mean of the classes",
                                           "How well each class's logits rank the images"};
    for (int by_class = 0; by_class < 2; by_class++) {
        size_t count;
        const lp_column *columns = lp_multilabel_columns(by_class == 1, &count);
        lp_html_heading(page, headings[by_class]);
        lp_html_table(page, captions[by_class], columns, count,
                      lp_multilabel_rows(e, by_class == 1));
    }
}
