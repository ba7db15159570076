/* A feature set.  First byte 0: the rest is a file (.npz, tensors, libsvm text).  1: chunk
 * labels.npy, the rest features.npy, in a .npz file.  Otherwise: chunks meta.json (empty: none) and
 * labels.npy, the rest features.npy, in a folder. */
#include "fuzz.h"
#include "linprobe/features.h"

static void fuzz_one(fuzz_input input) {
    char path[512];
    unsigned choice = fuzz_byte(&input);
    if (choice == 0) {
        (void)fuzz_write(path, "file", input, 0);
    } else if (choice == 1) {
        fuzz_zip zip = {0};
        fuzz_zip_add(&zip, "labels.npy", fuzz_chunk(&input));
        fuzz_zip_add(&zip, "features.npy", input);
        (void)fuzz_zip_write(&zip, path, "file");
    } else {
        fuzz_write_some(path, "meta.json", fuzz_chunk(&input), 0);
        (void)fuzz_write(path, "labels.npy", fuzz_chunk(&input), 0);
        (void)fuzz_write(path, "features.npy", input, 0);
        (void)snprintf(path, sizeof path, "%s", fuzz_folder());
    }
    lp_error err = {0};
    lp_features *set;
    if (!fuzz_succeeds(lp_features_open_any(path, &set, &err), &err)) {
        fuzz_require(set == NULL, "no feature set after a failure");
        return;
    }
    double sum = 0;
    for (size_t i = 0; i < set->count; i++) {
        fuzz_require(set->marks != NULL ||
                         (set->labels[i] >= 0 && (size_t)set->labels[i] < set->classes),
                     "labels below the number of classes");
        for (size_t k = 0; set->marks != NULL && k < set->classes; k++) {
            int8_t mark = set->marks[i * set->classes + k];
            fuzz_require(mark >= -1 && mark <= 1, "marks of -1, 0 or 1");
        }
        for (size_t j = 0; j < set->width; j++) {
            sum += (double)set->x[i * set->width + j];
        }
    }
    fuzz_require(sum - sum == 0.0 || sum > 0 || sum < 0, "values that are no NaN");
    for (size_t k = 0; set->class_names != NULL && k < set->classes; k++) {
        fuzz_require(set->class_names[k] != NULL, "a name for each class");
    }
    fuzz_require(strlen(set->digest) > 0, "a digest");
    lp_features_close(set);
}
