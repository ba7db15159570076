/* linprobe/encoder.h: a frozen image encoder, from a checkpoint to feature vectors.
 *
 * lp_encoder_load, then lp_encoder_describe and lp_encoder_run as often as wanted, then
 * lp_encoder_free.
 *
 *     #include <stdio.h>
 *     #include <stdlib.h>
 *     #include "linprobe/encoder.h"
 *
 *     int main(void) {
 *         lp_error err;
 *         lp_checkpoint *ckpt = NULL;
 *         lp_encoder *encoder = NULL;
 *         if (lp_checkpoint_open("ViT-B-32.pt", &ckpt, &err) != LP_OK ||
 *             lp_encoder_load(ckpt, NULL, &encoder, &err) != LP_OK) {
 *             fprintf(stderr, "%s\n", err.text);
 *             lp_checkpoint_close(ckpt);
 *             return 1;
 *         }
 *         lp_checkpoint_close(ckpt);
 *         const lp_encoder_info *info = lp_encoder_describe(encoder);
 *         size_t side = info->input_size, width = lp_encoder_features(info, LP_FEATURE_DEFAULT);
 *         float *images = (float *)calloc(3 * side * side, sizeof(float)); // one; see image.h
 *         float *scratch = (float *)calloc(lp_encoder_scratch(encoder, 1), sizeof(float));
 *         float *features = (float *)calloc(width, sizeof(float));
 *         if (images != NULL && scratch != NULL && features != NULL &&
 *             lp_encoder_run(encoder, images, 1, LP_FEATURE_DEFAULT, features, scratch, NULL,
 *                            &err) == LP_OK) {
 *             printf("%s: %g ...\n", info->name, (double)features[0]);
 *         }
 *         free(images);
 *         free(scratch);
 *         free(features);
 *         lp_encoder_free(encoder);
 *         return 0;
 *     }
 */
#ifndef LINPROBE_ENCODER_H
#define LINPROBE_ENCODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "linprobe/checkpoint.h"
#include "linprobe/choices.h"
#include "linprobe/image.h"
#include "linprobe/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The size that an image is resized to: the shorter side, or both (squash).  side 0: as trained. */
typedef struct lp_resize_to {
    size_t side;
    bool squash;
} lp_resize_to;

/* Blocks of a transformer, counted from 1, both included.  Zeros: the last one alone. */
typedef struct lp_layers {
    size_t first, last;
} lp_layers;

/* What a caller knows better than the file.  All zero: everything as the model was trained.  What
 * a family cannot do is LP_ERR_ARGUMENT. */
typedef struct lp_encoder_options {
    lp_activation activation;
    lp_pool pool;
    /* Features are the vectors of all these blocks side by side, in rising order, each what the
     * model would give if it ended there; LP_POOL_CLASS_MEAN: their class tokens, then the mean of
     * the last one's patches.  They have no projection, unless they are the last class token or
     * mean alone. */
    lp_layers layers;
    size_t input_size; /* pixels a side; 0: as trained.  The resize changes in proportion */
    size_t heads;      /* of attention; 0: as the family has it */
    lp_mean_std mean_std;
    lp_resize_to resize; /* before the crop */
    size_t crop; /* pixels a side of the centre crop, which is the input; 0: as trained.  The
                    resize stays as it is */
    lp_filter_choice filter;
    lp_precision precision;
    size_t threads;     /* that load the weights; 0 = all processors; never changes the result */
    const char *select; /* of several encoders in a file, the one at this key of a dictionary or
                           prefix of names; NULL: the best by the order in docs/FORMATS.md */
} lp_encoder_options;

/* What an encoder is.  patch, tokens, heads and mlp_width are 0 where a model has none. */
typedef struct lp_encoder_info {
    char name[64];          /* "CLIP ViT-B/32", from the dimensions */
    const char *family;     /* "clip-vit", "timm-vit" */
    const char *activation; /* "quick_gelu", "gelu" */
    const char *pool;       /* "cls", "mean", "attention", "cls+mean" */
    char blocks[48];        /* whose vectors are features: "9-12"; "": the last one's alone */
    const char *precision;  /* "float32", "bfloat16", "int16", "int8" */
    bool slow_precision;    /* this processor multiplies float32 as fast or faster; features do not
                               depend on it */
    float norm_eps;         /* of layer norms, or of batch norms */
    size_t input_size;      /* pixels a side */
    size_t patch;           /* pixels a side */
    size_t tokens;          /* T, with the class token */
    size_t width;           /* D */
    size_t heads;           /* NH */
    size_t layers;
    size_t mlp_width;
    size_t batch;        /* images a run that suit the processor's caches */
    size_t projected;    /* F at LP_FEATURE_PROJECTED, 0 where the model has no projection */
    size_t penultimate;  /* F at LP_FEATURE_PENULTIMATE */
    uint64_t parameters; /* of the image encoder */
    lp_feature_point default_point; /* projected where there is a projection */
    lp_preprocess preprocess;       /* as the model was trained */
    lp_origin origin;               /* of the weights; empty after lp_encoder_recognise */
    bool changed;           /* an option changed a setting, or the model cannot be loaded without
                               one.  Precision does not count.  Always false after
                               lp_encoder_recognise */
    const char *config;     /* the file beside the weights that said some of this, or NULL */
    char architecture[320]; /* what the file itself calls the model, and where: "resnet50" (arch) */
    char assumed[400]; /* what nothing says, by the names of the options: "heads 12"; "": nothing */
    char prefix[160];  /* what the encoder's names begin with in the file: "visual." */
    bool one_of_several; /* the file holds other whole encoders, too */
    char selection[480]; /* other encoders in the file and what was passed over; "": nothing */
} lp_encoder_info;

typedef struct lp_encoder lp_encoder;

