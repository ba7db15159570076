/* The words of a network's description, and the network before it runs.
 *
 *     static void build(lp_net_builder *b) {
 *         lp_net_at(b, "stem.");
 *         size_t x = lp_net_conv(b, 0, "0", &(lp_net_conv_spec){.taps = 4, .stride = 4, ...});
 *         for (size_t i = 0; i < lp_net_count(b, "blocks."); i++) {
 *             lp_net_at(b, "blocks.%zu.", i);
 *             size_t h = lp_net_conv(b, x, "conv_dw", &(lp_net_conv_spec){.depthwise = true, ...});
 *             lp_net_mlp(b, h, x, &(lp_net_mlp_spec){.norm = "norm", ...});
 *         }
 *         b->net->penultimate = lp_net_mean(b, x);
 *     }
 *
 * Names are those of the family's layout, behind the place that lp_net_at says.  Channels of an
 * output are taken from the weight's shape.  A weight that is missing becomes a problem of the
 * plan; a description is built to its end all the same.  Each word returns the number of the map
 * that it makes.
 *
 * A weight's life: planned here, read into one arena as the file has it, packed into its own place
 * there (net_pack.c), run.  What has fewer bits when it is packed is read only then, and has no
 * more of the arena than that takes. */
#ifndef LP_MODEL_NET_BUILD_H
#define LP_MODEL_NET_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include "base/memory.h"
#include "model/net.h"
#include "model/positions.h"
#include "model/weight_plan.h"

/* A convolution over the same input as another one, with a batch norm, to whose weights it is
 * added. */
typedef struct lp_net_branch {
    float *weight; /* [out, in, taps, taps], in the kernel's middle; NULL: the input as it is */
    size_t taps;
    float *norm_scale, *shift, *mean, *variance; /* [out] */
    bool taken_off;                              /* it counts negatively */
} lp_net_branch;

/* One layer's weights as the file has them; of VECTORS weight and bias alone. */
typedef struct lp_net_stored {
    size_t
        planned; /* the weight's number in the plan; of several that follow each other, the last */
    float *weight;                       /* of a layer that is packed the place for that */
    float *bias;                         /* its own, or the batch norm's; NULL: none */
    float *own_bias;                     /* its own where there is a batch norm, too */
    float *norm_scale, *mean, *variance; /* of the batch norm; NULL: none */
    float norm_eps;                      /* of the batch norm; 0: the family's */
    float *gamma;                        /* layer scale behind it; NULL: none */
    size_t bias_planned; /* its number in the plan where there is a value_bias, else 0 */
    float *value_bias;   /* of LINEAR, queries, keys and values: the bias is of queries alone, and
                            this of values; NULL: it is of all */
    size_t rows_before;  /* outputs of the weight that are of something else, before its own */
    size_t bias_before;  /* values of the bias that are of something else, before its own */
    bool transposed;     /* the weight is [in, out]; of a CONV, or of a LINEAR without gamma */
    size_t by_heads;     /* as lp_net_qkv_spec's */
    bool zeroed_keys;    /* the keys' part of the bias counts as zeros */
    /* of TOKENS: weight is the class token; of a learnt query weight, own_bias and second are the
     * query and its linear layer, norm_scale and bias its layer norm */
    float *registers, *positions, *periods;
    /* of a continuous table: weight [512, 2] and own_bias [512] of its MLP's first layer; */
    float *second, *logits, *offsets; /* [heads, 512]; [heads]; [(2 window - 1)^2, 2] or NULL */
    size_t pixels; /* the weight's inputs are [channels, pixels]; 0: channels alone */
    lp_net_branch *branches;
    size_t branch_count;
    bool residual;      /* the input is added, behind gamma */
    float standard_eps; /* weights are standardised: (w - mean) / sqrt(variance + this) of an
                           output's weights (Qiao et al., "Weight Standardization"); 0: not */
} lp_net_stored;

/* A network as read and as it runs. */
typedef struct lp_net_tower {
    lp_net net;             /* first: net_run.c reads nothing else */
    lp_net_stored **stored; /* [layer_count] */
    float norm_eps;         /* of norms that have none of their own */
    lp_resize resize;       /* of positions */
    size_t room_layers, room_stored, room_steps, room_maps;
    lp_memory memory; /* of the stored layers */
} lp_net_tower;

