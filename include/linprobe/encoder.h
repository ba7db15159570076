/* linprobe/encoder.h: a frozen image encoder, from a checkpoint to feature vectors.
 *
 *     static float images[3 * 224 * 224], features[512]; // one preprocessed image; F = 512
 *     lp_error err;
 *     lp_checkpoint *ckpt;
 *     lp_encoder *encoder = NULL;
 *     float *scratch = NULL; // each thread has its own
 *     lp_status status = lp_checkpoint_open("ViT-B-32.pt", &ckpt, &err);
 *     if (status == LP_OK)
 *         status = lp_encoder_load(ckpt, NULL, &encoder, &err);
 *     lp_checkpoint_close(ckpt);
 *     if (status == LP_OK)
 *         scratch = (float *)malloc(lp_encoder_scratch(encoder, 1) * sizeof(float));
 *     if (scratch != NULL)
 *         status = lp_encoder_run(encoder, images, 1, lp_encoder_describe(encoder)->default_point,
 *                                 features, scratch, NULL, &err);
 *     if (status != LP_OK)
 *         fprintf(stderr, "%s\n", err.text);
 *     free(scratch);
 *     lp_encoder_free(encoder);
 */
#ifndef LINPROBE_ENCODER_H
#define LINPROBE_ENCODER_H

#include <stddef.h>
#include <stdint.h>
#include "linprobe/checkpoint.h"
#include "linprobe/image.h"
#include "linprobe/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where the feature is taken. */
typedef enum lp_feature_point {
    LP_FEATURE_PROJECTED,  /* after the projection to the embedding space (CLIP's encode_image) */
    LP_FEATURE_PENULTIMATE /* before it: the class token after the last layer norm */
} lp_feature_point;

const char *lp_feature_point_name(lp_feature_point point); /* "projected", "penultimate" */

/* The nonlinearity inside a transformer's MLP.  Tensor names do not tell it. */
typedef enum lp_activation {
    LP_ACTIVATION_AUTO,       /* as the family has it */
    LP_ACTIVATION_GELU,       /* x Phi(x), by erf */
    LP_ACTIVATION_QUICK_GELU, /* x sigmoid(1.702 x) */
    LP_ACTIVATION_GELU_TANH   /* GELU's approximation by tanh */
} lp_activation;

/* How tokens, or places of a feature map, become one vector. */
typedef enum lp_pool {
    LP_POOL_AUTO,     /* as the family has it */
    LP_POOL_CLASS,    /* the class token */
    LP_POOL_MEAN,     /* the mean over patches or places */
    LP_POOL_ATTENTION /* attention of a learnt query */
} lp_pool;

/* What a vision transformer's blocks multiply: float32, or 8-bit integers, which is faster and less
 * exact (docs/MODEL.md). */
typedef enum lp_precision { LP_PRECISION_FLOAT32, LP_PRECISION_INT8 } lp_precision;

const char *lp_precision_name(lp_precision precision); /* "float32", "int8" */

/* Mean and standard deviation of the preprocessing: names for the usual ones. */
typedef enum lp_mean_std {
    LP_MEAN_STD_AUTO, /* as the family has it */
    LP_MEAN_STD_HALF, /* 0.5, 0.5 */
    LP_MEAN_STD_IMAGENET,
    LP_MEAN_STD_CLIP
} lp_mean_std;

const char *lp_activation_name(lp_activation activation); /* "gelu", "quick_gelu", "gelu_tanh" */
const char *lp_pool_name(lp_pool pool);                   /* "cls", "mean", "attention" */

/* What a caller knows better than the file.  All zero: everything as the model was trained.  What
 * a family cannot do is LP_ERR_ARGUMENT. */
typedef struct lp_encoder_options {
    lp_activation activation;
    lp_activation activation_if_unknown; /* for a model that nothing else tells it of */
    lp_pool pool;
    size_t input_size; /* pixels a side; 0: as trained */
    size_t heads;      /* of attention; 0: as the family has it */
    lp_mean_std mean_std;
    lp_precision precision;
    size_t threads; /* that load the weights; 0 = all processors; never changes the result */
} lp_encoder_options;

/* What an encoder is.  patch, tokens, heads and mlp_width are 0 where a model has none. */
typedef struct lp_encoder_info {
    char name[64];          /* "CLIP ViT-B/32", from the dimensions */
    const char *family;     /* "clip-vit", "timm-vit" */
    const char *activation; /* "quick_gelu", "gelu" */
    const char *pool;       /* "cls", "mean", "attention" */
    const char *precision;  /* "float32", "int8" */
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
    const char *config; /* the file beside the weights that told some of this, or NULL */
    const char *note;   /* what is assumed because nothing tells, or NULL */
} lp_encoder_info;

