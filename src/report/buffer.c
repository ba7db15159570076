/* Growing byte buffer, and escaping for markup. */
#include "report/buffer.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "report/utf8.h"

void lp_buffer_put(lp_buffer *buffer, const void *bytes, size_t size) {
    if (buffer->failed || size == 0) {
        return;
    }
    if (buffer->capacity - buffer->size <= size) { /* one more for the zero byte */
        size_t capacity = buffer->capacity < 2048 ? 4096 : buffer->capacity;
        while (capacity - buffer->size <= size && capacity <= SIZE_MAX / 2) {
            capacity *= 2;
        }
        char *larger = capacity - buffer->size > size
                           ? lp_grow(buffer->bytes, buffer->size, capacity, 1)
                           : NULL;
        if (larger == NULL) {
            buffer->failed = true;
            return;
        }
        buffer->bytes = larger;
        buffer->capacity = capacity;
    }
    memcpy(buffer->bytes + buffer->size, bytes, size);
    buffer->size += size;
    buffer->bytes[buffer->size] = '\0';
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
        uint32_t code = lp_utf8_next(&text);
        char bytes[LP_UTF8_MAX];
        if (code < sizeof names / sizeof names[0] && names[code] != NULL) {
            lp_buffer_text(buffer, names[code]);
        } else {
            lp_buffer_put(buffer, bytes, lp_utf8_put(code, bytes));
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
