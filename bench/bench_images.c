/* Times what stands before an encoder, one thread; bench/bench_encoder.py drives it beside
 * Pillow.
 *
 * usage: bench_images FILE SIDE OUT
 * FILE: a .png or .jpg file, decoded each time; or, of any other name, uint8 [32, 32, 3].  The
 * image is made ready as CLIP does it, for an input of SIDE pixels a side, and written to OUT,
 * float32 [3, SIDE, SIDE].  Then for every line "SECONDS" on standard input a line
 * "images_per_second R" of a run of about that long. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "data/image_file.h"
#include "linprobe/image.h"

typedef struct bench {
    lp_image_file file;
    bool encoded;
    lp_preprocessor *preprocessor;
    size_t room;
    unsigned char *rgb;
    float *tensor;
} bench;

static lp_error err;

static void check(lp_status status) {
    if (status != LP_OK) {
        (void)fprintf(stderr, "bench_images: %s\n", err.text);
        exit(1);
    }
}

static void *or_exit(void *memory) {
    if (memory == NULL) {
        (void)fprintf(stderr, "bench_images: out of memory\n");
        exit(1);
    }
    return memory;
}

/* From the file's bytes in memory to the tensor. */
static void run(bench *b) {
    size_t height = 32, width = 32;
    const unsigned char *rgb = b->file.bytes;
    if (b->encoded) {
        check(lp_image_file_size(&b->file, &height, &width, &err));
        if (height * width * 3 > b->room) {
            lp_free(b->rgb);
            b->room = height * width * 3;
            b->rgb = or_exit(lp_alloc(b->room, 1));
        }
        check(lp_image_file_decode(&b->file, b->rgb, &err));
        rgb = b->rgb;
    }
    check(lp_preprocessor_run(b->preprocessor, rgb, height, width, b->tensor, &err));
}

static double rate(bench *b, double seconds) {
    size_t count = 0;
    double start = lp_clock_seconds(), took = 0;
    for (; took < seconds; took = lp_clock_seconds() - start) {
        run(b);
        count++;
    }
    return (double)count / took;
}

int main(int argc, char **argv) {
    size_t side = argc == 4 ? (size_t)strtoul(argv[2], NULL, 10) : 0;
    if (side == 0) {
        (void)fprintf(stderr, "usage: bench_images FILE SIDE OUT\n");
        return 2;
    }
    const lp_preprocess clip = {.resize = side,
                                .crop = side,
                                .filter = LP_FILTER_BICUBIC,
                                .mean = {0.48145466F, 0.4578275F, 0.40821073F},
                                .std = {0.26862954F, 0.26130258F, 0.27577711F}};
    bench b = {.file.path = argv[1]};
    const char *ending = strrchr(argv[1], '.');
    char *bytes;
    b.encoded = ending != NULL && (strcmp(ending, ".jpg") == 0 || strcmp(ending, ".png") == 0);
    check(lp_file_read(argv[1], 1 << 28, &bytes, &b.file.size, &err));
    b.file.bytes = (const unsigned char *)bytes;
    if (!b.encoded && b.file.size != (size_t)32 * 32 * 3) {
        (void)fprintf(stderr, "bench_images: %s: expected 3072 bytes, found %zu\n", argv[1],
                      b.file.size);
        return 1;
    }
    check(lp_preprocessor_new(&clip, &b.preprocessor, &err));
    b.tensor = or_exit(lp_alloc(3 * side * side, sizeof *b.tensor));
    run(&b);
    check(lp_file_write(argv[3], b.tensor, 3 * side * side * sizeof *b.tensor, &err));
    (void)printf("ready 1\n");
    (void)fflush(stdout);
    char line[64];
    while (fgets(line, sizeof line, stdin) != NULL) {
        (void)printf("images_per_second %.3f\n", rate(&b, strtod(line, NULL)));
        (void)fflush(stdout);
    }
    lp_preprocessor_free(b.preprocessor);
    lp_free(b.rgb);
    lp_free(b.tensor);
    lp_free(bytes);
    return 0;
}
