#include "math/linear_any.h"

#include "math/linear_bfloat16.h"
#include "math/linear_int16.h"
#include "math/linear_int8.h"

static bool always(void) {
    return true;
}

static size_t no_scratch(size_t in) {
    (void)in;
    return 0;
}

static void run_float32(const lp_packed_linear *layer, const float *x, size_t rows,
                        const lp_linear_output *output, float *scratch) {
    (void)scratch;
    lp_linear_run(layer, x, rows, output);
}

static const struct {
    bool (*is_fast)(void);
    size_t (*packed)(size_t out, size_t in);
    void (*pack)(const float *weight, size_t out, size_t in, size_t out_stride, size_t in_stride,
                 float *packed);
    size_t (*scratch)(size_t in);
    void (*run)(const lp_packed_linear *layer, const float *x, size_t rows,
                const lp_linear_output *output, float *scratch);
} kinds[] = {
    [LP_PRECISION_FLOAT32] = {always, lp_linear_packed, lp_linear_pack_strided, no_scratch,
                              run_float32},
    [LP_PRECISION_BFLOAT16] = {lp_linear_bfloat16_is_fast, lp_linear_bfloat16_packed,
                               lp_linear_bfloat16_pack, lp_linear_bfloat16_scratch,
                               lp_linear_bfloat16_run},
    [LP_PRECISION_INT16] = {lp_linear_int16_is_fast, lp_linear_int16_packed, lp_linear_int16_pack,
                            lp_linear_int16_scratch, lp_linear_int16_run},
    [LP_PRECISION_INT8] = {lp_linear_int8_is_fast, lp_linear_int8_packed, lp_linear_int8_pack,
                           lp_linear_int8_scratch, lp_linear_int8_run},
};

bool lp_linear_any_is_fast(lp_precision precision) {
    return kinds[precision].is_fast();
}

size_t lp_linear_any_packed(lp_precision precision, size_t out, size_t in) {
    return kinds[precision].packed(out, in);
}

void lp_linear_any_pack(lp_precision precision, const float *weight, size_t out, size_t in,
                        size_t out_stride, size_t in_stride, float *packed) {
    kinds[precision].pack(weight, out, in, out_stride, in_stride, packed);
}

size_t lp_linear_any_scratch(lp_precision precision, size_t in) {
    return kinds[precision].scratch(in);
}

void lp_linear_any_run(const lp_packed_linear *layer, const float *x, size_t rows,
                       const lp_linear_output *output, float *scratch) {
    kinds[layer->precision].run(layer, x, rows, output, scratch);
}
