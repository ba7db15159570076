/* Pictures to logits, one chunk after the other:
 *
 *   files -> pixels -> preprocessed [batch, 3, side, side] -> features [chunk, F]   (all threads)
 *         -> logits [chunk, K] -> the caller, in order
 *
 * An image's features do not depend on the others of its batch.  The last bits of logits depend on
 * how many rows there are, so a chunk depends on the encoder alone. */
#include "run/predict_pictures.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "base/text.h"
#include "extract/encoding.h"
#include "model/families.h"
#include "run/watch.h"

enum { BATCHES = 64 }; /* in a chunk */

typedef struct picture_worker {
    lp_preprocessor *preprocessor;
    float *images;  /* [batch, 3, side, side] */
    float *rows;    /* [batch, F] */
    float *scratch; /* the encoder's */
    unsigned char *rgb;
    size_t rgb_room;
} picture_worker;

typedef struct picture_job {
    const lp_encoder *encoder;
    const lp_feature_options *options;
    const lp_pictures *pictures;
    lp_feature_point point;
    size_t side, width, batch, threads;
    size_t first, chunk; /* the pictures at work: from `first`, `chunk` at most */
    lp_memory memory;    /* that the arrays below lie in */
    picture_worker *workers;
    float *features; /* [chunk, F]; zeros where there is no picture */
    char **why;      /* [chunk]; NULL: a picture */
    double *logits;  /* [chunk, K] */
} picture_job;

/* ---- one batch ------------------------------------------------------------------------------- */

/* Reads picture i into place `kept` of the batch, or says why it is none. */
static lp_status load(picture_job *j, picture_worker *w, size_t i, size_t *kept, lp_error *err) {
    const char *path = j->pictures->paths[j->first + i];
    size_t height, width;
    lp_status status = lp_picture_read(path, &w->rgb, &w->rgb_room, &height, &width, err);
    if (status == LP_ERR_FORMAT || status == LP_ERR_UNSUPPORTED) {
        j->why[i] = lp_strdup(err->text);
        return lp_allocated(j->why[i], path, 1, sizeof *err, err);
    }
    LP_TRY(status);
    LP_TRY(lp_preprocessor_run(w->preprocessor, w->rgb, height, width,
                               w->images + *kept * 3 * j->side * j->side, err));
    (*kept)++;
done:
    return status;
}

static lp_status keep_row(const picture_job *j, size_t i, float *row, lp_error *err) {
    if (j->options->normalize) {
        lp_feature_normalize(row, j->width);
    }
    for (size_t f = 0; f < j->width; f++) {
        if (!isfinite(row[f])) {
            return lp_fail(err, LP_ERR_DATA,
                           "%s: feature %zu came out as %g; the weights do not fit this input",
                           j->pictures->paths[j->first + i], f, (double)row[f]);
        }
    }
    memcpy(j->features + i * j->width, row, j->width * sizeof *row);
    return LP_OK;
}

static lp_status do_batch(void *context, size_t index, size_t worker, lp_error *err) {
    picture_job *j = context;
    picture_worker *w = &j->workers[worker];
    size_t begin = index * j->batch, left = j->pictures->count - j->first;
    size_t end = begin + j->batch, kept = 0, row = 0;
    lp_status status = LP_OK;
    end = end < j->chunk ? end : j->chunk;
    end = end < left ? end : left;
    for (size_t i = begin; i < end; i++) {
        LP_TRY(load(j, w, i, &kept, err));
    }
    if (kept > 0) {
        LP_TRY(
            lp_encoder_run(j->encoder, w->images, kept, j->point, w->rows, w->scratch, NULL, err));
    }
    for (size_t i = begin; i < end; i++) {
        if (j->why[i] == NULL) {
            LP_TRY(keep_row(j, i, w->rows + row++ * j->width, err));
        }
    }
done:
    return status;
}

/* ---- all of them ----------------------------------------------------------------------------- */

