/* Runs an encoder on raw inputs, for comparison with other programs.
 *
 * usage: run_encoder [OPTION=VALUE ...] CHECKPOINT projected|penultimate BATCH IMAGES OUT [TAPS]
 *   OPTION  activation, pool, precision, layers (9-12), input_size, heads or select of
 *           lp_encoder_options
 *   IMAGES  float32 [N, 3, input, input], preprocessed
 *   OUT     float32 [N, F]
 *   TAPS    an existing folder: every stage of the first batch as "TAPS/<stage>.f32"
 * Prints what the encoder is, one "key value" a line. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "linprobe/encoder.h"

static lp_error err;

static void die(const char *what) {
    (void)fprintf(stderr, "run_encoder: %s\n", what);
    exit(1);
}

static void check(lp_status status) {
    if (status != LP_OK) {
        die(err.text);
    }
}

static void write_stage(void *context, const char *stage, const float *values, size_t rows,
                        size_t columns) {
    char path[1024];
    (void)snprintf(path, sizeof path, "%s/%s.f32", (const char *)context, stage);
    check(lp_file_write(path, values, rows * columns * sizeof *values, &err));
}

static void print_info(const lp_encoder_info *info) {
    const lp_preprocess *p = &info->preprocess;
    (void)printf(
        "name %s\nfamily %s\nactivation %s\npool %s\nnorm_eps %.9g\ninput_size %zu\npatch %zu\n"
        "tokens %zu\nwidth %zu\nheads %zu\nlayers %zu\nmlp_width %zu\nprojected %zu\n"
        "penultimate %zu\nparameters %llu\ndefault_point %s\nresize %zu\ncrop %zu\n"
        "filter %s\nsquash %d\nmean %.9g %.9g %.9g\nstd %.9g %.9g %.9g\nprefix %s\n"
        "architecture %s\nselection %s\nassumed %s\n",
        info->name, info->family, info->activation, info->pool, (double)info->norm_eps,
        info->input_size, info->patch, info->tokens, info->width, info->heads, info->layers,
        info->mlp_width, info->projected, info->penultimate, (unsigned long long)info->parameters,
        lp_feature_point_name(info->default_point), p->resize, p->crop, lp_filter_name(p->filter),
        p->squash, (double)p->mean[0], (double)p->mean[1], (double)p->mean[2], (double)p->std[0],
        (double)p->std[1], (double)p->std[2], info->prefix, info->architecture, info->selection,
        info->assumed);
}

/* Takes "name=value" where it is an option. */
static bool take_option(const char *argument, lp_encoder_options *options) {
    const char *value = strchr(argument, '=');
    if (value == NULL) {
        return false;
    }
    size_t name = (size_t)(value++ - argument);
    if (strncmp(argument, "input_size", name) == 0) {
        options->input_size = (size_t)strtoul(value, NULL, 10);
        return true;
    }
    if (strncmp(argument, "heads", name) == 0) {
        options->heads = (size_t)strtoul(value, NULL, 10);
        return true;
    }
    if (strncmp(argument, "layers", name) == 0) {
        char *end;
        options->layers.first = (size_t)strtoul(value, &end, 10);
        options->layers.last = (size_t)strtoul(end + (*end == '-'), NULL, 10);
        return true;
    }
    if (strncmp(argument, "select", name) == 0) {
        options->select = value;
        return true;
    }
    for (int i = 1; i <= 4; i++) {
        if (i < 4 && strncmp(argument, "precision", name) == 0 &&
            strcmp(value, lp_precision_name((lp_precision)i)) == 0) {
            options->precision = (lp_precision)i;
            return true;
        }
        if (i < 4 && strncmp(argument, "activation", name) == 0 &&
            strcmp(value, lp_activation_name((lp_activation)i)) == 0) {
            options->activation = (lp_activation)i;
            return true;
        }
        if (strncmp(argument, "pool", name) == 0 && strcmp(value, lp_pool_name((lp_pool)i)) == 0) {
            options->pool = (lp_pool)i;
            return true;
        }
    }
    return false;
}

int main(int argc, char **argv) {
    lp_encoder_options options = {0};
    while (argc > 1 && take_option(argv[1], &options)) {
        argc--;
        argv++;
    }
    if (argc < 6 || argc > 7) {
        die("usage: run_encoder [OPTION=VALUE ...] CHECKPOINT projected|penultimate BATCH IMAGES "
            "OUT "
            "[TAPS]");
    }
    lp_feature_point point =
        strcmp(argv[2], "projected") == 0 ? LP_FEATURE_PROJECTED : LP_FEATURE_PENULTIMATE;
    size_t batch = (size_t)strtoul(argv[3], NULL, 10);
    lp_checkpoint *ckpt;
    lp_encoder *encoder;
    lp_map images;
    check(lp_checkpoint_open(argv[1], &ckpt, &err));
    check(lp_encoder_load(ckpt, &options, &encoder, &err));
    lp_checkpoint_close(ckpt);
    check(lp_map_open(argv[4], &images, &err));
    const lp_encoder_info *info = lp_encoder_describe(encoder);
    print_info(info);
    size_t pixels = 3 * info->input_size * info->input_size;
    size_t width = lp_encoder_features(info, point);
    size_t count = (size_t)images.size / (pixels * sizeof(float));
    if (batch == 0 || images.size % (pixels * sizeof(float)) != 0) {
        die("BATCH is 0, or IMAGES is no whole number of images");
    }
    float *features = lp_alloc(count, width * sizeof *features);
    float *input = lp_alloc(batch, pixels * sizeof *input);
    float *scratch = lp_alloc(lp_encoder_scratch(encoder, batch), sizeof *scratch);
    if (features == NULL || input == NULL || scratch == NULL) {
        die("out of memory");
    }
    lp_observer observer = {.observe_stage = write_stage, .context = argc > 6 ? argv[6] : NULL};
    for (size_t first = 0; first < count; first += batch) {
        size_t n = count - first < batch ? count - first : batch;
        memcpy(input, images.data + first * pixels * sizeof *input, n * pixels * sizeof *input);
        check(lp_encoder_run(encoder, input, n, point, features + first * width, scratch,
                             first == 0 && observer.context != NULL ? &observer : NULL, &err));
    }
    check(lp_file_write(argv[5], features, count * width * sizeof *features, &err));
    lp_free(features);
    lp_free(input);
    lp_free(scratch);
    lp_map_close(&images);
    lp_encoder_free(encoder);
    return 0;
}
