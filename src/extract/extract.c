/* Extraction: a data set through preprocessing and encoder, over all cores, into a feature set.
 *
 * Per batch of B images, by one thread from start to end:
 *   pixels uint8 [H, W, 3] -> input float32 [B, 3, R, R] -> features float32 [B, F]
 * or, without an encoder (the baseline that any encoder should beat),
 *   pixels uint8 [H, W, 3] -> features float32 [B, 3 H W] = pixels / 255, planes R, G, B.
 * B depends on the encoder alone and batch b holds images b*B .. b*B+B-1, so every number is the
 * same for any number of threads and any interruption.
 * row_ring.c gives batches to threads and makes their rows durable; extract_ranks.c shares them out
 * among ranks. */
#include "linprobe/extract.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "extract/encoding.h"
#include "extract/extraction.h"
#include "feat/meta_json.h"
#include "math/dispatch.h"

enum { PIXEL_BATCH = 256 };

/* Image i into the worker's memory. */
static lp_status load_image(const lp_extraction *e, lp_worker_memory *memory, size_t i,
                            size_t *height, size_t *width, lp_error *err) {
    lp_status status;
    lp_dataset_image_size(e->data, i, height, width);
    size_t bytes = *height * *width * 3;
    if (bytes > memory->rgb_bytes) {
        lp_free(memory->rgb);
        memory->rgb_bytes = 0;
        memory->rgb = lp_alloc(bytes, 1);
        LP_TRY(lp_allocated(memory->rgb, "image", bytes, 1, err));
        memory->rgb_bytes = bytes;
    }
    status = lp_dataset_image(e->data, i, memory->rgb, err);
    lp_stopwatch_lap(memory->watch, "read", 0, (double)bytes);
done:
    return status;
}

static lp_status take_pixels(const lp_extraction *e, lp_worker_memory *memory, size_t first,
                             size_t count, float *rows, lp_error *err) {
    lp_status status = LP_OK;
    size_t plane = e->width / 3;
    for (size_t i = 0; i < count; i++) {
        size_t height, width;
        LP_TRY(load_image(e, memory, first + i, &height, &width, err));
        if (plane == 0 || height * width != plane) {
            return lp_fail(
                err, LP_ERR_DATA, "%s: image %zu: %zu x %zu pixels, but the first has %zu values",
                lp_dataset_describe(e->data)->source, first + i, width, height, e->width);
        }
        for (size_t p = 0; p < e->width; p++) {
            size_t channel = p / plane;
            rows[i * e->width + p] = (float)memory->rgb[p % plane * 3 + channel] / 255.0F;
        }
        lp_stopwatch_lap(memory->watch, "convert", 0, 5 * (double)e->width);
    }
done:
    return status;
}

static lp_status encode(const lp_extraction *e, lp_worker_memory *memory, size_t first,
                        size_t count, float *rows, lp_error *err) {
    size_t side = lp_encoder_describe(e->encoder)->preprocess.crop;
    const lp_observer observer = {.stage_done = lp_stopwatch_lap, .context = memory->watch};
    lp_status status;
    for (size_t i = 0; i < count; i++) {
        size_t height, width;
        LP_TRY(load_image(e, memory, first + i, &height, &width, err));
        LP_TRY(lp_preprocessor_run(memory->preprocessor, memory->rgb, height, width,
                                   memory->images + i * 3 * side * side, err));
        lp_stopwatch_lap(memory->watch, "resize", 0,
                         3.0 * ((double)(height * width) + 4.0 * (double)(side * side)));
    }
    status = lp_encoder_run(e->encoder, memory->images, count, e->point, rows, memory->scratch,
                            memory->watch != NULL ? &observer : NULL, err);
done:
    return status;
}

