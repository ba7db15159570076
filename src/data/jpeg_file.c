/* Data stage: JPEG files by libjpeg-turbo, to the bytes of Pillow's convert("RGB").
 *
 *   1 component    grey
 *   3 components   RGB, by libjpeg's defaults: accurate integer DCT, smooth upsampling
 *   4 components   CMYK (from YCCK by libjpeg), taken to be inverted as Adobe writes it;
 *                  then c (1 - k) as Pillow's cmyk2rgb rounds it
 *
 * As Pillow, it takes a stream that libjpeg only warns of (a bad Huffman code, bytes between
 * segments), and a missing end marker; a stream that ends early is an error.  libjpeg's errors come
 * by longjmp, so what is live across it is in a struct of the caller. */
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

#include "base/alloc.h"
#include "base/error.h"
#include "data/image_file.h"

enum { PIXELS_PER_BYTE = 512 }; /* 8 x 8 of them take a bit at least, but in arithmetic coding */
enum { SCANS_MAX = 500 }; /* a real file has about ten; each may cost a pass over all pixels */

typedef struct jpeg_job {
    struct jpeg_error_mgr errors; /* the first member: libjpeg hands out its address */
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    struct jpeg_decompress_struct jpeg;
    jmp_buf out;
    const lp_image_file *file;
    unsigned char *rgb;
    unsigned char *row; /* [width, 1 or 4] */
    size_t height, width;
    bool complete; /* all rows are there */
    lp_status status;
    lp_error *err;
} jpeg_job;

/* ---- what libjpeg calls ---------------------------------------------------------------------- */

static jpeg_job *job_of(j_common_ptr jpeg) {
    return (jpeg_job *)jpeg->err;
}

static size_t place(const jpeg_job *job) {
    return job->file->size - job->source.bytes_in_buffer;
}

static void stop(j_common_ptr jpeg) {
    jpeg_job *job = job_of(jpeg);
    char reason[JMSG_LENGTH_MAX];
    job->errors.format_message(jpeg, reason);
    job->status = lp_fail(
        job->err, job->errors.msg_code == JERR_OUT_OF_MEMORY ? LP_ERR_MEMORY : LP_ERR_FORMAT,
        "%s: byte %zu: %s", job->file->path, place(job), reason);
    longjmp(job->out, 1);
}

static void ignore_message(j_common_ptr jpeg) {
    (void)jpeg;
}

static void start_source(j_decompress_ptr jpeg) {
    (void)jpeg;
}

static boolean end_of_file(j_decompress_ptr jpeg) {
    jpeg_job *job = job_of((j_common_ptr)jpeg);
    if (!job->complete) {
        job->status = lp_fail(job->err, LP_ERR_FORMAT,
                              "%s: byte %zu: expected more of the image, found the end of the file",
                              job->file->path, job->file->size);
    }
    longjmp(job->out, 1);
}

static void skip_bytes(j_decompress_ptr jpeg, long count) {
    struct jpeg_source_mgr *source = jpeg->src;
    size_t skipped = count < 0 ? 0 : (size_t)count;
    skipped = skipped < source->bytes_in_buffer ? skipped : source->bytes_in_buffer;
    source->next_input_byte += skipped;
    source->bytes_in_buffer -= skipped;
}

static void watch_scans(j_common_ptr jpeg) {
    jpeg_job *job = job_of(jpeg);
    if (job->jpeg.input_scan_number > SCANS_MAX) {
        job->status = lp_fail(job->err, LP_ERR_FORMAT, "%s: byte %zu: more than %d scans",
                              job->file->path, place(job), SCANS_MAX);
        longjmp(job->out, 1);
    }
}

/* ---- pixels ---------------------------------------------------------------------------------- */

/* a b / 255 as Pillow's MULDIV255 rounds it. */
static unsigned scale(unsigned a, unsigned b) {
    unsigned t = a * b + 128;
    return ((t >> 8) + t) >> 8;
}

