/* Image files as the data stage decodes them, for tests/parity/test_image_file.py: paths on
 * standard input, a line each; for each the reply "ok HEIGHT WIDTH\n" and height * width * 3 bytes,
 * or "no STATUS TEXT\n". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "data/image_file.h"

static lp_error err;

static void reply(const char *path) {
    char *bytes = NULL;
    unsigned char *rgb = NULL;
    size_t size, height = 0, width = 0;
    lp_status status = lp_file_read(path, 1 << 30, &bytes, &size, &err);
    lp_image_file picture = {path, (const unsigned char *)bytes, size};
    if (status == LP_OK) {
        status = lp_image_file_size(&picture, &height, &width, &err);
    }
    if (status == LP_OK) {
        rgb = lp_alloc(height * width, 3);
        if (rgb == NULL) {
            exit(1);
        }
        status = lp_image_file_decode(&picture, rgb, &err);
    }
    if (status == LP_OK) {
        printf("ok %zu %zu\n", height, width);
        (void)fwrite(rgb, 3, height * width, stdout);
    } else {
        printf("no %d %s\n", (int)status, err.text);
    }
    (void)fflush(stdout);
    lp_free(rgb);
    lp_free(bytes);
}

int main(void) {
    char path[4096];
    while (fgets(path, sizeof path, stdin) != NULL) {
        path[strcspn(path, "\n")] = '\0';
        reply(path);
    }
    return 0;
}