lp_status lp_extract_images(const lp_extraction *e, lp_worker_memory *memory, size_t first,
                            size_t count, float *rows, lp_error *err) {
    lp_status status;
    LP_TRY((e->encoder != NULL ? encode : take_pixels)(e, memory, first, count, rows, err));
    for (size_t i = 0; i < count; i++) {
        float *row = rows + i * e->width;
        if (e->options->normalize) {
            lp_feature_normalize(row, e->width);
        }
        for (size_t j = 0; j < e->width; j++) {
            if (!isfinite(row[j])) {
                return lp_fail(err, LP_ERR_DATA,
                               "%s: image %zu: feature %zu came out as %g; the weights do not fit "
                               "this input",
                               lp_dataset_describe(e->data)->source, first + i, j, (double)row[j]);
            }
        }
    }
    lp_stopwatch_lap(memory->watch, "check", 0, 4 * (double)count * (double)e->width);
done:
    return status;
}

static lp_status allocate_workers(lp_extraction *e, lp_error *err) {
    lp_status status;
    e->workers = lp_memory_take_zeroed(&e->memory, e->threads, sizeof *e->workers);
    LP_TRY(lp_memory_check(&e->memory, "extraction", err));
    for (size_t t = 0; e->watches != NULL && t < e->threads; t++) {
        e->workers[t].watch = &e->watches[t];
    }
    if (e->encoder == NULL) {
        return LP_OK;
    }
    const lp_encoder_info *info = lp_encoder_describe(e->encoder);
    size_t side = info->preprocess.crop;
    size_t scratch = lp_encoder_scratch(e->encoder, e->batch);
    for (size_t t = 0; t < e->threads; t++) {
        lp_worker_memory *memory = &e->workers[t];
        LP_TRY(lp_preprocessor_new(&info->preprocess, &memory->preprocessor, err));
        memory->images = lp_memory_take(&e->memory, e->batch * 3 * side * side, sizeof(float));
        memory->scratch = lp_memory_take(&e->memory, scratch, sizeof(float));
    }
    status = lp_memory_check(&e->memory, "extraction", err);
done:
    return status;
}

/* ---- provenance ---- */

static void describe_data(const lp_dataset *data, lp_data_record *out) {
    const lp_dataset_info *info = lp_dataset_describe(data);
    out->sha256 = info->digest;
    out->split = info->split;
    out->labels = info->labels;
    out->images = info->count;
    out->name = info->name;
    out->set = info->set;
    out->part = info->count < info->part ? info->part : 0;
    out->per_class = info->per_class;
    out->limit = info->limit;
    out->choice_seed = info->choice_seed;
    out->source = info->source;
    out->official = info->official;
    out->classes = info->classes;
    out->image_folder = info->image_folder;
    out->test_share = info->test_share;
    out->split_seed = info->split_seed;
    out->ignored = info->ignored;
    out->skipped = info->skipped;
    out->superclass_of = lp_dataset_superclasses(data, &out->superclasses);
}

/* The rules of resize and crop, where they can change an image: records are of one size, and mostly
 * square, so that their sets go with those made before there was a choice. */
static void describe_rules(const lp_extraction *e, lp_encoding *out) {
    size_t height = 0, width = 0;
    if (!lp_dataset_describe(e->data)->image_folder) {
        lp_dataset_image_size(e->data, 0, &height, &width);
    }
    if (height > 0 && height == width) {
        out->resize_rule = NULL;
        if (!lp_crop_rule_matters(&out->preprocess, height, width)) {
            out->preprocess.crop_rule = LP_CROP_ROUND;
        }
    }
}

/* Everything but the lists of names, which are not needed for a key. */
static void describe(const lp_extraction *e, lp_provenance *p) {
    *p = (lp_provenance){.recorded = true,
                         .linprobe = lp_version(),
                         .command = e->options->command,
                         .fused_multiply_add = lp_fuses()};
    p->encoder.family = p->encoder.feature = "pixels";
    if (e->encoder != NULL) {
        lp_encoding_describe(e->encoder, e->point, &p->encoder);
        describe_rules(e, &p->encoder);
    }
    p->encoder.normalize = e->options->normalize;
    describe_data(e->data, &p->data);
}

