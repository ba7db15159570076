/* The work on one block of rows, included by pass.c once for float32 and once for float64.
 *
 * REAL is the type, DO_BLOCK the function's name, GEMM the matrix product, SOFTMAX and LOGISTIC the
 * residual kernels, MODEL and SCRATCH members of pass and worker. */
static void DO_BLOCK(const lp_pass *pass, const lp_point *point, size_t first, size_t rows,
                     pass_worker *worker, double *sums) {
    size_t F = pass->problem->width;
    size_t count = point->count;
    const REAL *weights = pass->MODEL;
    const REAL *offsets = pass->MODEL + count * F;
    REAL *x = worker->SCRATCH;
    REAL *z = x + pass->block * F;
    REAL *product = z + pass->block * count;
    const float *source = pass->problem->x + first * F;
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < F; j++) {
            x[i * F + j] = (REAL)source[i * F + j] - (REAL)pass->mean[j];
        }
        memcpy(z + i * count, offsets, count * sizeof *z);
    }
    GEMM(false, true, rows, count, F, 1, x, F, weights, F, 1, z, count);
    if (pass->loss == LP_LOSS_SOFTMAX) {
        SOFTMAX(z, rows, count, pass->problem->labels + first, sums, sums + count);
    } else {
        int32_t *labels = worker->labels;
        for (size_t i = 0; i < rows; i++) {
            labels[i] = pass->column_of[pass->problem->labels[first + i]];
        }
        LOGISTIC(z, rows, count, labels, sums, sums + count);
    }
    double *gradient = sums + 3 * count;
    GEMM(true, false, count, F, rows, 1, z, count, x, F, 0, product, F);
    for (size_t j = 0; j < count * F; j++) {
        gradient[j] += (double)product[j];
    }
    if (point->coupling) {
        double *coupling = gradient + count * F;
        for (size_t i = 0; i < rows; i++) {
            z[i * count + (size_t)pass->problem->labels[first + i]] += 1; /* p */
        }
        GEMM(true, false, count, count, rows, 1, z, count, z, count, 0, product, count);
        for (size_t j = 0; j < count * count; j++) {
            coupling[j] += (double)product[j];
        }
    } else if (point->curvature) {
        double *weight = sums + 2 * count;
        double *weighted = gradient + count * F;
        for (size_t i = 0; i < rows; i++) {
            for (size_t k = 0; k < count; k++) { /* of p - y, |p - y| (1 - |p - y|) = p (1 - p) */
                REAL r = z[i * count + k];
                r = r < 0 ? -r : r;
                z[i * count + k] = r * (1 - r);
                weight[k] += (double)z[i * count + k];
            }
        }
        GEMM(true, false, count, F, rows, 1, z, count, x, F, 0, product, F);
        for (size_t j = 0; j < count * F; j++) {
            weighted[j] += (double)product[j];
        }
    }
}
