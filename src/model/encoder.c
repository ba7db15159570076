/* Encoders: the public face of the model stage.
 *
 *   1. where in the file an encoder lies, its family, and the tower's plan of weights, which the
 *      file fulfils (selection.c)
 *   2. what the weights do not say
 *   3. the weights, read into one arena and packed by the tower
 *   4. runs */
#include "linprobe/encoder.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/parallel.h"
#include "math/linear_any.h"
#include "model/families.h"
#include "model/selection.h"
#include "model/tower.h"

enum { SCRATCH_FLOATS = 1 << 24 }; /* 64 MiB of all threads while packing; chosen, not measured */

size_t lp_encoder_least_of_thread = 1 << 18; /* 1 MiB */

struct lp_encoder {
    lp_encoder_info info;
    const lp_tower_kind *kind;
    void *tower;
    float *arena; /* every weight */
    char *path;   /* info.origin's */
};

/* Steps 1 and 2.  e is zeroed; what it holds after a failure is freed by lp_encoder_free. */
static lp_status prepare(lp_checkpoint *ckpt, const lp_encoder_options *options, lp_encoder *e,
                         lp_selection *chosen, lp_error *err) {
    static const lp_encoder_options defaults;
    lp_encoder_info *info = &e->info;
    lp_status status;
    LP_TRY(lp_selection_find(ckpt, options != NULL ? options : &defaults, chosen, err));
    const lp_source *source = &chosen->source;
    lp_family_describe(source->family, info);
    info->precision = lp_precision_name(source->options->precision);
    info->slow_precision = !lp_linear_any_is_fast(source->options->precision);
    (void)snprintf(info->prefix, sizeof info->prefix, "%s", chosen->prefix);
    info->one_of_several = chosen->one_of_several;
    (void)snprintf(info->selection, sizeof info->selection, "%s", chosen->said);
    e->kind = source->family->tower;
    e->tower = chosen->tower;
    chosen->tower = NULL; /* it is the encoder's now */
    status = e->kind->choose(source, &chosen->plan, e->tower, info, err);
    if (info->name[0] != '\0') { /* known, even if something else is not */
        if (source->options->precision != LP_PRECISION_FLOAT32) {
            char name[sizeof info->name]; /* so that no table, page or folder mixes them up */
            memcpy(name, info->name, sizeof name);
            (void)snprintf(info->name, sizeof info->name, "%.50s %s", name, info->precision);
        }
        info->parameters = lp_plan_parameters(&chosen->plan);
        info->default_point = info->projected > 0 ? LP_FEATURE_PROJECTED : LP_FEATURE_PENULTIMATE;
    }
done:
    return status;
}

/* Threads to load with: none for less than a thread costs. */
static size_t choose_threads(const lp_encoder_options *options, const lp_encoder_info *info) {
    size_t most = (size_t)(info->parameters / lp_encoder_least_of_thread) + 1;
    size_t threads = options != NULL ? options->threads : 0;
    threads = threads > 0 ? threads : lp_processor_count();
    return threads < most ? threads : most;
}

size_t lp_tower_workers(size_t threads, size_t floats) {
    size_t most = SCRATCH_FLOATS / (floats > 0 ? floats : 1);
    return threads < most ? threads : most > 0 ? most : 1;
}

static void release(lp_encoder *e) {
    if (e->tower != NULL) {
        e->kind->free(e->tower);
    }
    lp_free(e->arena);
    lp_free(e->path);
}

lp_status lp_encoder_recognise(lp_checkpoint *ckpt, const lp_encoder_options *options,
                               lp_encoder_info *info, lp_error *err) {
    lp_encoder e = {0};
    lp_selection chosen;
    lp_status status = prepare(ckpt, options, &e, &chosen, err);
    *info = e.info; /* as far as it is known */
    release(&e);
    lp_selection_free(&chosen);
    return status;
}

/* Fills in info->origin, strings of the encoder's own; the format and the official name are
 * constants of the library. */
static lp_status find_origin(lp_checkpoint *ckpt, lp_encoder *e, lp_error *err) {
    lp_origin *origin = &e->info.origin;
    const char *path = lp_checkpoint_path(ckpt), *hex;
    lp_status status;
    LP_TRY(lp_checkpoint_sha256(ckpt, &hex, err));
    e->path = lp_strdup(path);
    LP_TRY(lp_allocated(e->path, "an encoder", strlen(path) + 1, 1, err));
    origin->path = e->path;
    origin->format = lp_checkpoint_format(ckpt);
    origin->official = lp_checkpoint_official_name(hex);
    (void)snprintf(origin->sha256, sizeof origin->sha256, "%s", hex);
done:
    return status;
}

