/* Data stage: PNG files by libpng, to the bytes of Pillow's convert("RGB").
 *
 *   grey 1, 2, 4 bits   v 255, v 85, v 17
 *   grey 16 bits        min(v, 255): Pillow's mode "I;16" is clipped, not scaled
 *   all other 16 bits   the upper byte
 *   palette             its colour; black beyond its end
 *   alpha               left out, not blended, tRNS too
 *   gamma, profiles     not looked at
 *
 * libpng's own transformations give all of these but the clipping.  Its errors come by longjmp, so
 * what is live across it is in a struct of the caller. */
#include <setjmp.h>
#include <stdbool.h>
#include <string.h>

#include <png.h>

#include "base/alloc.h"
#include "base/error.h"
#include "data/image_file.h"

enum { CHUNK_BYTES_MAX = 8000000, IHDR_END = 33 };
enum { PIXELS_PER_BYTE = 8 * 1032 }; /* of one bit each; deflate expands at most 1032-fold */

typedef struct png_job {
    const lp_image_file *file;
    size_t at; /* bytes read */
    unsigned char *rgb;
    size_t height, width;
    png_structp png;
    png_infop info;
    bool no_memory;
    lp_status status;
    lp_error *err;
} png_job;

/* ---- what libpng calls ----------------------------------------------------------------------- */

static void stop(png_structp png, png_const_charp reason) {
    png_job *job = png_get_error_ptr(png);
    if (job->status == LP_OK) {
        job->status =
            lp_fail(job->err, LP_ERR_FORMAT, "%s: byte %zu: %s", job->file->path, job->at, reason);
    }
    png_longjmp(png, 1);
}

static void ignore_warning(png_structp png, png_const_charp reason) {
    (void)png;
    (void)reason;
}

static void read_bytes(png_structp png, png_bytep bytes, size_t size) {
    png_job *job = png_get_io_ptr(png);
    size_t left = job->file->size - job->at;
    if (size > left) {
        job->status =
            lp_fail(job->err, LP_ERR_FORMAT,
                    "%s: byte %zu: expected %zu more bytes, found %zu: the file ends early",
                    job->file->path, job->at, size, left);
        png_error(png, "");
    }
    memcpy(bytes, job->file->bytes + job->at, size);
    job->at += size;
}

static png_voidp allocate(png_structp png, png_alloc_size_t size) {
    png_job *job = png_get_mem_ptr(png);
    void *block = lp_alloc(size, 1);
    job->no_memory = job->no_memory || block == NULL;
    return block;
}

static void release(png_structp png, png_voidp block) {
    (void)png;
    lp_free(block);
}

/* ---- pixels ---------------------------------------------------------------------------------- */

/* libpng's last step for grey of 16 bits, most significant byte first: to RGB, in the row. */
static void clip_grey(png_structp png, png_row_infop row, png_bytep bytes) {
    (void)png;
    for (size_t x = 0; x < row->width; x++) {
        unsigned char v = bytes[6 * x] > 0 ? 255 : bytes[6 * x + 1];
        bytes[3 * x] = bytes[3 * x + 1] = bytes[3 * x + 2] = v;
    }
}

static void read_pixels(png_job *job) {
    png_structp png = job->png;
    if (png_get_bit_depth(png, job->info) == 16 &&
        png_get_color_type(png, job->info) == PNG_COLOR_TYPE_GRAY) {
        png_set_read_user_transform_fn(png, clip_grey);
        png_set_user_transform_info(png, NULL, 8, 3);
    } else {
        png_set_strip_16(png);
        png_set_expand_gray_1_2_4_to_8(png);
    }
    png_set_palette_to_rgb(png);
    png_set_strip_alpha(png);
    png_set_gray_to_rgb(png);
    int passes = png_set_interlace_handling(png); /* each completes the rows of the one before */
    png_read_update_info(png, job->info);
    for (int pass = 0; pass < passes; pass++) {
        for (size_t y = 0; y < job->height; y++) {
            png_read_row(png, job->rgb + y * job->width * 3, NULL);
        }
    }
}

/* Everything that may end by longjmp; only *job changes. */
static void attempt(png_job *job) {
    if (setjmp(png_jmpbuf(job->png)) != 0) {
        return;
    }
    png_set_read_fn(job->png, job, read_bytes);
    png_set_user_limits(job->png, LP_IMAGE_FILE_SIDE_MAX, LP_IMAGE_FILE_SIDE_MAX);
    png_set_chunk_malloc_max(job->png, CHUNK_BYTES_MAX);
    png_set_crc_action(job->png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_set_keep_unknown_chunks(job->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1); /* ancillary ones */
    png_read_info(job->png, job->info);
    read_pixels(job);
}

/* Sides from IHDR, which libpng checks further. */
static lp_status read_header(png_job *job) {
    const lp_image_file *p = job->file;
    static const unsigned char start[] = {0, 0, 0, 13, 'I', 'H', 'D', 'R'};
    if (p->size < IHDR_END || memcmp(p->bytes + 8, start, sizeof start) != 0) {
        return lp_fail(job->err, LP_ERR_FORMAT, "%s: byte 8: expected a PNG's IHDR chunk, found %s",
                       p->path, p->size < IHDR_END ? "the end of the file" : "something else");
    }
    const unsigned char *b = p->bytes + 16;
    job->width = (size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3];
    job->height = (size_t)b[4] << 24 | (size_t)b[5] << 16 | (size_t)b[6] << 8 | b[7];
    return lp_image_file_check_size(p, job->height, job->width, PIXELS_PER_BYTE, job->err);
}

lp_status lp_png_decode(const lp_image_file *file, size_t *height, size_t *width,
                        unsigned char *rgb, lp_error *err) {
    png_job job = {.file = file, .rgb = rgb, .err = err};
    lp_status status = read_header(&job);
    *height = job.height;
    *width = job.width;
    if (status != LP_OK || rgb == NULL) {
        return status;
    }
    job.png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &job, stop, ignore_warning, &job,
                                       allocate, release);
    if (job.png != NULL) {
        job.info = png_create_info_struct(job.png);
    }
    if (job.info != NULL) {
        attempt(&job);
    } else {
        job.no_memory = true;
    }
    png_destroy_read_struct(&job.png, &job.info, NULL);
    return job.no_memory ? lp_fail_memory(err, file->path, job.height, job.width * 3) : job.status;
}
