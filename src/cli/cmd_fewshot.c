/* linprobe fewshot: accuracy from a few training examples a class. */
#include <math.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json_row.h"
#include "base/memory.h"
#include "cli/commands.h"
#include "cli/settings.h"
#include "cli/meter.h"
#include "probe/training.h"
#include "report/evaluation_rows.h"
#include "linprobe/stats.h"
#include "report/curve.h"
#include "report/evaluation_page.h"

static const lp_column mean_columns[] = {
    {"shots", "a class", NULL},      {"examples", "examples", NULL},
    {"draws", "draws", NULL},        {"top1", "top-1 %", "%.3f"},
    {"half", "+-", "%.3f"},          {"top1_low", "95 % from", "%.2f"},
    {"top1_high", "to", "%.2f"},     {"deviation", "deviation", "%.3f"},
    {"converged", "converged", NULL}};
static const lp_column draw_columns[] = {{"shots", "a class", NULL},
                                         {"seed", "seed", NULL},
                                         {"correct", "correct", NULL},
                                         {"top1", "top-1 %", "%.3f"},
                                         {"top5", "top-5 %", "%.3f"},
                                         {"mean_per_class", "mean per class %", "%.3f"},
                                         {"C", "C", "%.4g"},
                                         {"objective", "objective", "%.8g"},
                                         {"iterations", "iterations", NULL},
                                         {"converged", "converged", NULL}};

/* What is fitted, and what came out. */
typedef struct fewshot_run {
    lp_features *train, *test;
    lp_fewshot_options options;
    lp_memory memory;       /* that the arrays below lie in */
    lp_fewshot_draw *draws; /* [shots, draws] */
    lp_fewshot_mean *means; /* [shots] */
    size_t shared;          /* rows of the test set that the training set has too */
} fewshot_run;

static json_t *draw_rows(const fewshot_run *f) {
    json_t *rows = json_array();
    for (size_t d = 0; d < f->options.shot_count * f->options.draws; d++) {
        const lp_fewshot_draw *draw = &f->draws[d];
        lp_row row = lp_row_new();
        lp_row_count(&row, "shots", draw->shots);
        lp_row_count(&row, "seed", draw->seed);
        lp_row_merge(&row, lp_score_json(&draw->score));
        lp_fit_options fit = f->options.fit;
        fit.C = draw->C;
        lp_row_merge(&row, lp_fit_report_json(&fit, &draw->fit));
        if (f->options.sweep) {
            lp_row_flag(&row, "C_chosen", draw->chosen);
        }
        lp_rows_append(&rows, lp_row_end(&row));
    }
    return rows;
}

static json_t *mean_rows(const fewshot_run *f) {
    size_t count = f->options.draws;
    json_t *rows = json_array();
    for (size_t s = 0; s < f->options.shot_count; s++) {
        const lp_fewshot_mean *mean = &f->means[s];
        bool converged = true;
        for (size_t d = 0; d < count; d++) {
            converged = converged && f->draws[s * count + d].fit.converged;
        }
        lp_row row = lp_row_new();
        lp_row_count(&row, "shots", mean->shots);
        lp_row_count(&row, "examples", mean->shots * f->train->classes);
        lp_row_count(&row, "draws", count);
        lp_row_real(&row, "top1", 100 * mean->mean);
        lp_row_flag(&row, "converged", converged);
        if (count > 1) { /* one draw has no spread */
            double high = mean->interval.high - mean->mean;
            double low = mean->mean - mean->interval.low;
            lp_row_real(&row, "half", 100 * fmax(low, high));
            lp_row_interval(&row, "top1_", mean->interval, 100);
            lp_row_real(&row, "deviation", 100 * mean->deviation);
        }
        lp_rows_append(&rows, lp_row_end(&row));
    }
    return rows;
}

/* Where the set has names, the library's message about too small a class gets one. */
static lp_status name_class(const lp_features *train, const cli_counts *shots, lp_error *err) {
    size_t most = 0;
    for (size_t i = 0; i < shots->count; i++) {
        most = shots->values[i] > most ? shots->values[i] : most;
    }
    for (size_t k = 0; train->class_names != NULL && k < train->classes; k++) {
        size_t have = 0;
        for (size_t i = 0; i < train->count; i++) {
            have += train->labels[i] == (int64_t)k;
        }
        if (have < most) {
            return lp_fail(err, LP_ERR_DATA,
                           "%s: class %zu (%s) has %zu examples, expected at least %zu",
                           train->path, k, train->class_names[k], have, most);
        }
    }
    return LP_OK;
}

