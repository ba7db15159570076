/* linprobe/run.h: the whole way in one call: model + data -> features of both splits -> C ->
 * probes -> scores.
 *
 *     #include <stdio.h>
 *     #include <string.h>
 *     #include "linprobe/run.h"
 *
 *     int main(void) {
 *         static const char data[] = "cifar-100-binary.tar.gz";
 *         lp_dataset *train = NULL, *test = NULL;
 *         lp_fit_options fit;
 *         lp_run_options options;
 *         lp_run *run = NULL;
 *         lp_error err;
 *         lp_fit_defaults(&fit);                       // softmax, C = 0.316
 *         memset(&options, 0, sizeof options);
 *         options.model = "ViT-B-32.pt";
 *         options.cache = "datasets";
 *         options.out = "results";
 *         options.fits = &fit;
 *         options.fit_count = 1;
 *         lp_status status = lp_dataset_open(data, LP_SPLIT_TRAIN, LP_LABELS_FINE, &train, &err);
 *         if (status == LP_OK) {
 *             status = lp_dataset_open(data, LP_SPLIT_TEST, LP_LABELS_FINE, &test, &err);
 *         }
 *         if (status == LP_OK) {
 *             options.train = train;
 *             options.test = test;
 *             status = lp_run_pipeline(&options, &run, &err);
 *         }
 *         if (status == LP_OK) {
 *             printf("%.3f\n", 100 * run->probes[0].evaluation.metrics.score.top1);
 *         } else {
 *             fprintf(stderr, "%s\n", err.text);
 *         }
 *         lp_run_free(run);
 *         lp_dataset_close(train);
 *         lp_dataset_close(test);
 *         return status != LP_OK;
 *     }
 *
 * Every step is skipped where its result is there already and was made from the same inputs, so an
 * interrupted run goes on where it stood.
 */
#ifndef LINPROBE_RUN_H
#define LINPROBE_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include "linprobe/checkpoint.h"
#include "linprobe/dataset.h"
#include "linprobe/encoder.h"
#include "linprobe/evaluation.h"
#include "linprobe/extract.h"
#include "linprobe/features.h"
#include "linprobe/multilabel.h"
#include "linprobe/probe.h"
#include "linprobe/status.h"
#include "linprobe/sweep.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The caller's view of a run: stages one after the other, each with its steps.  Zeros: silent. */
typedef struct lp_watch {
    /* A stage begins ("train" in "images", "liblinear" in "classes"; "softmax" in "": its steps are
     * best shown by their lines), or ends (both NULL).  May be NULL; gets progress.context. */
    void (*stage)(void *context, const char *what, const char *unit);
    lp_progress
        progress; /* a step of the stage, or, with done and total 0, a sentence for people */
} lp_watch;

/* ---- steps, for callers that need only one of them ---- */

/* How features are made; zeros: each model's own feature point, on all processors. */
typedef struct lp_feature_options {
    lp_feature_point point;
    bool normalize; /* divide each feature vector by its Euclidean norm */
    size_t threads;
    const char *command; /* recorded in the set, or NULL */
    lp_profile *profile; /* or NULL */
} lp_feature_options;

/* Refuses what lp_run_load and an extraction at this point would refuse, before any work.  Statuses
 * as lp_encoder_recognise; LP_ERR_ARGUMENT also where the model has no such point. */
LP_MUST_USE lp_status lp_run_check_model(lp_checkpoint *ckpt, const lp_encoder_options *options,
                                         lp_feature_point point, lp_error *err);

/* lp_checkpoint_open and lp_run_check_model.  *ckpt is the caller's, for
 * lp_checkpoint_close, and NULL on failure. */
LP_MUST_USE lp_status lp_run_open_model(const char *path, const lp_encoder_options *options,
                                        lp_feature_point point, lp_checkpoint **ckpt,
                                        lp_error *err);

/* Loads an encoder and says what it is.  *seconds (may be NULL) is what that took.  Statuses as
 * lp_encoder_load. */
LP_MUST_USE lp_status lp_run_load(lp_checkpoint *ckpt, const lp_encoder_options *options,
                                  const lp_watch *watch, lp_encoder **encoder, double *seconds,
                                  lp_error *err);

/* lp_extract into the folder `out`, encoder NULL: pixels. */
LP_MUST_USE lp_status lp_run_extract(const lp_encoder *encoder, const lp_dataset *data,
                                     const lp_feature_options *options, const char *out,
                                     const lp_watch *watch, lp_extract_report *report,
                                     lp_error *err);

/* Whether a test or validation set goes with a training set: as many features, no more classes, the
 * same kind of labels, and lp_provenance_match.  LP_ERR_ARGUMENT. */
LP_MUST_USE lp_status lp_run_check_sets(const lp_features *train, const lp_features *test,
                                        lp_error *err);

/* Opens two feature sets that go together: lp_features_open and lp_run_check_sets.  Both are
 * released by the caller in any case; NULL where it did not come to that. */
LP_MUST_USE lp_status lp_run_open_sets(const char *train_path, const char *test_path,
                                       lp_features **train, lp_features **test, lp_error *err);

/* The same for callers that know what to do with several labels an image, too.  LP_ERR_ARGUMENT
 * also where only one of the two has them. */
LP_MUST_USE lp_status lp_run_open_sets_any(const char *train_path, const char *test_path,
                                           lp_features **train, lp_features **test, lp_error *err);

/* The same for a probe and test features.  LP_ERR_ARGUMENT where the features were not made as
 * those that the probe was trained on, or have another width or more classes. */
LP_MUST_USE lp_status lp_run_open_probe(const char *probe_path, const char *test_path,
                                        lp_probe **probe, lp_features **test, lp_error *err);