/* The lists of names, one after the other. */
static lp_status describe_names(lp_extraction *e, lp_data_record *d, lp_error *err) {
    const lp_dataset *data = e->data;
    size_t count = d->classes + d->superclasses + d->skipped;
    const char **next = lp_memory_take(&e->memory, count, sizeof *next);
    lp_status status;
    LP_TRY(lp_memory_check(&e->memory, "class names", err));
    d->class_names = next;
    for (size_t k = 0; k < d->classes; k++) {
        *next++ = lp_dataset_class_name(data, k);
    }
    d->superclass_names = next;
    for (size_t g = 0; g < d->superclasses; g++) {
        *next++ = lp_dataset_superclass_name(data, g);
    }
    d->skipped_names = next;
    for (size_t i = 0; i < d->skipped; i++) {
        *next++ = lp_dataset_skipped(data, i, NULL);
    }
done:
    return status;
}

/* ---- the profile ---- */

static lp_status start_watches(lp_extraction *e, lp_error *err) {
    if (e->options->profile == NULL) {
        return LP_OK;
    }
    lp_status status;
    e->watches = lp_memory_take_zeroed(&e->memory, e->threads + 1, sizeof *e->watches);
    LP_TRY(lp_memory_check(&e->memory, "profile", err));
    e->watch = &e->watches[e->threads];
    lp_stopwatch_start(e->watch);
done:
    return status;
}

static void fill_profile(const lp_extraction *e, const lp_extract_report *report) {
    lp_profile *profile = e->options->profile;
    if (profile == NULL || report->computed == 0) {
        return;
    }
    profile->images = lp_team_size() > 1 ? e->own_images : report->computed;
    profile->threads = e->threads;
    profile->seconds = report->seconds;
    for (size_t t = 0; t <= e->threads; t++) {
        lp_profile_add(profile, &e->watches[t]);
    }
    lp_profile_close(profile);
}

/* What each rank has done, as lines of the progress. */
static lp_status report_rates(const lp_extraction *e, double seconds, lp_error *err) {
    size_t ranks = lp_team_size();
    lp_status status;
    if (ranks == 1) {
        return LP_OK;
    }
    size_t *images = lp_alloc_zeroed(ranks, sizeof *images);
    LP_TRY(lp_allocated(images, "profile", ranks, sizeof *images, err));
    images[lp_team_rank()] = e->own_images;
    LP_TRY(lp_team_gather(images, ranks, sizeof *images, err));
    for (size_t r = 0; r < ranks; r++) {
        char line[400];
        (void)snprintf(line, sizeof line, "rank %zu (%.200s): %zu images, %.1f images/s", r,
                       lp_team_transport()->host(r), images[r], (double)images[r] / seconds);
        (void)lp_progress_step(&e->options->progress, 0, 0, line);
    }
done:
    lp_free(images);
    return status;
}

/* ---- the run ---- */

/* Ranks with other weights, data or options would make a set of mixed features. */
static lp_status compare_inputs(const lp_provenance *provenance, lp_error *err) {
    char key[LP_DIGEST_HEX];
    lp_status status;
    if (lp_team_size() == 1) {
        return LP_OK;
    }
    LP_TRY(lp_team_same("the data's SHA-256",
                        provenance->data.sha256 != NULL ? provenance->data.sha256 : "", NULL, err));
    LP_TRY(lp_team_same("the weights' SHA-256", provenance->encoder.weights.sha256, NULL, err));
    LP_TRY(lp_provenance_key(provenance, key, err));
    LP_TRY(lp_team_same("what the features depend on (its digest)", key, NULL, err));
done:
    return status;
}

