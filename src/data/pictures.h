/* Picture files in any folder, without labels: what is there, and one file's pixels. */
#ifndef LP_DATA_PICTURES_H
#define LP_DATA_PICTURES_H

#include <stddef.h>
#include "linprobe/status.h"

/* Every file of a folder and of the folders in it but the hidden ones, whatever its name, in the
 * order of the bytes of their paths; or one file. */
typedef struct lp_pictures {
    char **paths;
    size_t count, room;
    size_t hidden;
} lp_pictures;

/* LP_ERR_IO: path is neither, or cannot be read.  LP_ERR_DATA: there is no file.  LP_ERR_FORMAT:
 * folders more than 32 deep. */
LP_MUST_USE lp_status lp_pictures_find(const char *path, lp_pictures *pictures, lp_error *err);
void lp_pictures_clear(lp_pictures *pictures);

/* Pixels of a file, uint8 [height, width, 3], into *rgb, which is grown where *room bytes are not
 * enough (lp_free).  Statuses as lp_image_file_decode: LP_ERR_FORMAT, LP_ERR_UNSUPPORTED: it is no
 * picture, a broken one, or of another format.  Thread-safe. */
LP_MUST_USE lp_status lp_picture_read(const char *path, unsigned char **rgb, size_t *room,
                                      size_t *height, size_t *width, lp_error *err);

#endif
