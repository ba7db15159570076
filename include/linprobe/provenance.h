/* linprobe/provenance.h: what a feature set was made from, and whether two sets go together.
 *
 * Extraction fills it, meta.json keeps it, and everything after the feature set reads these fields.
 *
 *     lp_features *train, *test;
 *     lp_error err;
 *     if (lp_features_open("features/train", &train, &err) == LP_OK &&
 *         lp_features_open("features/test", &test, &err) == LP_OK &&
 *         lp_provenance_match(train->provenance, "of features/train", test->provenance,
 *                             "features/test", &err) == LP_OK) {
 *         printf("%s on %s\n", test->provenance->encoder.name, test->provenance->data.name);
 *     }
 */
#ifndef LINPROBE_PROVENANCE_H
#define LINPROBE_PROVENANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "linprobe/checkpoint.h"
#include "linprobe/dataset.h"
#include "linprobe/image.h"
#include "linprobe/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How images became features.  Texts are NULL and numbers 0 where they are not recorded. */
typedef struct lp_encoding {
    const char *family;  /* "clip-vit", "timm-vit", ...; "pixels": no encoder, pixels / 255 */
    const char *feature; /* the feature point, "projected" or "penultimate"; or "pixels" */
    bool normalize;      /* each feature vector was divided by its Euclidean norm */
    /* The rest is of an encoder; activation is NULL where there was none. */
    const char *activation; /* "quick_gelu", "gelu", ... */
    const char *pool;       /* "cls", "mean", "attention" or "cls+mean" */
    const char *blocks;     /* of which the features are, "9-12"; NULL: of the last one */
    const char *precision;  /* "float32", "bfloat16", "int16" or "int8" */
    size_t heads;           /* of attention; 0: none */
    float norm_eps;
    lp_preprocess preprocess; /* crop_rule: LP_CROP_ROUND also where it changes no image */
    const char *resize_rule;  /* LP_RESAMPLE_RULE of the version that made it; NULL: made before
                                 there was one, of square images, which it does not change, or
                                 resized in float32 */
    lp_origin weights;
    const char *select; /* of several encoders in the file, where this one lies; NULL: only one */
    /* What describes it, and decides nothing. */
    const char *name; /* "CLIP ViT-B/32" */
    bool changed;     /* by an option: a setting, such as the pool, is not the model's own */
    size_t input_size, width, layers, parameters;
} lp_encoding;

/* Which images.  The arrays of names belong to the provenance. */
typedef struct lp_data_record {
    const char *sha256; /* of the records in their order; NULL: not recorded */
    lp_split split;
    lp_label_kind labels;
    size_t images; /* N */
    /* What describes them. */
    const char *name;                    /* "CIFAR-100", or a folder's name; NULL: not recorded */
    const char *set;                     /* of a set by name: "cifar-100"; else NULL */
    size_t part;                         /* images of the whole part, where some are left out:
                                            broken, or not chosen; else 0 */
    size_t per_class, limit;             /* as lp_dataset_options; 0: all were chosen */
    size_t choice_seed;                  /* of that choice */
    const char *source;                  /* the path they were read from */
    const char *official;                /* the official file that they are, or NULL */
    size_t classes;                      /* K; 0: not recorded */
    const char *const *class_names;      /* [K], or NULL */
    const int64_t *superclass_of;        /* [K], each below superclasses, or NULL */
    const char *const *superclass_names; /* [superclasses] */
    size_t superclasses;
    /* How a folder of images was opened, to open it again. */
    bool image_folder;
    double test_share; /* 0: the folder has a split of its own */
    size_t split_seed;
    size_t ignored;                   /* hidden files, and files that are no images by their name */
    size_t skipped;                   /* broken images that were left out */
    const char *const *skipped_names; /* [skipped] */
} lp_data_record;

/* One of several sets whose features stand side by side. */
typedef struct lp_part {
    const char *path;
    const char *sha256; /* of its arrays */
    size_t width;       /* its share of the features */
    const struct lp_provenance *provenance;
} lp_part;

/* All of it.  Every string and array belongs to whoever made the struct: lp_features for a set that
 * was opened, lp_probe for the set that a probe was trained on. */
typedef struct lp_provenance {
    bool recorded; /* the inputs are known; false: the set comes from elsewhere, and what is not
                      NULL or 0 is all that is known */
    lp_encoding encoder;
    lp_data_record data;
    const char *linprobe;    /* version that made it */
    const char *sha256;      /* of the set's arrays as it was recorded with them, or NULL */
    const char *command;     /* its command line, or NULL */
    bool fused_multiply_add; /* of the processor; the last bits of features depend on it */
    const lp_part *parts;    /* [part_count], of a set that several make up; it has the data record
                                of the first, and nothing else is recorded of the whole */
    size_t part_count;       /* 0: a set by itself */
} lp_provenance;

/* Whether a probe that was trained on one set may be tested on the other: they were made in the
 * same way (part by part, where they have parts), and no image of a folder that was split by a seed
 * can be in both.  A set that records
 * nothing goes with every other (NULL is such a set).  `trained_name` ends the sentence "its
 * features were not made as those ..."; `tested_name` is the tested set's path.  LP_ERR_ARGUMENT
 * names the first thing that differs.  Thread-safe. */
LP_MUST_USE lp_status lp_provenance_match(const lp_provenance *trained, const char *trained_name,
                                          const lp_provenance *tested, const char *tested_name,
                                          lp_error *err);

#ifdef __cplusplus
}
#endif
#endif
