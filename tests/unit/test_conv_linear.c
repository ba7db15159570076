/* Convolutions as linear layers of every precision, direct ones and Winograd's, against plain loops
 * in double precision, on odd sizes, with guard cells round the output. */
#include "math/conv_linear.h"

#include <math.h>

#include "base/alloc.h"
#include "check.h"
#include "math/winograd.h"
#include "numbers.h"

enum { PRECISIONS = LP_PRECISION_INT8 + 1 };

/* Of a product of two numbers, relative: what rounding them may lose. */
static const double roundings[PRECISIONS] = {[LP_PRECISION_FLOAT32] = 1e-6,
                                             [LP_PRECISION_BFLOAT16] = 0x1p-7,
                                             [LP_PRECISION_INT16] = 0x1p-9,
                                             [LP_PRECISION_INT8] = 0x1p-4};

typedef struct example {
    lp_conv conv;
    size_t images, side, out_side, outputs;
    float *x, *weight, *bias, *before, *y, *room;
    double scale[48];
} example;

static example make(size_t images, size_t side, const lp_conv *conv) {
    example e = {.conv = *conv, .images = images, .side = side};
    e.conv.groups = 1;
    e.conv.taps_wide = e.conv.taps_high;
    e.out_side = lp_conv_side(&e.conv, side, e.conv.taps_high);
    e.outputs = images * e.out_side * e.out_side * conv->out;
    e.x = numbers(images * side * side * conv->in);
    e.weight = numbers(conv->out * lp_conv_linear_inputs(&e.conv));
    e.room = numbers(conv->out * lp_conv_linear_inputs(&e.conv));
    e.conv.bias = e.bias = numbers(conv->out);
    e.before = numbers(e.outputs);
    e.y = numbers(e.outputs);
    e.conv.zeros = lp_alloc_zeroed(conv->in, sizeof(float));
    assert_non_null(e.conv.zeros);
    for (size_t o = 0; o < conv->out; o++) {
        e.scale[o] = 0.5 + lp_random_uniform(&source);
    }
    return e;
}

static void discard(example *e) {
    release_guarded(e->y, e->outputs);
    release_guarded(e->room, e->conv.out * lp_conv_linear_inputs(&e->conv));
    release(e->x);
    release(e->weight);
    release(e->bias);
    release(e->before);
    lp_free((void *)(uintptr_t)e->conv.zeros);
}

/* Output o of a pixel, and the root of the sum of its products' squares. */
static double exact(const example *e, size_t pixel, size_t o, double *size) {
    const lp_conv *c = &e->conv;
    size_t per_image = e->out_side * e->out_side, taps = c->taps_high * c->taps_wide;
    size_t image = pixel / per_image, v = pixel % per_image / e->out_side, u = pixel % e->out_side;
    double sum = (double)e->bias[o], squares = 1;
    for (size_t t = 0; t < taps; t++) {
        size_t row = v * c->stride + t / c->taps_wide, column = u * c->stride + t % c->taps_wide;
        bool inside = row >= c->padding && row < c->padding + e->side && column >= c->padding &&
                      column < c->padding + e->side;
        for (size_t i = 0; inside && i < c->in; i++) {
            size_t at = (image * e->side + row - c->padding) * e->side + column - c->padding;
            double term = (double)e->x[at * c->in + i] *
                          (double)e->weight[(o * c->in + i) * taps + t] * e->scale[o];
            sum += term;
            squares += term * term;
        }
    }
    *size = sqrt(squares);
    return sum;
}

/* Within eight roundings of a usual product, which add up as the products do. */
static void assert_near(const example *e, lp_precision precision, bool add, bool relu) {
    for (size_t i = 0; i < e->outputs; i++) {
        double size, expected = exact(e, i / e->conv.out, i % e->conv.out, &size);
        expected += add ? (double)e->before[i] : 0;
        expected = relu && expected < 0 ? 0 : expected;
        if (!(fabs((double)e->y[i] - expected) <= 8 * roundings[precision] * size)) {
            fail_msg("precision %d, output %zu: found %.9g, expected %.9g, products of %.3g",
                     (int)precision, i, (double)e->y[i], expected, size);
        }
    }
}

