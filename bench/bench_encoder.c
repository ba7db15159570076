/* Times an encoder's forward pass, all threads, images of a constant pattern (the time depends on
 * sizes alone); bench/bench_encoder.py drives it beside PyTorch and OpenVINO.
 *
 * usage: bench_encoder CHECKPOINT THREADS [bfloat16|int16|int8] [avx2]
 *   avx2           no registers of 512 bits
 * prints "name value" lines:
 *   name, parameters, input (pixels a side), batch, load_seconds
 *   operations     of one image, as the encoder's laps count them
 *   peak_mb, resident_mb
 *                  memory, before what follows takes some of its own
 *   fma_gflops     multiply-adds in registers, the most that a thread can do; absent where no loop
 *                  is written for the processor
 *   gemm_gflops    OpenBLAS's product of a ViT's first MLP layer; else of squares of 1024
 *   square_gflops  OpenBLAS's product of squares
 *   ready 1
 * the three rates of one thread while all work; then answers each line of standard input:
 *   SECONDS        images_per_second R P, of a run of about that long; P: a second of processors'
 *                  time
 *   load           load_seconds S, of the same file once more */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/parallel.h"
#include "extract/profile.h"
#include "linprobe/encoder.h"
#include "math/dispatch.h"
#include "math/linalg.h"
#include "peak.h"

#if LP_X86
#include <immintrin.h>
#endif

typedef struct bench {
    const char *path;
    lp_precision precision;
    lp_encoder *encoder;
    const lp_encoder_info *info;
    size_t threads, batch, width;
    float *images; /* [batch, 3, side, side], shared: read only */
    float **features, **scratch;
    double operations;
} bench;

static lp_error err;

static void check(lp_status status) {
    if (status != LP_OK) {
        (void)fprintf(stderr, "bench_encoder: %s\n", err.text);
        exit(1);
    }
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

/* ---- what the processor can do --------------------------------------------------------------- */

#if LP_X86

/* Twelve independent chains, by name so that they stay in registers: two units, each four or five
 * cycles deep, need eight or ten. */
#define FOUR(DO, i, j, k, l, bits) DO(i, bits) DO(j, bits) DO(k, bits) DO(l, bits)
#define CHAINS(DO, bits)                                                                           \
    FOUR(DO, 0, 1, 2, 3, bits)                                                                     \
    FOUR(DO, 4, 5, 6, 7, bits) FOUR(DO, 8, 9, 10, 11, bits)
#define BEGIN(i, bits) __m##bits x##i = _mm##bits##_set1_ps((float)i);
#define STEP(i, bits) x##i = _mm##bits##_fmadd_ps(x##i, a, b);
#define END(i, bits) *sink = _mm##bits##_cvtss_f32(x##i);
#define MULTIPLY_ADD(bits, features)                                                               \
    LP_TARGET(features)                                                                            \
    static double multiply_add_##bits(size_t rounds, volatile float *sink) {                       \
        const __m##bits a = _mm##bits##_set1_ps(0.999F), b = _mm##bits##_set1_ps(0.001F);          \
        CHAINS(BEGIN, bits)                                                                        \
        for (size_t r = 0; r < rounds; r++) {                                                      \
            CHAINS(STEP, bits)                                                                     \
        }                                                                                          \
        CHAINS(END, bits)                                                                          \
        return 2.0 * (bits / 32) * 12 * (double)rounds;                                            \
    }

MULTIPLY_ADD(512, "avx512f")
MULTIPLY_ADD(256, "avx2,fma")

#endif

/* Operations done; 0 where there is no loop for this processor. */
static double multiply_add(size_t rounds, volatile float *sink) {
#if LP_X86
    if (LP_SUPPORTS_512("avx512f")) {
        return multiply_add_512(rounds, sink);
    }
    if (LP_SUPPORTS_AVX2) {
        return multiply_add_256(rounds, sink);
    }
#endif
    (void)rounds;
    (void)sink;
    return 0;
}

