/* A PNG or JPEG file: its size, then its pixels where there are not too many. */
#include "data/image_file.h"
#include "fuzz.h"

static void fuzz_one(fuzz_input input) {
    enum { PIXELS_MAX = 1 << 20 };
    lp_error err = {0};
    size_t height, width;
    /* exactly as many bytes as there are, so that a read beyond them shows */
    uint8_t *bytes = malloc(input.size + 1);
    if (bytes == NULL) {
        return;
    }
    memcpy(bytes + 1, input.data, input.size);
    const lp_image_file file = {"file", bytes + 1, input.size};
    if (fuzz_succeeds(lp_image_file_size(&file, &height, &width, &err), &err)) {
        fuzz_require(height > 0 && width > 0, "sides of at least 1");
        fuzz_require(height * width <= LP_IMAGE_FILE_PIXELS_MAX, "a bounded number of pixels");
        if (height * width <= PIXELS_MAX) {
            uint8_t *rgb = malloc(3 * height * width);
            if (rgb != NULL) {
                (void)fuzz_succeeds(lp_image_file_decode(&file, rgb, &err), &err);
            }
            free(rgb);
        }
    }
    free(bytes);
}
