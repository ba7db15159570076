/* From logits to the residuals and losses of logistic models, on a block of rows. */
#ifndef LP_MATH_LOGISTIC_H
#define LP_MATH_LOGISTIC_H

#include <stddef.h>
#include <stdint.h>

/* Softmax with labels in 0 .. columns-1: z [rows, columns] becomes p - y, with p = softmax(z) of
 * the row and y 1 at its label, else 0.  *loss += sum over rows of logsumexp(z) - z[label],
 * residual [columns] += column sums of p - y.  z float32, exp in float32 within 1 ulp, sums in
 * float64. */
void lp_softmax_residual(float *z, size_t rows, size_t columns, const int32_t *labels, double *loss,
                         double *residual);

/* Independent logistic models, one a column, whose positive row is the one with
 * labels[i] == column (labels of other values, -1 say, are positive nowhere): z becomes p - y with
 * p = 1 / (1 + exp(-z)).  loss [columns] += sums of log(1 + exp(-z)) or log(1 + exp(z)), residual
 * as above.  At most 512 rows. */
void lp_logistic_residual(float *z, size_t rows, size_t columns, const int32_t *labels,
                          double *loss, double *residual);

/* The same in float64 throughout. */
void lp_softmax_residual64(double *z, size_t rows, size_t columns, const int32_t *labels,
                           double *loss, double *residual);
void lp_logistic_residual64(double *z, size_t rows, size_t columns, const int32_t *labels,
                            double *loss, double *residual);

#endif