/* Processor time of this thread: other programs on a shared machine do not count. */
static double thread_seconds(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

typedef struct race {
    size_t m, n, k; /* of a product; m = 0: multiply-adds in registers */
    double *best;   /* [threads]: operations a second */
} race;

static lp_status run_race(void *context, size_t index, size_t worker, lp_error *e) {
    const race *r = context;
    float *a = filled(r->m * r->k + 1), *w = filled(r->n * r->k + 1), *c = filled(r->m * r->n + 1);
    (void)worker;
    (void)e;
    for (int i = 0; i < 12; i++) {
        double start = thread_seconds(), done = 2.0 * (double)r->m * (double)r->n * (double)r->k;
        if (r->m > 0) {
            lp_gemm(false, true, r->m, r->n, r->k, 1, a, r->k, w, r->k, 0, c, r->n);
        } else {
            done = multiply_add(5000000, c);
        }
        double rate = done / (thread_seconds() - start);
        r->best[index] = rate > r->best[index] ? rate : r->best[index];
    }
    lp_free(a);
    lp_free(w);
    lp_free(c);
    return LP_OK;
}

/* The mean over the threads of their best. */
static double race_rate(const bench *b, size_t m, size_t n, size_t k) {
    race r = {m, n, k, lp_alloc_zeroed(b->threads, sizeof *r.best)};
    double sum = 0;
    if (r.best != NULL) {
        check(lp_parallel_for(b->threads, b->threads, run_race, &r, &err));
    }
    for (size_t t = 0; r.best != NULL && t < b->threads; t++) {
        sum += r.best[t];
    }
    lp_free(r.best);
    return 1e-9 * sum / (double)b->threads;
}

/* ---- the encoder ----------------------------------------------------------------------------- */

static double load(bench *b) {
    lp_encoder_options options = {.precision = b->precision, .threads = b->threads};
    lp_encoder_info info;
    lp_checkpoint *ckpt;
    lp_encoder_free(b->encoder);
    check(lp_checkpoint_open(b->path, &ckpt, &err));
    if (lp_encoder_recognise(ckpt, &options, &info, &err) == LP_ERR_UNSUPPORTED) {
        options.activation = LP_ACTIVATION_QUICK_GELU; /* nothing says it */
    }
    lp_checkpoint_close(ckpt);
    double start = lp_clock_seconds();
    check(lp_checkpoint_open(b->path, &ckpt, &err));
    check(lp_encoder_load(ckpt, &options, &b->encoder, &err));
    lp_checkpoint_close(ckpt);
    b->info = lp_encoder_describe(b->encoder);
    return lp_clock_seconds() - start;
}

static void count(void *context, const char *stage, double operations, double bytes) {
    bench *b = context;
    (void)stage;
    (void)bytes;
    b->operations += operations;
}

static lp_status run_batch(void *context, size_t index, size_t worker, lp_error *e) {
    bench *b = context;
    (void)index;
    return lp_encoder_run(b->encoder, b->images, b->batch, b->info->default_point,
                          b->features[worker], b->scratch[worker], NULL, e);
}

static void prepare(bench *b) {
    double seconds = load(b);
    b->batch = b->info->batch;
    b->width = lp_encoder_features(b->info, b->info->default_point);
    b->images = filled(b->batch * 3 * b->info->input_size * b->info->input_size);
    b->features = lp_alloc(b->threads, sizeof *b->features);
    b->scratch = lp_alloc(b->threads, sizeof *b->scratch);
    for (size_t t = 0; t < b->threads; t++) {
        b->features[t] = filled(b->batch * b->width);
        b->scratch[t] = filled(lp_encoder_scratch(b->encoder, b->batch));
    }
    const lp_observer observer = {.stage_done = count, .context = b};
    check(lp_encoder_run(b->encoder, b->images, b->batch, b->info->default_point, b->features[0],
                         b->scratch[0], &observer, &err));
    (void)printf(
        "name %s\nparameters %llu\ninput %zu\nload_seconds %.3f\nbatch %zu\noperations %.0f\n",
        b->info->name, (unsigned long long)b->info->parameters, b->info->input_size, seconds,
        b->batch, b->operations / (double)b->batch);
    print_memory();
    volatile float sink;
    if (multiply_add(1, &sink) > 0) {
        (void)printf("fma_gflops %.1f\n", race_rate(b, 0, 0, 0));
    }
    bool vit = b->info->mlp_width > 0;
    (void)printf("gemm_gflops %.1f\nsquare_gflops %.1f\nready 1\n",
                 vit ? race_rate(b, b->batch * b->info->tokens, b->info->mlp_width, b->info->width)
                     : race_rate(b, 1024, 1024, 1024),
                 race_rate(b, 1024, 1024, 1024));
    (void)fflush(stdout);
}

static void answer(bench *b) {
    char line[64];
    double each = 0; /* seconds of a batch on every thread */
    while (fgets(line, sizeof line, stdin) != NULL) {
        if (strcmp(line, "load\n") == 0) {
            (void)printf("load_seconds %.3f\n", load(b));
            (void)fflush(stdout);
            continue;
        }
        double seconds = strtod(line, NULL);
        size_t rounds = each > 0 && seconds > each ? (size_t)(seconds / each) : 1;
        double from = lp_clock_seconds(), images = (double)(rounds * b->threads * b->batch);
        clock_t worked = clock(); /* all threads */
        check(lp_parallel_for(b->threads, rounds * b->threads, run_batch, b, &err));
        double took = lp_clock_seconds() - from;
        double work = (double)(clock() - worked) / CLOCKS_PER_SEC;
        each = took / (double)rounds;
        (void)printf("images_per_second %.3f %.3f\n", images / took, images / work);
        (void)fflush(stdout);
    }
}

int main(int argc, char **argv) {
    lp_without_avx512 = argc >= 4 && strcmp(argv[argc - 1], "avx2") == 0;
    argc -= lp_without_avx512 ? 1 : 0;
    bench b = {.path = argv[1],
               .threads = argc >= 3 ? (size_t)strtoul(argv[2], NULL, 10) : 0,
               .precision = LP_PRECISION_FLOAT32};
    while (argc >= 4 && lp_precision_names[b.precision] != NULL &&
           strcmp(argv[3], lp_precision_names[b.precision]) != 0) {
        b.precision++;
    }
    if (b.threads == 0 || lp_precision_names[b.precision] == NULL) {
        (void)fprintf(stderr,
                      "usage: bench_encoder CHECKPOINT THREADS [bfloat16|int16|int8] [avx2]\n");
        return 2;
    }
    prepare(&b);
    answer(&b);
    for (size_t t = 0; t < b.threads; t++) {
        lp_free(b.features[t]);
        lp_free(b.scratch[t]);
    }
    lp_free(b.features);
    lp_free(b.scratch);
    lp_free(b.images);
    lp_encoder_free(b.encoder);
    return 0;
}
