/* Image stage: an image as an encoder takes it.
 *
 *   rgb      uint8 [height, width, 3]
 *   resize   shorter side -> resize, longer side -> floor(resize * long / short); or both -> resize
 *   crop     centre crop x crop, in a black frame where the image is smaller; only the rows and
 *            columns it keeps are ever computed
 *   tensor   float32 [3, crop, crop], (v / 255 - mean) / std, each step rounded to float32
 *
 * Reproduces OpenAI CLIP's _transform (clip/clip.py) as torchvision does it on a Pillow image:
 * Resize (its filter and size may differ), CenterCrop, ToTensor, Normalize.  There are only 256
 * values a channel, so the last two are a table. */
#include <math.h>

#include "base/alloc.h"
#include "base/error.h"
#include "image/resample.h"

struct lp_preprocessor {
    lp_preprocess what;
    float table[3][256];           /* what becomes of a byte, by channel */
    size_t height, width;          /* of the image that the rest is prepared for; 0 at first */
    lp_resample_axis across, down; /* at most crop positions each; beside them the frame */
    size_t first_row, row_count;   /* of that image, read by the vertical pass */
    unsigned char *rows;           /* [row_count, across.count, 3], after the horizontal pass */
    unsigned char *line;           /* [crop, 3], after the vertical pass */
    int32_t *sums;                 /* [crop, 3] */
};

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

lp_status lp_preprocessor_new(const lp_preprocess *what, lp_preprocessor **out, lp_error *err) {
    lp_preprocessor *p = NULL;
    lp_status status;
    LP_TRY(check(what, err));
    p = lp_alloc_zeroed(1, sizeof *p);
    LP_TRY(lp_allocated(p, "preprocessor", 1, sizeof *p, err));
    p->what = *what;
    p->line = lp_alloc(what->crop, 3);
    p->sums = lp_alloc(what->crop, 3 * sizeof *p->sums);
    LP_TRY(lp_allocated(p->line, "preprocessor", what->crop, 3, err));
    LP_TRY(lp_allocated(p->sums, "preprocessor", what->crop, 3 * sizeof *p->sums, err));
    for (int c = 0; c < 3; c++) {
        for (int v = 0; v < 256; v++) {
            float value = (float)v / 255.0f;
            value = value - what->mean[c];
            p->table[c][v] = value / what->std[c];
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

/* Forgets the image size. */
static void clear(lp_preprocessor *p) {
    lp_resample_axis_clear(&p->across);
    lp_resample_axis_clear(&p->down);
    lp_free(p->rows);
    p->rows = NULL;
    p->height = 0;
    p->width = 0;
}

void lp_preprocessor_free(lp_preprocessor *p) {
    if (p != NULL) {
        clear(p);
        lp_free(p->line);
        lp_free(p->sums);
        lp_free(p);
    }
}

/* The part of an axis, resized from in_size to out_size, that the crop keeps: from Python's
 * int(round((out_size - crop) / 2)), where a half goes to the even neighbour. */
static lp_status prepare_axis(const lp_preprocessor *p, lp_resample_axis *axis, size_t in_size,
                              size_t out_size, lp_error *err) {
    size_t crop = p->what.crop, start = 0, count = out_size;
    if (out_size > crop) {
        size_t half = (out_size - crop) / 2;
        start = half + ((out_size - crop) % 2 != 0 && half % 2 != 0);
        count = crop;
    }
    return lp_resample_axis_init(axis, p->what.filter, in_size, out_size, start, count, err);
}

static lp_status prepare(lp_preprocessor *p, size_t height, size_t width, lp_error *err) {
    size_t resize = p->what.resize, shorter = height < width ? height : width;
    /* At most 65535 * 65535, also the size of the longer side: fits 32 bits. */
    size_t out_height = p->what.squash ? resize : resize * height / shorter;
    size_t out_width = p->what.squash ? resize : resize * width / shorter;
    lp_status status;
    clear(p);
    LP_TRY(prepare_axis(p, &p->across, width, out_width, err));
    LP_TRY(prepare_axis(p, &p->down, height, out_height, err));
    lp_resample_axis_span(&p->down, &p->first_row, &p->row_count);
    p->rows = lp_alloc(p->row_count, p->across.count * 3);
    LP_TRY(lp_allocated(p->rows, "resized rows", p->row_count, p->across.count * 3, err));
    p->height = height;
    p->width = width;
done:
    if (status != LP_OK) {
        clear(p);
    }
    return status;
}

/* Fills out with black as it comes out of the table. */
static void fill_frame(const lp_preprocessor *p, float *out) {
    size_t plane = p->what.crop * p->what.crop;
    for (size_t i = 0; i < 3 * plane; i++) {
        out[i] = p->table[i / plane][0];
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
    size_t crop = p->what.crop, plane = crop * crop;
    size_t columns = p->across.count, left = (crop - columns) / 2;
    size_t top = (crop - p->down.count) / 2;
    if (columns < crop || p->down.count < crop) {
        fill_frame(p, out);
    }
    lp_resample_rows(&p->across, rgb + p->first_row * width * 3, p->row_count, width, p->rows);
    for (size_t y = 0; y < p->down.count; y++) {
        lp_resample_line(&p->down, y, p->rows, columns * 3, p->sums, p->line);
        float *red = out + (top + y) * crop + left, *green = red + plane, *blue = green + plane;
        for (size_t x = 0; x < columns; x++) {
            red[x] = p->table[0][p->line[3 * x]];
            green[x] = p->table[1][p->line[3 * x + 1]];
            blue[x] = p->table[2][p->line[3 * x + 2]];
        }
    }
done:
    return status;
}
