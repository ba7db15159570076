/* What is known of published encoders: names, addresses, sizes and checksums. */
#ifndef LP_CKPT_KNOWN_MODELS_H
#define LP_CKPT_KNOWN_MODELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/file.h"
#include "linprobe/status.h"

typedef struct lp_known_model {
    const char *name;       /* "clip-vit-b-32" */
    const char *alias;      /* what its publishers call it, "ViT-B/32" */
    const char *title;      /* "OpenAI CLIP ViT-B/32" */
    const char *family;     /* as in lp_encoder_info */
    const char *activation; /* "quick_gelu" or "gelu" where the family may have either, or NULL */
    /* NULL, 0: as the family says */
    const char *mean_std; /* by its name among lp_mean_std_names */
    const char *filter;   /* "bicubic" or "bilinear" */
    unsigned resize;      /* of the image's shorter side before the crop */
    unsigned input_size;
    uint64_t parameters; /* of the image encoder, without a classifier */
    const char *url;     /* of the file; of a model of the Hugging Face hub, its page */
    const char *file;    /* what it is called; NULL: as the address ends */
    const char *hub;    /* its id there, "timm/convnext_base.fb_in22k"; NULL: a file by itself.  Its
                           config says the rest, and the hub publishes the digests */
    uint64_t bytes;     /* of the file; 0 where only megabytes, or neither, is known */
    double megabytes;   /* 10^6 bytes, rounded; 0 where not known */
    const char *sha256; /* 64 lower-case digits, or the first ones where no more are published, or
                           NULL */
} lp_known_model;

/* The i-th of them, from 0; NULL behind the last. */
const lp_known_model *lp_known_model_at(size_t i);

/* The model of a name, alias, title, file name or id of the hub, or NULL.  Only letters and digits
 * count, in either case: "vit-b-32", "ViT_B_32" and "ViT-B/32" are the same. */
const lp_known_model *lp_known_model_named(const char *name);

/* The model of a file's SHA-256, by as many digits as are published of it, or NULL. */
const lp_known_model *lp_known_model_with_sha256(const char *sha256);

/* What its file is called; of a model of the hub, the last part of its id; of a checkpoint of
 * TensorFlow, with its folder: "r50_1x_sk1/model.ckpt-250228.index". */
const char *lp_known_model_file(const lp_known_model *model);

/* The one file of values of such a checkpoint, beside its index (lp_bundle_path): of its path, its
 * address or its name above. */
LP_MUST_USE lp_status lp_known_model_values(const char *index, char values[LP_PATH_ROOM],
                                            lp_error *err);

#endif
