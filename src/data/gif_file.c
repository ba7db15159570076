/* Data stage: GIF files by giflib: the first frame, to the bytes of Pillow's convert("RGB").
 *
 * Pixels that the frame does not cover have its transparent colour, or colour 0.  Without a
 * palette, or with one that is a ramp of greys, colour i is grey i; beyond the end of another,
 * black.  A frame that is larger than the screen makes it larger. */
#include "data/image_file.h"

#ifdef LP_HAS_GIFLIB
#include <stdbool.h>
#include <string.h>

#include <gif_lib.h>

#include "base/alloc.h"
#include "base/error.h"

typedef struct gif_job {
    const lp_image_file *file;
    size_t at; /* bytes read */
    GifFileType *gif;
    int transparent; /* -1: none */
    size_t height, width;
    lp_error *err;
} gif_job;

static int read_bytes(GifFileType *gif, GifByteType *bytes, int count) {
    gif_job *job = gif->UserData;
    size_t left = job->file->size - job->at, size = count < 0 ? 0 : (size_t)count;
    size = size < left ? size : left;
    memcpy(bytes, job->file->bytes + job->at, size);
    job->at += size;
    return (int)size;
}

static lp_status fail_gif(const gif_job *job, int code) {
    const char *reason = GifErrorString(code);
    return lp_fail(job->err, LP_ERR_FORMAT, "%s: byte %zu: %s", job->file->path, job->at,
                   reason != NULL ? reason : "broken GIF file");
}

/* Passes over extensions; keeps the transparent colour of the last graphics control. */
static lp_status read_extension(gif_job *job) {
    GifByteType *block;
    GraphicsControlBlock control;
    int code;
    if (DGifGetExtension(job->gif, &code, &block) == GIF_ERROR) {
        return fail_gif(job, job->gif->Error);
    }
    while (block != NULL) {
        if (code == GRAPHICS_EXT_FUNC_CODE && block[0] == 4 &&
            DGifExtensionToGCB(4, block + 1, &control) == GIF_OK) {
            job->transparent = control.TransparentColor;
        }
        if (DGifGetExtensionNext(job->gif, &block) == GIF_ERROR) {
            return fail_gif(job, job->gif->Error);
        }
    }
    return LP_OK;
}

/* To the first frame, and the size. */
static lp_status find_frame(gif_job *job) {
    GifRecordType record;
    lp_status status = LP_OK;
    for (;;) {
        if (DGifGetRecordType(job->gif, &record) == GIF_ERROR) {
            return fail_gif(job, job->gif->Error);
        }
        if (record == IMAGE_DESC_RECORD_TYPE) {
            break;
        }
        if (record != EXTENSION_RECORD_TYPE) {
            return lp_fail(job->err, LP_ERR_FORMAT, "%s: byte %zu: expected an image, found none",
                           job->file->path, job->at);
        }
        LP_TRY(read_extension(job));
    }
    if (DGifGetImageDesc(job->gif) == GIF_ERROR) {
        return fail_gif(job, job->gif->Error);
    }
    const GifImageDesc *frame = &job->gif->Image;
    size_t right = (size_t)frame->Left + (size_t)frame->Width;
    size_t bottom = (size_t)frame->Top + (size_t)frame->Height;
    job->width = (size_t)job->gif->SWidth > right ? (size_t)job->gif->SWidth : right;
    job->height = (size_t)job->gif->SHeight > bottom ? (size_t)job->gif->SHeight : bottom;
    status = lp_image_file_check_size(job->file, job->height, job->width, 0, job->err);
done:
    return status;
}

/* The colours of the frame, [256, 3]. */
static void read_palette(const gif_job *job, unsigned char palette[256][3]) {
    const ColorMapObject *map =
        job->gif->Image.ColorMap != NULL ? job->gif->Image.ColorMap : job->gif->SColorMap;
    size_t count = map != NULL ? (size_t)map->ColorCount : 0;
    bool ramp = true;
    memset(palette, 0, (size_t)256 * 3);
    for (size_t i = 0; i < count && i < 256; i++) {
        palette[i][0] = map->Colors[i].Red;
        palette[i][1] = map->Colors[i].Green;
        palette[i][2] = map->Colors[i].Blue;
        ramp = ramp && palette[i][0] == i && palette[i][1] == i && palette[i][2] == i;
    }
    for (size_t i = 0; ramp && i < 256; i++) {
        palette[i][0] = palette[i][1] = palette[i][2] = (unsigned char)i;
    }
}

static lp_status read_rows(gif_job *job, unsigned char *line, unsigned char palette[256][3],
                           unsigned char *rgb) {
    static const size_t starts[] = {0, 4, 2, 1}, steps[] = {8, 8, 4, 2};
    const GifImageDesc *frame = &job->gif->Image;
    size_t left = (size_t)frame->Left, top = (size_t)frame->Top;
    size_t height = (size_t)frame->Height, width = (size_t)frame->Width;
    for (size_t pass = 0; pass < (frame->Interlace ? 4 : 1); pass++) {
        size_t step = frame->Interlace ? steps[pass] : 1;
        for (size_t y = frame->Interlace ? starts[pass] : 0; y < height; y += step) {
            if (DGifGetLine(job->gif, line, frame->Width) == GIF_ERROR) {
                return fail_gif(job, job->gif->Error);
            }
            unsigned char *to = rgb + 3 * ((top + y) * job->width + left);
            for (size_t x = 0; x < width; x++) {
                memcpy(to + 3 * x, palette[line[x]], 3);
            }
        }
    }
    return LP_OK;
}

static lp_status read_pixels(gif_job *job, unsigned char *rgb) {
    unsigned char palette[256][3];
    size_t around = job->transparent >= 0 ? (size_t)job->transparent & 255 : 0;
    unsigned char *line = lp_alloc((size_t)job->gif->Image.Width, 1);
    if (line == NULL) {
        return lp_fail_memory(job->err, job->file->path, job->width, 1);
    }
    read_palette(job, palette);
    for (size_t i = 0; i < job->height * job->width; i++) {
        memcpy(rgb + 3 * i, palette[around], 3);
    }
    lp_status status = read_rows(job, line, palette, rgb);
    lp_free(line);
    return status;
}

lp_status lp_gif_decode(const lp_image_file *file, size_t *height, size_t *width,
                        unsigned char *rgb, lp_error *err) {
    gif_job job = {.file = file, .transparent = -1, .err = err};
    int code = 0;
    lp_status status;
    job.gif = DGifOpen(&job, read_bytes, &code);
    if (job.gif == NULL) {
        return code == D_GIF_ERR_NOT_ENOUGH_MEM ? lp_fail_memory(err, file->path, 1, file->size)
                                                : fail_gif(&job, code);
    }
    LP_TRY(find_frame(&job));
    *height = job.height;
    *width = job.width;
    if (rgb != NULL) {
        status = read_pixels(&job, rgb);
    }
done:
    (void)DGifCloseFile(job.gif, &code);
    return status;
}
#endif