typedef struct lp_encoder lp_encoder;

/* Recognises the architecture from tensor names and shapes; reads no weight.  options may be NULL.
 * LP_ERR_UNSUPPORTED when no family matches; the message lists what was looked for.  LP_ERR_FORMAT
 * lists every missing or misshapen tensor at once.  After a failure info->name tells
 * whether dimensions and feature points are known all the same. */
LP_MUST_USE lp_status lp_encoder_recognise(lp_checkpoint *ckpt, const lp_encoder_options *options,
                                           lp_encoder_info *info, lp_error *err);

/* Recognises, then reads the weights as float32, on options->threads threads.  The checkpoint may
 * be closed afterwards. */
LP_MUST_USE lp_status lp_encoder_load(lp_checkpoint *ckpt, const lp_encoder_options *options,
                                      lp_encoder **encoder, lp_error *err);
void lp_encoder_free(lp_encoder *encoder);

const lp_encoder_info *lp_encoder_describe(const lp_encoder *encoder);

/* Width F of a feature point; 0 where the model does not have it. */
size_t lp_encoder_features(const lp_encoder_info *info, lp_feature_point point);

/* Floats of scratch memory that a run over `batch` images needs. */
size_t lp_encoder_scratch(const lp_encoder *encoder, size_t batch);

/* Sees the activations on their way: `stage` names them, values is float32 [rows, columns], valid
 * during the call.  For tests and for finding where two programs part.  In order:
 *   "patches"      [batch * (T - 1), D]  the patch embedding, with its bias
 *   "tokens"       [batch * T, D]  class token and patches, positions added
 *   "norm_pre"     [batch * T, D]  CLIP only
 *   "block I"      [batch * T, D]  I from 0; the last block [batch, D], its class tokens alone
 * of a ResNet, pixels as rows of channels:
 *   "stem"         [batch * pixels, channels]  after its pooling
 *   "layerS.I"     [batch * pixels, channels]  stage S from 1, block I from 0
 *   "tokens"       [batch * T, D]  CLIP only: the mean and the pixels, positions added
 * and of all:
 *   "penultimate"  [batch, D]
 *   "projected"    [batch, E]  at LP_FEATURE_PROJECTED */
typedef void (*lp_see)(void *context, const char *stage, const float *values, size_t rows,
                       size_t columns);

/* Is called at the end of each piece of work, in order, so that a caller with a clock can tell
 * where the time goes.  A piece begins where the one before ended, the first with the run; the same
 * stage comes again and again.  What follows the last one (nothing but the return) has no name.
 *   stage       what it was; lives as long as the program.
 *               Of a vision transformer: "cut" (pixels to rows), "patches", "tokens" (positions),
 *               "norm", "qkv", "attention", "class attention" (a last block that only the class
 *               token leaves: all of its attention but "out"), "out", "mlp 1", "gate", "mlp 2",
 *               "pool", "projection".
 *               Of a ResNet: "stem", "conv 1x1", "conv 3x3", "winograd 3x3" (with fewer products),
 *               "pool", "attention", "projection"
 *   operations  floating-point, two for each multiplication with its addition that was really done;
 *               those of norms, activations, softmax and pooling, and Winograd's additions, are not
 *               counted
 *   bytes       of the inputs, weights and outputs of the piece, each once, however often the
 *               caches really asked for them */
typedef void (*lp_lap)(void *context, const char *stage, double operations, double bytes);

/* Who looks on; see and lap may be NULL.  They do not change what comes out. */
typedef struct lp_tap {
    lp_see see;
    lp_lap lap;
    void *context; /* of both */
} lp_tap;

/* Encodes images, float32 [batch, 3, input_size, input_size], preprocessed, into features, float32
 * [batch, F], row-major.  scratch: lp_encoder_scratch(encoder, batch) floats.  tap may be NULL.
 * Single-threaded; safe to call from several threads with different scratch.  Allocates nothing.
 * LP_ERR_ARGUMENT when the model has no such feature point. */
LP_MUST_USE lp_status lp_encoder_run(const lp_encoder *encoder, const float *images, size_t batch,
                                     lp_feature_point point, float *features, float *scratch,
                                     const lp_tap *tap, lp_error *err);

#ifdef __cplusplus
}
#endif
#endif
