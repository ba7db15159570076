/* Tick placing: linear axes step by 1, 2 or 5 times a power of ten; logarithmic ones mark powers,
 * over less than two decades also their double and fivefold, and over less than one all multiples.
 */
#include "report/chart_axis.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

static double exponent(lp_scale scale, double value) {
    return scale == LP_SCALE_LOG2 ? log2(value) : scale == LP_SCALE_LOG10 ? log10(value) : value;
}

static lp_chart_axis make_linear(double low, double high, size_t wanted, double floor_,
                                 double ceiling) {
    lp_chart_axis axis = {.scale = LP_SCALE_LINEAR};
    if (!(high > low)) { /* all values equal: some room round them */
        double room = fmax(fabs(low) * 0.05, 1e-3);
        low = low - room < floor_ && low >= floor_ ? floor_ : low - room;
        high = high + room > ceiling && high <= ceiling ? ceiling : high + room;
    }
    double rough = (high - low) / (double)wanted;
    double power = pow(10, floor(log10(rough)));
    double lead = rough / power;
    axis.step = power * (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10);
    axis.low = floor(low / axis.step + 1e-9) * axis.step;
    axis.high = ceil(high / axis.step - 1e-9) * axis.step;
    axis.low = low >= floor_ ? fmax(axis.low, floor_) : axis.low;
    axis.high = high <= ceiling ? fmin(axis.high, ceiling) : axis.high;
    return axis;
}

lp_chart_axis lp_chart_axis_make(lp_scale scale, double low, double high, size_t wanted,
                                 double floor_, double ceiling) {
    if (scale == LP_SCALE_LINEAR) {
        return make_linear(low, high, wanted, floor_, ceiling);
    }
    /* some room at the ends, and more round a single value */
    double margin = high > low ? pow(high / low, 0.02) : scale == LP_SCALE_LOG10 ? 3.3 : 2.1;
    lp_chart_axis axis = {.scale = scale, .low = low / margin, .high = high * margin};
    double powers = exponent(scale, high) - exponent(scale, low);
    axis.step = fmax(1, ceil(powers / (double)wanted - 1e-9));
    return axis;
}

double lp_chart_axis_place(const lp_chart_axis *axis, double value) {
    double low = exponent(axis->scale, axis->low);
    double share = (exponent(axis->scale, value) - low) / (exponent(axis->scale, axis->high) - low);
    return axis->from + share * (axis->to - axis->from);
}

size_t lp_chart_axis_ticks(const lp_chart_axis *axis, double ticks[LP_MAX_TICKS]) {
    size_t count = 0;
    double low = exponent(axis->scale, axis->low), high = exponent(axis->scale, axis->high);
    double near = 1e-9 * (axis->scale == LP_SCALE_LINEAR ? axis->step : 1);
    if (axis->scale == LP_SCALE_LOG10 && high - low < 2) {
        for (int power = (int)floor(low); power <= high; power++) {
            for (int i = 1; i < 10 && count < LP_MAX_TICKS; i++) {
                double value = pow(10, power) * i;
                bool wanted = high - low < 1 || i == 1 || i == 2 || i == 5;
                if (wanted && value >= axis->low && value <= axis->high) {
                    ticks[count++] = value;
                }
            }
        }
        return count;
    }
    double first = ceil((low - near) / axis->step);
    while (count < LP_MAX_TICKS && (first + (double)count) * axis->step <= high + near) {
        double at = (first + (double)count) * axis->step + 0.0; /* + 0.0: no negative zero */
        ticks[count++] = axis->scale == LP_SCALE_LOG10  ? pow(10, at)
                         : axis->scale == LP_SCALE_LOG2 ? exp2(at)
                                                        : at;
    }
    return count;
}

void lp_chart_axis_label(const lp_chart_axis *axis, double tick, char text[LP_TICK_TEXT]) {
    double power = tick > 0 ? floor(log10(tick) + 1e-9) : 0;
    if (axis->scale == LP_SCALE_LINEAR) {
        int decimals = axis->step < 1 ? (int)fmin(ceil(-log10(axis->step) - 1e-9), 12) : 0;
        (void)snprintf(text, LP_TICK_TEXT, "%.*f", decimals, tick);
    } else if (axis->scale == LP_SCALE_LOG10 && fabs(power) > 3) {
        (void)snprintf(text, LP_TICK_TEXT, "%.3ge%.0f", tick / pow(10, power), power);
    } else {
        (void)snprintf(text, LP_TICK_TEXT, "%.*g",
                       axis->scale == LP_SCALE_LOG2 && tick >= 1 ? 7 : 4, tick);
    }
}

static const lp_pen grid_pen = {LP_GRID, 1, LP_SOLID}, axis_pen = {LP_INK, 1, LP_SOLID};
enum { FONT = 14 };

void lp_chart_axis_rows(const lp_chart_axis *axis, lp_chart *chart, double left, double right) {
    const lp_text_style style = {.size = FONT, .color = LP_INK, .align = LP_ALIGN_RIGHT};
    double ticks[LP_MAX_TICKS];
    char text[LP_TICK_TEXT];
    size_t count = lp_chart_axis_ticks(axis, ticks);
    for (size_t i = 0; i < count; i++) {
        double y = lp_chart_axis_place(axis, ticks[i]);
        lp_chart_axis_label(axis, ticks[i], text);
        lp_chart_line(chart, left, y, right, y, &grid_pen);
        lp_chart_text(chart, left - 8, y, &style, text);
    }
}

void lp_chart_axis_columns(const lp_chart_axis *axis, lp_chart *chart, double top, double bottom,
                           double foot, bool inverse) {
    const lp_text_style style = {.size = FONT, .color = LP_INK, .align = LP_ALIGN_CENTER};
    double ticks[LP_MAX_TICKS];
    char text[LP_TICK_TEXT];
    size_t count = lp_chart_axis_ticks(axis, ticks);
    for (size_t i = 0; i < count; i++) {
        double x = lp_chart_axis_place(axis, ticks[i]);
        lp_chart_axis_label(axis, ticks[i], text);
        lp_chart_line(chart, x, top, x, bottom, &grid_pen);
        lp_chart_line(chart, x, foot, x, foot + 5, &axis_pen);
        lp_chart_text(chart, x, foot + 16, &style, text);
        if (inverse) {
            lp_chart_axis_label(axis, 1 / ticks[i], text);
            lp_chart_line(chart, x, top - 5, x, top, &axis_pen);
            lp_chart_text(chart, x, top - 15, &style, text);
        }
    }
}
