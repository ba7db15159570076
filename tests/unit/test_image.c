/* The image stage: against golden digests of Pillow's and torchvision's output, and against a plain
 * twin that shares nothing with it but the formula. */
#include <inttypes.h>
#include <math.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/random.h"
#include "check.h"
#include "image/resample.h"
#include "linprobe/image.h"

enum { GUARD = 64, GUARD_BYTE = 0xa5 };

static const lp_preprocess clip = {.resize = 224,
                                   .crop = 224,
                                   .filter = LP_FILTER_BICUBIC,
                                   .mean = {0.48145466f, 0.4578275f, 0.40821073f},
                                   .std = {0.26862954f, 0.26130258f, 0.27577711f}};
static lp_error err;

/* The images of tests/golden/make_images.py. */
static unsigned char *pixels(uint32_t seed, size_t count) {
    unsigned char *bytes = lp_alloc(count, 1);
    uint32_t state = seed;
    assert_non_null(bytes);
    for (size_t i = 0; i < count; i++) {
        state = state * UINT32_C(1664525) + UINT32_C(1013904223);
        bytes[i] = (unsigned char)(state >> 24);
        if (seed % 2 != 0) {
            bytes[i] = bytes[i] >= 128 ? 255 : 0;
        }
    }
    return bytes;
}

/* Memory between guard bytes, which guarded_free looks at. */
static void *guarded(size_t bytes) {
    unsigned char *block = lp_alloc(bytes + 2 * GUARD, 1);
    assert_non_null(block);
    memset(block, GUARD_BYTE, bytes + 2 * GUARD);
    return block + GUARD;
}

static void guarded_free(void *memory, size_t bytes) {
    unsigned char *block = (unsigned char *)memory - GUARD;
    for (size_t i = 0; i < GUARD; i++) {
        assert_int_equal(block[i], GUARD_BYTE);
        assert_int_equal(block[GUARD + bytes + i], GUARD_BYTE);
    }
    lp_free(block);
}

static FILE *golden(const char *name) {
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/golden/image/%s", LP_TEST_DATA, name);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        fail_msg("%s cannot be opened", path);
    }
    return file;
}

static lp_filter filter_named(const char *name) {
    lp_filter filter = LP_FILTER_BICUBIC;
    while (lp_filter_name(filter) != NULL && strcmp(lp_filter_name(filter), name) != 0) {
        filter = (lp_filter)((int)filter + 1);
    }
    return filter;
}

/* A line of the golden files: what was done to which image. */
typedef struct golden_line {
    lp_filter filter;
    bool squash;
    lp_crop_rule rule;
    uint32_t seed;
    size_t n[4];
} golden_line;

/* Calls `one` with each line; it gives the digest of what it made. */
static void compare_golden(const char *name, size_t lines_expected,
                           void (*one)(const golden_line *what, char hex[LP_DIGEST_HEX])) {
    char line[512], filter[16], expected[LP_DIGEST_HEX], found[LP_DIGEST_HEX];
    size_t lines = 0;
    FILE *file = golden(name);
    while (fgets(line, sizeof line, file) != NULL) {
        if (line[0] == '#') {
            continue;
        }
        char mode[16] = "keep", rule[16] = "round"; /* resize.txt has neither */
        int at = 0;
        golden_line what;
        if (sscanf(line, "%15s %15[a-z] %15[a-z] %n", filter, mode, rule, &at) < 3) {
            assert_int_equal(sscanf(line, "%15s %n", filter, &at), 1);
        }
        assert_int_equal(sscanf(line + at, "%" SCNu32 " %zu %zu %zu %zu %64s", &what.seed,
                                &what.n[0], &what.n[1], &what.n[2], &what.n[3], expected),
                         6);
        what.filter = filter_named(filter);
        what.squash = strcmp(mode, "squash") == 0;
        what.rule = strcmp(rule, "floor") == 0 ? LP_CROP_FLOOR : LP_CROP_ROUND;
        one(&what, found);
        if (strcmp(expected, found) != 0) {
            fail_msg("%s: %s found %s", name, line, found);
        }
        lines++;
    }
    (void)fclose(file);
    assert_int_equal(lines, lines_expected);
}

