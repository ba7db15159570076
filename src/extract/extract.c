/* Extraction: a data set through preprocessing and encoder, over all cores, into a feature set.
 *
 * Per batch of B images, by one thread from start to end:
 *   pixels uint8 [H, W, 3] -> input float32 [B, 3, R, R] -> features float32 [B, F]
 * or, without an encoder (the baseline that any encoder should beat),
 *   pixels uint8 [H, W, 3] -> features float32 [B, 3 H W] = pixels / 255, planes R, G, B.
 * B depends on the encoder alone and batch b holds images b*B .. b*B+B-1, so every number is the
 * same for any number of threads and any interruption.
 *
 * Batches that are done wait in a ring.  A chunk is some of them in order, beginning with the first
 * that is not durable; every few seconds the thread that has just finished a batch makes a chunk
 * durable (feat/set_writer.h) while the others go on. */
#include "linprobe/extract.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "extract/profile.h"
#include "extract/encoding.h"
#include "feat/meta_json.h"
#include "feat/set_writer.h"
#include "math/dispatch.h"

enum { PIXEL_BATCH = 256, RING_BYTES = 8 << 20 };

static const double CHUNK_SECONDS = 5;

typedef struct worker_memory {
    lp_preprocessor *preprocessor;
    unsigned char *rgb;
    size_t rgb_bytes;
    float *images, *scratch;
    lp_stopwatch *watch; /* NULL: no profile is wanted */
} worker_memory;

/* Rows that are computed and not durable. */
typedef struct row_ring {
    float *rows;   /* float32 [window, B, F]: batch b's are at b % window */
    size_t window; /* batches */
    pthread_mutex_t lock;
    pthread_cond_t moved; /* the ring, or it has stopped */
    /* guarded by the lock */
    bool *ready;  /* [window] */
    size_t next;  /* every batch before it is durable */
    bool writing; /* a thread is making a chunk durable */
    bool stopped; /* something failed, or the caller said so */
    double last;  /* when the last chunk was */
    double pause; /* seconds until the next: short at first, so that there is something to see */
} row_ring;

typedef struct extraction {
    lp_memory memory;          /* that the arrays below lie in, but for an image's */
    const lp_encoder *encoder; /* NULL: features are the pixels */
    const lp_dataset *data;
    const lp_extract_options *options;
    lp_feature_point point;
    size_t width;   /* F */
    size_t batch;   /* B */
    size_t count;   /* N */
    size_t resumed; /* images that were done before; batch 0 begins behind them */
    size_t batches; /* that are left */
    lp_set_writer *writer;
    row_ring ring;
    worker_memory *workers;
    size_t threads;
    lp_stopwatch *watches; /* of the workers, then of the calling thread between chunks; or NULL */
    lp_stopwatch *watch;   /* the last of them */
} extraction;

