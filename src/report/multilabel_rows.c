/* An evaluation of several labels an image as JSON. */
#include "report/multilabel_rows.h"

#include <math.h>

#include "linprobe/version.h"
#include "probe/training.h"
#include "report/evaluation_rows.h"

json_t *lp_multilabel_summary(const lp_multilabel_evaluation *e) {
    lp_row row = lp_row_new();
    lp_row_count(&row, "images", e->test->count);
    lp_row_ranking(&row, &e->mean);
    lp_row_trained(&row, &e->trained_rows);
    return lp_row_end(&row);
}

static json_t *class_rows(const lp_multilabel_evaluation *e) {
    json_t *rows = json_array();
    for (size_t k = 0; k < e->test->classes; k++) {
        const lp_class_ranking *c = &e->classes[k];
        lp_row row = lp_row_new();
        lp_row_count(&row, "class", k);
        lp_row_text(&row, "name", e->test->class_names != NULL ? e->test->class_names[k] : "");
        lp_row_count(&row, "images", c->images);
        lp_row_count(&row, "left_out", c->left_out);
        lp_row_real(&row, "average_precision", 100 * c->rank.map_11);
        lp_row_real(&row, "roc_auc", 100 * c->rank.roc_auc);
        lp_rows_append(&rows, lp_row_end(&row));
    }
    return rows;
}

json_t *lp_multilabel_rows(const lp_multilabel_evaluation *e, bool classes) {
    if (classes) {
        return class_rows(e);
    }
    lp_row row = lp_row_of(lp_multilabel_summary(e));
    return lp_row_end_alone(&row);
}

const lp_column *lp_multilabel_columns(bool classes, size_t *count) {
    static const lp_column summary[] = {{"images", "images", NULL},
                                        {"map_11", "11-point mAP %", "%.2f"},
                                        {"roc_auc", "ROC AUC %", "%.2f"}};
    static const lp_column of_classes[] = {{"class", "class", NULL},
                                           {"name", "name", NULL},
                                           {"images", "images", NULL},
                                           {"left_out", "left out", NULL},
                                           {"average_precision", "11-point AP %", "%.2f"},
                                           {"roc_auc", "ROC AUC %", "%.2f"}};
    *count = classes ? sizeof of_classes / sizeof *of_classes : sizeof summary / sizeof *summary;
    return classes ? of_classes : summary;
}

lp_status lp_multilabel_write(const lp_multilabel_evaluation *e, const lp_probe *probe,
                              const char *command, const char *path, lp_error *err) {
    const lp_training *training = lp_probe_training(probe);
    lp_row row = lp_row_new(), test = lp_row_new();
    lp_row_text(&test, "path", e->test->path);
    lp_row_text(&test, "sha256", e->test->digest);
    lp_row_text(&row, "format", "linprobe evaluation of several labels");
    lp_row_text(&row, "linprobe", lp_version());
    lp_row_text(&row, "command", command);
    lp_row_put(&row, "probe",
               training != NULL ? lp_training_json(training, LP_DETAIL_ALL) : json_object());
    lp_row_put(&row, "test", lp_row_end(&test));
    lp_row_put(&row, "summary", lp_multilabel_summary(e));
    lp_row_put(&row, "classes", class_rows(e));
    return lp_json_write(path, lp_row_end(&row), err);
}
