/* The training record to and from JSON.
 *
 *   meta = made_by, train, validation, options, fit
 *   train and validation = path, sha256, count, and of the set's meta.json: inputs, weights,
 *                          encoder, data */
#include "probe/training.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json_row.h"
#include "base/text.h"

json_t *lp_fit_options_json(const lp_fit_options *o) {
    lp_row row = lp_row_new();
    lp_row_text(&row, "solver", lp_solver_name(o->solver));
    lp_row_real(&row, "C", o->C);
    lp_row_real(&row, "tolerance", o->tolerance);
    lp_row_real(&row, "bias", o->bias);
    lp_row_count(&row, "max_iterations", o->max_iterations);
    if (o->standardize) {
        lp_row_flag(&row, "standardize", true);
    }
    if (o->class_weight != LP_CLASS_WEIGHT_NONE) {
        lp_row_text(&row, "class_weight", lp_class_weight_names[o->class_weight]);
    }
    return lp_row_end(&row);
}

json_t *lp_fit_report_json(const lp_fit_options *o, const lp_fit_report *r) {
    lp_row row = lp_row_new();
    lp_row_text(&row, "solver", lp_solver_name(o->solver));
    lp_row_real(&row, "C", o->C);
    lp_row_real(&row, "bias", o->bias);
    lp_row_flag(&row, "converged", r->converged);
    lp_row_count(&row, "iterations", r->iterations);
    if (r->passes > 0) { /* liblinear reports none */
        lp_row_count(&row, "passes", r->passes);
    }
    lp_row_count(&row, "classes_not_converged", r->not_converged);
    lp_row_real(&row, "objective", r->objective);
    lp_row_real(&row, "gradient", r->gradient);
    if (r->gap >= 0) { /* else the bound says nothing */
        lp_row_real(&row, "gap", r->gap);
    }
    lp_row_text(&row, "stopped_by", r->stopped_by);
    return lp_row_end(&row);
}

static json_t *made_by_json(const lp_training *t) {
    lp_row row = lp_row_new();
    lp_row_text(&row, "linprobe", t->linprobe);
    lp_row_text(&row, "command", t->command);
    if (t->blas != NULL) {
        lp_row machine = lp_row_new();
        lp_row_text(&machine, "blas", t->blas);
        lp_row_text(&machine, "blas_kernel", t->blas_kernel);
        lp_row_put(&row, "machine", lp_row_end(&machine));
    }
    return lp_row_end(&row);
}

static json_t *set_json(const lp_training_set *set, lp_detail detail) {
    const lp_provenance *p = set->provenance;
    lp_row row = lp_row_new();
    lp_row_text(&row, "path", set->path);
    lp_row_text(&row, "sha256", set->sha256);
    lp_row_count(&row, "count", set->count);
    if (p != NULL) {
        lp_provenance_put(&row, p, detail);
    }
    return lp_row_end(&row);
}

json_t *lp_training_json(const lp_training *t, lp_detail detail) {
    lp_row row = lp_row_new();
    lp_row_put(&row, "made_by", made_by_json(t));
    lp_row_put(&row, "train", set_json(&t->train, detail));
    if (t->validation.count > 0) {
        lp_row_put(&row, "validation", set_json(&t->validation, detail));
    }
    if (t->multilabel) {
        lp_row_flag(&row, "multilabel", true);
    }
    lp_row_put(&row, "options", lp_fit_options_json(&t->options));
    lp_row_put(&row, "fit", lp_fit_report_json(&t->options, &t->report));
    return lp_row_end(&row);
}

struct lp_training_file {
    lp_training public;
    bool recorded;
    json_t *document;
    lp_provenance_file *sets[2]; /* train, validation */
};

lp_solver lp_training_solver(const json_t *meta) {
    const char *name = lp_json_text(json_object_get(meta, "options"), "solver",
                                    lp_solver_names[LP_SOLVER_SOFTMAX]);
    return (lp_solver)lp_text_index(lp_solver_names, name, LP_SOLVER_OVR);
}