/* Recognises the architecture from names and shapes of tensors, from a config beside the file, and
 * a published file from its SHA-256, which the checkpoint keeps.  Reads no weight, but for fixed
 * positions that tell a model from others of its shape.  options may be NULL.  Like every call on
 * the checkpoint, from one thread at a time.  After a failure info->name is "" unless dimensions
 * and feature points are known all the same.
 *   LP_ERR_UNSUPPORTED  no family matches (the message lists what was looked for), a config names
 *                       something that is not implemented, or neither weights nor config say the
 *                       activation or the number of heads (the message names the option)
 *   LP_ERR_FORMAT       tensors are missing, misshapen or too many (all are listed at once), or a
 *                       config is not valid
 *   LP_ERR_ARGUMENT     an option that the model does not allow
 *   LP_ERR_IO, LP_ERR_MEMORY */
LP_MUST_USE lp_status lp_encoder_recognise(lp_checkpoint *ckpt, const lp_encoder_options *options,
                                           lp_encoder_info *info, lp_error *err);

/* As lp_encoder_recognise, and reads and packs the weights on options->threads threads.  The
 * checkpoint may be closed afterwards; *encoder is the caller's, for lp_encoder_free, and NULL on
 * failure.  Statuses: those of lp_encoder_recognise, and LP_ERR_DATA for a weight that is NaN or
 * infinite. */
LP_MUST_USE lp_status lp_encoder_load(lp_checkpoint *ckpt, const lp_encoder_options *options,
                                      lp_encoder **encoder, lp_error *err);
void lp_encoder_free(lp_encoder *encoder); /* NULL: does nothing */

/* Lives as long as the encoder. */
const lp_encoder_info *lp_encoder_describe(const lp_encoder *encoder);

/* The feature point that LP_FEATURE_DEFAULT stands for; any other is returned as it is. */
lp_feature_point lp_encoder_point(const lp_encoder_info *info, lp_feature_point asked);

/* Width F of a feature point; 0 where the model does not have it. */
size_t lp_encoder_features(const lp_encoder_info *info, lp_feature_point point);

/* Floats of scratch memory that a run over `batch` images needs; SIZE_MAX where their number does
 * not fit. */
size_t lp_encoder_scratch(const lp_encoder *encoder, size_t batch);

/* Called with the values of each stage as they are computed: `stage` names it, values is float32
 * [rows, columns], valid during the call.  For tests, and for finding where two programs begin to
 * differ.  Of a vision transformer, in order:
 *   "patches"      [batch * (T - 1), D]  the patch embedding, with its bias
 *   "tokens"       [batch * T, D]  class token and patches, positions added
 *   "norm_pre"     [batch * T, D]  CLIP only
 *   "block I"      [batch * T, D]  I from 0; the last block [batch, D], its class tokens alone
 * of a ResNet, pixels as rows of channels:
 *   "stem"         [batch * pixels, channels]  after its pooling
 *   "layerS.I"     [batch * pixels, channels]  stage S from 1, block I from 0
 *   "tokens"       [batch * T, D]  CLIP only: the mean and the pixels, positions added
 * of a described network (docs/MODEL.md), pixels as rows of channels: its stages by the names of
 *   their modules, as "stem", "stages.S.blocks.I"
 * and of all:
 *   "penultimate"  [batch, D]
 *   "projected"    [batch, E]  at LP_FEATURE_PROJECTED */
typedef void (*lp_observe_stage)(void *context, const char *stage, const float *values, size_t rows,
                                 size_t columns);

/* Called at the end of each piece of work, in order, so that a caller with a clock can say where
 * the time goes.  A piece begins where the one before it ended, and the first one where the run
 * began; the same stage comes again and again.  Nothing but the return follows the last one.
 *   stage       what it was; lives as long as the program.
 *               Of a vision transformer: "cut" (pixels to rows), "patches", "tokens" (positions),
 *               "norm", "qkv", "attention", "out", "mlp 1", "gate", "mlp 2", "pool", "projection";
 *               "class attention" is "qkv" and "attention" of a last block from which only the
 *               class token is used.
 *               Of a ResNet: "stem", "conv 1x1", "conv 3x3", "winograd 3x3" (with fewer products),
 *               "pool", "attention", "projection".
 *               Of a described network, of those above what it has, "depthwise", and "expanded
 *               depthwise", which is a "conv 1x1" and the "depthwise" that reads it
 *   operations  floating-point, two for each multiplication with its addition that was really done;
 *               those of norms, activations, softmax and pooling, and Winograd's additions, are not
 *               counted
 *   bytes       of the inputs, weights and outputs of the piece, each counted once, however often
 *               the caches really asked for them */
typedef void (*lp_stage_done)(void *context, const char *stage, double operations, double bytes);

/* Callbacks of a run; each may be NULL.  They do not change the features. */
typedef struct lp_observer {
    lp_observe_stage observe_stage;
    lp_stage_done stage_done;
    void *context; /* of both */
} lp_observer;

/* Encodes images, float32 [batch, 3, input_size, input_size], preprocessed (image.h), into
 * features, float32 [batch, F], row-major, F = lp_encoder_features(info, point).  scratch:
 * lp_encoder_scratch(encoder, batch) floats.  observer may be NULL.  Runs in the calling thread,
 * and in several at once with a scratch each; allocates nothing.  An image's features do not depend
 * on the others of its batch. LP_ERR_ARGUMENT  the model has no such feature point, or the batch is
 * too large */
LP_MUST_USE lp_status lp_encoder_run(const lp_encoder *encoder, const float *images, size_t batch,
                                     lp_feature_point point, float *features, float *scratch,
                                     const lp_observer *observer, lp_error *err);

#ifdef __cplusplus
}
#endif
#endif