/* Image i into the worker's memory. */
static lp_status load_image(const extraction *e, worker_memory *memory, size_t i, size_t *height,
                            size_t *width, lp_error *err) {
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

static lp_status take_pixels(const extraction *e, worker_memory *memory, size_t first, size_t count,
                             float *rows, lp_error *err) {
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

static lp_status encode(const extraction *e, worker_memory *memory, size_t first, size_t count,
                        float *rows, lp_error *err) {
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

/* Batch `index` into its rows, float32 [count, F]. */
static lp_status compute(const extraction *e, worker_memory *memory, size_t first, size_t count,
                         float *rows, lp_error *err) {
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

/* ---- the ring -------------------------------------------------------------------------------- */

/* Images before batch b, or all. */
static size_t images_before(const extraction *e, size_t b) {
    return b < e->batches ? e->resumed + b * e->batch : e->count;
}

static float *rows_of(const extraction *e, size_t b) {
    return e->ring.rows + b % e->ring.window * e->batch * e->width;
}

/* Batches that are ready from the next on. */
static size_t ready_batches(const extraction *e) {
    size_t n = 0;
    while (n < e->ring.window && e->ring.ready[(e->ring.next + n) % e->ring.window]) {
        n++;
    }
    return n;
}

/* Makes `count` batches from b on durable, in one or two pieces, and reports it to the caller. */
static lp_status write_chunk(const extraction *e, size_t b, size_t count, bool report,
                             lp_stopwatch *watch, lp_error *err) {
    lp_status status = LP_OK;
    lp_stopwatch_start(watch);
    for (size_t end = b + count, upto; status == LP_OK && b < end; b = upto) {
        upto = (b / e->ring.window + 1) * e->ring.window; /* the ring's end */
        upto = upto < end ? upto : end;
        size_t images = images_before(e, upto) - images_before(e, b);
        status = lp_set_writer_append(e->writer, rows_of(e, b), images, err);
        lp_stopwatch_lap(watch, "write", 0, 4 * (double)images * (double)e->width);
    }
    if (status == LP_OK && report &&
        !lp_progress_step(&e->options->progress, images_before(e, b), e->count, NULL)) {
        status = LP_CANCELLED; /* extract_batches says how far it came */
    }
    return status;
}

/* With the lock held: makes durable what is ready, all of it or once it is time, unless another
 * thread is at it.  Time it is also where the ring is half full: nobody waits for room for long. */
static lp_status write_ready(extraction *e, bool all, lp_stopwatch *watch, lp_error *err) {
    row_ring *r = &e->ring;
    lp_status status = LP_OK;
    size_t n;
    while (status == LP_OK && !r->writing && (n = ready_batches(e)) > 0 &&
           (all || 2 * n >= r->window || lp_clock_seconds() - r->last >= r->pause)) {
        size_t first = r->next;
        bool report = !r->stopped;
        r->writing = true;
        (void)pthread_mutex_unlock(&r->lock);
        status = write_chunk(e, first, n, report, watch, err);
        (void)pthread_mutex_lock(&r->lock);
        r->writing = false;
        for (size_t i = 0; i < n && (status == LP_OK || status == LP_CANCELLED); i++) {
            r->ready[r->next++ % r->window] = false;
        }
        r->last = lp_clock_seconds();
        r->pause = r->pause < CHUNK_SECONDS / 2 ? 2 * r->pause + 0.05 : CHUNK_SECONDS;
        (void)pthread_cond_broadcast(&r->moved);
    }
    return status;
}

/* Waits until batch `index` has a place; false where it will never have one. */
static bool wait_for_room(row_ring *r, size_t index) {
    (void)pthread_mutex_lock(&r->lock);
    while (!r->stopped && index >= r->next + r->window) {
        (void)pthread_cond_wait(&r->moved, &r->lock);
    }
    bool room = !r->stopped;
    (void)pthread_mutex_unlock(&r->lock);
    return room;
}

static lp_status do_batch(void *context, size_t index, size_t worker, lp_error *err) {
    extraction *e = context;
    row_ring *r = &e->ring;
    worker_memory *memory = &e->workers[worker];
    size_t first = images_before(e, index);
    if (!wait_for_room(r, index)) {
        return LP_CANCELLED; /* a batch before this one says why */
    }
    lp_stopwatch_start(memory->watch);
    lp_status status =
        compute(e, memory, first, images_before(e, index + 1) - first, rows_of(e, index), err);
    (void)pthread_mutex_lock(&r->lock);
    if (status == LP_OK) {
        r->ready[index % r->window] = true;
        status = r->stopped ? LP_OK : write_ready(e, false, memory->watch, err);
    }
    if (status != LP_OK) {
        r->stopped = true;
        (void)pthread_cond_broadcast(&r->moved);
    }
    (void)pthread_mutex_unlock(&r->lock);
    return status;
}

static lp_status make_ring(extraction *e, lp_error *err) {
    row_ring *r = &e->ring;
    size_t floats = e->batch * e->width, least = 4 * e->threads;
    r->window = RING_BYTES / (floats * sizeof *r->rows);
    r->window = r->window > least ? r->window : least;
    r->window = r->window < e->batches ? r->window : e->batches;
    r->rows = lp_memory_take(&e->memory, r->window, floats * sizeof *r->rows);
    r->ready = lp_memory_take_zeroed(&e->memory, r->window, sizeof *r->ready);
    return lp_memory_check(&e->memory, "features", err);
}

static lp_status allocate_workers(extraction *e, lp_error *err) {
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
        worker_memory *memory = &e->workers[t];
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
static void describe_rules(const extraction *e, lp_encoding *out) {
    size_t height = 0, width = 0;
    if (!lp_dataset_describe(e->data)->image_folder) {
        lp_dataset_image_size(e->data, 0, &height, &width);
    }
    bool one_square = height > 0 && height == width;
    out->resize_rule = one_square ? NULL : LP_RESAMPLE_RULE;
    if (one_square && !lp_crop_rule_matters(&out->preprocess, height, width)) {
        out->preprocess.crop_rule = LP_CROP_ROUND;
    }
}

/* Everything but the lists of names, which are not needed for a key. */
static void describe(const extraction *e, lp_provenance *p) {
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
static lp_status describe_names(extraction *e, lp_data_record *d, lp_error *err) {
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

static lp_status start_watches(extraction *e, lp_error *err) {
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

static void fill_profile(const extraction *e, const lp_extract_report *report) {
    lp_profile *profile = e->options->profile;
    if (profile == NULL || report->computed == 0) {
        return;
    }
    profile->images = report->computed;
    profile->threads = e->threads;
    profile->seconds = report->seconds;
    for (size_t t = 0; t <= e->threads; t++) {
        lp_profile_add(profile, &e->watches[t]);
    }
    lp_profile_close(profile);
}

/* ---- the run ---- */

static lp_status extract_batches(extraction *e, lp_error *err) {
    row_ring *r = &e->ring;
    e->batches = (e->count - e->resumed + e->batch - 1) / e->batch;
    if (e->batches == 0) {
        return LP_OK;
    }
    lp_status status;
    LP_TRY(make_ring(e, err));
    (void)pthread_mutex_init(&r->lock, NULL);
    (void)pthread_cond_init(&r->moved, NULL);
    status = lp_progress_step(&e->options->progress, e->resumed, e->count, NULL)
                 ? lp_parallel_for(e->threads, e->batches, do_batch, e, err)
                 : LP_CANCELLED;
    if (status == LP_OK || status == LP_CANCELLED) { /* what was ready since the last chunk */
        (void)pthread_mutex_lock(&r->lock);
        lp_status last = write_ready(e, true, e->watch, err);
        (void)pthread_mutex_unlock(&r->lock);
        status = status == LP_OK || last != LP_OK ? last : status;
    }
    (void)pthread_cond_destroy(&r->moved);
    (void)pthread_mutex_destroy(&r->lock);
    if (status == LP_CANCELLED) {
        size_t ready = images_before(e, r->next);
        status = ready == e->count ? LP_OK
                                   : lp_fail(err, status, "%s: stopped after %zu of %zu images",
                                             e->options->out, ready, e->count);
    }
done:
    return status;
}

static lp_status prepare(extraction *e, const lp_encoder *encoder, const lp_dataset *data,
                         const lp_extract_options *options, lp_error *err) {
    *e = (extraction){.encoder = encoder, .data = data, .options = options};
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
    extraction e;
    lp_provenance provenance;
    lp_status status;
    LP_TRY(prepare(&e, encoder, data, options, err));
    describe(&e, &provenance);
    LP_TRY(lp_provenance_key(&provenance, hex, err));
done:
    return status;
}

/* Computes what is missing of the set and finishes it. */
static lp_status write_set(extraction *e, const lp_provenance *provenance, lp_error *err) {
    lp_status status;
    LP_TRY(lp_set_writer_open(e->options->out, provenance, e->count, e->width, &e->writer,
                              &e->resumed, err));
    LP_TRY(allocate_workers(e, err));
    lp_stopwatch_lap(e->watch, "start", 0, 0);
    LP_TRY(extract_batches(e, err));
    lp_stopwatch_start(e->watch);
    LP_TRY(lp_set_writer_finish(e->writer, lp_dataset_labels(e->data), err));
    lp_stopwatch_lap(e->watch, "finish", 0, 0);
done:
    return status;
}

lp_status lp_extract(const lp_encoder *encoder, const lp_dataset *data,
                     const lp_extract_options *options, lp_extract_report *report, lp_error *err) {
    extraction e = {0};
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
    LP_TRY(lp_set_is_there(options->out, &provenance, &report->reused, err));
    if (!report->reused) {
        status = write_set(&e, &provenance, err);
        report->computed = e.count - e.resumed;
    }
    report->seconds = lp_clock_seconds() - start;
    if (status == LP_OK) {
        fill_profile(&e, report);
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
