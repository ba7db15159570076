/* A backbone's road through the program:
 *
 *   weights -> features of both splits            CACHE/features/...   (reused by content)
 *           -> C by a sweep on the training set   OUT/<backbone>/points.json   (resumed)
 *           -> probe                              OUT/<backbone>/<solver>.probe   (reused)
 * The test features are opened last. */
#include "cli/backbone.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"

/* Takes apart [NAME=]MODEL[@POINT], unless the whole word is a file or folder.  The model, to be
 * freed by the caller; NULL where memory is short. */
static char *split_word(const backbone_setting *s, const char *word, backbone *b) {
    const char *start = word, *equals = strchr(word, '=');
    b->asked = s->encoder.point;
    bool whole = lp_is_file(word) || lp_is_folder(word);
    if (!whole && equals != NULL && equals != word) {
        (void)snprintf(b->name, sizeof b->name, "%.*s", (int)(equals - word), word);
        start = equals + 1;
    }
    char *model = lp_strdup(start);
    char *at = model != NULL ? strrchr(model, '@') : NULL;
    for (int p = LP_FEATURE_PROJECTED; !whole && at != NULL && p <= LP_FEATURE_PENULTIMATE; p++) {
        if (strcmp(at + 1, lp_feature_point_name((lp_feature_point)p)) == 0) {
            b->asked = p + 1;
            *at = '\0';
            break;
        }
    }
    return model;
}

static lp_status extract(const backbone_setting *s, const char *model, char sets[2][STEP_PATH],
                         backbone *b, lp_error *err) {
    step_encoder encoder;
    lp_extract_report report;
    lp_profile profile;
    double images = 0, seconds = 0;
    lp_status status = step_encoder_load(model, s->cache, &s->encoder.encoder, &encoder, err);
    if (status == LP_OK) {
        b->info = *lp_encoder_describe(encoder.encoder);
        b->point =
            cli_feature_point(&(cli_model_settings){.point = b->asked}, b->info.default_point);
        b->official = encoder.official != NULL;
        memcpy(b->sha256, encoder.sha256, sizeof b->sha256);
        if (b->name[0] == '\0') {
            (void)snprintf(b->name, sizeof b->name, "%s", b->info.name);
        }
    }
    for (int split = 0; status == LP_OK && split < 2; split++) {
        const step_how how = {b->point, s->encoder.normalize, s->output.threads,
                              s->output.profile ? &profile : NULL};
        status = step_features(s->cache, &encoder, s->data[split], &how, sets[split], &report, err);
        if (status == LP_OK) {
            double rate = step_images_per_second(sets[split], &b->threads);
            images += (double)report.images;
            seconds += (double)report.images / rate; /* NaN stays */
        }
    }
    b->rate = images / seconds;
    step_encoder_free(&encoder);
    return status;
}

static lp_status fit(const backbone_setting *s, backbone *b, lp_error *err) {
    char folder[STEP_PATH], path[STEP_PATH], slug[96];
    lp_fit_options options = s->fit;
    lp_sweep *sweep = NULL;
    step_slug(slug, sizeof slug, b->name);
    lp_status status = step_path(folder, err, "%s/%s-%s", s->out, slug, b->label);
    if (status == LP_OK) {
        status = lp_make_folders(folder, err);
    }
    if (status == LP_OK && s->sweep) {
        lp_sweep_options all = s->sweep_options;
        all.fit = s->fit;
        status = step_sweep(b->train, NULL, &all, folder, &sweep, err);
        if (status == LP_OK) {
            options.C = sweep->points[sweep->best].C;
            b->at_edge = sweep->at_edge;
            (void)fprintf(stderr, "sweep: best C = %.6g, validation accuracy %.3f\n", options.C,
                          100 * sweep->points[sweep->best].accuracy);
        }
        lp_sweep_free(sweep);
    }
    if (status == LP_OK) {
        status = step_path(path, err, "%s/%s.probe", folder, lp_solver_name(options.solver));
    }
    return status == LP_OK ? step_train(b->train, &options, path, &b->probe, &b->fit, err) : status;
}

lp_status backbone_run(const backbone_setting *s, const char *word, backbone *b, lp_error *err) {
    char sets[2][STEP_PATH];
    memset(b, 0, sizeof *b);
    char *model = split_word(s, word, b);
    lp_status status = model != NULL ? extract(s, model, sets, b, err)
                                     : lp_fail_memory(err, "arguments", strlen(word), 1);
    lp_free(model);
    if (status == LP_OK) {
        status = lp_features_open(sets[0], &b->train, err);
    }
    if (status == LP_OK) {
        (void)snprintf(b->label, sizeof b->label, "%.8s", b->train->digest);
        status = fit(s, b, err);
    }
    return status == LP_OK ? lp_features_open(sets[1], &b->test, err) : status;
}

void backbone_clear(backbone *b) {
    lp_features_close(b->train);
    lp_features_close(b->test);
    lp_probe_free(b->probe);
    json_decref(b->fit);
}
