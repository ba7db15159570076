/* linprobe/features.h: a feature set on disk, the waist between encoders and classifiers.
 *
 * A feature set is a folder with features.npy (float32 [N, F], row-major), labels.npy (int64 [N])
 * and meta.json (how it was made).  NumPy opens the arrays as they are; arrays that NumPy wrote are
 * read too (meta.json may be missing), and so is one .npz, PyTorch or safetensors file with arrays
 * features and labels, and libsvm text.
 * Labels of other programs: [N] or [N, 1]; whole numbers, also as floats; -1 and 1 as two classes;
 * or texts, the names of the classes, which are numbered by meta.json's class_names, else in the
 * order of their bytes; of several labels an image (multi-label), a matrix [N, K] of 0 and 1, and
 * of -1 where an image counts as neither.
 *
 *     lp_error err;
 *     lp_features *train;
 *     if (lp_features_open("features/train", &train, &err) == LP_OK)
 *         printf("%g is of class %d\n", (double)train->x[0], (int)train->labels[0]);
 *     else
 *         fprintf(stderr, "%s\n", err.text);
 *     lp_features_close(train);
 */
#ifndef LINPROBE_FEATURES_H
#define LINPROBE_FEATURES_H

#include <stddef.h>
#include <stdint.h>
#include "linprobe/provenance.h"
#include "linprobe/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lp_features {
    const char *path;
    size_t count;                    /* N */
    size_t width;                    /* F */
    size_t classes;                  /* K: from meta.json, else 1 + the largest label */
    const float *x;                  /* float32 [N, F], row-major; mapped where it can be */
    const int64_t *labels;           /* int64 [N], each in 0 .. K-1; NULL where there are marks */
    const char *const *class_names;  /* [K], or NULL */
    const char *digest;              /* SHA-256 of features.npy followed by labels.npy */
    const lp_provenance *provenance; /* from meta.json; NULL where there is none */
    const int8_t *marks; /* of several labels an image, else NULL: int8 [N, K], row-major; 1: of the
                            class, 0: not, -1: neither an example of it nor of the others */
} lp_features;

/* Opens a feature set and checks it: shapes agree, every value is finite (LP_ERR_DATA names the
 * row), labels are in range.  LP_ERR_UNSUPPORTED: a set of several labels an image.
 *
 * Where nothing lies at `path` and it names several sets, "a/train+b/train", they are opened as
 * one, their features side by side in this order: in memory, 4 N F bytes.  LP_ERR_ARGUMENT: they
 * have other numbers of rows, other labels, other classes or other images; the text says which
 * differ first.  The digest is then that of the parts' digests, one a line. */
LP_MUST_USE lp_status lp_features_open(const char *path, lp_features **features, lp_error *err);

/* The same for callers that know what to do with several labels an image, too. */
LP_MUST_USE lp_status lp_features_open_any(const char *path, lp_features **features, lp_error *err);
void lp_features_close(lp_features *features);

#ifdef __cplusplus
}
#endif
#endif
