/* Under the words of descriptions (net_build.h): layers, their weights in the file, maps, steps.
 * Each `plan` returns the number of a new layer. */
#ifndef LP_MODEL_NET_PLAN_H
#define LP_MODEL_NET_PLAN_H

#include "model/net_build.h"

size_t lp_net_new_map(lp_net_builder *b, size_t channels);
size_t lp_net_new_layer(lp_net_builder *b, lp_net_layer layer);
void lp_net_add_step(lp_net_builder *b, lp_net_step step);

/* Channels of a map. */
size_t lp_net_channels(const lp_net_builder *b, size_t map);

/* "<prefix><place><name>" */
void lp_net_whole_name(const lp_net_builder *b, const char *name, char out[LP_PLAN_NAME]);

/* Plans "<name><end>" of this shape, in which 0 is what the tensor has, and N in messages where it
 * is missing. */
void lp_net_plan_weight(lp_net_builder *b, float **to, const char *name, const char *end,
                        const size_t *shape, size_t rank);

#define LP_NET_PLAN(to, name, end, ...)                                                            \
    lp_net_plan_weight(b, to, name, end, (const size_t[]){__VA_ARGS__},                            \
                       sizeof((const size_t[]){__VA_ARGS__}) / sizeof(size_t))

/* A norm's weight and bias, or of an RMS norm its weight; eps 0: the family's. */
size_t lp_net_plan_norm(lp_net_builder *b, const char *name, size_t channels, float eps, bool rms);

/* Global response normalisation; the authors' files have [1, 1, 1, channels]. */
size_t lp_net_plan_response(lp_net_builder *b, const char *name, size_t channels);

void lp_net_plan_batch_norm(lp_net_builder *b, lp_net_stored *stored, const char *name,
                            size_t channels);

/* A layer scale, [channels] or [channels, 1, 1], behind a layer. */
void lp_net_plan_gamma(lp_net_builder *b, lp_net_stored *stored, const char *name, size_t channels);

/* [out, in], or [out, in, 1, 1]; out 0: as the file has it; `gamma`: its layer scale, or NULL. */
size_t lp_net_plan_linear(lp_net_builder *b, const char *name, size_t in, size_t out, bool bias,
                          const char *gamma);

/* Rows [first, first + out) of a layer [total, in], and (biased) of its bias. */
size_t lp_net_plan_rows(lp_net_builder *b, const char *name, bool biased, size_t in, size_t first,
                        size_t out, size_t total);

size_t lp_net_plan_qkv(lp_net_builder *b, const lp_net_qkv_spec *spec, size_t width);

/* Relative positions: a table of a window (extra 0), or of a whole map with tokens before it; an
 * MLP. */
size_t lp_net_plan_token_table(lp_net_builder *b, const char *name, size_t width, size_t extra);
size_t lp_net_plan_distances(lp_net_builder *b, const char *name, size_t width);
size_t lp_net_plan_continuous(lp_net_builder *b, const lp_net_windows_spec *spec, size_t width);

#endif