static void resize_one(const golden_line *what, char hex[LP_DIGEST_HEX]) {
    const size_t *n = what->n;
    unsigned char *rgb = pixels(what->seed, n[0] * n[1] * 3);
    size_t bytes = n[2] * n[3] * 3;
    unsigned char *out = guarded(bytes);
    assert_ok(lp_image_resize(what->filter, rgb, n[0], n[1], out, n[2], n[3], &err), &err);
    assert_ok(lp_digest_bytes(LP_SHA256, out, bytes, hex, &err), &err);
    guarded_free(out, bytes);
    lp_free(rgb);
}

static void resize_equals_pillow(void **state) {
    (void)state;
    compare_golden("resize.txt", 112, resize_one);
}

static void preprocess_one(const golden_line *line, char hex[LP_DIGEST_HEX]) {
    const size_t *n = line->n;
    unsigned char *rgb = pixels(line->seed, n[0] * n[1] * 3);
    size_t bytes = 3 * n[3] * n[3] * sizeof(float);
    float *out = guarded(bytes);
    lp_preprocess what = clip;
    lp_preprocessor *p;
    what.filter = line->filter;
    what.squash = line->squash;
    what.crop_rule = line->rule;
    what.resize = n[2];
    what.crop = n[3];
    assert_ok(lp_preprocessor_new(&what, &p, &err), &err);
    assert_ok(lp_preprocessor_run(p, rgb, n[0], n[1], out, &err), &err);
    assert_ok(lp_digest_bytes(LP_SHA256, out, bytes, hex, &err), &err);
    lp_preprocessor_free(p);
    guarded_free(out, bytes);
    lp_free(rgb);
}

static void preprocessing_equals_the_references(void **state) {
    (void)state;
    compare_golden("preprocess.txt", 56, preprocess_one);
}

/* ---- the plain twin -------------------------------------------------------------------------- */

static double cubic(double x) {
    x = x < 0 ? -x : x;
    return x < 1   ? ((-0.5 + 2.0) * x - (-0.5 + 3.0)) * x * x + 1
           : x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5
                   : 0;
}

static double triangle(double x) {
    x = x < 0 ? -x : x;
    return x < 1 ? 1 - x : 0;
}

static double lanczos(double x) {
    double u = x * acos(-1.0);
    return x == 0 ? 1 : fabs(x) < 3 ? 3 * sin(u) * sin(u / 3) / (u * u) : 0;
}

static const struct {
    double (*weight)(double x);
    double support;
} twin_filters[] = {[LP_FILTER_BICUBIC] = {cubic, 2},
                    [LP_FILTER_BILINEAR] = {triangle, 1},
                    [LP_FILTER_LANCZOS] = {lanczos, 3},
                    [LP_FILTER_NEAREST] = {NULL, 0}};
enum { FILTERS = 4 };