static bool same_preprocess(const lp_preprocess *a, const lp_preprocess *b) {
    for (size_t c = 0; c < 3; c++) {
        if (a->mean[c] != b->mean[c] || a->std[c] != b->std[c]) {
            return false;
        }
    }
    return a->resize == b->resize && a->crop == b->crop && a->filter == b->filter &&
           a->squash == b->squash && a->crop_rule == b->crop_rule &&
           a->float_resize == b->float_resize;
}

/* Whether the options say anything of what is computed, but for the precision. */
static bool has_settings(const lp_encoder_options *o) {
    return o->activation != LP_ACTIVATION_AUTO || o->pool != LP_POOL_AUTO || o->layers.first > 0 ||
           o->layers.last > 0 || o->input_size > 0 || o->heads > 0 ||
           o->mean_std != LP_MEAN_STD_AUTO || o->resize.side > 0 || o->crop > 0 ||
           o->filter != LP_FILTER_CHOICE_AUTO;
}

/* Fills in info->changed: the model by the options beside the model without them. */
static lp_status find_changes(lp_checkpoint *ckpt, const lp_encoder_options *options,
                              lp_encoder_info *info, lp_error *err) {
    lp_encoder_options own = {0};
    own.precision = options->precision;
    own.select = options->select;
    lp_encoder_info trained;
    lp_status status = lp_encoder_recognise(ckpt, &own, &trained, err);
    if (status != LP_OK) {
        info->changed = true;
        return status == LP_ERR_MEMORY || status == LP_ERR_IO ? status : LP_OK;
    }
    info->changed = strcmp(info->activation, trained.activation) != 0 ||
                    strcmp(info->pool, trained.pool) != 0 ||
                    strcmp(info->blocks, trained.blocks) != 0 || info->heads != trained.heads ||
                    info->input_size != trained.input_size ||
                    !same_preprocess(&info->preprocess, &trained.preprocess);
    return LP_OK;
}

lp_status lp_encoder_load(lp_checkpoint *ckpt, const lp_encoder_options *options,
                          lp_encoder **encoder, lp_error *err) {
    lp_selection chosen = {0};
    *encoder = NULL;
    lp_encoder *e = lp_alloc_zeroed(1, sizeof *e);
    lp_status status;
    LP_TRY(lp_allocated(e, "an encoder", 1, sizeof *e, err));
    LP_TRY(prepare(ckpt, options, e, &chosen, err));
    LP_TRY(find_origin(ckpt, e, err));
    if (options != NULL && has_settings(options)) {
        LP_TRY(find_changes(ckpt, options, &e->info, err));
    }
    size_t threads = choose_threads(options, &e->info);
    LP_TRY(lp_plan_read(&chosen.plan, ckpt, threads, &e->arena, err));
    LP_TRY(e->kind->pack(e->tower, &chosen.plan, ckpt, threads, err));
    *encoder = e;
    e = NULL;
done:
    lp_encoder_free(e);
    lp_selection_free(&chosen);
    return status;
}

void lp_encoder_free(lp_encoder *encoder) {
    if (encoder != NULL) {
        release(encoder);
        lp_free(encoder);
    }
}

const lp_encoder_info *lp_encoder_describe(const lp_encoder *encoder) {
    return &encoder->info;
}

lp_feature_point lp_encoder_point(const lp_encoder_info *info, lp_feature_point asked) {
    return asked != LP_FEATURE_DEFAULT ? asked : info->default_point;
}

size_t lp_encoder_features(const lp_encoder_info *info, lp_feature_point point) {
    return lp_encoder_point(info, point) == LP_FEATURE_PROJECTED ? info->projected
                                                                 : info->penultimate;
}

size_t lp_encoder_scratch(const lp_encoder *encoder, size_t batch) {
    return encoder->kind->scratch(encoder->tower, batch);
}

lp_status lp_encoder_run(const lp_encoder *encoder, const float *images, size_t batch,
                         lp_feature_point point, float *features, float *scratch,
                         const lp_observer *observer, lp_error *err) {
    const lp_encoder_info *info = &encoder->info;
    point = lp_encoder_point(info, point);
    size_t most = encoder->kind->max_batch(encoder->tower);
    if (lp_encoder_features(info, point) == 0) {
        return lp_fail(err, LP_ERR_ARGUMENT, "%s has no feature point '%s'", info->name,
                       lp_feature_point_name(point));
    }
    if (batch > most) {
        return lp_fail(err, LP_ERR_ARGUMENT, "a batch of %zu images: expected at most %zu", batch,
                       most);
    }
    if (batch > 0) {
        encoder->kind->run(encoder->tower, images, batch, point, features, scratch, observer);
    }
    return LP_OK;
}
