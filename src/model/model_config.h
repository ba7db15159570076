/* What the JSON files beside weights say of a model: config.json of transformers or timm,
 * open_clip_config.json, preprocessor_config.json, processor_config.json. */
#ifndef LP_MODEL_MODEL_CONFIG_H
#define LP_MODEL_MODEL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/note.h"
#include "linprobe/encoder.h"

struct lp_source;
struct lp_architecture;

enum { LP_CONFIG_ARCH = 320 };

typedef struct lp_model_config {
    const char *file; /* the one that said something; NULL: none is there, or none of this model */
    char arch[LP_CONFIG_ARCH]; /* what the weights' own file calls the model; "": nothing */
    bool arch_known;           /* and says so what weights do not show */
    const char *stranger;      /* one that is there, but of another model; or NULL */
    const struct lp_architecture *architecture; /* of timm's, where it is in the family's list */
    lp_activation activation; /* LP_ACTIVATION_AUTO: not said; so the zeros below */
    lp_pool pool;
    bool norm_after_pool;
    size_t heads;
    bool moco; /* the file's own name for the model is that of MoCo v3's ViT-S */
    float norm_eps;
    size_t window, pretrained[4]; /* of Swin V2: of its attention, and what it was made from, by
                                     stage */
    uint64_t square_blocks;       /* of transformers' EfficientNet: blocks that are padded as odd */
    size_t input;                 /* pixels a side that the model takes */
    bool has_preprocess;
    lp_preprocess preprocess; /* for the input that it names: its crop; 0: for the model's */
} lp_model_config;

/* What the weights say, and a config may, too. */
typedef struct lp_config_sizes {
    size_t width, layers;
    size_t patch;    /* 0: the family has none, or one alone */
    size_t features; /* channels of the features, where a neck follows; 0: width */
} lp_config_sizes;

/* Reads what is beside the checkpoint.  A config whose width, number of layers or patch size is
 * another is not believed.  One of this model must say nothing that is not computed: an
 * architecture or a key that the program does not know, or knows to be computed otherwise, is
 * LP_ERR_UNSUPPORTED with its name.  LP_ERR_FORMAT names the file. */
LP_MUST_USE lp_status lp_model_config_read(const struct lp_source *source,
                                           const lp_config_sizes *sizes, lp_model_config *out,
                                           lp_error *err);

/* Appends what the configs beside a checkpoint call the model (" (config.json beside it names
 * "resnet50d")") to a note, or nothing. */
void lp_model_config_name(const lp_checkpoint *ckpt, lp_note *note);

/* The config's preprocessing, which it has, for any input. */
void lp_model_config_preprocess(const lp_model_config *config, size_t input, lp_encoder_info *info);

#endif