/* One value of a pass: of `in` samples `stride` bytes apart, output position o of `out`. */
static unsigned char twin_sample(lp_filter filter, const unsigned char *samples, size_t stride,
                                 size_t in, size_t out, size_t o) {
    double (*weight_at)(double x) = twin_filters[filter].weight;
    double support = twin_filters[filter].support;
    double scale = (double)in / (double)out, wide = scale > 1 ? scale : 1, sum = 0;
    double centre = ((double)o + 0.5) * scale;
    long from = (long)(centre - support * wide + 0.5);
    long to = (long)(centre + support * wide + 0.5);
    int64_t total = 1 << 21;
    if (weight_at == NULL) {
        double place = 0.5 * scale;
        for (; o > 0; o--) {
            place += scale;
        }
        return samples[(size_t)place * stride];
    }
    from = from < 0 ? 0 : from;
    to = to > (long)in ? (long)in : to;
    for (long i = from; i < to; i++) {
        sum += weight_at(((double)i - centre + 0.5) * (1.0 / wide));
    }
    for (long i = from; i < to; i++) {
        double weight = weight_at(((double)i - centre + 0.5) * (1.0 / wide)) / sum * 4194304.0;
        total += (int64_t)round(weight) * samples[(size_t)i * stride];
    }
    double value = floor((double)total / 4194304.0);
    return (unsigned char)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* Along columns (down) or rows.  As Pillow, a pass that changes nothing only copies. */
static void twin_pass(lp_filter filter, bool down, const unsigned char *in, size_t ih, size_t iw,
                      unsigned char *out, size_t oh, size_t ow) {
    for (size_t y = 0; y < oh; y++) {
        for (size_t x = 0; x < ow; x++) {
            for (size_t c = 0; c < 3; c++) {
                out[(y * ow + x) * 3 + c] =
                    ih == oh && iw == ow ? in[(y * iw + x) * 3 + c]
                    : down               ? twin_sample(filter, in + x * 3 + c, iw * 3, ih, oh, y)
                                         : twin_sample(filter, in + y * iw * 3 + c, 3, iw, ow, x);
            }
        }
    }
}

static void twin_resize(lp_filter filter, const unsigned char *rgb, size_t ih, size_t iw,
                        unsigned char *out, size_t oh, size_t ow) {
    double lower = (double)ih - (double)oh, narrower = (double)iw - (double)ow;
    bool down_first = lower > 0 && lower > 2 * narrower;
    size_t h = down_first ? oh : ih, w = down_first ? iw : ow;
    unsigned char *between = lp_alloc(h * w, 3);
    assert_non_null(between);
    twin_pass(filter, down_first, rgb, ih, iw, between, h, w);
    twin_pass(filter, !down_first, between, h, w, out, oh, ow);
    lp_free(between);
}

/* Pillow 13.0's order of the passes, by sizes alone. */
static void the_height_comes_first_where_it_shrinks_most(void **state) {
    (void)state;
    static const struct {
        size_t ih, iw, oh, ow;
        bool down_first;
    } cases[] = {
        {500, 375, 256, 256, true},  /* 244 > 2 * 119 */
        {500, 375, 224, 224, false}, /* 276 < 2 * 151 */
        {641, 320, 496, 248, true},  /* 145 > 2 * 72 */
        {640, 320, 496, 248, false}, /* 144 = 2 * 72 */
        {685, 320, 530, 248, true},  {375, 500, 224, 298, false},
        {32, 32, 224, 224, false},   {224, 224, 32, 32, false},
        {224, 224, 224, 224, false}, {9, 5, 8, 5, true}, /* the width stays */
        {9, 5, 8, 6, true},                              /* and grows */
        {9, 5, 9, 4, false},                             /* the height stays */
        {9, 5, 9, 6, false},                             /* 0 > -2, but it does not shrink */
        {9, 5, 10, 9, false},                            /* -1 > -8, likewise */
        {65535, 65535, 1, 1, false}, {65535, 1, 1, 65535, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const lp_resample_side down = {cases[i].ih, cases[i].oh, 0, cases[i].oh};
        const lp_resample_side across = {cases[i].iw, cases[i].ow, 0, cases[i].ow};
        if (lp_resample_down_first(&down, &across) != cases[i].down_first) {
            fail_msg("%zu x %zu to %zu x %zu", cases[i].ih, cases[i].iw, cases[i].oh, cases[i].ow);
        }
    }
}

static void resize_equals_plain_twin(void **state) {
    (void)state;
    lp_random random;
    lp_random_seed(&random, 11);
    for (uint32_t round = 0; round < 240; round++) {
        lp_filter filter = (lp_filter)(round / 2 % FILTERS);
        size_t n[4], bytes;
        for (size_t i = 0; i < 4; i++) {
            n[i] = 1 + (size_t)lp_random_below(&random, round % 3 == 0 ? 5 : 70);
        }
        if (round % 5 == 0) {
            n[2] = n[0];
        }
        bytes = n[2] * n[3] * 3;
        unsigned char *rgb = pixels(round, n[0] * n[1] * 3);
        unsigned char *out = guarded(bytes), *twin = guarded(bytes);
        assert_ok(lp_image_resize(filter, rgb, n[0], n[1], out, n[2], n[3], &err), &err);
        twin_resize(filter, rgb, n[0], n[1], twin, n[2], n[3]);
        assert_memory_equal(out, twin, bytes);
        guarded_free(out, bytes);
        guarded_free(twin, bytes);
        lp_free(rgb);
    }
}

/* The whole image resized, then cropped, then normalised, in a preprocessor that sees many sizes.
 */
static void compare_with_twin(lp_filter filter, bool squash, lp_crop_rule rule) {
    enum { RESIZE = 37, CROP = 24 };
    lp_preprocess what = clip;
    lp_preprocessor *p;
    lp_random random;
    what.filter = filter;
    what.squash = squash;
    what.crop_rule = rule;
    what.resize = RESIZE;
    what.crop = CROP;
    lp_random_seed(&random, 12);
    assert_ok(lp_preprocessor_new(&what, &p, &err), &err);
    for (uint32_t round = 0; round < 30; round++) {
        size_t h = 1 + (size_t)lp_random_below(&random, 60);
        size_t w = round % 4 == 0 ? h : 1 + (size_t)lp_random_below(&random, 60);
        size_t oh = h < w || squash ? RESIZE : RESIZE * h / w;
        size_t ow = h < w && !squash ? RESIZE * w / h : RESIZE;
        /* nearbyint rounds a half to even, as Python's round does */
        double (*whole_number)(double) = rule == LP_CROP_FLOOR ? floor : nearbyint;
        size_t top = (size_t)whole_number((double)(oh - CROP) / 2);
        size_t left = (size_t)whole_number((double)(ow - CROP) / 2);
        unsigned char *rgb = pixels(round, h * w * 3), *whole = guarded(oh * ow * 3);
        float *out = guarded(sizeof(float[3 * CROP * CROP]));
        twin_resize(filter, rgb, h, w, whole, oh, ow);
        for (int again = 0; again < 2; again++) { /* new size, then the size it knows */
            assert_ok(lp_preprocessor_run(p, rgb, h, w, out, &err), &err);
            for (size_t i = 0; i < 3 * CROP * CROP; i++) {
                size_t c = i / (CROP * CROP), y = i / CROP % CROP, x = i % CROP;
                float value = (float)whole[((top + y) * ow + left + x) * 3 + c] / 255.0f;
                value -= what.mean[c];
                value /= what.std[c];
                assert_memory_equal(&out[i], &value, sizeof value);
            }
        }
        guarded_free(out, sizeof(float[3 * CROP * CROP]));
        guarded_free(whole, oh * ow * 3);
        lp_free(rgb);
    }
    lp_preprocessor_free(p);
}

static void preprocessing_equals_plain_twin(void **state) {
    (void)state;
    for (int filter = 0; filter < FILTERS; filter++) {
        compare_with_twin((lp_filter)filter, false, LP_CROP_ROUND);
        compare_with_twin((lp_filter)filter, false, LP_CROP_FLOOR);
        compare_with_twin((lp_filter)filter, true, LP_CROP_ROUND);
    }
}

/* One value of a pass in float32's place: the formula in double, also where PyTorch rounds scale
 * and centre. */
static double float_twin_sample(lp_filter filter, const double *samples, size_t stride, size_t in,
                                size_t out, size_t o) {
    double support = twin_filters[filter].support, total = 0, sum = 0;
    double scale = (double)in / (double)out, wide = scale > 1 ? scale : 1;
    double centre = ((double)o + 0.5) * scale;
    for (size_t i = 0; i < in; i++) {
        double distance = ((double)i + 0.5 - centre) / wide;
        double weight = support == 0               ? ((size_t)centre == i ? 1.0 : 0.0)
                        : fabs(distance) < support ? twin_filters[filter].weight(distance)
                                                   : 0;
        total += weight * samples[i * stride];
        sum += weight;
    }
    return total / sum;
}

/* Bytes, resized without rounding: double [oh, ow, 3]. */
static double *float_twin_resize(lp_filter filter, const unsigned char *rgb, size_t ih, size_t iw,
                                 size_t oh, size_t ow) {
    double *in = lp_alloc(ih * iw * 3, sizeof *in), *between = lp_alloc(ih * ow * 3, sizeof *in);
    double *out = lp_alloc(oh * ow * 3, sizeof *in);
    assert_true(in != NULL && between != NULL && out != NULL);
    for (size_t i = 0; i < ih * iw * 3; i++) {
        in[i] = rgb[i];
    }
    for (size_t i = 0; i < ih * ow * 3; i++) {
        size_t y = i / 3 / ow, x = i / 3 % ow, c = i % 3;
        between[i] = float_twin_sample(filter, in + y * iw * 3 + c, 3, iw, ow, x);
    }
    for (size_t i = 0; i < oh * ow * 3; i++) {
        out[i] = float_twin_sample(filter, between + i % (ow * 3), ow * 3, ih, oh, i / 3 / ow);
    }
    lp_free(in);
    lp_free(between);
    return out;
}

/* Odd sizes, up and down, tall and wide.  The tolerance, in units of 1 / std, is that of a centre
 * which is rounded to float32 at 100 pixels, between a black and a white one; a byte's rounding is
 * 2e-3. */
static void float_resize_equals_its_formula(void **state) {
    (void)state;
    static const struct {
        size_t h, w, resize, crop;
        bool squash;
    } cases[] = {{83, 51, 37, 37, true}, {61, 97, 31, 24, false}, {5, 7, 33, 33, true},
                 {9, 4, 21, 17, false},  {37, 61, 37, 37, true},  {1, 1, 3, 3, true},
                 {3, 97, 11, 9, true},   {95, 1, 4, 7, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases * FILTERS; i++) {
        size_t k = i / FILTERS, h = cases[k].h, w = cases[k].w, crop = cases[k].crop;
        lp_preprocess what = clip;
        lp_preprocessor *p;
        what.filter = (lp_filter)(i % FILTERS);
        what.squash = cases[k].squash;
        what.resize = cases[k].resize;
        what.crop = crop;
        what.float_resize = true;
        what.crop_rule = LP_CROP_FLOOR;
        size_t oh = h > w && !what.squash ? what.resize * h / w : what.resize;
        size_t ow = w > h && !what.squash ? what.resize * w / h : what.resize;
        size_t bytes = 3 * crop * crop * sizeof(float);
        unsigned char *rgb = pixels((uint32_t)k, h * w * 3);
        double *whole = float_twin_resize(what.filter, rgb, h, w, oh, ow);
        float *out = guarded(bytes);
        assert_ok(lp_preprocessor_new(&what, &p, &err), &err);
        assert_ok(lp_preprocessor_run(p, rgb, h, w, out, &err), &err);
        for (size_t j = 0; j < 3 * crop * crop; j++) {
            size_t c = j / (crop * crop), y = j / crop % crop, x = j % crop;
            size_t framed = crop > oh ? (crop - oh + 1) / 2 : 0; /* the case has a frame or none */
            bool inside =
                crop <= oh || (y >= framed && y < framed + oh && x >= framed && x < framed + ow);
            size_t row = crop > oh ? y - framed : y + (oh - crop) / 2;
            size_t column = crop > ow ? x - framed : x + (ow - crop) / 2;
            double value = inside ? whole[(row * ow + column) * 3 + c] : 0;
            double expected = (value / 255 - (double)what.mean[c]) / (double)what.std[c];
            if (!(fabs((double)out[j] - expected) < 2e-5)) {
                fail_msg("case %zu, %s: channel %zu row %zu column %zu: expected %.9g, found %.9g",
                         k, lp_filter_name(what.filter), c, y, x, expected, (double)out[j]);
            }
        }
        lp_preprocessor_free(p);
        guarded_free(out, bytes);
        lp_free(whole);
        lp_free(rgb);
    }
}

/* Of n rows, row y has the value y.  The first row of a crop that keeps all but `surplus` of them;
 * both rules over surpluses of 0 to 3 mod 4. */
static void each_rule_begins_its_crop_where_it_says(void **state) {
    (void)state;
    enum { CROP = 3, MOST = 8 };
    static const size_t begins[][MOST] = {
        [LP_CROP_ROUND] = {0, 0, 1, 2, 2, 2, 3, 4}, [LP_CROP_FLOOR] = {0, 0, 1, 1, 2, 2, 3, 3}};
    unsigned char rgb[(CROP + MOST) * CROP * 3];
    float out[3 * CROP * CROP];
    for (size_t i = 0; i < sizeof rgb; i++) {
        rgb[i] = (unsigned char)(i / (CROP * 3));
    }
    for (int rule = LP_CROP_ROUND; rule <= LP_CROP_FLOOR; rule++) {
        const lp_preprocess what = {.resize = CROP,
                                    .crop = CROP,
                                    .crop_rule = (lp_crop_rule)rule,
                                    .std = {1 / 255.0f, 1 / 255.0f, 1 / 255.0f}};
        lp_preprocessor *p;
        assert_ok(lp_preprocessor_new(&what, &p, &err), &err);
        for (size_t surplus = 0; surplus < MOST; surplus++) {
            assert_ok(lp_preprocessor_run(p, rgb, CROP + surplus, CROP, out, &err), &err);
            assert_int_equal((int)(out[0] + 0.5f), begins[rule][surplus]);
        }
        lp_preprocessor_free(p);
    }
}

/* Square images of 256 -> 224 have an even surplus, and their features are the same by both rules.
 */
static void a_rule_matters_where_the_surplus_says_so(void **state) {
    (void)state;
    static const struct {
        size_t resize, crop, height, width;
        bool squash, matters;
    } cases[] = {
        {256, 224, 32, 32, false, false},   {227, 224, 32, 32, false, true},
        {225, 224, 96, 96, false, false},   {227, 224, 500, 375, true, true},
        {224, 224, 500, 375, true, false},  {224, 224, 227, 224, false, true},
        {224, 224, 224, 231, false, true},  {224, 224, 225, 224, false, false},
        {224, 224, 500, 375, false, false}, /* 298 - 224 = 74 */
        {40, 41, 9, 9, false, true},        {40, 42, 9, 9, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        lp_preprocess what = clip;
        what.resize = cases[i].resize;
        what.crop = cases[i].crop;
        what.squash = cases[i].squash;
        for (int rule = LP_CROP_ROUND; rule <= LP_CROP_FLOOR; rule++) {
            what.crop_rule = (lp_crop_rule)rule;
            if (lp_crop_rule_matters(&what, cases[i].height, cases[i].width) != cases[i].matters) {
                fail_msg("resize %zu, crop %zu, %zu x %zu", what.resize, what.crop, cases[i].height,
                         cases[i].width);
            }
        }
    }
}

/* 3 x 2 white pixels in a 6 x 6 crop: one more black line below than above, as torchvision pads, or
 * above, as transformers does. */
static void small_images_get_a_black_frame(void **state) {
    (void)state;
    enum { CROP = 6 };
    unsigned char rgb[3 * 2 * 3];
    float out[3 * CROP * CROP];
    memset(rgb, 255, sizeof rgb);
    for (int rule = LP_CROP_ROUND; rule <= LP_CROP_FLOOR; rule++) {
        size_t top = rule == LP_CROP_FLOOR ? 2 : 1;
        lp_preprocess what = clip;
        lp_preprocessor *p;
        what.resize = 2;
        what.crop = CROP;
        what.crop_rule = (lp_crop_rule)rule;
        assert_ok(lp_preprocessor_new(&what, &p, &err), &err);
        assert_ok(lp_preprocessor_run(p, rgb, 3, 2, out, &err), &err);
        for (size_t i = 0; i < 3 * CROP * CROP; i++) {
            size_t c = i / (CROP * CROP), y = i / CROP % CROP, x = i % CROP;
            bool inside = y >= top && y < top + 3 && x >= 2 && x < 4;
            float value = ((inside ? 1.0f : 0.0f) - what.mean[c]) / what.std[c];
            assert_memory_equal(&out[i], &value, sizeof value);
        }
        lp_preprocessor_free(p);
    }
}

static void filters_and_rules_have_names(void **state) {
    (void)state;
    assert_string_equal(lp_filter_name(LP_FILTER_BICUBIC), "bicubic");
    assert_string_equal(lp_filter_name(LP_FILTER_BILINEAR), "bilinear");
    assert_string_equal(lp_filter_name(LP_FILTER_LANCZOS), "lanczos");
    assert_string_equal(lp_filter_name(LP_FILTER_NEAREST), "nearest");
    assert_null(lp_filter_name((lp_filter)FILTERS));
    assert_null(lp_filter_name((lp_filter)-1));
    assert_string_equal(lp_crop_rule_name(LP_CROP_ROUND), "round");
    assert_string_equal(lp_crop_rule_name(LP_CROP_FLOOR), "floor");
    assert_null(lp_crop_rule_name((lp_crop_rule)2));
    assert_null(lp_crop_rule_name((lp_crop_rule)-1));
}

static void known_size_needs_no_memory(void **state) {
    (void)state;
    lp_preprocessor *p;
    unsigned char *rgb = pixels(4, 32 * 32 * 3);
    float *out = lp_alloc(3 * 224 * 224, sizeof *out);
    assert_non_null(out);
    assert_ok(lp_preprocessor_new(&clip, &p, &err), &err);
    assert_ok(lp_preprocessor_run(p, rgb, 32, 32, out, &err), &err);
    (void)lp_alloc_fail_at(1);
    assert_ok(lp_preprocessor_run(p, rgb, 32, 32, out, &err), &err);
    assert_int_equal(lp_alloc_fail_at(0), 0);
    lp_preprocessor_free(p);
    lp_free(out);
    lp_free(rgb);
}

/* A strip of which only the middle is kept: the longer side would be 224 * 65535 pixels. */
static void extreme_strip_costs_only_its_crop(void **state) {
    (void)state;
    lp_preprocessor *p;
    unsigned char *rgb = pixels(6, 65535 * 3);
    float *out = lp_alloc(3 * 224 * 224, sizeof *out),
          *turned = lp_alloc(3 * 224 * 224, sizeof *out);
    assert_true(out != NULL && turned != NULL);
    assert_ok(lp_preprocessor_new(&clip, &p, &err), &err);
    assert_ok(lp_preprocessor_run(p, rgb, 1, 65535, out, &err), &err);
    assert_ok(lp_preprocessor_run(p, rgb, 65535, 1, turned, &err), &err);
    for (size_t i = 0; i < 224 * 224; i++) {
        assert_memory_equal(&out[i], &turned[i % 224 * 224 + i / 224], sizeof *out);
    }
    lp_preprocessor_free(p);
    lp_free(rgb);
    lp_free(out);
    lp_free(turned);
}

static void wrong_arguments_are_named(void **state) {
    (void)state;
    unsigned char rgb[3] = {0}, out[3];
    float input[3];
    lp_preprocess what = clip;
    lp_preprocessor *p;
    assert_fails(lp_image_resize(LP_FILTER_BICUBIC, rgb, 1, 0, out, 1, 1, &err), LP_ERR_ARGUMENT,
                 &err, "expected sides from 1 to 65535, found 1 x 0 to 1 x 1");
    assert_fails(lp_image_resize(LP_FILTER_BICUBIC, rgb, 1, 1, out, 65536, 1, &err),
                 LP_ERR_ARGUMENT, &err, "found 1 x 1 to 65536 x 1");
    assert_fails(lp_image_resize((lp_filter)9, rgb, 1, 1, out, 1, 1, &err), LP_ERR_ARGUMENT, &err,
                 "unknown filter 9");
    what.crop = 65536;
    assert_fails(lp_preprocessor_new(&what, &p, &err), LP_ERR_ARGUMENT, &err,
                 "found crop 65536, resize 224");
    assert_null(p);
    what = clip;
    what.resize = 65536;
    assert_fails(lp_preprocessor_new(&what, &p, &err), LP_ERR_ARGUMENT, &err, "resize 65536");
    what = clip;
    what.filter = (lp_filter)9;
    assert_fails(lp_preprocessor_new(&what, &p, &err), LP_ERR_ARGUMENT, &err, "unknown filter 9");
    what = clip;
    what.crop_rule = (lp_crop_rule)9;
    assert_fails(lp_preprocessor_new(&what, &p, &err), LP_ERR_ARGUMENT, &err,
                 "unknown crop rule 9");
    what = clip;
    what.std[2] = 0;
    assert_fails(lp_preprocessor_new(&what, &p, &err), LP_ERR_ARGUMENT, &err, "channel 2");
    what = clip;
    what.mean[1] = NAN;
    assert_fails(lp_preprocessor_new(&what, &p, &err), LP_ERR_ARGUMENT, &err, "channel 1");
    what = clip;
    what.resize = what.crop = 1;
    assert_ok(lp_preprocessor_new(&what, &p, &err), &err);
    assert_fails(lp_preprocessor_run(p, rgb, 0, 1, input, &err), LP_ERR_ARGUMENT, &err,
                 "found 0 x 1");
    assert_fails(lp_preprocessor_run(p, rgb, 1, 65536, input, &err), LP_ERR_ARGUMENT, &err,
                 "found 1 x 65536");
    assert_ok(lp_preprocessor_run(p, rgb, 1, 1, input, &err), &err);
    lp_preprocessor_free(p);
    lp_preprocessor_free(NULL);
}

/* Every allocation of a preprocessor and of its first run fails once. */
static void fail_a_preprocessor(bool floats) {
    unsigned char *rgb = pixels(8, 9 * 7 * 3);
    float input[3 * 4 * 4];
    lp_preprocess what = clip;
    lp_preprocessor *p;
    lp_status status = LP_ERR_MEMORY;
    size_t k;
    what.resize = 5;
    what.crop = 4;
    what.float_resize = floats;
    for (k = 1; status != LP_OK; k++) {
        (void)lp_alloc_fail_at(k);
        status = lp_preprocessor_new(&what, &p, &err);
        assert_true(status == LP_OK ? p != NULL : status == LP_ERR_MEMORY && p == NULL);
    }
    assert_true(k > 3);
    status = LP_ERR_MEMORY;
    for (k = 1; status != LP_OK; k++) { /* a failure leaves the preprocessor usable */
        (void)lp_alloc_fail_at(k);
        status = lp_preprocessor_run(p, rgb, 9, 7, input, &err);
        assert_true(status == LP_OK || status == LP_ERR_MEMORY);
    }
    assert_true(k > 8);
    (void)lp_alloc_fail_at(0);
    lp_preprocessor_free(p);
    lp_free(rgb);
}

static void every_failed_allocation_is_reported(void **state) {
    (void)state;
    unsigned char *rgb = pixels(8, 9 * 7 * 3), out[11 * 13 * 3];
    lp_status status = LP_ERR_MEMORY;
    size_t k = 0;
    while (status != LP_OK) {
        (void)lp_alloc_fail_at(++k);
        status = lp_image_resize(LP_FILTER_BICUBIC, rgb, 9, 7, out, 11, 13, &err);
        assert_true(status == LP_OK || status == LP_ERR_MEMORY);
    }
    assert_true(k > 8); /* two axes of three blocks, weights, rows and sums */
    (void)lp_alloc_fail_at(0);
    lp_free(rgb);
    fail_a_preprocessor(false);
    fail_a_preprocessor(true);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resize_equals_pillow),
        cmocka_unit_test(preprocessing_equals_the_references),
        cmocka_unit_test(the_height_comes_first_where_it_shrinks_most),
        cmocka_unit_test(resize_equals_plain_twin),
        cmocka_unit_test(preprocessing_equals_plain_twin),
        cmocka_unit_test(float_resize_equals_its_formula),
        cmocka_unit_test(each_rule_begins_its_crop_where_it_says),
        cmocka_unit_test(a_rule_matters_where_the_surplus_says_so),
        cmocka_unit_test(small_images_get_a_black_frame),
        cmocka_unit_test(filters_and_rules_have_names),
        cmocka_unit_test(known_size_needs_no_memory),
        cmocka_unit_test(extreme_strip_costs_only_its_crop),
        cmocka_unit_test(wrong_arguments_are_named),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