typedef struct lp_net_builder {
    const lp_source *source;
    lp_weight_plan *plan;
    lp_net_tower *tower;
    lp_net *net;        /* the tower's */
    const char *prefix; /* the family's part of the names */
    char place[LP_PLAN_NAME];
} lp_net_builder;

struct lp_model_config;
struct lp_note;

/* The map of the images; false without memory, and nothing may be built. */
bool lp_net_begin(lp_net_builder *b);

/* Models of this width have so many heads; width 0 ends a list. */
typedef struct lp_net_heads {
    size_t width, heads;
} lp_net_heads;

/* A family's layout, for lp_net_kind. */
typedef struct lp_net_description {
    void (*build)(lp_net_builder *b);
    const char *const *ignored; /* as of lp_plan_check */
    /* Of a network whose plan has no problem; names lie behind the family's prefix.  Writes
     * info->name, and sets info->layers, the blocks as configs count them.  May set info->norm_eps
     * and info->input_size, where dimensions say them, and info->width, where it is not that of the
     * features to configs. */
    void (*describe)(lp_net_builder *b, lp_encoder_info *info);
    /* Refuses an input that is computed otherwise than the description says; or NULL.  Maps have
     * their sides. */
    lp_status (*check_input)(const lp_source *source, const struct lp_model_config *config,
                             const lp_net *net, lp_error *err);
    /* The same of a network whose input is chosen, before maps have their sides. */
    lp_status (*check)(lp_net_builder *b, const struct lp_model_config *config,
                       const lp_encoder_info *info, lp_error *err);
    bool named; /* the architecture's name must be known, from a config or the file's name */
    const char *activation; /* where the family's models have one alone: "relu"; or NULL */
    size_t head_width; /* of attention over all rows, where weights and configs do not say it */
    const lp_net_heads *heads; /* models that have another one; or NULL */
    /* What else says the heads where neither the caller nor a config does, instead of these two: a
     * config's may be set; *heads stays 0 where nothing does.  Or NULL. */
    lp_status (*find_heads)(lp_net_builder *b, struct lp_model_config *config,
                            const lp_encoder_info *info, size_t *heads, lp_error *err);
    bool one_input; /* positions are for that alone which describe sets, and are not resized */
    /* What stands beside the encoder and makes it another one: LP_ERR_UNSUPPORTED; or NULL. */
    lp_status (*refuse)(const lp_source *source, lp_error *err);
    size_t most_batch;     /* images of a run that such networks gain from; 0: 8 */
    size_t batch_rows;     /* of a run's images, which fill tiles; 0: memory says the batch */
    const char *assumed;   /* of files that neither a digest nor a config knows; or NULL */
    const char *otherwise; /* what the model's own program computes otherwise, said of every file;
                              or NULL */
    /* What is assumed of one model, appended to what is assumed; and, behind it, which facts
     * (LP_SAID_...) are assumed beside those of all networks.  Or NULLs. */
    void (*note_assumed)(lp_net_builder *b, const lp_encoder_info *info, struct lp_note *note);
    unsigned (*find_facts)(lp_net_builder *b);
    bool published_whole;    /* of published files nothing is assumed */
    bool input_of_positions; /* the family's input, if it is whole patches, or that of the positions
                                goes before what a config says, which may add less than a patch */
    size_t plain_input;      /* that names do not say; 0: the usual one */
    bool ask_alone;          /* the class token alone is computed in the last block where it alone
                                leaves it */
    bool rounds_vectors;     /* as lp_net's */
} lp_net_description;

/* Patches a side of the input that the file's positions are for; 0: nothing says it. */
size_t lp_net_grid(const lp_net *net);

/* For describe(): layers, patch, MLP and input size of a vision transformer in timm's names, and
 * returns its width; 0 of what has another name. */
size_t lp_net_describe_vit(const lp_net_builder *b, lp_encoder_info *info);

/* Where the next names lie. */
void lp_net_at(lp_net_builder *b, const char *format, ...) LP_PRINTF(2, 3);

/* Where the next names lie, outside the family's prefix. */
void lp_net_outside(lp_net_builder *b, const char *place);

/* open_clip's projection of the penultimate features, which lies beside a tower of timm's
 * (timm_model.py: timm_proj): a linear layer, or two with GELU between them.  Nothing where there
 * is none. */
void lp_net_project_beside(lp_net_builder *b);

/* Whether a tensor of the encoder's names ends so: what some blocks have, all must have. */
bool lp_net_some(const lp_net_builder *b, const char *end);

/* Whether the view has "<place><name>". */
bool lp_net_has(const lp_net_builder *b, const char *format, ...) LP_PRINTF(2, 3);