static lp_status open_job(picture_job *j, size_t classes, lp_error *err) {
    const lp_encoder_info *info = lp_encoder_describe(j->encoder);
    size_t scratch = lp_encoder_scratch(j->encoder, j->batch);
    lp_status status;
    j->workers = lp_memory_take_zeroed(&j->memory, j->threads, sizeof *j->workers);
    j->features = lp_memory_take_zeroed(&j->memory, j->chunk, j->width * sizeof *j->features);
    j->why = lp_memory_take_zeroed(&j->memory, j->chunk, sizeof *j->why);
    j->logits = lp_memory_take(&j->memory, j->chunk, classes * sizeof *j->logits);
    LP_TRY(lp_memory_check(&j->memory, "pictures", err));
    for (size_t t = 0; t < j->threads; t++) {
        picture_worker *w = &j->workers[t];
        LP_TRY(lp_preprocessor_new(&info->preprocess, &w->preprocessor, err));
        w->images = lp_memory_take(&j->memory, j->batch * 3 * j->side * j->side, sizeof(float));
        w->rows = lp_memory_take(&j->memory, j->batch, j->width * sizeof(float));
        w->scratch = lp_memory_take(&j->memory, scratch, sizeof(float));
    }
    status = lp_memory_check(&j->memory, "pictures", err);
done:
    return status;
}

static void close_job(picture_job *j) {
    for (size_t t = 0; j->workers != NULL && t < j->threads; t++) {
        lp_preprocessor_free(j->workers[t].preprocessor);
        lp_free(j->workers[t].rgb);
    }
    for (size_t i = 0; j->why != NULL && i < j->chunk; i++) {
        lp_free(j->why[i]);
    }
    lp_memory_free(&j->memory);
}

static lp_status do_chunk(picture_job *j, const lp_probe *probe, lp_take_picture take,
                          void *context, lp_error *err) {
    size_t left = j->pictures->count - j->first, K = lp_probe_classes(probe);
    size_t count = left < j->chunk ? left : j->chunk;
    lp_status status;
    LP_TRY(lp_parallel_for(j->threads, (count + j->batch - 1) / j->batch, do_batch, j, err));
    LP_TRY(lp_probe_logits(probe, j->features, count, j->logits, j->threads, err));
    for (size_t i = 0; i < count; i++) {
        LP_TRY(take(context, j->first + i, j->why[i] == NULL ? j->logits + i * K : NULL, j->why[i],
                    err));
        lp_free(j->why[i]);
        j->why[i] = NULL;
    }
done:
    return status;
}

lp_status lp_pictures_predict(const lp_encoder *encoder, const lp_probe *probe,
                              const lp_feature_options *options, const lp_pictures *pictures,
                              const lp_watch *watch, lp_take_picture take, void *context,
                              lp_error *err) {
    const lp_encoder_info *info = lp_encoder_describe(encoder);
    picture_job j = {.encoder = encoder,
                     .options = options,
                     .pictures = pictures,
                     .point = lp_encoder_point(info, options->point),
                     .side = info->preprocess.crop,
                     .batch = info->batch,
                     .threads = options->threads > 0 ? options->threads : lp_processor_count()};
    lp_status status;
    j.width = lp_encoder_features(info, j.point);
    j.chunk = j.batch * BATCHES;
    if (j.width != lp_probe_width(probe)) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "the probe was trained on %zu features, but %s gives %zu",
                       lp_probe_width(probe), info->name, j.width);
    }
    LP_TRY(open_job(&j, lp_probe_classes(probe), err));
    lp_watch_begin(watch, "pictures", "images");
    for (; j.first < pictures->count; j.first += j.chunk) {
        LP_TRY(do_chunk(&j, probe, take, context, err));
        size_t done = j.first + j.chunk < pictures->count ? j.first + j.chunk : pictures->count;
        if (!lp_progress_step(&watch->progress, done, pictures->count, NULL)) {
            LP_TRY(lp_fail(err, LP_CANCELLED, "interrupted after %zu of %zu files", done,
                           pictures->count));
        }
    }
done:
    lp_watch_end(watch);
    close_job(&j);
    return status;
}

/* ---- the probe's record ------------------------------------------------------------------------
 */

/* What the model would be without an option is in `info`; an option is set where the record differs
 * from that. */
static void set_size_and_resize(const lp_encoding *e, const lp_encoder_info *info,
                                lp_encoder_options *o) {
    const lp_preprocess *made = &e->preprocess, *usual = &info->preprocess;
    if (o->input_size == 0 && o->crop == 0 && o->resize.side == 0 && made->crop > 0) {
        bool resized = made->resize != usual->resize || made->squash != usual->squash;
        o->crop = made->crop != usual->crop ? made->crop : 0;
        if (resized || o->crop > 0) {
            o->resize = (lp_resize_to){made->resize, made->squash};
        }
    }
    if (o->filter == LP_FILTER_CHOICE_AUTO && made->crop > 0 && made->filter != usual->filter) {
        o->filter = (lp_filter_choice)(made->filter + 1); /* which begins with "auto" */
    }
}

