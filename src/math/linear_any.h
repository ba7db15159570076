/* Linear layers over whatever numbers a precision stands for: the one place that chooses. */
#ifndef LP_MATH_LINEAR_ANY_H
#define LP_MATH_LINEAR_ANY_H

#include <stdbool.h>
#include <stddef.h>

#include "math/linear.h"

/* Whether this processor multiplies such numbers faster than float32, or they are float32. */
bool lp_linear_any_is_fast(lp_precision precision);

/* Floats of the packed weights: at most lp_linear_packed's. */
size_t lp_linear_any_packed(lp_precision precision, size_t out, size_t in);

/* As lp_linear_pack_strided -> packed, aligned to 64 bytes. */
void lp_linear_any_pack(lp_precision precision, const float *weight, size_t out, size_t in,
                        size_t out_stride, size_t in_stride, float *packed);

/* Floats of scratch memory of a run over at most `in` inputs. */
size_t lp_linear_any_scratch(lp_precision precision, size_t in);

/* As lp_linear_run, of a layer of its precision. */
void lp_linear_any_run(const lp_packed_linear *layer, const float *x, size_t rows,
                       const lp_linear_output *output, float *scratch);

#endif