/* The same for callers that know what to do with several labels an image, too.  LP_ERR_ARGUMENT
 * also where only one of the two has them. */
LP_MUST_USE lp_status lp_run_open_probe_any(const char *probe_path, const char *test_path,
                                            lp_probe **probe, lp_features **test, lp_error *err);

/* Whether features may be tested by a probe; `name` is the probe's, for the message. */
LP_MUST_USE lp_status lp_run_check(const lp_probe *probe, const char *name, const lp_features *test,
                                   lp_error *err);

/* lp_sweep_run, or lp_multilabel_sweep, on feature sets; validation NULL: a part of train.  `work`
 * keeps what is done.  The options' work, identity and progress are not looked at. */
LP_MUST_USE lp_status lp_run_sweep(const lp_features *train, const lp_features *validation,
                                   const lp_sweep_options *options, const char *work,
                                   const lp_watch *watch, lp_sweep **sweep, lp_error *err);

/* Trains on train (and validation, or NULL) and saves the probe with its training record.  A train
 * of several labels an image is fitted by lp_multilabel_fit.
 * LP_NOT_CONVERGED: *probe and the file are there all the same.  Otherwise statuses as lp_probe_fit
 * and lp_probe_save. */
LP_MUST_USE lp_status lp_run_fit(const lp_features *train, const lp_features *validation,
                                 const lp_fit_options *options, const char *path,
                                 const char *command, const lp_watch *watch, lp_probe **probe,
                                 lp_fit_report *report, lp_error *err);

/* ---- the run ---- */

struct lp_run;

typedef struct lp_run_options {
    /* model and data */
    const char *model;          /* path of a checkpoint */
    lp_checkpoint **checkpoint; /* the same, opened already, in a variable of the caller: closed,
                                   and NULL, once the weights are read; NULL, there or here: `model`
                                   is opened */
    lp_encoder_options encoder;
    const lp_dataset *train, *test;
    lp_feature_point point; /* LP_FEATURE_DEFAULT: the model's own */
    bool normalize;
    bool profile;      /* measure where the time of extracting goes, into lp_run.profiles */
    bool count_work;   /* encode a black image to count its operations, into lp_run.operations */
    const char *cache; /* features are kept in CACHE/features/, named by their inputs */
    /* C and probes */
    bool sweep; /* choose C by `search`, on the training set's own validation part, where it has
                   one, unless by folds; else on a part of it */
    lp_sweep_options search;    /* its work, identity, rows and progress are not looked at */
    const lp_fit_options *fits; /* [fit_count], one probe each; of all of them C is replaced where
                                   it was chosen */
    size_t fit_count;
    const char *out;     /* probes go to OUT/<name of the run>/<solver>.probe */
    const char *command; /* recorded in features and probes, or NULL */
    size_t threads;      /* 0 = all processors; never changes the result */
    lp_watch watch;
    /* Called with the context of watch.progress when the features of both splits are on the disk;
     * the data sets are not needed any more.  run->train is open.  Prints the run's name to `name`;
     * NULL: "<encoder>-<first digits of the training features' digest>". */
    void (*name)(void *context, const struct lp_run *run, char *name, size_t room);
    const char *label; /* what people call the encoder, for that name; NULL: its own name */
} lp_run_options;

/* One probe of a run. */
typedef struct lp_run_probe {
    lp_fit_options options; /* with the C that was used */
    lp_fit_report report;   /* seconds 0 for a probe that was there already */
    lp_probe *probe;
    lp_evaluation evaluation; /* on the test set; empty where that is of several labels an image: */
    lp_multilabel_evaluation several;
} lp_run_probe;

/* Of either evaluation. */
const lp_ranking *lp_run_probe_ranking(const lp_run_probe *probe);
const lp_trained_rows *lp_run_probe_trained_rows(const lp_run_probe *probe);

/* What came out. */
typedef struct lp_run {
    lp_features *train, *test; /* both with their provenance, which describes model and data */
    bool *validation_rows;     /* [N of train] lp_dataset_validation's; NULL: it has no such part */
    double load_seconds;       /* reading and checking the weights */
    lp_profile profiles[2];    /* of train and test, where they were asked for and computed */
    double images_per_second;  /* when the features were made; NaN: not known */
    size_t threads;            /* of that extraction; 0: not known */
    double operations; /* floating-point, of an image as lp_stage_done counts them; 0: not asked */
    char *folder;      /* OUT/<name of the run> */
    lp_sweep *sweep;   /* NULL: C was given */
    lp_run_probe *probes; /* [count], in the order of options.fits */
    size_t count;
    bool converged; /* all fits */
} lp_run;

/* Does all of it.  Sets of several labels an image need a solver other than softmax
 * (LP_ERR_ARGUMENT, before any work).  *run is released by lp_run_free, and NULL after a failure.
 * The test features are opened last.  A fit that stops early does not end the run: see
 * lp_run.converged. LP_CANCELLED when watch.progress returned false; what is done is kept, and the
 * same call goes on from there.  Other statuses as the steps above. */
LP_MUST_USE lp_status lp_run_pipeline(const lp_run_options *options, lp_run **run, lp_error *err);
void lp_run_free(lp_run *run);

/* Its first part alone: *run has the features of both splits, open, and neither C nor probes.  Of
 * the options those of model and data, command, threads and watch are looked at; and fits, whose
 * solvers must suit the labels. */
LP_MUST_USE lp_status lp_run_sets(const lp_run_options *options, lp_run **run, lp_error *err);

#ifdef __cplusplus
}
#endif
#endif