/* Whether the view has a weight or a bias of "<place><name>". */
bool lp_net_has_either(const lp_net_builder *b, const char *name);

/* Numbers from 0 on that stand behind this in names: "stages." -> 4 of "stages.3."; or from
 * `first` on. */
size_t lp_net_count(const lp_net_builder *b, const char *format, ...) LP_PRINTF(2, 3);
size_t lp_net_count_from(const lp_net_builder *b, size_t first, const char *format, ...)
    LP_PRINTF(3, 4);

/* The size of a tensor's axis; 0 where it is missing. */
size_t lp_net_size(const lp_net_builder *b, size_t axis, const char *format, ...) LP_PRINTF(3, 4);

enum { LP_NET_BRANCHES = 8 };

/* As lp_net_branch; names of the convolution and of its batch norm; name NULL: the input itself. */
typedef struct lp_net_branch_spec {
    const char *name, *norm;
    size_t taps;
    bool taken_off;
} lp_net_branch_spec;

typedef struct lp_net_conv_spec {
    size_t taps, stride; /* 0: 1 */
    size_t padding;
    bool own_taps;  /* taps are the weight's, and padding is half of them */
    bool same;      /* as lp_conv's */
    size_t group;   /* channels of a group; 0: one group */
    bool depthwise; /* several outputs of each channel where the weight has them */
    bool bias;
    const char *batch_norm;             /* its name; NULL: none */
    float batch_eps;                    /* 0: the family's */
    const lp_net_branch_spec *branches; /* at most LP_NET_BRANCHES, all with norms; one without
                                           ends the list; or NULL */
    const char *gamma;                  /* layer scale of their sum; or NULL */
    bool residual;                      /* the input is added to that */
    lp_nonlinearity activation;
    bool usual;         /* the family's activation */
    size_t add;         /* a map; 0: none */
    bool flat;          /* the weight is a linear layer's, [out, in] */
    size_t flattened;   /* the same over a flattened map of so many pixels, [out, C, pixels] */
    float standard_eps; /* the weights of each output are standardised, with this eps; 0: not */
    bool transposed;    /* the same, [in, out], without ".weight" behind its name */
} lp_net_conv_spec;

/* A convolution, with what follows from it. */
size_t lp_net_conv(lp_net_builder *b, size_t from, const char *name, const lp_net_conv_spec *spec);

/* A group norm with an activation, into another map; eps 0: the family's. */
size_t lp_net_group_norm(lp_net_builder *b, size_t from, const char *name, size_t groups, float eps,
                         lp_nonlinearity activation);

/* A batch norm as a step of its own, with an activation, into another map. */
size_t lp_net_batch_norm(lp_net_builder *b, size_t from, const char *name,
                         lp_nonlinearity activation);

/* A layer norm of each pixel; eps 0: the family's.  Into another map, or in the same. */
size_t lp_net_norm(lp_net_builder *b, size_t from, const char *name, float eps);
size_t lp_net_norm_in_place(lp_net_builder *b, size_t map, const char *name);

typedef struct lp_net_mlp_spec {
    const char *norm; /* or NULL */
    const char *first, *second;
    size_t rows;            /* of `first`, the first rows alone; 0: all */
    const char *first_bias; /* of these rows alone, in the place of `first`'s own; or NULL */
    size_t inner;           /* outputs of `first`; 0: as the file has it */
    const char *gate; /* before the first, as wide: `first` is multiplied by act(gate); or NULL */
    bool gated;       /* the same of halves of the first */
    const char *response; /* global response normalisation between them; NULL: none */
    const char *inside;   /* a norm between them; NULL: none */
    bool after;           /* the norm is of the result, before it is added */
    bool no_bias;         /* of the linear layers */
    bool rms;             /* the norms have neither mean nor bias */
    const char *gamma;    /* layer scale behind them; NULL: none */
    float eps;            /* of the norm; 0: the family's */
    lp_nonlinearity activation;
    bool usual; /* the family's activation */
} lp_net_mlp_spec;

/* Two linear layers behind a layer norm of `from`, added to the map `to`, which it returns.  They
 * may be written as 1x1 convolutions. */
size_t lp_net_mlp(lp_net_builder *b, size_t from, size_t to, const lp_net_mlp_spec *spec);

