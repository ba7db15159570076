/* Data stage: PNG files by libpng, to the bytes of Pillow's convert("RGB").
 *
 *   grey 1, 2, 4 bits   v 255, v 85, v 17
 *   grey 16 bits        min(v, 255): Pillow's mode "I;16" is clipped, not scaled
 *   all other 16 bits   the upper byte
 *   palette             its colour; black beyond its end
 *   alpha               left out, not blended, tRNS too
 *   gamma, profiles     not looked at
 *
 * libpng's own transformations are not used (but unpacking), because they differ in just these
 * points.  Its errors come by longjmp, so what is live across it is in a struct of the caller. */
#include <setjmp.h>
#include <stdbool.h>
#include <string.h>

#include <png.h>

#include "base/alloc.h"
#include "base/error.h"
#include "data/image_file.h"

enum { CHUNK_BYTES_MAX = 8000000, DEFLATE_EXPANSION = 1032, IHDR_END = 33 };

typedef struct png_job {
    const lp_image_file *file;
    size_t at; /* bytes read */
    unsigned char *rgb;
    size_t height, width;
    int depth; /* bits a sample in the file; unpacked, at least 8 */
    png_structp png;
    png_infop info;
    unsigned char *raw;   /* rows as the file has them; a byte a sample, or two */
    unsigned char **rows; /* of all of raw, for interlaced files */
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

/* One row of samples into RGB. */
static void convert_row(const png_job *job, const unsigned char *raw, unsigned char *rgb) {
    int depth = job->depth;
    int type = png_get_color_type(job->png, job->info);
    size_t bytes = depth == 16 ? 2 : 1, step = png_get_channels(job->png, job->info) * bytes;
    bool color = (type & PNG_COLOR_MASK_COLOR) != 0;
    png_colorp palette = NULL;
    int colors = 0;
    if (type == PNG_COLOR_TYPE_PALETTE) {
        (void)png_get_PLTE(job->png, job->info, &palette, &colors);
    }
    for (size_t x = 0; x < job->width; x++, raw += step, rgb += 3) {
        if (palette != NULL) {
            png_color c = raw[0] < colors ? palette[raw[0]] : (png_color){0, 0, 0};
            rgb[0] = c.red;
            rgb[1] = c.green;
            rgb[2] = c.blue;
        } else if (color) {
            rgb[0] = raw[0];
            rgb[1] = raw[bytes];
            rgb[2] = raw[2 * bytes];
        } else {
            unsigned v = raw[0];
            if (depth < 8) {
                v = v * 255 / ((1U << depth) - 1);
            } else if (depth == 16 && type == PNG_COLOR_TYPE_GRAY) {
                v = raw[0] > 0 ? 255 : raw[1];
            }
            rgb[0] = rgb[1] = rgb[2] = (unsigned char)v;
        }
    }
}

static void read_pixels(png_job *job) {
    size_t row_bytes;
    job->depth = png_get_bit_depth(job->png, job->info);
    png_set_packing(job->png);
    bool interlaced = png_set_interlace_handling(job->png) > 1;
    png_read_update_info(job->png, job->info);
    row_bytes = png_get_rowbytes(job->png, job->info);
    job->raw = lp_alloc(interlaced ? job->height : 1, row_bytes);
    job->rows = lp_alloc(interlaced ? job->height : 1, sizeof *job->rows);
    if (job->raw == NULL || job->rows == NULL) {
        job->no_memory = true;
        png_error(job->png, "out of memory");
    }
    if (interlaced) { /* the last pass completes all rows */
        for (size_t y = 0; y < job->height; y++) {
            job->rows[y] = job->raw + y * row_bytes;
        }
        png_read_image(job->png, job->rows);
    }
    for (size_t y = 0; y < job->height; y++) {
        if (!interlaced) {
            png_read_row(job->png, job->raw, NULL);
        }
        convert_row(job, job->raw + (interlaced ? y * row_bytes : 0),
                    job->rgb + y * job->width * 3);
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

/* Sides from IHDR, which libpng checks further; no more pixels than deflate could have packed into
 * the file. */
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
    lp_status status = lp_image_file_check_size(p, job->height, job->width, job->err);
    if (status == LP_OK && job->height * job->width / 8 / DEFLATE_EXPANSION > p->size) {
        status = lp_fail(job->err, LP_ERR_FORMAT,
                         "%s: claims %zu x %zu pixels, but %zu bytes cannot hold them", p->path,
                         job->width, job->height, p->size);
    }
    return status;
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
    lp_free(job.raw);
    lp_free(job.rows);
    return job.no_memory ? lp_fail_memory(err, file->path, job.height, job.width * 3) : job.status;
}
