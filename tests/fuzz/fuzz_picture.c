/* An image file: PNG or JPEG, whichever its first bytes say. */
#include "data/image_file.h"
#include "fuzz.h"

static void fuzz_one(fuzz_input input) {
    lp_error err = {0};
    lp_image_file picture = {.path = "picture", .bytes = input.data, .size = input.size};
    size_t height = 0, width = 0;
    if (!fuzz_succeeds(lp_image_file_size(&picture, &height, &width, &err), &err) ||
        height * width > 1 << 20) {
        return;
    }
    unsigned char *rgb = malloc(3 * height * width);
    if (rgb != NULL) {
        (void)fuzz_succeeds(lp_image_file_decode(&picture, rgb, &err), &err);
    }
    free(rgb);
}
