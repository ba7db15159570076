/* Cholesky factors, packed.
 *
 * The matrix is first scaled to a diagonal of ones, D^-1/2 A D^-1/2, so that what is added against
 * rounding means the same for every unknown; the scales go into the rows of L afterwards. */
#include "math/packed.h"

#include <math.h>
#include <string.h>

#include "math/dispatch.h"
#include "math/dot.h"
#include "math/linalg.h"

size_t lp_packed_size(size_t n) {
    return n * (n + 1) / 2;
}

LP_BODY void scale_triangle(float *a, size_t n, const float *scale) {
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j <= i; j++) {
            a[i * n + j] *= scale[i] * scale[j];
        }
    }
}

LP_KERNEL(lp_scale_triangle, scale_triangle, (float *a, size_t n, const float *scale),
          (a, n, scale))

bool lp_packed_factor(float *a, size_t n, float *copy, float *packed) {
    static const float ADDED[] = {1e-6F, 1e-5F, 1e-4F, 1e-3F, 1e-2F, 1e-1F};
    float *scale = packed; /* for now: the packed rows come last */
    bool factored = false;
    for (size_t i = 0; i < n; i++) {
        float d = a[i * n + i];
        if (!(d > 0) || !isfinite(d)) {
            return false;
        }
        scale[i] = 1.0F / sqrtf(d);
    }
    lp_scale_triangle(a, n, scale);
    for (size_t t = 0; t < sizeof ADDED / sizeof ADDED[0] && !factored; t++) {
        for (size_t i = 0; i < n; i++) {
            memcpy(copy + i * n, a + i * n, (i + 1) * sizeof *a);
            copy[i * n + i] += ADDED[t];
        }
        factored = lp_cholesky(copy, n);
    }
    for (size_t i = 0; i < n; i++) {
        a[i] = 1.0F / scale[i]; /* out of the way of the packed rows */
    }
    for (size_t i = 0; factored && i < n; i++) {
        float *row = packed + i * (i + 1) / 2;
        for (size_t j = 0; j <= i; j++) {
            row[j] = copy[i * n + j] * a[i];
        }
        row[i] = 1.0F / row[i];
    }
    return factored;
}

LP_BODY void solve(const float *packed, size_t n, float *b) {
    for (size_t i = 0; i < n; i++) {
        const float *row = packed + i * (i + 1) / 2;
        b[i] = (b[i] - lp_dot(row, b, i)) * row[i];
    }
    for (size_t i = n; i-- > 0;) {
        const float *row = packed + i * (i + 1) / 2;
        b[i] *= row[i];
        float factor = -b[i];
        for (size_t j = 0; j < i; j++) {
            b[j] = fmaf(factor, row[j], b[j]);
        }
    }
}

LP_KERNEL(lp_packed_solve, solve, (const float *packed, size_t n, float *b), (packed, n, b))
