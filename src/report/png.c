/* PNG encoding over libpng, into memory. */
#include "report/png.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"

/* libpng reports an error by calling `give_up`, which must not return. */
typedef struct encoder {
    char reason[128];
    jmp_buf after;
} encoder;

static void give_up(png_structp png, png_const_charp reason) {
    encoder *e = png_get_error_ptr(png);
    (void)snprintf(e->reason, sizeof e->reason, "%s", reason);
    longjmp(e->after, 1);
}

static void ignore(png_structp png, png_const_charp warning) {
    (void)png;
    (void)warning;
}

static void append(png_structp png, png_bytep bytes, size_t size) {
    lp_buffer_put(png_get_io_ptr(png), bytes, size);
}

static void flush(png_structp png) {
    (void)png;
}

static png_voidp allocate(png_structp png, png_alloc_size_t size) {
    (void)png;
    return lp_alloc(size, 1);
}

static void release(png_structp png, png_voidp block) {
    (void)png;
    lp_free(block);
}

lp_status lp_png_encode(const unsigned char *rgb, size_t height, size_t width, lp_buffer *out,
                        lp_error *err) {
    encoder e;
    if (height == 0 || width == 0 || height > PNG_UINT_31_MAX || width > PNG_UINT_31_MAX / 3) {
        return lp_fail(err, LP_ERR_ARGUMENT, "PNG: a picture of %zu x %zu pixels does not exist",
                       width, height);
    }
    png_structp png = png_create_write_struct_2(PNG_LIBPNG_VER_STRING, &e, give_up, ignore, NULL,
                                                allocate, release);
    png_infop info = png != NULL ? png_create_info_struct(png) : NULL;
    if (info == NULL) {
        png_destroy_write_struct(&png, NULL);
        return lp_fail_memory(err, "PNG encoder", 1, 1);
    }
    if (setjmp(e.after) != 0) {
        png_destroy_write_struct(&png, &info);
        /* a picture in memory of a size checked above: what is left to fail is an allocation */
        return lp_fail(err, LP_ERR_MEMORY, "out of memory: PNG of %zu x %zu pixels: %s", width,
                       height, e.reason);
    }
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_write_fn(png, out, append, flush);
    png_set_IHDR(png, info, (png_uint_32)width, (png_uint_32)height, 8, PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (size_t row = 0; row < height; row++) {
        png_write_row(png, rgb + row * width * 3);
    }
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    if (out->failed) {
        return lp_fail_memory(err, "PNG", out->size, 1);
    }
    return LP_OK;
}
