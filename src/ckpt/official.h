/* The weight files that OpenAI published for CLIP: what they are called, where they lie, how long
 * they are, and the digest that proves one. */
#ifndef LP_CKPT_OFFICIAL_H
#define LP_CKPT_OFFICIAL_H

#include <stddef.h>
#include <stdint.h>

/* A file's address is this, its SHA-256, a slash and its file name. */
#define LP_OFFICIAL_URL "https://openaipublic.azureedge.net/clip/models/"

typedef struct lp_official {
    const char *name;  /* "ViT-B/32" */
    const char *title; /* "OpenAI CLIP ViT-B/32" */
    const char *file;  /* "ViT-B-32.pt" */
    uint64_t bytes;
    const char *sha256; /* 64 lower-case hexadecimal digits */
} lp_official;

/* All of them; *count is how many. */
const lp_official *lp_official_files(size_t *count);

/* By name ("ViT-B/32") or file name, and by digest; NULL when there is none. */
const lp_official *lp_official_named(const char *name);
const lp_official *lp_official_with_sha256(const char *sha256);

#endif