static void convert_row(const unsigned char *row, size_t width, int components,
                        unsigned char *rgb) {
    for (size_t x = 0; x < width; x++, rgb += 3) {
        for (size_t c = 0; c < 3; c++) {
            if (components == 1) {
                rgb[c] = row[x];
            } else { /* ink is 255 - value, so what paper is left by black is the value itself */
                unsigned left = row[4 * x + 3];
                rgb[c] = (unsigned char)(left - scale(255U - row[4 * x + c], left));
            }
        }
    }
}

static lp_status choose_colors(jpeg_job *job) {
    static const J_COLOR_SPACE spaces[] = {JCS_UNKNOWN, JCS_GRAYSCALE, JCS_UNKNOWN, JCS_RGB,
                                           JCS_CMYK};
    int components = job->jpeg.num_components;
    job->jpeg.out_color_space = components > 4 ? JCS_UNKNOWN : spaces[components];
    return job->jpeg.out_color_space != JCS_UNKNOWN
               ? LP_OK
               : lp_fail(job->err, LP_ERR_UNSUPPORTED,
                         "%s: expected a JPEG of 1, 3 or 4 components, found %d", job->file->path,
                         components);
}

static void read_pixels(jpeg_job *job) {
    (void)jpeg_start_decompress(&job->jpeg);
    int components = job->jpeg.output_components;
    if (components != 3) {
        job->row = lp_alloc(job->width, (size_t)components);
        if (job->row == NULL) {
            job->status = lp_fail_memory(job->err, job->file->path, job->width, 4);
            return;
        }
    }
    while (job->jpeg.output_scanline < job->jpeg.output_height) {
        unsigned char *to = job->rgb + job->jpeg.output_scanline * job->width * 3;
        JSAMPROW row = components == 3 ? to : job->row;
        (void)jpeg_read_scanlines(&job->jpeg, &row, 1);
        if (components != 3) {
            convert_row(job->row, job->width, components, to);
        }
    }
    job->complete = true;
    (void)jpeg_finish_decompress(&job->jpeg); /* looks for the end marker */
}

/* Everything that may end by longjmp; only *job changes. */
static void attempt(jpeg_job *job) {
    if (setjmp(job->out) != 0) {
        return;
    }
    jpeg_create_decompress(&job->jpeg);
    job->jpeg.src = &job->source;
    job->jpeg.progress = &job->progress;
    (void)jpeg_read_header(&job->jpeg, TRUE);
    job->height = job->jpeg.image_height;
    job->width = job->jpeg.image_width;
    job->status = lp_image_file_check_size(job->file, job->height, job->width,
                                           job->jpeg.arith_code ? 0 : PIXELS_PER_BYTE, job->err);
    if (job->status == LP_OK) {
        job->status = choose_colors(job);
    }
    if (job->status == LP_OK && job->rgb != NULL) {
        read_pixels(job);
    }
}

lp_status lp_jpeg_decode(const lp_image_file *file, size_t *height, size_t *width,
                         unsigned char *rgb, lp_error *err) {
    jpeg_job job = {.file = file, .rgb = rgb, .err = err};
    job.jpeg.err = jpeg_std_error(&job.errors);
    job.errors.error_exit = stop;
    job.errors.output_message = ignore_message;
    job.source = (struct jpeg_source_mgr){.next_input_byte = file->bytes,
                                          .bytes_in_buffer = file->size,
                                          .init_source = start_source,
                                          .fill_input_buffer = end_of_file,
                                          .skip_input_data = skip_bytes,
                                          .resync_to_restart = jpeg_resync_to_restart,
                                          .term_source = start_source};
    job.progress.progress_monitor = watch_scans;
    attempt(&job);
    *height = job.height;
    *width = job.width;
    jpeg_destroy_decompress(&job.jpeg);
    lp_free(job.row);
    return job.status;
}