/* As the record has them: "9-12", or one. */
static void set_blocks(const lp_encoding *e, lp_encoder_options *o) {
    if (o->layers.first == 0 && e->blocks != NULL) {
        char *end;
        size_t first = strtoul(e->blocks, &end, 10);
        o->layers = (lp_layers){first, *end == '-' ? strtoul(end + 1, NULL, 10) : first};
    }
}

lp_status lp_pictures_as_trained(lp_checkpoint *ckpt, const lp_probe *probe, lp_encoder_options *o,
                                 lp_feature_point *point, bool *normalize, lp_error *err) {
    const lp_training *training = lp_probe_training(probe);
    const lp_provenance *made = training != NULL ? training->train.provenance : NULL;
    const char *sha256;
    lp_encoder_info info;
    lp_error unclear;
    lp_status status = LP_OK;
    if (made == NULL || !made->recorded) {
        return LP_OK;
    }
    LP_TRY(lp_checkpoint_sha256(ckpt, &sha256, err));
    const lp_encoding *e = &made->encoder;
    if (strcmp(sha256, e->weights.sha256) != 0) {
        return LP_OK;
    }
    if (*point == LP_FEATURE_DEFAULT) {
        *point = (lp_feature_point)lp_text_index(lp_feature_point_names, e->feature, *point);
    }
    *normalize = *normalize || e->normalize;
    if (o->activation == LP_ACTIVATION_AUTO) {
        o->activation =
            (lp_activation)lp_text_index(lp_activation_names, e->activation, LP_ACTIVATION_AUTO);
    }
    if (o->precision == LP_PRECISION_FLOAT32) {
        o->precision =
            (lp_precision)lp_text_index(lp_precision_names, e->precision, LP_PRECISION_FLOAT32);
    }
    o->select = o->select == NULL ? e->select : o->select;
    lp_status known = lp_encoder_recognise(ckpt, o, &info, &unclear);
    if (known == LP_ERR_UNSUPPORTED && o->heads == 0) {
        o->heads = e->heads;
        known = lp_encoder_recognise(ckpt, o, &info, &unclear);
    }
    if (known != LP_OK) {
        return LP_OK; /* whoever loads the model says why */
    }
    o->heads = o->heads == 0 && e->heads != info.heads ? e->heads : o->heads;
    if (o->pool == LP_POOL_AUTO && e->pool != NULL && strcmp(e->pool, info.pool) != 0) {
        o->pool = (lp_pool)lp_text_index(lp_pool_names, e->pool, LP_POOL_AUTO);
    }
    const char *mean_std = lp_mean_std_known(&e->preprocess); /* another one is for the check */
    if (o->mean_std == LP_MEAN_STD_AUTO && e->preprocess.crop > 0 &&
        strcmp(mean_std, lp_mean_std_known(&info.preprocess)) != 0) {
        o->mean_std = (lp_mean_std)lp_text_index(lp_mean_std_names, mean_std, LP_MEAN_STD_AUTO);
    }
    set_blocks(e, o);
    set_size_and_resize(e, &info, o);
done:
    return status;
}

lp_status lp_pictures_check(const lp_encoder *encoder, const lp_probe *probe, const char *name,
                            const lp_feature_options *options, lp_error *err) {
    const lp_training *training = lp_probe_training(probe);
    const lp_provenance *trained = training != NULL ? training->train.provenance : NULL;
    const lp_encoder_info *info = lp_encoder_describe(encoder);
    char trained_on[512];
    lp_provenance asked = {.recorded = true};
    if (trained == NULL) {
        return LP_OK;
    }
    lp_encoding_describe(encoder, lp_encoder_point(info, options->point), &asked.encoder);
    asked.encoder.normalize = options->normalize;
    asked.data = trained->data; /* other images, and no labels */
    asked.data.image_folder = true;
    (void)snprintf(trained_on, sizeof trained_on, "that %.400s was trained on", name);
    return lp_provenance_match(trained, trained_on, &asked, "these pictures", err);
}
