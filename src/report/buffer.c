/* Growing byte buffer, and escaping for markup. */
#include "report/buffer.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "report/utf8.h"

void lp_buffer_put(lp_buffer *buffer, const void *bytes, size_t size) {
    while (!buffer->failed && size > 0 && buffer->capacity - buffer->size <= size) { /* zero byte */
        char *larger = lp_grow_by_one(buffer->bytes, buffer->capacity, &buffer->capacity, 1);
        buffer->failed = larger == NULL;
        buffer->bytes = larger != NULL ? larger : buffer->bytes;
    }
    if (!buffer->failed && size > 0) {
        memcpy(buffer->bytes + buffer->size, bytes, size);
        buffer->size += size;
        buffer->bytes[buffer->size] = '\0';
    }
}

void lp_buffer_text(lp_buffer *buffer, const char *text) {
    lp_buffer_put(buffer, text, strlen(text));
}

void lp_buffer_printf(lp_buffer *buffer, const char *format, ...) {
    char line[512];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (size < 0 || (size_t)size >= sizeof line) {
        buffer->failed = true;
    } else {
        lp_buffer_put(buffer, line, (size_t)size);
    }
}

void lp_buffer_escaped(lp_buffer *buffer, const char *text) {
    static const char *const names[] = {
        ['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;", ['\''] = "&#39;"};
    while (*text != '\0') {
        char bytes[LP_UTF8_MAX];
        size_t size = lp_utf8_next(&text, bytes);
        unsigned char first = (unsigned char)bytes[0];
        if (first < sizeof names / sizeof names[0] && names[first] != NULL) {
            lp_buffer_text(buffer, names[first]);
        } else {
            lp_buffer_put(buffer, bytes, size);
        }
    }
}

void lp_buffer_between(lp_buffer *buffer, const char *before, const char *text, const char *after) {
    lp_buffer_text(buffer, before);
    lp_buffer_escaped(buffer, text);
    lp_buffer_text(buffer, after);
}

void lp_buffer_base64(lp_buffer *buffer, const void *bytes, size_t size) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *in = bytes;
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t group = (uint32_t)in[i] << 16 | (left > 1 ? (uint32_t)in[i + 1] << 8 : 0) |
                         (left > 2 ? in[i + 2] : 0);
        char out[4] = {digits[group >> 18], digits[group >> 12 & 63],
                       left > 1 ? digits[group >> 6 & 63] : '=',
                       left > 2 ? digits[group & 63] : '='};
        lp_buffer_put(buffer, out, sizeof out);
    }
}

void lp_buffer_free(lp_buffer *buffer) {
    lp_free(buffer->bytes);
    *buffer = (lp_buffer){0};
}
