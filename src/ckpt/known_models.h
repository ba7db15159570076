/* What is known of published encoders: the one table of names, addresses, sizes and checksums. */
#ifndef LP_CKPT_KNOWN_MODELS_H
#define LP_CKPT_KNOWN_MODELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct lp_known_model {
    const char *name;       /* "clip-vit-b-32" */
    const char *alias;      /* what its publishers call it, "ViT-B/32" */
    const char *title;      /* "OpenAI CLIP ViT-B/32" */
    const char *family;     /* as in lp_encoder_info */
    const char *activation; /* "quick_gelu" or "gelu" where the family may have either, or NULL */
    unsigned input_size;
    unsigned resize;     /* of the image's shorter side before the crop; 0: as the family says */
    uint64_t parameters; /* of the image encoder, without a classifier */
    const char *url;
    uint64_t bytes;     /* of the file; 0 where only megabytes, or neither, is known */
    double megabytes;   /* 10^6 bytes, rounded; 0 where not known */
    const char *sha256; /* 64 lower-case digits, or the first ones where no more are published, or
                           NULL */
} lp_known_model;

/* All of them; *count is how many. */
const lp_known_model *lp_known_models(size_t *count);

/* The model of a name, alias, title or file name, or NULL.  Only letters and digits count, in
 * either case: "vit-b-32", "ViT_B_32" and "ViT-B/32" are the same. */
const lp_known_model *lp_known_model_named(const char *name);

/* The model of a file's SHA-256, by as many digits as are published of it, or NULL. */
const lp_known_model *lp_known_model_with_sha256(const char *sha256);

/* What its file is called. */
const char *lp_known_model_file(const lp_known_model *model);

#endif
