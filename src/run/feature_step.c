/* The steps before the feature set: an encoder from its file, a data set into features. */
#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"
#include "linprobe/run.h"
#include "math/linear_any.h"
#include "run/watch.h"

lp_status lp_run_check_model(lp_checkpoint *ckpt, const lp_encoder_options *options,
                             lp_feature_point point, lp_error *err) {
    lp_encoder_info info;
    lp_status status;
    LP_TRY(lp_encoder_recognise(ckpt, options, &info, err));
    if (lp_encoder_features(&info, point) == 0) {
        bool several = info.penultimate > info.width && info.patch > 0;
        LP_TRY(lp_fail(err, LP_ERR_ARGUMENT, "%s: %s has no feature point '%s'%s",
                       lp_checkpoint_path(ckpt), info.name, lp_feature_point_name(point),
                       several || info.blocks[0] != '\0'
                           ? ": its projection, if any, is for the vector of the last layer alone "
                             "(options 'layers' and 'pool')"
                           : ""));
    }
done:
    return status;
}

lp_status lp_run_open_model(const char *path, const lp_encoder_options *options,
                            lp_feature_point point, lp_checkpoint **ckpt, lp_error *err) {
    lp_status status;
    LP_TRY(lp_checkpoint_open(path, ckpt, err));
    LP_TRY(lp_run_check_model(*ckpt, options, point, err));
done:
    if (status != LP_OK) {
        lp_checkpoint_close(*ckpt);
        *ckpt = NULL;
    }
    return status;
}

lp_status lp_run_load(lp_checkpoint *ckpt, const lp_encoder_options *options, const lp_watch *watch,
                      lp_encoder **encoder, double *seconds, lp_error *err) {
    double start = lp_clock_seconds();
    lp_status status;
    LP_TRY(lp_encoder_load(ckpt, options, encoder, err));
    const lp_encoder_info *info = lp_encoder_describe(*encoder);
    const char *official = info->origin.official;
    LP_TRY(lp_watch_say(watch, err, "weights: %s (%s, %.1f million parameters), %s", info->name,
                        info->origin.format, (double)info->parameters * 1e-6,
                        official != NULL ? official : "not one of the official files"));
    if (lp_checkpoint_picked(ckpt) != NULL) {
        LP_TRY(lp_watch_say(watch, err, "weights: of the files in the folder, %s",
                            lp_checkpoint_picked(ckpt)));
    }
    if (info->slow_precision) {
        LP_TRY(lp_watch_say(watch, err,
                            "weights: this processor multiplies %s no faster than float32; the "
                            "features are those of one that does%s",
                            info->precision,
                            lp_linear_any_is_fast(LP_PRECISION_INT16)
                                ? " (int16 is faster here, and nearer to float32)"
                                : ""));
    }
    if (info->config != NULL) {
        LP_TRY(lp_watch_say(watch, err, "weights: %s beside them says the rest", info->config));
    }
    if (info->architecture[0] != '\0') {
        LP_TRY(lp_watch_say(watch, err, "weights: named in the file: %s", info->architecture));
    }
    if (info->selection[0] != '\0') {
        LP_TRY(lp_watch_say(watch, err, "weights: %s", info->selection));
    }
    if (info->assumed[0] != '\0') {
        LP_TRY(lp_watch_say(watch, err, "weights: assumed: %s; options of these names change it",
                            info->assumed));
    }
done:
    if (seconds != NULL) {
        *seconds = lp_clock_seconds() - start;
    }
    if (status != LP_OK) {
        lp_encoder_free(*encoder);
        *encoder = NULL;
    }
    return status;
}

lp_status lp_run_extract(const lp_encoder *encoder, const lp_dataset *data,
                         const lp_feature_options *options, const char *out, const lp_watch *watch,
                         lp_extract_report *report, lp_error *err) {
    const lp_dataset_info *info = lp_dataset_describe(data);
    const char *split = lp_split_name(info->split);
    const lp_extract_options extract = {.out = out,
                                        .point = options->point,
                                        .normalize = options->normalize,
                                        .threads = options->threads,
                                        .command = options->command,
                                        .progress = watch->progress,
                                        .profile = options->profile};
    lp_status status;
    LP_TRY(lp_watch_say(watch, err, "%s: %s, %zu images of %zu classes, %s", split, info->name,
                        info->count, info->classes,
                        info->official != NULL ? info->official
                        : info->set != NULL && info->image_folder
                            ? info->count == info->published ? "all of the published ones"
                                                             : "not all of the published ones"
                        : info->image_folder ? "a folder of images"
                                             : "not the official file"));
    lp_watch_begin(watch, split, "images");
    status = lp_extract(encoder, data, &extract, report, err);
    lp_watch_end(watch);
    if (status == LP_CANCELLED) {
        (void)lp_prefix(err, status, "interrupted: run again, it goes on from here: ");
    }
    if (status == LP_OK && report->reused) {
        LP_TRY(lp_watch_say(watch, err, "%s: features are there already: %s", split, out));
    }
done:
    return status;
}
