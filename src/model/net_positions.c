/* Positions of patches before a network runs, from what the file has of them:
 *
 *   a square of vectors [G^2, D], resized
 *   the same, [D, G, G], and a window's [D, w, w] over and over      Hiera abswin
 *   vectors of rows [H, D] and of columns [W, D]                     NaFlex
 *   a linear layer over sines and cosines of rows and columns        XCiT */
#include <assert.h>
#include <math.h>

#include "base/error.h"
#include "model/net_build.h"
#include "model/positions.h"

/* made [D] = bias + weight [D, count] values. */
static void project(const lp_net_stored *from, const double *values, size_t count, size_t width,
                    float *made) {
    for (size_t c = 0; c < width; c++) {
        double sum = (double)from->bias[c];
        for (size_t k = 0; k < count; k++) {
            sum += (double)from->positions[c * count + k] * values[k];
        }
        made[c] = (float)sum;
    }
}

/* For rows y and then columns x of 1 to grid,
 *
 *   sin(u / t_i), cos(u / t_i),   u = 2 pi y / (grid + 1e-6),   t_i = 10000^(i / F)
 *
 * for frequencies i of F, one after the other (xcit.py, PositionalEncodingFourier), projected. */
static lp_status fill_fourier(lp_net_tower *t, const lp_net_layer *layer, const lp_net_stored *from,
                              float *made, lp_error *err) {
    size_t grid = layer->window, frequencies = layer->fourier, width = layer->channels;
    double *values = lp_memory_take(&t->memory, 4 * frequencies, sizeof *values);
    lp_status status;
    LP_TRY(lp_memory_check(&t->memory, "an encoder", err));
    for (size_t p = 0; p < grid * grid; p++) {
        for (size_t i = 0; i < 2 * frequencies; i++) {
            size_t number = 1 + (i < frequencies ? p / grid : p % grid);
            double u = 2 * acos(-1) * (double)number / ((double)grid + 1e-6);
            double share = (double)(i < frequencies ? i : i - frequencies) / (double)frequencies;
            values[2 * i] = sin(u / pow(10000, share));
            values[2 * i + 1] = cos(u / pow(10000, share));
        }
        project(from, values, 4 * frequencies, width, made + p * width);
    }
done:
    return status;
}

/* hiera.py, _pos_embed. */
static lp_status fill_tiled(lp_net_tower *t, const lp_net_layer *layer, const lp_net_stored *from,
                            float *made, lp_error *err) {
    size_t grid = layer->window, width = layer->channels, w = layer->tile;
    size_t stored = layer->grid * layer->grid;
    float *rows = lp_memory_take(&t->memory, stored * width, sizeof *rows);
    lp_status status;
    LP_TRY(lp_memory_check(&t->memory, "an encoder", err));
    for (size_t i = 0; i < stored * width; i++) {
        rows[i] = from->positions[i % width * stored + i / width];
    }
    LP_TRY(lp_positions_resize(t->resize, rows, layer->grid, made, grid, width, err));
    for (size_t i = 0; i < grid * grid * width; i++) {
        size_t pixel = i / width, inside = pixel / grid % w * w + pixel % grid % w;
        made[i] += from->second[i % width * w * w + inside];
    }
done:
    return status;
}

/* Value c of place `at` of `grid`, of `count` rows of D: torch.nn.functional.interpolate(mode =
 * "linear", align_corners = False). */
static double between(const float *rows, size_t count, size_t width, size_t at, size_t grid,
                      size_t c) {
    double place = ((double)at + 0.5) * (double)count / (double)grid - 0.5;
    place = place > 0 ? place : 0;
    size_t first = (size_t)place < count - 1 ? (size_t)place : count - 1;
    size_t next = first + 1 < count ? first + 1 : first;
    double share = place - (double)first, value = (double)rows[first * width + c];
    return value + share * ((double)rows[next * width + c] - value);
}

/* naflexvit.py, _apply_factorized_pos_embed. */
static void fill_apart(const lp_net_layer *layer, const lp_net_stored *from, float *made) {
    size_t grid = layer->window, width = layer->channels;
    for (size_t i = 0; i < grid * grid * width; i++) {
        size_t pixel = i / width, c = i % width;
        made[i] = (float)(between(from->positions, layer->apart[0], width, pixel / grid, grid, c) +
                          between(from->second, layer->apart[1], width, pixel % grid, grid, c));
    }
}

lp_status lp_net_fill_positions(lp_net_tower *t, const lp_net_layer *layer,
                                const lp_net_stored *from, float *made, lp_error *err) {
    assert(from->positions != NULL);
    if (layer->fourier > 0) {
        assert(from->bias != NULL);
        return fill_fourier(t, layer, from, made, err);
    }
    if (layer->tile > 0) {
        assert(from->second != NULL);
        return fill_tiled(t, layer, from, made, err);
    }
    if (layer->apart[0] > 0) {
        assert(from->second != NULL);
        fill_apart(layer, from, made);
        return LP_OK;
    }
    return lp_positions_resize(t->resize, from->positions + layer->covered * layer->channels,
                               layer->grid, made, layer->window, layer->channels, err);
}
