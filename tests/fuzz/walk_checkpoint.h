/* What the targets of checkpoints do with one: open it, check its index, read what is small, ask
 * what encoder it is, and run it where it is tiny. */
#ifndef LP_TESTS_WALK_CHECKPOINT_H
#define LP_TESTS_WALK_CHECKPOINT_H

#include "fuzz.h"
#include "linprobe/encoder.h"

enum { FUZZ_VALUES = 1 << 14, FUZZ_READS = 64 };

static inline void fuzz_run_encoder(const lp_encoder *encoder) {
    const lp_encoder_info *info = lp_encoder_describe(encoder);
    lp_error err = {0};
    size_t side = info->input_size, width = lp_encoder_features(info, info->default_point);
    size_t scratch = lp_encoder_scratch(encoder, 2);
    if (side > 64 || scratch > 1 << 20 || info->layers > 4) {
        return;
    }
    float *images = calloc(2 * 3 * side * side, sizeof *images);
    float *features = malloc(2 * width * sizeof *features);
    float *floats = malloc(scratch * sizeof *floats);
    if (images != NULL && features != NULL && floats != NULL) {
        (void)fuzz_succeeds(
            lp_encoder_run(encoder, images, 2, info->default_point, features, floats, NULL, &err),
            &err);
    }
    free(images);
    free(features);
    free(floats);
}

static inline void fuzz_walk_checkpoint(const char *path, const lp_encoder_options *options) {
    lp_error err = {0};
    lp_checkpoint *ckpt;
    if (!fuzz_succeeds(lp_checkpoint_open(path, &ckpt, &err), &err)) {
        fuzz_require(ckpt == NULL, "no checkpoint after a failure");
        return;
    }
    static float values[FUZZ_VALUES];
    lp_tensor_read reads[FUZZ_READS];
    size_t used = 0, count = 0;
    for (size_t i = 0; i < lp_checkpoint_count(ckpt); i++) {
        const lp_tensor *t = lp_checkpoint_tensor(ckpt, i);
        size_t product = 1;
        for (int d = 0; d < t->rank; d++) {
            product *= t->shape[d];
        }
        fuzz_require(product == t->count, "a tensor's count to be that of its shape");
        fuzz_require(lp_checkpoint_find(ckpt, t->name) == t, "each tensor to be found by its name");
        if (t->dtype != LP_DTYPE_OTHER && count < FUZZ_READS && t->count <= FUZZ_VALUES - used) {
            reads[count++] = (lp_tensor_read){t, values + used};
            used += t->count;
        }
    }
    /* All at once, then one by one: the first failure must not hide the others. */
    if (!fuzz_succeeds(lp_checkpoint_read(ckpt, reads, count, 0, &err), &err)) {
        for (size_t i = 0; i < count && i < 8; i++) {
            (void)fuzz_succeeds(lp_checkpoint_read(ckpt, &reads[i], 1, 0, &err), &err);
        }
    }
    lp_encoder_info info;
    lp_encoder *encoder;
    if (fuzz_succeeds(lp_encoder_recognise(ckpt, options, &info, &err), &err) &&
        info.parameters <= FUZZ_VALUES &&
        fuzz_succeeds(lp_encoder_load(ckpt, options, &encoder, &err), &err)) {
        fuzz_run_encoder(encoder);
        lp_encoder_free(encoder);
    }
    lp_checkpoint_close(ckpt);
}

#endif
