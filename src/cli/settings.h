/* Options that several commands have: one table for each group, over one settings struct.
 *
 * A command puts the structs of the groups that it wants into its own settings, gives them their
 * defaults, and lists the tables among its groups.  Data sets use lp_dataset_options as it is. */
#ifndef LP_CLI_SETTINGS_H
#define LP_CLI_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include "cli/options.h"
#include "linprobe/dataset.h"
#include "linprobe/encoder.h"
#include "linprobe/evaluation.h"
#include "linprobe/features.h"
#include "linprobe/probe.h"
#include "report/table.h"

/* The encoder, and which of its features are taken.  All zero: as the model was trained. */
typedef struct cli_model_settings {
    lp_encoder_options encoder; /* but for its threads */
    lp_feature_point point;     /* LP_FEATURE_DEFAULT: each model's own */
    bool normalize;
} cli_model_settings;

extern const cli_option cli_encoder_options[];     /* what can hold for several models */
extern const cli_option cli_one_encoder_options[]; /* --heads, --mean-std: for one model */
extern const cli_option cli_feature_option[];
extern const cli_option cli_normalize_option[];

/* Over an lp_dataset_options. */
extern const cli_option cli_labels_option[];
extern const cli_option cli_subset_options[]; /* --limit, --per-class */
extern const cli_option cli_image_folder_options[];

/* A probe's training. */
typedef struct cli_fit_settings {
    lp_fit_options fit; /* but for its tolerance, threads and progress */
    double eps, tol;    /* liblinear's tolerance and that of the others; 0: the solver's default */
} cli_fit_settings;

cli_fit_settings cli_fit_defaults(void);

/* The options of a fit by `solver`, with its own tolerance. */
lp_fit_options cli_fit_by(const cli_fit_settings *settings, lp_solver solver, size_t threads);

/* The solver for a data set: the one that is asked for, but of several labels an image one-vs-rest
 * in the place of softmax, with a note. */
lp_solver cli_solver_for(lp_solver asked, const lp_dataset_info *data);

/* A warning where the labels of a training set do not begin at 0, or a class has no example. */
void cli_note_labels(const lp_features *train);

/* How many rows of the test set the training set has too (lp_shared_rows), with a warning on
 * standard error where there are any; and warnings where the two sets seem to be swapped,
 * or their classes to be numbered in two ways. */
lp_status cli_count_shared(const lp_features *train, const lp_features *test, size_t threads,
                           size_t *shared, lp_error *err);

/* Warnings on standard error where a probe was trained on rows of the set that it is tested on, or
 * that set has classes that it was not trained on, and a note where the first cannot be told;
 * `name` is the probe's. */
void cli_warn_of_training(const char *name, const lp_features *test, const lp_trained_rows *rows);

/* The same for the one solver that --solver chose: either of --eps and --tol is its tolerance. */
lp_fit_options cli_fit_chosen(const cli_fit_settings *settings, size_t threads);

extern const cli_option cli_solver_option[];
extern const cli_option cli_strength_option[];   /* -C */
extern const cli_option cli_tolerance_options[]; /* and --standardize, --class-weight, ... */

/* How a command runs and what it prints. */
typedef struct cli_output_settings {
    lp_format format;
    size_t threads; /* 0: all processors */
    bool profile;
} cli_output_settings;

extern const cli_option cli_format_option[];
extern const cli_option cli_threads_option[];
extern const cli_option cli_profile_option[];

#endif
