/* One row a key whose own words do not say enough. */
#include "report/words.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *key, *words;
} known[] = {
    {"C", "C (inverse of the regularisation strength)"},
    {"activation", "activation function"},
    {"at_edge", "the best C lies at the edge of the range"},
    {"bias", "constant feature (one-vs-rest)"},
    {"blas", "BLAS library"},
    {"blas_kernel", "BLAS kernels"},
    {"changed", "settings beside the model's own"},
    {"classes_not_converged", "classes that did not converge"},
    {"command", "command line"},
    {"correct", "images classified correctly"},
    {"count", "examples"},
    {"data_sha256", "SHA-256 of the images and labels"},
    {"feature", "taken at"},
    {"feature_format", "format version of the features"},
    {"float_resize", "resized in float32"},
    {"fused_multiply_add", "fused multiply-add"},
    {"gap", "relative distance to the optimum, at most"},
    {"gradient", "gradient, relative to that at zero"},
    {"heads", "attention heads"},
    {"held_out", "share held out for validation"},
    {"high", "largest C, power of ten"},
    {"input_size", "input, pixels a side"},
    {"inputs", "how the features were made"},
    {"iterations", "solver iterations"},
    {"lambda", "lambda = 1/C"},
    {"linprobe", "linprobe version"},
    {"low", "smallest C, power of ten"},
    {"made", "how it was made"},
    {"made_by", "made by"},
    {"max_iterations", "most iterations (0: the solver's default)"},
    {"mean", "mean of R, G, B"},
    {"mean_per_class", "mean accuracy per class, %"},
    {"mean_per_class_low", "mean accuracy per class, 95 % from"},
    {"mean_per_class_high", "mean accuracy per class, 95 % to"},
    {"norm_eps", "epsilon of the norms"},
    {"normalize", "each feature vector divided by its length"},
    {"objective", "objective at the solution"},
    {"official", "published file"},
    {"parameters", "parameters of the image encoder"},
    {"passes", "passes over the data"},
    {"path", "file or folder"},
    {"pool", "pooling"},
    {"preprocess", "preprocessing"},
    {"protocol", "choice of C"},
    {"refit", "final fit on"},
    {"reported", "reported by others"},
    {"resize", "shorter side resized to, pixels"},
    {"crop", "centre crop, pixels a side"},
    {"seed", "seed of random choices"},
    {"sha256", "SHA-256"},
    {"squash", "resized to a square"},
    {"std", "standard deviation of R, G, B"},
    {"steps_per_decade", "values of C a power of ten"},
    {"stopped_by", "ended by"},
    {"test_inputs", "how the test features were made"},
    {"test_rows_in_train", "test rows that are also in the training set"},
    {"test_rows_in_validation", "test rows that are also in the validation set"},
    {"test_sha256", "SHA-256 of the test set"},
    {"tolerance", "tolerance (0: the solver's default)"},
    {"top1", "top-1 accuracy, %"},
    {"top1_high", "top-1 accuracy, 95 % to"},
    {"top1_low", "top-1 accuracy, 95 % from"},
    {"top5", "top-5 accuracy, %"},
    {"top5_high", "top-5 accuracy, 95 % to"},
    {"top5_low", "top-5 accuracy, 95 % from"},
    {"train", "training set"},
    {"train_images", "training images"},
    {"train_inputs", "how the training features were made"},
    {"train_sha256", "SHA-256 of the training set"},
    {"test", "test set"},
    {"validation", "validation set"},
    {"weights_sha256", "SHA-256 of the weights"},
};

const char *lp_words_of(const char *key, char room[LP_WORDS]) {
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i].key, key) == 0) {
            return known[i].words;
        }
    }
    (void)snprintf(room, LP_WORDS, "%s", key);
    for (char *c = room; *c != '\0'; c++) {
        *c = *c == '_' ? ' ' : *c;
    }
    return room;
}