static lp_status prepare(lp_extraction *e, const lp_encoder *encoder, const lp_dataset *data,
                         const lp_extract_options *options, lp_error *err) {
    *e = (lp_extraction){.encoder = encoder, .data = data, .options = options};
    e->count = lp_dataset_describe(data)->count;
    e->threads = options->threads > 0 ? options->threads : lp_processor_count();
    if (encoder == NULL) {
        size_t height, width;
        lp_dataset_image_size(data, 0, &height, &width);
        e->width = 3 * height * width;
        e->batch = PIXEL_BATCH;
        return LP_OK;
    }
    const lp_encoder_info *info = lp_encoder_describe(encoder);
    e->point = lp_encoder_point(info, options->point);
    e->width = lp_encoder_features(info, e->point);
    e->batch = info->batch;
    return e->width > 0 ? LP_OK
                        : lp_fail(err, LP_ERR_ARGUMENT, "%s has no feature point '%s'", info->name,
                                  lp_feature_point_name(e->point));
}

lp_status lp_extract_key(const lp_encoder *encoder, const lp_dataset *data,
                         const lp_extract_options *options, char hex[65], lp_error *err) {
    lp_extraction e;
    lp_provenance provenance;
    lp_status status;
    LP_TRY(prepare(&e, encoder, data, options, err));
    describe(&e, &provenance);
    LP_TRY(lp_provenance_key(&provenance, hex, err));
done:
    return status;
}

/* Computes what is missing of the set and finishes it. */
static lp_status write_set(lp_extraction *e, const lp_provenance *provenance, lp_error *err) {
    lp_status status;
    bool first = lp_team_rank() == 0; /* which writes */
    if (first) {
        LP_TRY(lp_set_writer_open(e->options->out, provenance, e->count, e->width, &e->writer,
                                  &e->resumed, err));
    }
    LP_TRY(lp_team_broadcast(&e->resumed, sizeof e->resumed, err));
    LP_TRY(allocate_workers(e, err));
    lp_stopwatch_lap(e->watch, "start", 0, 0);
    LP_TRY(lp_extract_batches(e, err));
    lp_stopwatch_start(e->watch);
    if (first) {
        const lp_dataset_info *info = lp_dataset_describe(e->data);
        LP_TRY(info->multilabel ? lp_set_writer_finish_marks(e->writer, lp_dataset_marks(e->data),
                                                             info->classes, err)
                                : lp_set_writer_finish(e->writer, lp_dataset_labels(e->data), err));
    }
    LP_TRY(lp_team_meet(err)); /* the set has its name */
    lp_stopwatch_lap(e->watch, "finish", 0, 0);
done:
    return status;
}

lp_status lp_extract(const lp_encoder *encoder, const lp_dataset *data,
                     const lp_extract_options *options, lp_extract_report *report, lp_error *err) {
    lp_extraction e = {0};
    lp_provenance provenance;
    double start = lp_clock_seconds();
    lp_status status;
    memset(report, 0, sizeof *report);
    if (options->profile != NULL) {
        memset(options->profile, 0, sizeof *options->profile);
    }
    LP_TRY(prepare(&e, encoder, data, options, err));
    LP_TRY(start_watches(&e, err));
    describe(&e, &provenance);
    LP_TRY(describe_names(&e, &provenance.data, err));
    report->images = e.count;
    report->width = e.width;
    LP_TRY(compare_inputs(&provenance, err));
    if (lp_team_rank() == 0) {
        LP_TRY(lp_set_is_there(options->out, &provenance, &report->reused, err));
    }
    LP_TRY(lp_team_broadcast(&report->reused, sizeof report->reused, err));
    if (!report->reused) {
        LP_TRY(write_set(&e, &provenance, err));
        report->computed = e.count - e.resumed;
    }
    report->seconds = lp_clock_seconds() - start;
    fill_profile(&e, report);
    if (options->profile != NULL && report->computed > 0) {
        LP_TRY(report_rates(&e, report->seconds, err));
    }
done:
    lp_set_writer_close(e.writer);
    for (size_t t = 0; e.workers != NULL && t < e.threads; t++) {
        lp_preprocessor_free(e.workers[t].preprocessor);
        lp_free(e.workers[t].rgb);
    }
    lp_memory_free(&e.memory);
    return status;
}
