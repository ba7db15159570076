/* The image stage over pipes, for tests/parity/test_image.py.  Requests on standard input, each a
 * line and then height * width * 3 bytes:
 *   resize FILTER HEIGHT WIDTH OUT_HEIGHT OUT_WIDTH        -> OUT_HEIGHT * OUT_WIDTH * 3 bytes
 *   setup FILTER SQUASH FLOOR FLOATS RESIZE CROP MEAN MEAN MEAN STD STD STD   (no bytes, no reply)
 *   run HEIGHT WIDTH                                       -> 3 * CROP * CROP floats
 * FILTER is a name, SQUASH 0 or 1, FLOOR 1 for that crop rule, FLOATS 1 for a resize in float32.
 * `run` keeps one preprocessor until the next `setup`, over images of changing sizes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "linprobe/image.h"

static lp_error err;

static void stop(const char *why) {
    fprintf(stderr, "resize_image: %s\n", why);
    exit(1);
}

static void *memory(size_t bytes) {
    void *block = lp_alloc(bytes, 1);
    if (block == NULL) {
        stop("out of memory");
    }
    return block;
}

static unsigned char *read_image(size_t height, size_t width) {
    unsigned char *rgb = memory(height * width * 3);
    if (fread(rgb, 3, height * width, stdin) != height * width) {
        stop("the image is cut short");
    }
    return rgb;
}

static void reply(const void *bytes, size_t size) {
    if (fwrite(bytes, 1, size, stdout) != size || fflush(stdout) != 0) {
        stop("cannot write");
    }
}

static lp_filter filter_named(const char *name) {
    int filter = 0;
    while (lp_filter_name((lp_filter)filter) != NULL &&
           strcmp(lp_filter_name((lp_filter)filter), name) != 0) {
        filter++;
    }
    return (lp_filter)filter;
}

int main(void) {
    lp_preprocessor *preprocessor = NULL;
    lp_preprocess what;
    char line[512], filter[16];
    size_t h, w, out_h, out_w;
    int squash, floors, floats;
    while (fgets(line, sizeof line, stdin) != NULL) {
        if (sscanf(line, "resize %15s %zu %zu %zu %zu", filter, &h, &w, &out_h, &out_w) == 5) {
            unsigned char *rgb = read_image(h, w), *out = memory(out_h * out_w * 3);
            if (lp_image_resize(filter_named(filter), rgb, h, w, out, out_h, out_w, &err) !=
                LP_OK) {
                stop(err.text);
            }
            reply(out, out_h * out_w * 3);
            lp_free(rgb);
            lp_free(out);
        } else if (sscanf(line, "setup %15s %d %d %d %zu %zu %f %f %f %f %f %f", filter, &squash,
                          &floors, &floats, &what.resize, &what.crop, &what.mean[0], &what.mean[1],
                          &what.mean[2], &what.std[0], &what.std[1], &what.std[2]) == 12) {
            what.filter = filter_named(filter);
            what.squash = squash != 0;
            what.crop_rule = floors != 0 ? LP_CROP_FLOOR : LP_CROP_ROUND;
            what.float_resize = floats != 0;
            lp_preprocessor_free(preprocessor);
            if (lp_preprocessor_new(&what, &preprocessor, &err) != LP_OK) {
                stop(err.text);
            }
        } else if (preprocessor != NULL && sscanf(line, "run %zu %zu", &h, &w) == 2) {
            size_t bytes = 3 * what.crop * what.crop * sizeof(float);
            unsigned char *rgb = read_image(h, w);
            float *out = memory(bytes);
            if (lp_preprocessor_run(preprocessor, rgb, h, w, out, &err) != LP_OK) {
                stop(err.text);
            }
            reply(out, bytes);
            lp_free(rgb);
            lp_free(out);
        } else {
            stop(line);
        }
    }
    lp_preprocessor_free(preprocessor);
    return 0;
}
