/* Times an encoder's forward pass, all threads, images of a constant pattern (the time depends on
 * sizes alone); scripts/bench_encoder.py drives it beside PyTorch.
 *
 * usage: bench_encoder CHECKPOINT THREADS
 * prints "name value" lines: name, parameters, load_seconds, batch, gemm_gflops (one thread, the
 * product of a ViT's first MLP layer; else of a square of 1024), square_gflops (a square of 2048)
 * and "ready"; then for every line "SECONDS" on standard input a line "images_per_second R" of a
 * run of about that long, and at the end "peak_mb". */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/parallel.h"
#include "linprobe/encoder.h"
#include "math/gemm.h"
#include "peak.h"

typedef struct bench {
    const lp_encoder *encoder;
    const lp_encoder_info *info;
    size_t threads, batch, width;
    float *images; /* [batch, 3, side, side], shared: read only */
    float **features, **scratch;
} bench;

static lp_status run_batch(void *context, size_t index, size_t worker, lp_error *err) {
    bench *b = context;
    (void)index;
    return lp_encoder_run(b->encoder, b->images, b->batch, b->info->default_point,
                          b->features[worker], b->scratch[worker], NULL, err);
}

static float *filled(size_t count) {
    float *values = lp_alloc(count, sizeof *values);
    for (size_t i = 0; values != NULL && i < count; i++) {
        values[i] = (float)(i % 7) * 0.125F - 0.375F;
    }
    if (values == NULL) {
        (void)fprintf(stderr, "out of memory\n");
        exit(1);
    }
    return values;
}

static double gemm_rate(size_t m, size_t n, size_t k) {
    float *a = filled(m * k), *w = filled(n * k), *c = filled(m * n);
    double best = 0;
    for (int i = 0; i < 12; i++) {
        double start = lp_clock_seconds();
        lp_gemm_nt(m, n, k, 1, a, k, w, k, 0, c, n);
        double rate = 2e-9 * (double)m * (double)n * (double)k / (lp_clock_seconds() - start);
        best = rate > best ? rate : best;
    }
    lp_free(a);
    lp_free(w);
    lp_free(c);
    return best;
}

int main(int argc, char **argv) {
    lp_error err;
    lp_checkpoint *ckpt;
    lp_encoder *encoder;
    const lp_encoder_options options = {.activation_if_unknown = LP_ACTIVATION_QUICK_GELU};
    bench b = {.threads = argc == 3 ? (size_t)strtoul(argv[2], NULL, 10) : 0};
    double start = lp_clock_seconds();
    if (b.threads == 0 || lp_checkpoint_open(argv[1], &ckpt, &err) != LP_OK ||
        lp_encoder_load(ckpt, &options, &encoder, &err) != LP_OK) {
        (void)fprintf(stderr, "%s\n",
                      b.threads == 0 ? "usage: bench_encoder CHECKPOINT THREADS" : err.text);
        return 1;
    }
    lp_checkpoint_close(ckpt);
    double loaded = lp_clock_seconds() - start;
    b.encoder = encoder;
    b.info = lp_encoder_describe(encoder);
    b.batch = b.info->batch;
    b.width = lp_encoder_features(b.info, b.info->default_point);
    b.images = filled(b.batch * 3 * b.info->input_size * b.info->input_size);
    b.features = lp_alloc(b.threads, sizeof *b.features);
    b.scratch = lp_alloc(b.threads, sizeof *b.scratch);
    for (size_t t = 0; t < b.threads; t++) {
        b.features[t] = filled(b.batch * b.width);
        b.scratch[t] = filled(lp_encoder_scratch(encoder, b.batch));
    }
    bool vit = b.info->mlp_width > 0;
    (void)printf("name %s\nparameters %llu\nload_seconds %.3f\nbatch %zu\n", b.info->name,
                 (unsigned long long)b.info->parameters, loaded, b.batch);
    print_peak(); /* before the products below take memory of their own */
    (void)printf("gemm_gflops %.1f\nsquare_gflops %.1f\nready 1\n",
                 vit ? gemm_rate(b.batch * b.info->tokens, b.info->mlp_width, b.info->width)
                     : gemm_rate(1024, 1024, 1024),
                 gemm_rate(2048, 2048, 2048));
    (void)fflush(stdout);
    char line[64];
    double each = 0; /* seconds of a batch on every thread */
    while (fgets(line, sizeof line, stdin) != NULL) {
        double seconds = strtod(line, NULL);
        size_t rounds = each > 0 && seconds > each ? (size_t)(seconds / each) : 1;
        double from = lp_clock_seconds();
        if (lp_parallel_for(b.threads, rounds * b.threads, run_batch, &b, &err) != LP_OK) {
            (void)fprintf(stderr, "%s\n", err.text);
            return 1;
        }
        double took = lp_clock_seconds() - from;
        each = took / (double)rounds;
        (void)printf("images_per_second %.3f\n", (double)(rounds * b.threads * b.batch) / took);
        (void)fflush(stdout);
    }
    for (size_t t = 0; t < b.threads; t++) {
        lp_free(b.features[t]);
        lp_free(b.scratch[t]);
    }
    lp_free(b.features);
    lp_free(b.scratch);
    lp_free(b.images);
    lp_encoder_free(encoder);
    return 0;
}