typedef enum fewshot_table { TABLE_AUTO, TABLE_MEANS, TABLE_DRAWS } fewshot_table;
static const char *const table_names[] = {"auto", "means", "draws", NULL};
_Static_assert(sizeof(fewshot_table) == sizeof(int), "an option stores it through an int");

/* One table; TABLE_AUTO: the means, in JSON both with the options. */
static void print(const fewshot_run *f, lp_format format, fewshot_table table) {
    if (format == LP_FORMAT_JSON && table == TABLE_AUTO) {
        lp_row row = lp_row_new();
        lp_row_put(&row, "options", lp_fit_options_json(&f->options.fit));
        lp_row_flag(&row, "sweep", f->options.sweep);
        lp_row_count(&row, "seed", f->options.seed);
        lp_row_count(&row, "shared_rows", f->shared);
        lp_row_put(&row, "means", mean_rows(f));
        lp_row_put(&row, "draws", draw_rows(f));
        lp_table_print(stdout, format, NULL, 0, lp_row_end(&row));
    } else if (table == TABLE_DRAWS) {
        lp_table_print(stdout, format, draw_columns, sizeof draw_columns / sizeof draw_columns[0],
                       draw_rows(f));
    } else {
        lp_table_print(stdout, format, mean_columns, sizeof mean_columns / sizeof mean_columns[0],
                       mean_rows(f));
    }
}

/* Mean accuracy over the draws against the examples a class. */
static lp_status draw_chart(const fewshot_run *f, const char *path, lp_error *err) {
    char on[LP_EVALUATION_TITLE], title[LP_EVALUATION_TITLE + 32], name[80], interval[80];
    const lp_fewshot_options *few = &f->options;
    lp_curve_point *points = lp_alloc(few->shot_count, sizeof *points);
    lp_chart *chart = NULL;
    lp_status status;
    LP_TRY(lp_allocated(points, path, few->shot_count, sizeof *points, err));
    for (size_t s = 0; s < few->shot_count; s++) {
        const lp_fewshot_mean *m = &f->means[s];
        bool spread = few->draws > 1; /* one draw has no interval */
        points[s] = (lp_curve_point){(double)m->shots, m->mean, spread ? m->interval.low : NAN,
                                     spread ? m->interval.high : NAN};
    }
    lp_evaluation_title(f->test, on);
    (void)snprintf(title, sizeof title, "Few-shot accuracy: %s", on);
    if (few->sweep) {
        (void)snprintf(name, sizeof name, "%s, C chosen", lp_solver_name(few->fit.solver));
    } else {
        (void)snprintf(name, sizeof name, "%s, C = %.3g", lp_solver_name(few->fit.solver),
                       few->fit.C);
    }
    (void)snprintf(interval, sizeof interval, "95 %% interval of the mean over %zu draws",
                   few->draws);
    const lp_series series = {name, points, few->shot_count};
    const lp_curve curve = {.kind = LP_CURVE_FEW_SHOT,
                            .title = title,
                            .measure = "Top-1 accuracy",
                            .interval = interval,
                            .series = &series,
                            .series_count = 1,
                            .chosen = NAN};
    LP_TRY(lp_curve_chart(&curve, &chart, err));
    LP_TRY(lp_chart_write(chart, path, err));
done:
    lp_chart_free(chart);
    lp_free(points);
    return status;
}

typedef struct fewshot_settings {
    const char *words[2]; /* training set, test set */
    cli_counts shots;
    size_t draws, seed;
    cli_fit_settings fit;
    bool sweep;
    fewshot_table table;
    const char *chart;
    cli_output_settings output;
} fewshot_settings;

#define AT(member) offsetof(fewshot_settings, member)
static const cli_option own[] = {
    {CLI_METHOD, "--shots", "LIST", CLI_COUNTS, AT(shots), .low = 1, .high = 1e9,
     .help = "training examples a class"},
    {CLI_METHOD, "--draws", "N", CLI_COUNT, AT(draws), .low = 1, .high = 10000,
     .help = "training sets that are drawn for each number of examples"},
    {CLI_METHOD, "--seed", "N", CLI_COUNT, AT(seed), .low = 0, .high = 1e15,
     .help = "draw d uses seed N + d"},
    {CLI_METHOD, "--sweep", NULL, CLI_FLAG, AT(sweep),
     .help = "choose C for each draw, by cross-validation on its own examples (4 folds, or as many "
             "as examples a class); with 1 example a class C is -C's"},
    {CLI_OUTPUT, "--table", "NAME", CLI_CHOICE, AT(table), .choices = table_names,
     .help = "what is printed; auto: the means, in JSON both"},
    {CLI_OUTPUT, "--chart", "FILE", CLI_PICTURE, AT(chart),
     .help = "draw the means as .png or .svg"},
    {.name = NULL}};
