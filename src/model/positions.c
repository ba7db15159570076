/* Resizing position embeddings as torch.nn.functional.interpolate(mode="bicubic") does.
 *
 *   1. for each output row (and column) the first input, and the weights of the next ones
 *   2. [from, from, D] -> columns -> [from, to, D] -> rows -> [to, to, D]
 *
 * PyTorch, aten/src/ATen/native/UpSample.h and cpu/UpSampleKernel.cpp.  Plain: 4 taps by Keys'
 * cubic with a = -3/4 round (i + 1/2) * scale - 1/2, taps outside take the border's value.
 * Bilinear: weights 1 - |x|, support max(scale, 1).  Antialias: a = -1/2, support 2 * max(scale,
 * 1), taps outside are dropped, the rest sums to 1. */
#include "model/positions.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

/* Keys' cubic. */
static double cubic(double x, double a) {
    x = fabs(x);
    if (x < 1) {
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    }
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

/* weights [to, from]: row i says what output i takes of each input. */
static void fill_weights(lp_resize how, double *weights, size_t from, size_t to) {
    double scale = (double)from / (double)to;
    if (how == LP_RESIZE_NUDGED) {
        scale = (double)from / ((double)to + 0.1);
    }
    for (size_t i = 0; i < to; i++) {
        double *row = weights + i * from;
        double sum = 0;
        for (size_t j = 0; j < from; j++) {
            row[j] = 0;
        }
        if (how == LP_RESIZE_ANTIALIAS || how == LP_RESIZE_BILINEAR) {
            double wide = scale > 1 ? scale : 1, reach = how == LP_RESIZE_BILINEAR ? 1 : 2;
            double centre = scale * ((double)i + 0.5);
            long first = (long)(centre - reach * wide + 0.5),
                 end = (long)(centre + reach * wide + 0.5);
            first = first < 0 ? 0 : first;
            end = end > (long)from ? (long)from : end;
            for (long j = first; j < end; j++) {
                double x = ((double)j - centre + 0.5) / wide;
                row[j] = reach > 1 ? cubic(x, -0.5) : fmax(1 - fabs(x), 0);
                sum += row[j];
            }
            for (long j = first; j < end; j++) {
                row[j] /= sum;
            }
        } else {
            double centre = scale * ((double)i + 0.5) - 0.5;
            long base = (long)floor(centre);
            for (long j = base - 1; j <= base + 2; j++) {
                long inside = j < 0 ? 0 : j >= (long)from ? (long)from - 1 : j;
                row[inside] += cubic(centre - (double)j, -0.75);
            }
        }
    }
}

/* out[i] = sum over j of weights[i, j] * in[j]; a row is `row` floats. */
static void apply(const double *weights, size_t from, size_t to, const float *in, float *out,
                  size_t row) {
    for (size_t i = 0; i < to; i++) {
        for (size_t c = 0; c < row; c++) {
            double sum = 0;
            for (size_t j = 0; j < from; j++) {
                sum += weights[i * from + j] * (double)in[j * row + c];
            }
            out[i * row + c] = (float)sum;
        }
    }
}

lp_status lp_positions_resize(lp_resize how, const float *from, size_t from_side, float *to,
                              size_t to_side, size_t width, lp_error *err) {
    if (from_side == to_side) {
        memcpy(to, from, from_side * from_side * width * sizeof *to);
        return LP_OK;
    }
    lp_memory memory = {0};
    double *weights = lp_memory_take(&memory, to_side * from_side, sizeof *weights);
    float *wide = lp_memory_take(&memory, from_side * to_side * width, sizeof *wide);
    lp_status status;
    LP_TRY(lp_memory_check(&memory, "position embeddings", err));
    fill_weights(how, weights, from_side, to_side);
    for (size_t y = 0; y < from_side; y++) {
        apply(weights, from_side, to_side, from + y * from_side * width, wide + y * to_side * width,
              width);
    }
    apply(weights, from_side, to_side, wide, to, to_side * width);
done:
    lp_memory_free(&memory);
    return status;
}
