/* The steps that commands share: a loaded encoder, an extraction with its meter, a trained and
 * saved probe, its score as a table row. */
#ifndef LP_CLI_STEPS_H
#define LP_CLI_STEPS_H

#include <stdbool.h>
#include "base/json.h"
#include "linprobe/linprobe.h"
#include "report/evaluation.h"
#include "report/table.h"

enum { STEP_PATH = 4096 };

/* Prints a path; an error where it is too long. */
LP_PRINTF(3, 4)
lp_status step_path(char path[STEP_PATH], lp_error *err, const char *format, ...);

/* "CLIP ViT-B/32" -> "clip-vit-b-32", for names of folders. */
void step_slug(char *out, size_t room, const char *text);

/* A checkpoint's encoder and where it came from.  Freed by step_encoder_free. */
typedef struct step_encoder {
    lp_encoder *encoder;
    char *path;
    const char *format;
    const char *official; /* or NULL */
    char sha256[65];
    double seconds; /* that it took to load, with the digest */
} step_encoder;

/* model: a file, folder or known model, whose file lies in `cache` or elsewhere (model_path.h). */
LP_MUST_USE lp_status step_encoder_load(const char *model, const char *cache,
                                        const lp_encoder_options *options, step_encoder *out,
                                        lp_error *err);
void step_encoder_free(step_encoder *e);

/* What a command asks of an extraction. */
typedef struct step_how {
    lp_feature_point point;
    bool normalize;
    size_t threads;      /* 0: all processors */
    lp_profile *profile; /* measured into it and said on standard error, or NULL */
} step_how;

/* Extracts one split into `out` with a meter on standard error, and says there what was done. */
LP_MUST_USE lp_status step_extract(const step_encoder *e, const lp_dataset *data,
                                   const step_how *how, const char *out, lp_extract_report *report,
                                   lp_error *err);

/* The same into the cache, in a folder (its path is written to `path`) named by the digest of
 * everything that the features depend on, so that it is reused by every run that needs them. */
LP_MUST_USE lp_status step_features(const char *cache, const step_encoder *e,
                                    const lp_dataset *data, const step_how *how,
                                    char path[STEP_PATH], lp_extract_report *report, lp_error *err);

/* Speed of the extraction that made a feature set of the cache, and its threads; NaN where it is
 * not known. */
double step_images_per_second(const char *folder, size_t *threads);

/* Trains on a feature set and saves the probe.  LP_NOT_CONVERGED: it is saved all the same. */
LP_MUST_USE lp_status step_fit(const lp_features *train, const lp_fit_options *options,
                               const char *out, lp_probe **probe, lp_fit_report *report,
                               lp_error *err);

/* The same, unless the probe is there already, trained on the same features with the same options
 * by this version.  *probe is as it is in the file; *row is step_fit_row's. */
LP_MUST_USE lp_status step_train(const lp_features *train, const lp_fit_options *options,
                                 const char *path, lp_probe **probe, json_t **row, lp_error *err);

/* A sweep on a training set and a validation set (or NULL), with its progress; `work` keeps what is
 * done.  The options' work, identity and progress are not looked at. */
LP_MUST_USE lp_status step_sweep(const lp_features *train, const lp_features *validation,
                                 const lp_sweep_options *options, const char *work,
                                 lp_sweep **sweep, lp_error *err);

/* A training report as an object: solver, C, converged, iterations, objective, gradient, seconds.
 */
json_t *step_fit_row(const lp_fit_options *options, const lp_fit_report *report);

/* The options that a fit's result depends on, as an object. */
json_t *step_fit_options(const lp_fit_options *options);

/* Refuses test features that were not made as the probe's training features were. */
LP_MUST_USE lp_status step_check_match(const lp_probe *probe, const char *probe_path,
                                       const lp_features *test, lp_error *err);

/* Loads a probe and opens the test features for it, if they match.  Both are released by the caller
 * in any case; NULL where it did not come to that. */
LP_MUST_USE lp_status step_open_probe(const char *probe_path, const char *test_path,
                                      lp_probe **probe, lp_features **test, lp_error *err);

/* The same for training features and test (or validation) features. */
LP_MUST_USE lp_status step_open_sets(const char *train_path, const char *test_path,
                                     lp_features **train, lp_features **test, lp_error *err);

/* An lp_progress step that draws on the meter which is its context, and stops on a signal. */
bool step_show(void *context, size_t done, size_t total, const char *line);

/* A score as an object: images, correct, top1, top1_low, top1_high, top5, mean_per_class; the
 * accuracies in percent. */
json_t *step_score_row(const lp_score *score);

/* An evaluation's document, with where it came from, as docs/FORMATS.md describes it. */
LP_MUST_USE lp_status step_evaluation_write(const lp_evaluation *evaluation, const lp_probe *probe,
                                            const char *path, lp_error *err);

lp_examples step_examples(const lp_features *features);

/* What of them a command prints. */
extern const lp_column step_fit_columns[];
extern const size_t step_fit_column_count;
extern const lp_column step_score_columns[];
extern const size_t step_score_column_count;

#endif