#undef AT

static lp_status fit_all(fewshot_run *f, lp_error *err) {
    const lp_examples train = lp_features_examples(f->train), test = lp_features_examples(f->test);
    meter m;
    meter_start(&m, "few-shot", "fits");
    f->options.fit.progress = (lp_progress){meter_step, &m};
    lp_status status = lp_fewshot(&train, &test, &f->options, f->draws, f->means, err);
    meter_end(&m);
    f->options.fit.progress = (lp_progress){.step = NULL};
    return status;
}

/* A fit that did not converge is reported after everything is printed and drawn. */
static lp_status fewshot(void *job, lp_error *err) {
    const fewshot_settings *s = job;
    fewshot_run f = {.options = {.shots = s->shots.values,
                                 .shot_count = s->shots.count,
                                 .draws = s->draws,
                                 .seed = s->seed,
                                 .sweep = s->sweep,
                                 .fit = cli_fit_chosen(&s->fit, s->output.threads)}};
    lp_status status, fitted;
    LP_TRY(lp_run_open_sets(s->words[0], s->words[1], &f.train, &f.test, err));
    LP_TRY(name_class(f.train, &s->shots, err));
    cli_note_labels(f.train);
    LP_TRY(cli_count_shared(f.train, f.test, s->output.threads, &f.shared, err));
    f.draws = lp_memory_take(&f.memory, s->shots.count, s->draws * sizeof *f.draws);
    f.means = lp_memory_take(&f.memory, s->shots.count, sizeof *f.means);
    LP_TRY(lp_memory_check(&f.memory, "draws", err));
    fitted = fit_all(&f, err);
    if (fitted != LP_NOT_CONVERGED) {
        LP_TRY(fitted);
    }
    print(&f, s->output.format, s->table);
    if (s->chart != NULL) {
        LP_TRY(draw_chart(&f, s->chart, err));
    }
    status = fitted;
done:
    lp_memory_free(&f.memory);
    lp_features_close(f.train);
    lp_features_close(f.test);
    return status;
}

#define AT(member) offsetof(fewshot_settings, member)
static const cli_word words[] = {{"TRAIN_DIR", AT(words[0]), .content = CONTENT_FEATURES},
                                 {"TEST_DIR", AT(words[1]), .content = CONTENT_FEATURES},
                                 {.name = NULL}};
static const cli_group groups[] = {{own, 0, NULL},
                                   {cli_solver_option, AT(fit), NULL},
                                   {cli_strength_option, AT(fit), NULL},
                                   {cli_tolerance_options, AT(fit), NULL},
                                   {cli_format_option, AT(output), NULL},
                                   {cli_threads_option, AT(output), NULL},
                                   {.options = NULL}};
#undef AT

static void set_defaults(void *settings) {
    fewshot_settings *s = settings;
    s->shots = (cli_counts){5, {1, 2, 4, 8, 16}};
    s->draws = 5;
    s->fit = cli_fit_defaults();
}

const cli_command cli_fewshot = {
    .name = "fewshot",
    .summary = "trains on a few examples a class, drawn several times, and scores",
    .size = sizeof(fewshot_settings),
    .defaults = set_defaults,
    .words = words,
    .groups = groups,
    .work = fewshot,
    .usage = "TRAIN_DIR TEST_DIR [--shots LIST] [--draws N] [--seed N] [options]",
    .details =
        "Each draw shuffles the examples of every class and takes the first 1, 2, 4, ... of "
        "them, so that in one draw the larger training sets contain the smaller ones. The "
        "interval is Student's, of the mean over draws, for this test set. C is not rescaled "
        "with the number of examples.\n\n"
        "--sweep searches C from 1e-6 to 1e6 as the CLIP paper did. Every example of a draw is "
        "held out once, in the folds of the draw's seed, then the probe is trained on all of "
        "them. No other row of the training set and none of the test set has a part in it.",
};
