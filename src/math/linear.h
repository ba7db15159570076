/* Linear layers, y = act(x W' + b), over weights that were packed once. */
#ifndef LP_MATH_LINEAR_H
#define LP_MATH_LINEAR_H

#include <stdbool.h>
#include <stddef.h>
#include "linprobe/choices.h"
#include "math/activation.h"

/* A layer whose weights were packed, once, for the kernel that multiplies by them. */
typedef struct lp_packed_linear {
    size_t in, out;
    lp_precision precision; /* FLOAT32: lp_linear_pack and _run; the others
                               likewise: lp_linear_bfloat16_pack, ... */
    const void *panels;     /* what that pack function wrote, aligned to 64 bytes */
    const float *bias;      /* [out] or NULL */
} lp_packed_linear;

/* Floats of the packed weights: out rounded up to 32 times in rounded up to 16. */
size_t lp_linear_packed(size_t out, size_t in);

/* weight [out, in], as torch.nn.Linear keeps it -> packed.  They may not overlap. */
void lp_linear_pack(const float *weight, size_t out, size_t in, float *packed);

/* The same of a matrix whose element (o, i) is weight[o * out_stride + i * in_stride]. */
void lp_linear_pack_strided(const float *weight, size_t out, size_t in, size_t out_stride,
                            size_t in_stride, float *packed);

/* Where a product goes: rows [rows, out] with a stride, or a tiled matrix (math/tiles.h). */
typedef struct lp_linear_output {
    float *y;
    size_t stride; /* floats from row to row; 0: tiled */
    bool add;      /* y += instead of y = (not tiled, no activation) */
    lp_nonlinearity activation;
} lp_linear_output;

/* A layer of float32.  x: tiled [rows, in].  y overlaps neither x nor the weights.  An output's
 * bits depend on its own row alone: not on its place, the number of rows, or (given fused
 * multiply-adds) the processor. */
void lp_linear_run(const lp_packed_linear *layer, const float *x, size_t rows,
                   const lp_linear_output *output);

#endif