static void check_direct(const example *e, lp_precision precision) {
    size_t inputs = lp_conv_linear_inputs(&e->conv), pixels = e->outputs / e->conv.out;
    size_t room = lp_conv_linear_scratch(&e->conv, precision);
    float *packed = lp_alloc(lp_linear_any_packed(precision, e->conv.out, inputs), sizeof *packed);
    float *scratch = numbers(room), *alone = numbers(e->outputs / e->images);
    assert_non_null(packed);
    assert_true(lp_conv_linear_fits(&e->conv));
    lp_conv_linear_pack(&e->conv, precision, e->weight, e->scale, e->room, packed);
    const lp_packed_linear layer = {.in = inputs,
                                    .out = e->conv.out,
                                    .precision = precision,
                                    .panels = packed,
                                    .bias = e->bias};
    lp_conv_input in = lp_conv_dense(e->x, e->images, e->side, e->side, e->conv.in);
    lp_conv_linear_run(&e->conv, &layer, &in, false, LP_IDENTITY, e->y, scratch);
    assert_near(e, precision, false, false);
    in.images = 1; /* the last image, by itself: the same bits */
    in.x += (e->images - 1) * in.image_stride;
    lp_conv_linear_run(&e->conv, &layer, &in, false, LP_IDENTITY, alone, scratch);
    assert_memory_equal(alone, e->y + (pixels - pixels / e->images) * e->conv.out,
                        e->outputs / e->images * sizeof *alone);
    memcpy(e->y, e->before, e->outputs * sizeof *e->y);
    in = lp_conv_dense(e->x, e->images, e->side, e->side, e->conv.in);
    lp_conv_linear_run(&e->conv, &layer, &in, true, LP_RELU, e->y, scratch);
    assert_near(e, precision, true, true);
    release_guarded(alone, e->outputs / e->images);
    release_guarded(scratch, room);
    lp_free(packed);
}

static void convolutions_match_plain_loops(void **state) {
    (void)state;
    static const struct {
        size_t images, side;
        lp_conv conv;
    } cases[] = {
        {1, 1, {.in = 16, .out = 16, .taps_high = 1, .stride = 1}},
        {3, 5, {.in = 48, .out = 33, .taps_high = 1, .stride = 1}},
        {2, 7, {.in = 16, .out = 48, .taps_high = 1, .stride = 2}},
        {2, 6, {.in = 32, .out = 7, .taps_high = 3, .stride = 2, .padding = 1}},
        {1, 17, {.in = 16, .out = 20, .taps_high = 3, .stride = 1, .padding = 1}},
        {2, 4, {.in = 128, .out = 16, .taps_high = 3, .stride = 1}}, /* two blocks of inputs */
    };
    lp_random_seed(&source, 5);
    for (size_t n = 0; n < sizeof cases / sizeof cases[0]; n++) {
        example e = make(cases[n].images, cases[n].side, &cases[n].conv);
        for (int precision = 0; precision < PRECISIONS; precision++) {
            check_direct(&e, (lp_precision)precision);
        }
        discard(&e);
    }
}

static void check_winograd(const example *e, lp_precision precision) {
    size_t in = e->conv.in, out = e->conv.out;
    size_t floats = lp_linear_any_packed(precision, out, in);
    size_t room = lp_winograd_linear_scratch(&e->conv, precision);
    float *packed = lp_alloc(LP_WINOGRAD_PLANES * floats, sizeof *packed);
    float *scratch = numbers(room);
    lp_packed_linear planes[LP_WINOGRAD_PLANES];
    assert_non_null(packed);
    for (size_t p = 0; p < LP_WINOGRAD_PLANES; p++) {
        planes[p] = (lp_packed_linear){.in = in, .out = out, .precision = precision};
        planes[p].panels = packed + p * floats;
        lp_winograd_transform(&e->conv, e->weight, e->scale, p, e->room);
        lp_linear_any_pack(precision, e->room, out, in, in, 1, packed + p * floats);
    }
    lp_winograd_linear_run(&e->conv, planes, e->x, e->images, e->side, NULL, LP_IDENTITY, e->y,
                           scratch);
    assert_near(e, precision, false, false);
    memcpy(e->y, e->before, e->outputs * sizeof *e->y);
    lp_winograd_linear_run(&e->conv, planes, e->x, e->images, e->side, e->y, LP_RELU, e->y,
                           scratch);
    assert_near(e, precision, true, true);
    release_guarded(scratch, room);
    lp_free(packed);
}

static void so_do_those_by_winograd(void **state) {
    (void)state;
    static const size_t sizes[][4] = {/* images, side, in, out */
                                      {1, 1, 16, 16},
                                      {2, 5, 16, 48},
                                      {1, 29, 48, 32},
                                      {5, 7, 304, 16}};
    lp_random_seed(&source, 5);
    for (size_t n = 0; n < sizeof sizes / sizeof sizes[0]; n++) {
        const lp_conv conv = {
            .in = sizes[n][2], .out = sizes[n][3], .taps_high = 3, .stride = 1, .padding = 1};
        example e = make(sizes[n][0], sizes[n][1], &conv);
        for (int precision = 0; precision < PRECISIONS; precision++) {
            check_winograd(&e, (lp_precision)precision);
        }
        discard(&e);
    }
}

static void groups_and_odd_channels_do_not_fit(void **state) {
    (void)state;
    assert_true(lp_conv_linear_fits(&(lp_conv){.groups = 1, .in = 32}));
    assert_false(lp_conv_linear_fits(&(lp_conv){.groups = 2, .in = 32}));
    assert_false(lp_conv_linear_fits(&(lp_conv){.groups = 1, .in = 24}));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolutions_match_plain_loops),
        cmocka_unit_test(so_do_those_by_winograd),
        cmocka_unit_test(groups_and_odd_channels_do_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
