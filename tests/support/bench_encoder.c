/* Measures an encoder on one thread, on images of zeros and a half (the time depends on sizes
 * alone), by the processor's time, so that other work on the machine counts little.
 *
 * usage: bench_encoder CHECKPOINT SECONDS BATCH...
 * Prints, for each batch size, the images a second of the fastest run. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "linprobe/encoder.h"

static double now(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char **argv) {
    lp_error err;
    lp_checkpoint *ckpt;
    lp_encoder *encoder;
    if (argc < 4 || lp_checkpoint_open(argv[1], &ckpt, &err) != LP_OK ||
        lp_encoder_load(ckpt, NULL, &encoder, &err) != LP_OK) {
        (void)fprintf(stderr, "%s\n",
                      argc < 4 ? "usage: bench_encoder CHECKPOINT SECONDS BATCH..." : err.text);
        return 1;
    }
    lp_checkpoint_close(ckpt);
    const lp_encoder_info *info = lp_encoder_describe(encoder);
    size_t pixels = 3 * info->input_size * info->input_size;
    size_t width = lp_encoder_features(info, info->default_point);
    double seconds = strtod(argv[2], NULL);
    for (int i = 3; i < argc; i++) {
        size_t batch = (size_t)strtoul(argv[i], NULL, 10);
        float *images = lp_alloc(batch, pixels * sizeof *images);
        float *features = lp_alloc(batch, width * sizeof *features);
        float *scratch = lp_alloc(lp_encoder_scratch(encoder, batch), sizeof *scratch);
        if (images == NULL || features == NULL || scratch == NULL) {
            (void)fprintf(stderr, "out of memory\n");
            return 1;
        }
        for (size_t j = 0; j < batch * pixels; j++) {
            images[j] = j % 2 == 0 ? 0 : 0.5F;
        }
        double best = 1e300;
        for (double start = now(), t = start; t - start < seconds;) {
            if (lp_encoder_run(encoder, images, batch, info->default_point, features, scratch, NULL,
                               &err) != LP_OK) {
                (void)fprintf(stderr, "%s\n", err.text);
                return 1;
            }
            double end = now();
            best = end - t < best ? end - t : best;
            t = end;
        }
        (void)printf("%s batch %zu: %.2f images/s, %zu MiB of scratch\n", info->name, batch,
                     (double)batch / best,
                     lp_encoder_scratch(encoder, batch) * sizeof *scratch / 1048576);
        lp_free(images);
        lp_free(features);
        lp_free(scratch);
    }
    lp_encoder_free(encoder);
    return 0;
}