/* Which biases queries, keys and values have. */
typedef enum lp_net_qkv_bias {
    LP_NET_BIAS_ALL,
    LP_NET_BIAS_NOT_KEYS,    /* keys have none: q_bias and v_bias, or those of the layers apart */
    LP_NET_BIAS_ZEROED_KEYS, /* the keys' part stands in the file, and counts as zeros */
    LP_NET_BIAS_NONE
} lp_net_qkv_bias;

/* All where a tensor's name ends so (lp_net_some), else none. */
lp_net_qkv_bias lp_net_bias_of(const lp_net_builder *b, const char *end);

/* Queries, keys and values as one layer, [3 width, width], or as three. */
typedef struct lp_net_qkv_spec {
    const char *part_of; /* the rows of this layer from `before` on, with all biases or none; or
                            NULL */
    size_t before;
    const char *fused; /* or NULL */
    const char *apart[3];
    lp_net_qkv_bias bias;
    const char *q_bias, *v_bias; /* of a fused one with biases of their own */
    size_t by_heads; /* of a fused one: its rows are the three of each of so many heads, one head
                        after the other; 0: all queries come first */
} lp_net_qkv_spec;

typedef struct lp_net_windows_spec {
    const char *norm, *table, *projection;
    lp_net_qkv_spec qkv;
    bool distances;     /* the table is [heads, window^2], by the distance in rows and columns */
    const char *logits; /* of a continuous table: a factor's logarithm of each head; else NULL.  Its
                           MLP is `table`.0 and .2; its offsets, where the file has them, are */
    const char *offsets; /* these */
    size_t stage;
    bool shifted; /* by half a window, where there are several */
    lp_net_padding padding;
} lp_net_windows_spec;

/* Attention within windows, added to the map, which it returns.  Window and heads are those of the
 * table, [(2 window - 1)^2, heads]; with a continuous table the norm is behind the attention. */
size_t lp_net_windows(lp_net_builder *b, size_t map, const lp_net_windows_spec *spec);

typedef struct lp_net_relative_spec {
    const char *norm, *projection;
    lp_net_qkv_spec qkv;
    const char *down, *right; /* [2 window - 1, head width]: of offsets in rows, and in columns */
} lp_net_relative_spec;

/* Attention within windows with relative positions of each query (net_relative.c), added to the
 * map, which it returns. */
size_t lp_net_relative(lp_net_builder *b, size_t map, const lp_net_relative_spec *spec);

/* A linear layer without a bias over 2 x 2 pixels behind a layer norm of them, or before it. */
size_t lp_net_merge(lp_net_builder *b, size_t from, const char *norm, const char *reduction,
                    bool after);

/* An RMS norm of each row; the family's eps. */
size_t lp_net_rms_norm(lp_net_builder *b, size_t from, const char *name);

/* ---- vision transformers (net_tokens.c) ------------------------------------------------------ */

/* The images' patches through a linear layer: [channels, 3, P, P] of the file, or [channels, P P
 * 3].
 */
size_t lp_net_patches(lp_net_builder *b, const char *name, bool bias);

typedef struct lp_net_start_spec {
    const char *class_token, *registers; /* [1, 1, D]; [1, R, D]; or NULL */
    const char *positions; /* [1, S, D]: of all rows, of class token and patches, or of patches; or
                              NULL */
    bool all_placed;       /* where there is a class token, it has a position, too */
    const char *tile; /* [1, D, w, w]: positions of a window, added to `positions`, [1, D, G, G];
                         or NULL */
    const char *rows, *columns; /* [1, H, D] and [1, W, D], whose sums are positions in the place of
                                   `positions`; or NULL */
    const char *fourier; /* in their place a 1x1 convolution of sines and cosines, of patches; or
                            NULL */
} lp_net_start_spec;

/* Tokens before the rows of patches, and positions added. */
size_t lp_net_start(lp_net_builder *b, size_t from, const lp_net_start_spec *spec);

/* A layer of rotary positions, for all blocks.  periods: a tensor of what frequencies are the
 * inverses of, [head width / 4]; or NULL.  angles: a tensor of the class token's angles, [1, head
 * width / 2]; or NULL: it is not turned. */
size_t lp_net_rotary_layer(lp_net_builder *b, const lp_net_rotary *rotary, const char *periods,
                           const char *angles);

/* A table of relative positions for all blocks over the rows of a map. */
size_t lp_net_shared_table(lp_net_builder *b, size_t map, const char *name);

