/* Image stage: an image as an encoder takes it.
 *
 *   rgb      uint8 [height, width, 3]
 *   resize   shorter side -> resize, longer side -> floor(resize * long / short); or both -> resize
 *   crop     the centre, crop x crop, by the model's rule; in a black frame where the image is
 *            smaller; only the rows and columns it keeps are ever computed
 *   tensor   float32 [3, crop, crop], (v / 255 - mean) / std, each step rounded to float32
 *
 * With LP_CROP_ROUND it reproduces OpenAI CLIP's _transform (clip/clip.py) as torchvision does it
 * on a Pillow image: Resize (its filter and size may differ), CenterCrop, ToTensor, Normalize. With
 * LP_CROP_FLOOR it reproduces transformers' image processors over Pillow (PilBackend of
 * image_processing_backends.py, center_crop of image_transforms.py).  There are only 256 values a
 * channel, so the last step is a table.
 *
 * With float_resize it reproduces, up to rounding, those that divide by 255 and then resize the
 * tensor (image_processing_dinov3_vit.py).  Weights add up to 1, so the division comes behind the
 * resize here, too. */
#include <math.h>

#include "base/alloc.h"
#include "base/error.h"
#include "image/resample.h"

struct lp_preprocessor {
    lp_preprocess what;
    float table[3][256];  /* what becomes of a byte, by channel */
    unsigned char *line;  /* [crop, 3], one row of the resized window */
    float *float_line;    /* the same where what.float_resize; the other one is NULL */
    size_t height, width; /* of the images that the rest is prepared for; 0 at first */
    lp_resample resample; /* its window has at most crop rows and columns; around it the frame */
    size_t frame[2];      /* black rows above, columns on the left */
};

const char *const lp_crop_rule_names[] = {"round", "floor", NULL};

const char *lp_crop_rule_name(lp_crop_rule rule) {
    enum { RULES = sizeof lp_crop_rule_names / sizeof *lp_crop_rule_names - 1 };
    return (size_t)rule < RULES ? lp_crop_rule_names[rule] : NULL;
}

static lp_status check(const lp_preprocess *what, lp_error *err) {
    if (what->resize < 1 || what->resize > LP_IMAGE_SIDE_MAX || what->crop < 1 ||
        what->crop > LP_IMAGE_SIDE_MAX) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "preprocessing: expected crop and resize from 1 to %d, found crop %zu, "
                       "resize %zu",
                       LP_IMAGE_SIDE_MAX, what->crop, what->resize);
    }
    if (lp_filter_name(what->filter) == NULL) {
        return lp_fail(err, LP_ERR_ARGUMENT, "preprocessing: unknown filter %d", (int)what->filter);
    }
    if (lp_crop_rule_name(what->crop_rule) == NULL) {
        return lp_fail(err, LP_ERR_ARGUMENT, "preprocessing: unknown crop rule %d",
                       (int)what->crop_rule);
    }
    for (int c = 0; c < 3; c++) {
        if (!isfinite(what->mean[c]) || !isfinite(what->std[c]) || what->std[c] <= 0) {
            return lp_fail(
                err, LP_ERR_ARGUMENT,
                "preprocessing: channel %d: expected a finite mean and a finite positive "
                "std, found %g and %g",
                c, (double)what->mean[c], (double)what->std[c]);
        }
    }
    return LP_OK;
}

/* v: 0 to 255. */
static float normalised(const lp_preprocess *what, size_t c, float v) {
    float value = v / 255.0f;
    value = value - what->mean[c];
    return value / what->std[c];
}

lp_status lp_preprocessor_new(const lp_preprocess *what, lp_preprocessor **out, lp_error *err) {
    lp_preprocessor *p = NULL;
    lp_status status;
    LP_TRY(check(what, err));
    p = lp_alloc_zeroed(1, sizeof *p);
    LP_TRY(lp_allocated(p, "preprocessor", 1, sizeof *p, err));
    p->what = *what;
    if (what->float_resize) {
        p->float_line = lp_alloc(what->crop, 3 * sizeof(float));
        LP_TRY(lp_allocated(p->float_line, "preprocessor", what->crop, 3 * sizeof(float), err));
    } else {
        p->line = lp_alloc(what->crop, 3);
        LP_TRY(lp_allocated(p->line, "preprocessor", what->crop, 3, err));
    }
    for (size_t c = 0; c < 3; c++) {
        for (int v = 0; v < 256; v++) {
            p->table[c][v] = normalised(what, c, (float)v);
        }
    }
done:
    if (status != LP_OK) {
        lp_preprocessor_free(p);
        p = NULL;
    }
    *out = p;
    return status;
}

void lp_preprocessor_free(lp_preprocessor *p) {
    if (p != NULL) {
        lp_resample_clear(&p->resample);
        lp_free(p->line);
        lp_free(p->float_line);
        lp_free(p);
    }
}

/* Where the crop lies on an axis that is resized from in_size to out_size; *frame: the black pixels
 * before the image, where it is smaller.  The crop begins at half of the surplus out_size - crop:
 * ROUND takes int(round(surplus / 2.0)) in Python, where a half goes to the even neighbour, and
 * leaves an odd black pixel behind the image; FLOOR takes surplus // 2, also of a surplus below 0,
 * so that an odd black pixel comes before it. */
