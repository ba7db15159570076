/* Data stage: WebP files by libwebp: the first frame, to the bytes of Pillow's convert("RGB").
 * Alpha is left out, not blended. */
#include "data/image_file.h"

#ifdef LP_HAS_WEBP
#include <string.h>

#include <webp/decode.h>
#include <webp/demux.h>

#include "base/error.h"

lp_status lp_webp_decode(const lp_image_file *file, size_t *height, size_t *width,
                         unsigned char *rgb, lp_error *err) {
    WebPBitstreamFeatures features;
    WebPAnimDecoderOptions options;
    uint8_t *rgba = NULL;
    int time;
    if (WebPGetFeatures(file->bytes, file->size, &features) != VP8_STATUS_OK) {
        return lp_fail(err, LP_ERR_FORMAT, "%s: expected a WebP file, found a broken header",
                       file->path);
    }
    *height = (size_t)features.height;
    *width = (size_t)features.width;
    lp_status status = lp_image_file_check_size(file, *height, *width, 0, err);
    if (status != LP_OK || rgb == NULL || !WebPAnimDecoderOptionsInit(&options)) {
        return status;
    }
    options.color_mode = MODE_RGBA; /* as Pillow reads every WebP, animated or not */
    const WebPData data = {file->bytes, file->size};
    WebPAnimDecoder *decoder = WebPAnimDecoderNew(&data, &options);
    if (decoder == NULL || !WebPAnimDecoderGetNext(decoder, &rgba, &time)) {
        status = lp_fail(err, LP_ERR_FORMAT, "%s: broken WebP file of %zu bytes", file->path,
                         file->size);
    }
    for (size_t i = 0; status == LP_OK && i < *height * *width; i++) {
        memcpy(rgb + 3 * i, rgba + 4 * i, 3);
    }
    WebPAnimDecoderDelete(decoder);
    return status;
}
#endif