typedef struct lp_net_attend_spec {
    const char *norm; /* or NULL */
    const char *projection;
    lp_net_qkv_spec qkv;
    const char *gamma;           /* layer scale; or NULL */
    const char *table;           /* relative positions, [(2 G - 1)^2 + 3, heads], the class token's
                                    last; or NULL */
    const char *q_norm, *k_norm; /* of each head's vector; or NULL */
    const char *inside;          /* a norm before the projection; or NULL */
    size_t from;                 /* a map whose rows attend; 0: the map that is added to */
    size_t shared;               /* a layer: the table of all blocks; 0: none */
    size_t rotary;               /* a layer; 0: none */
    float eps;                   /* of the norms; 0: the family's */
    size_t head_width;           /* 0: the network's heads */
    bool after, rms, no_bias;    /* as lp_net_mlp_spec's; no_bias: of the projection */
} lp_net_attend_spec;

/* Attention over all rows of the map, or of spec->from, added to the map, which it returns. */
size_t lp_net_attend(lp_net_builder *b, size_t map, const lp_net_attend_spec *spec);

/* Attention whose scores are mixed over the heads (net_talk.c), added to the map, which it returns.
 * The heads are as many as `before` has rows. */
typedef struct lp_net_talk_spec {
    const char *norm, *projection, *gamma;
    lp_net_qkv_spec qkv;
    const char *before, *after; /* linear layers over the heads, with biases */
    float eps;                  /* of the norm; 0: the family's */
} lp_net_talk_spec;
size_t lp_net_talk(lp_net_builder *b, size_t map, const lp_net_talk_spec *spec);

/* Cross-covariance attention (net_covariance.c), added to the map, which it returns. */
typedef struct lp_net_covariance_spec {
    const char *norm, *projection, *gamma;
    lp_net_qkv_spec qkv;
    const char *temperature; /* [heads, 1, 1] */
    float eps;               /* of the norm; 0: the family's */
} lp_net_covariance_spec;
size_t lp_net_covariance(lp_net_builder *b, size_t map, const lp_net_covariance_spec *spec);

/* Attention within windows, or over all, that may halve the map (net_units.c): added to the map,
 * which it returns, or to a new one.  Its width is that of the projection. */
typedef struct lp_net_units_spec {
    const char *norm, *projection, *gamma; /* gamma: or NULL */
    lp_net_qkv_spec qkv;
    const char *expand; /* a linear layer to the new map's width; or NULL */
    bool halved;
    size_t window, heads; /* as lp_net_step's */
} lp_net_units_spec;
size_t lp_net_units(lp_net_builder *b, size_t map, const lp_net_units_spec *spec);

/* A block of class attention (net_class.c): attention of the first row, then its MLP. */
typedef struct lp_net_class_spec {
    const char *norm, *projection, *gamma;
    lp_net_qkv_spec qkv;
    const char *mlp_norm, *first, *second, *mlp_gamma;
    size_t heads;
    lp_net_others others;
    float eps; /* of the norms; 0: the family's */
} lp_net_class_spec;
size_t lp_net_class(lp_net_builder *b, size_t map, const lp_net_class_spec *spec);

/* The class token or the mean of the patches, whichever is chosen -> a new map; or -> `to` (0: a
 * new map) of the rows normed by a layer (0: none).  Whether the norm is of the rows or of the
 * vector is chosen, too. */
size_t lp_net_take(lp_net_builder *b, size_t from);
size_t lp_net_take_normed(lp_net_builder *b, size_t from, size_t to, size_t norm);

/* A linear layer of one row, [out, in], with ".weight" behind its name; or (transposed) [in, out]
 * without. */
size_t lp_net_project_row(lp_net_builder *b, size_t from, const char *name, bool transposed,
                          bool bias);

/* Changes the last block, attention without positions and an MLP, so that the first row alone is
 * computed (net_ask.c).  Heads are chosen. */
LP_MUST_USE lp_status lp_net_ask_alone(lp_net_builder *b, lp_error *err);

typedef struct lp_net_latent_spec {
    const char *latent; /* [1, 1, D]; or [queries, D], of which the first alone is asked */
    const char *query, *kv, *projection; /* linear layers, D -> D, rows -> 2 D, D -> D */
    const char *attention; /* in the place of query and kv: torch.nn.MultiheadAttention over rows of
                              another width than D */
    const char *fused;     /* the same over rows of width D: queries, keys and values in one */
    const char *key, *value; /* without biases, of a query that goes through no linear layer */
    const char *query_norm, *norm; /* layer norms of the learnt query and of the rows; or NULL */
    size_t planned_norm; /* in the place of norm: a layer, of which other steps have use, too */
    size_t heads;        /* 0: the network's */
    bool patches_only;   /* other rows are not seen */
} lp_net_latent_spec;