static size_t count_of(const json_t *object, const char *key) {
    double value = lp_json_number(object, key, 0);
    return value >= 0 && value < 0x1p53 ? (size_t)value : 0;
}

static lp_status read_set(const char *path, const json_t *object, lp_provenance_file **file,
                          lp_training_set *set, lp_error *err) {
    set->path = lp_json_text(object, "path", NULL);
    set->sha256 = lp_json_text(object, "sha256", NULL);
    set->count = count_of(object, "count");
    lp_status status = lp_provenance_read(path, object, file, err);
    set->provenance = status == LP_OK ? lp_provenance_of(*file) : NULL;
    return status;
}

static void read_fit(const json_t *meta, lp_training *t) {
    const json_t *options = json_object_get(meta, "options"), *fit = json_object_get(meta, "fit");
    lp_fit_options *o = &t->options;
    lp_fit_report *r = &t->report;
    o->solver = lp_training_solver(meta);
    o->C = lp_json_number(options, "C", 0);
    o->tolerance = lp_json_number(options, "tolerance", 0);
    o->bias = lp_json_number(options, "bias", 0);
    o->max_iterations = count_of(options, "max_iterations");
    o->standardize = json_is_true(json_object_get(options, "standardize"));
    o->class_weight = strcmp(lp_json_text(options, "class_weight", ""), "balanced") == 0
                          ? LP_CLASS_WEIGHT_BALANCED
                          : LP_CLASS_WEIGHT_NONE;
    r->converged = json_is_true(json_object_get(fit, "converged"));
    r->iterations = count_of(fit, "iterations");
    r->passes = count_of(fit, "passes");
    r->not_converged = count_of(fit, "classes_not_converged");
    r->objective = lp_json_number(fit, "objective", NAN);
    r->gradient = lp_json_number(fit, "gradient", NAN);
    r->gap = lp_json_number(fit, "gap", -1);
    (void)snprintf(r->stopped_by, sizeof r->stopped_by, "%s", lp_json_text(fit, "stopped_by", ""));
}

lp_status lp_training_read(const char *path, const json_t *meta, lp_training_file **file,
                           lp_error *err) {
    lp_training_file *f = lp_alloc_zeroed(1, sizeof *f);
    const json_t *train = json_object_get(meta, "train");
    const json_t *validation = json_object_get(meta, "validation");
    const json_t *made_by = json_object_get(meta, "made_by");
    const json_t *machine = json_object_get(made_by, "machine");
    lp_status status;
    *file = NULL;
    LP_TRY(lp_allocated(f, path, 1, sizeof *f, err));
    lp_training *t = &f->public;
    f->document = json_incref((json_t *)(uintptr_t)meta);
    f->recorded = json_is_object(train);
    t->linprobe = lp_json_text(made_by, "linprobe", NULL);
    t->command = lp_json_text(made_by, "command", NULL);
    t->blas = lp_json_text(machine, "blas", NULL);
    t->blas_kernel = lp_json_text(machine, "blas_kernel", NULL);
    t->multilabel = json_is_true(json_object_get(meta, "multilabel"));
    read_fit(meta, t);
    LP_TRY(read_set(path, train, &f->sets[0], &t->train, err));
    if (json_is_object(validation)) {
        LP_TRY(read_set(path, validation, &f->sets[1], &t->validation, err));
    }
    *file = f;
    f = NULL;
done:
    lp_training_close(f);
    return status;
}

void lp_training_close(lp_training_file *f) {
    if (f != NULL) {
        lp_provenance_close(f->sets[0]);
        lp_provenance_close(f->sets[1]);
        json_decref(f->document);
        lp_free(f);
    }
}

const lp_training *lp_training_of(const lp_training_file *file) {
    return file != NULL && file->recorded ? &file->public : NULL;
}