static lp_resample_side place(const lp_preprocess *what, size_t in_size, size_t out_size,
                              size_t *frame) {
    bool floors = what->crop_rule == LP_CROP_FLOOR;
    size_t crop = what->crop;
    if (out_size < crop) {
        *frame = (crop - out_size + (floors ? 1 : 0)) / 2;
        return (lp_resample_side){in_size, out_size, 0, out_size};
    }
    size_t surplus = out_size - crop, half = surplus / 2;
    bool up = !floors && surplus % 2 != 0 && half % 2 != 0;
    *frame = 0;
    return (lp_resample_side){in_size, out_size, half + (up ? 1 : 0), crop};
}

/* Both axes of an image of height x width pixels, and the frame. */
static void place_both(const lp_preprocess *what, size_t height, size_t width,
                       lp_resample_side sides[2], size_t frame[2]) {
    size_t resize = what->resize, shorter = height < width ? height : width;
    /* At most 65535 * 65535, also the size of the longer side: fits 32 bits. */
    size_t out_height = what->squash ? resize : resize * height / shorter;
    size_t out_width = what->squash ? resize : resize * width / shorter;
    sides[0] = place(what, height, out_height, &frame[0]);
    sides[1] = place(what, width, out_width, &frame[1]);
}

bool lp_crop_rule_matters(const lp_preprocess *what, size_t height, size_t width) {
    lp_preprocess round = *what, floors = *what;
    lp_resample_side a[2], b[2];
    size_t frame_a[2], frame_b[2];
    round.crop_rule = LP_CROP_ROUND;
    floors.crop_rule = LP_CROP_FLOOR;
    place_both(&round, height, width, a, frame_a);
    place_both(&floors, height, width, b, frame_b);
    return a[0].start != b[0].start || a[1].start != b[1].start || frame_a[0] != frame_b[0] ||
           frame_a[1] != frame_b[1];
}

static lp_status prepare(lp_preprocessor *p, size_t height, size_t width, lp_error *err) {
    lp_resample_side sides[2];
    lp_status status;
    p->height = p->width = 0;
    lp_resample_clear(&p->resample);
    place_both(&p->what, height, width, sides, p->frame);
    lp_resample_kind kind = p->what.float_resize ? LP_RESAMPLE_FLOATS : LP_RESAMPLE_BYTES;
    LP_TRY(lp_resample_init(&p->resample, kind, p->what.filter, &sides[0], &sides[1], err));
    p->height = height;
    p->width = width;
done:
    return status;
}

/* Fills out with black as it comes out of the table. */
static void fill_frame(const lp_preprocessor *p, float *out) {
    size_t plane = p->what.crop * p->what.crop;
    for (size_t i = 0; i < 3 * plane; i++) {
        out[i] = p->table[i / plane][0];
    }
}

/* Row y of the resized window to the three planes of out. */
static void put_row(lp_preprocessor *p, size_t y, float *out) {
    size_t crop = p->what.crop, columns = p->resample.across.count;
    float *red = out + (p->frame[0] + y) * crop + p->frame[1];
    float *green = red + crop * crop, *blue = green + crop * crop;
    lp_resample_row(&p->resample, y, p->line);
    for (size_t x = 0; x < columns; x++) {
        red[x] = p->table[0][p->line[3 * x]];
        green[x] = p->table[1][p->line[3 * x + 1]];
        blue[x] = p->table[2][p->line[3 * x + 2]];
    }
}

static void put_row_floats(const lp_preprocessor *p, size_t y, float *out) {
    size_t crop = p->what.crop, columns = p->resample.across.count;
    lp_resample_row_floats(&p->resample, y, p->float_line);
    for (size_t c = 0; c < 3; c++) {
        float *plane = out + c * crop * crop + (p->frame[0] + y) * crop + p->frame[1];
        for (size_t x = 0; x < columns; x++) {
            plane[x] = normalised(&p->what, c, p->float_line[3 * x + c]);
        }
    }
}

lp_status lp_preprocessor_run(lp_preprocessor *p, const unsigned char *rgb, size_t height,
                              size_t width, float *out, lp_error *err) {
    lp_status status = LP_OK;
    if (height < 1 || height > LP_IMAGE_SIDE_MAX || width < 1 || width > LP_IMAGE_SIDE_MAX) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "preprocessing: expected an image with sides from 1 to %d, found %zu x %zu",
                       LP_IMAGE_SIDE_MAX, height, width);
    }
    if (height != p->height || width != p->width) {
        LP_TRY(prepare(p, height, width, err));
    }
    size_t crop = p->what.crop, rows = p->resample.down.count;
    if (p->resample.across.count < crop || rows < crop) {
        fill_frame(p, out);
    }
    lp_resample_begin(&p->resample, rgb);
    for (size_t y = 0; y < rows; y++) {
        if (p->what.float_resize) {
            put_row_floats(p, y, out);
        } else {
            put_row(p, y, out);
        }
    }
done:
    return status;
}
