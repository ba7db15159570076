/* Intervals of 95 %.
 *
 * Wilson's score interval of a proportion p = part / n, z = 1.96: all p0 with
 *     |p - p0| <= z sqrt(p0 (1 - p0) / n)
 *     = (p + z^2 / 2n -+ z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n)
 *
 * A mean of independent proportions, m = sum p_k / K, each with Wilson limits l_k and u_k (method
 * of variance estimates recovery: each limit stands in for a variance at that limit): m - sqrt(sum
 * (p_k - l_k)^2) / K   to   m + sqrt(sum (u_k - p_k)^2) / K
 *
 * Student's t with v degrees has a finite series (Abramowitz and Stegun 26.7.3 and 26.7.4): with
 * a = atan(t / sqrt v), c = cos a,
 *     P(|T| < t) = 2/pi (a + sin a (c + 2/3 c^3 + ... + (2 4 .. v-3) / (3 5 .. v-2) c^(v-2))), v
 * odd = sin a (1 + 1/2 c^2 + ... + (1 3 .. v-3) / (2 4 .. v-2) c^(v-2)),          v even and the
 * quantile is its inverse by bisection in a. */
#include "probe/metrics.h"

#include <math.h>

#define HALF_PI 1.5707963267948966

lp_interval lp_wilson(size_t part, size_t whole) {
    static const double z = LP_NORMAL_975;
    lp_interval interval = {0, 1};
    if (whole > 0) {
        double n = (double)whole, p = (double)part / n;
        double scale = 1 / (1 + z * z / n);
        double centre = scale * (p + z * z / (2 * n));
        double half = scale * z * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
        interval.low = part == 0 ? 0 : fmax(0, centre - half); /* exact at the ends */
        interval.high = part == whole ? 1 : fmin(1, centre + half);
    }
    return interval;
}

lp_interval lp_mean_interval(const size_t *part, const size_t *whole, size_t classes) {
    double sum = 0, below = 0, above = 0, occurring = 0;
    for (size_t k = 0; k < classes; k++) {
        if (whole[k] > 0) {
            double p = (double)part[k] / (double)whole[k];
            lp_interval own = lp_wilson(part[k], whole[k]);
            sum += p;
            below += (p - own.low) * (p - own.low);
            above += (own.high - p) * (own.high - p);
            occurring++;
        }
    }
    lp_interval interval = {0, 1};
    if (occurring > 0) {
        interval.low = fmax(0, (sum - sqrt(below)) / occurring);
        interval.high = fmin(1, (sum + sqrt(above)) / occurring);
    }
    return interval;
}

/* P(|T| < sqrt(v) tan(angle)) */
static double student_within(double angle, size_t v) {
    bool odd = v % 2 == 1;
    double c = cos(angle), term = odd ? c : 1, sum = 0;
    for (size_t i = odd ? 3 : 2; i <= v; i += 2) {
        sum += term;
        term *= (double)(i - 1) / (double)i * c * c;
    }
    return odd ? (angle + sin(angle) * sum) / HALF_PI : sin(angle) * sum;
}

double lp_student_975(size_t degrees) {
    double low = 0, high = HALF_PI;
    for (int i = 0; i < 100; i++) { /* more halvings than a double has bits */
        double middle = low + (high - low) / 2;
        *(student_within(middle, degrees) < 0.95 ? &low : &high) = middle;
    }
    return sqrt((double)degrees) * tan(low + (high - low) / 2);
}