/* Attention of a learnt query over all rows. */
size_t lp_net_latent(lp_net_builder *b, size_t from, const lp_net_latent_spec *spec);

/* Each channel of a map times that of `factors`, a map of one pixel; returns the map. */
size_t lp_net_scale(lp_net_builder *b, size_t map, size_t factors);

/* The same rows in another map. */
size_t lp_net_copy(lp_net_builder *b, size_t from);

/* map = act(map + from), a map of the same size; returns the map. */
size_t lp_net_add(lp_net_builder *b, size_t map, size_t from, lp_nonlinearity activation);

/* Maxima or means of windows. */
size_t lp_net_pool(lp_net_builder *b, size_t from, const lp_pooling *pooling);

/* Squeeze-and-excitation in place: map *= gate(expand(act(reduce(mean of map)))), two 1x1
 * convolutions with biases; returns the map. */
size_t lp_net_excite(lp_net_builder *b, size_t map, const char *reduce, const char *expand,
                     lp_nonlinearity activation, lp_nonlinearity gate);

/* The channels of two maps side by side (net_joins.c, as the next two). */
size_t lp_net_join(lp_net_builder *b, size_t first, size_t second);

/* The sum of the two halves of a map's channels; or (factors > 0, a map of one pixel and as many
 * channels) each half times its part of the softmax over the two halves of factors. */
size_t lp_net_halves(lp_net_builder *b, size_t from, size_t factors);

/* torch.nn.AdaptiveAvgPool2d(side), whose pixels become one: [1, side, side, C] in that order. */
size_t lp_net_flatten(lp_net_builder *b, size_t from, size_t side);

/* The mean of all pixels; and summed in float32. */
size_t lp_net_mean(lp_net_builder *b, size_t from);
size_t lp_net_float_mean(lp_net_builder *b, size_t from);

typedef struct lp_net_mean_query_spec {
    const char *positions;           /* [1 + pixels, channels] */
    const char *query, *key, *value; /* linear layers */
    size_t heads;
} lp_net_mean_query_spec;

/* Attention of the mean's query over the mean and all pixels, before a projection. */
size_t lp_net_mean_query(lp_net_builder *b, size_t from, const lp_net_mean_query_spec *spec);

/* The step that was made last ends a block of a transformer; behind the last block: what follows
 * makes one vector of the rows.  Then features of other blocks can be asked for. */
void lp_net_end_block(lp_net_builder *b);
void lp_net_begin_head(lp_net_builder *b, size_t rows);

/* The family's activation follows the step that was made last: a convolution, a norm, a gate. */
void lp_net_activate(lp_net_builder *b);

/* The map that was made last is a stage's end, for observers. */
void lp_net_stage(lp_net_builder *b, const char *format, ...) LP_PRINTF(2, 3);

/* Chooses the heads of attention over all rows, where some have the network's (net_heads.c). */
LP_MUST_USE lp_status lp_net_choose_heads(lp_net_builder *b, struct lp_model_config *config,
                                          lp_encoder_info *info, lp_error *err);

/* Room for the packed weights in a plan that was checked, and the network's zeros. */
LP_MUST_USE lp_status lp_net_reserve(lp_net_tower *tower, lp_weight_plan *plan, lp_error *err);

/* The positions of a layer of TOKENS that has some, for the grid of its window -> made [window^2,
 * channels]. */
LP_MUST_USE lp_status lp_net_fill_positions(lp_net_tower *tower, const lp_net_layer *layer,
                                            const lp_net_stored *from, float *made, lp_error *err);

/* Of layers that are made of weights, and not packed: tokens with their positions, rotary
 * positions, learnt queries. */
LP_MUST_USE lp_status lp_net_prepare(lp_net_tower *tower, size_t layer, lp_error *err);

/* Where the weight of a learnt query is the first rows of that of its keys: makes the query. weight
 * as the file has it. */
void lp_net_query_by_rows(lp_net_tower *tower, size_t keys, const float *weight);

/* lp_tower_kind's pack, of an lp_net_tower. */
LP_MUST_USE lp_status lp_net_pack(void *tower, const lp_weight_plan *plan, lp_checkpoint *ckpt,
                                  size_t threads, lp_error *err);

#endif
