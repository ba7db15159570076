/* linprobe/extract.h: an encoder over a whole data set, written as a feature set.
 *
 *     lp_error err;
 *     lp_dataset *data;
 *     lp_extract_options options = {0};
 *     lp_extract_report report;
 *     options.out = "features/test";
 *     lp_status status =
 *         lp_dataset_open("cifar-100-binary.tar.gz", LP_SPLIT_TEST, LP_LABELS_FINE, &data, &err);
 *     if (status == LP_OK)
 *         status = lp_extract(NULL, data, &options, &report, &err); // the pixels; or an encoder
 *     if (status != LP_OK)
 *         fprintf(stderr, "%s\n", err.text);
 *     lp_dataset_close(data);
 */
#ifndef LINPROBE_EXTRACT_H
#define LINPROBE_EXTRACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "linprobe/dataset.h"
#include "linprobe/encoder.h"
#include "linprobe/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { LP_PROFILE_STAGES = 32 };

/* What one stage took, of all threads together:
 *   "start"   reuses or opens the set, allocates      "read"     decodes an image
 *   "resize"  image to tensor                         "convert"  pixels to features, no encoder
 *   the encoder's own, as lp_stage_done lists them
 *   "check"   normalises, looks for NaN               "write"    finished rows, with fsync
 *   "finish"  digest, labels, meta.json
 *   "waiting" the rest: a thread that no batch was left for, or no room for its rows */
typedef struct lp_stage {
    const char *name;  /* static */
    double seconds;    /* two threads for one second are two */
    double operations; /* as lp_stage_done counts them; 0: none, or not counted */
    double bytes;      /* likewise */
} lp_stage;

/* Where the time of an extraction went: the stages' seconds add up to threads * seconds. */
typedef struct lp_profile {
    lp_stage stages[LP_PROFILE_STAGES]; /* in the order of their first appearance */
    size_t count;
    size_t images; /* computed */
    size_t threads;
    double seconds;
} lp_profile;

typedef struct lp_extract_options {
    const char *out; /* folder of the feature set */
    lp_feature_point point;
    bool normalize;       /* divide each feature vector by its Euclidean norm */
    size_t threads;       /* 0 = all processors */
    const char *command;  /* the command line, recorded; or NULL */
    lp_progress progress; /* in images: before the first, with those that were there already,
                             and after every chunk.  Stopped, it keeps the finished chunks, and
                             the same call goes on from there */
    lp_profile *profile;  /* where the time goes is measured into it, or NULL; changes no result.
                             All zero where nothing was computed, or it failed. */
} lp_extract_options;

typedef struct lp_extract_report {
    size_t images;   /* in the set */
    size_t width;    /* F */
    size_t computed; /* in this call */
    bool reused;     /* the complete set was there already */
    double seconds;
} lp_extract_report;

/* Encodes every image of data, in order; encoder NULL: the features are the pixels themselves, /
 * 255, planes R, G, B, and what the options say of weights and feature point is not looked at.  The
 * folder appears under its final name only when it is complete; until then finished chunks lie in
 * "<out>.partial", each with its CRC-32, and a later call with the same inputs goes on from them
 * and ends with the same bytes.  A complete set of the same inputs is left as it is
 * (report->reused).  The bytes do not depend on the number of threads. LP_CANCELLED when progress
 * stopped it.  LP_ERR_IO names the file. */
LP_MUST_USE lp_status lp_extract(const lp_encoder *encoder, const lp_dataset *data,
                                 const lp_extract_options *options, lp_extract_report *report,
                                 lp_error *err);

/* SHA-256, 64 hexadecimal digits, of everything that the features depend on (weights, records,
 * preprocessing, feature point, ...): a folder named by it cannot hold other features.  Of the
 * options, out, threads, progress and profile are not looked at. */
LP_MUST_USE lp_status lp_extract_key(const lp_encoder *encoder, const lp_dataset *data,
                                     const lp_extract_options *options, char hex[65],
                                     lp_error *err);

#ifdef __cplusplus
}
#endif
#endif
