/* NumPy's array format (numpy/lib/format.py): magic "\x93NUMPY", version, header length, a Python
 * dictionary literal with the keys descr, fortran_order and shape, then the elements. */
#include "base/npy.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/half.h"

enum { MOST_CHARACTERS = 1024 }; /* of a text */

/* The text of the dictionary while it is read. */
typedef struct cursor {
    const char *path, *next, *end;
    lp_error *err;
} cursor;

static lp_status fail_header(const cursor *c, const char *expected) {
    size_t left = (size_t)(c->end - c->next);
    return lp_fail(c->err, LP_ERR_FORMAT, "%s: .npy header: expected %s, found '%.*s'", c->path,
                   expected, (int)(left < 24 ? left : 24), c->next);
}

static void skip_spaces(cursor *c) {
    while (c->next < c->end && (*c->next == ' ' || *c->next == '\n')) {
        c->next++;
    }
}

static bool take(cursor *c, const char *token) {
    size_t length = strlen(token);
    skip_spaces(c);
    if ((size_t)(c->end - c->next) < length || memcmp(c->next, token, length) != 0) {
        return false;
    }
    c->next += length;
    return true;
}

/* strchr would find the zero at the end, too. */
static bool one_of(const char *set, char c) {
    return c != '\0' && strchr(set, c) != NULL;
}

static lp_status read_descr(cursor *c, lp_npy *npy) {
    if (!take(c, "'")) {
        return fail_header(c, "a plain type as descr (no structured array)");
    }
    const char *d = c->next; /* "<f4'", "<U12'" */
    if (c->end - d >= 4 && one_of("<>|=", d[0]) && one_of("US", d[1])) {
        size_t characters = 0;
        for (c->next += 2; c->next < c->end && *c->next >= '0' && *c->next <= '9'; c->next++) {
            characters = 10 * characters + (size_t)(*c->next - '0');
            if (characters > MOST_CHARACTERS) {
                return fail_header(c, "texts of at most 1024 characters");
            }
        }
        npy->big_endian = d[0] == '>';
        npy->kind = d[1];
        npy->item = d[1] == 'U' ? 4 * characters : characters;
        return characters > 0 && take(c, "'") ? LP_OK : fail_header(c, "the length of texts");
    }
    if (c->end - d < 4 || d[3] != '\'' || !one_of("<>|=", d[0]) || !one_of("fiub", d[1]) ||
        !one_of(d[1] == 'f'   ? "248"
                : d[1] == 'b' ? "1"
                              : "1248",
                d[2])) {
        return fail_header(c, "descr to be one of f2 f4 f8, i1 to i8, u1 to u8, b1, U or S");
    }
    npy->big_endian = d[0] == '>';
    npy->kind = d[1];
    npy->item = (size_t)(d[2] - '0');
    c->next += 4;
    return LP_OK;
}

static lp_status read_shape(cursor *c, lp_npy *npy) {
    if (!take(c, "(")) {
        return fail_header(c, "'(' of the shape");
    }
    npy->rank = 0;
    npy->count = 1;
    while (!take(c, ")")) {
        size_t value = 0;
        skip_spaces(c);
        if (npy->rank == LP_NPY_MAX_RANK || c->next == c->end || *c->next < '0' || *c->next > '9') {
            return fail_header(c, "a shape of at most 4 whole numbers");
        }
        while (c->next < c->end && *c->next >= '0' && *c->next <= '9') {
            if (!lp_mul(value, 10, &value) || value > SIZE_MAX - 9) {
                return fail_header(c, "a dimension that fits in memory");
            }
            value += (size_t)(*c->next++ - '0');
        }
        if (!lp_mul(npy->count, value, &npy->count)) {
            return fail_header(c, "a shape that fits in memory");
        }
        npy->shape[npy->rank++] = value;
        if (!take(c, ",")) {
            if (!take(c, ")")) {
                return fail_header(c, "',' or ')' in the shape");
            }
            break;
        }
    }
    return LP_OK;
}

size_t lp_npy_begin(const unsigned char *bytes, uint64_t size) {
    if (size < LP_NPY_START || memcmp(bytes, "\x93NUMPY", 6) != 0 || bytes[6] < 1 || bytes[6] > 3) {
        return 0;
    }
    size_t length = bytes[8] + 256u * bytes[9];
    return bytes[6] == 1 ? 10 + length
                         : 12 + (length | (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24);
}

lp_status lp_npy_parse(const char *path, const unsigned char *bytes, uint64_t size, lp_npy *npy,
                       lp_error *err) {
    *npy = (lp_npy){0};
    if (size < 10 || memcmp(bytes, "\x93NUMPY", 6) != 0) {
        return lp_fail(err, LP_ERR_FORMAT, "%s: not a .npy file: no \\x93NUMPY at byte 0", path);
    }
    size_t start = bytes[6] == 1 ? 10 : 12, begin = lp_npy_begin(bytes, size);
    if (begin == 0) {
        return lp_fail(err, LP_ERR_FORMAT, "%s: .npy version %d.%d, expected 1.0 to 3.0", path,
                       bytes[6], bytes[7]);
    }
    size_t length = begin - start;
    if (length > size - start) {
        return lp_fail(err, LP_ERR_FORMAT,
                       "%s: .npy header of %zu bytes, but the file ends %llu bytes after byte %zu",
                       path, length, (unsigned long long)(size - start), start);
    }
    npy->offset = begin;
    cursor c = {path, (const char *)bytes + start, (const char *)bytes + npy->offset, err};
    bool descr = false, order = false, shape = false;
    lp_status status = LP_OK;
    if (!take(&c, "{")) {
        return fail_header(&c, "'{'");
    }
    while (!take(&c, "}")) {
        if (!descr && take(&c, "'descr':")) {
            descr = true;
            LP_TRY(read_descr(&c, npy));
        } else if (!order && take(&c, "'fortran_order':")) {
            order = true;
            npy->fortran_order = take(&c, "True");
            if (!npy->fortran_order && !take(&c, "False")) {
                return fail_header(&c, "True or False");
            }
        } else if (!shape && take(&c, "'shape':")) {
            shape = true;
            LP_TRY(read_shape(&c, npy));
        } else {
            return fail_header(&c, "each of 'descr', 'fortran_order' and 'shape' once");
        }
        (void)take(&c, ",");
    }
    if (!(descr && order && shape)) {
        return fail_header(&c, "'descr', 'fortran_order' and 'shape'");
    }
    uint64_t data;
    if (!lp_mul_u64(npy->count, npy->item, &data) || data != size - npy->offset) {
        return lp_fail(err, LP_ERR_FORMAT,
                       "%s: expected %zu elements of %zu bytes after byte %zu, found %llu bytes",
                       path, npy->count, npy->item, npy->offset,
                       (unsigned long long)(size - npy->offset));
    }
done:
    return status;
}

static uint64_t load(const lp_npy *npy, const unsigned char *data, size_t i) {
    uint64_t bits = 0;
    data += i * npy->item;
    for (size_t b = 0; b < npy->item; b++) {
        bits |= (uint64_t)data[npy->big_endian ? npy->item - 1 - b : b] << 8 * b;
    }
    return bits;
}

double lp_npy_real(const lp_npy *npy, const unsigned char *data, size_t i) {
    uint64_t bits = load(npy, data, i);
    if (npy->kind == 'f' && npy->item == 2) {
        return (double)lp_half_to_float((uint16_t)bits);
    }
    if (npy->kind == 'f' && npy->item == 4) {
        return (double)lp_float_of_bits((uint32_t)bits);
    }
    if (npy->kind == 'f') {
        double value;
        memcpy(&value, &bits, sizeof value);
        return value;
    }
    int64_t integer = 0;
    return lp_npy_integer(npy, data, i, &integer) ? (double)integer : (double)bits;
}

bool lp_npy_integer(const lp_npy *npy, const unsigned char *data, size_t i, int64_t *value) {
    uint64_t bits = load(npy, data, i);
    if (npy->kind == 'i' && npy->item > 0 && npy->item < 8) { /* extend the sign */
        uint64_t sign = UINT64_C(1) << (8 * npy->item - 1);
        bits = (bits ^ sign) - sign;
    } else if (npy->kind != 'i' && bits > INT64_MAX) {
        return false;
    }
    memcpy(value, &bits, sizeof *value);
    return npy->kind != 'f';
}

bool lp_npy_is_text(const lp_npy *npy) {
    return npy->kind == 'U' || npy->kind == 'S';
}

/* A code point as UTF-8; returns how many bytes, 0 where it is none or there is no room. */
static size_t put_utf8(char *text, size_t room, uint32_t code) {
    static const unsigned char leads[] = {0, 0xc0, 0xe0, 0xf0};
    size_t more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000) || more + 1 >= room) {
        return 0;
    }
    text[0] = (char)(leads[more] | code >> 6 * more);
    for (size_t k = 1; k <= more; k++) {
        text[k] = (char)(0x80 | (code >> 6 * (more - k) & 0x3f));
    }
    return more + 1;
}

/* Whether bytes are UTF-8 (RFC 3629: shortest forms, no surrogates). */
static bool is_utf8(const char *text, size_t length) {
    const unsigned char *at = (const unsigned char *)text, *end = at + length;
    while (at < end) {
        size_t more = *at < 0x80                  ? 0
                      : *at >= 0xc2 && *at < 0xe0 ? 1
                      : *at >= 0xe0 && *at < 0xf0 ? 2
                      : *at >= 0xf0 && *at < 0xf5 ? 3
                                                  : SIZE_MAX;
        if (more > (size_t)(end - at) - 1) {
            return false;
        }
        uint32_t code = more == 0 ? *at : *at & (0x3fU >> more);
        for (size_t k = 1; k <= more; k++) {
            if ((at[k] & 0xc0) != 0x80) {
                return false;
            }
            code = code << 6 | (at[k] & 0x3f);
        }
        if ((more == 2 && (code < 0x800 || (code >= 0xd800 && code < 0xe000))) ||
            (more == 3 && (code < 0x10000 || code > 0x10ffff))) {
            return false;
        }
        at += more + 1;
    }
    return true;
}

size_t lp_npy_text(const lp_npy *npy, const unsigned char *data, size_t i, char *text,
                   size_t room) {
    const lp_npy character = {
        .kind = 'u', .item = npy->kind == 'U' ? 4 : 1, .big_endian = npy->big_endian};
    size_t length = npy->item / character.item, used = 0;
    const unsigned char *item = data + i * npy->item;
    while (length > 0 && load(&character, item, length - 1) == 0) {
        length--;
    }
    for (size_t k = 0; k < length; k++) {
        uint64_t code = load(&character, item, k);
        size_t wrote = npy->kind == 'U' ? put_utf8(text + used, room - used, (uint32_t)code) : 1;
        if (wrote == 0 || used + 1 >= room || code < ' ' || code == 127) {
            return SIZE_MAX;
        }
        if (npy->kind == 'S') {
            text[used] = (char)code;
        }
        used += wrote;
    }
    text[used] = '\0';
    return npy->kind == 'U' || is_utf8(text, used) ? used : SIZE_MAX;
}

/* Element i as a whole number. */
static bool whole_at(const lp_npy *npy, const unsigned char *data, size_t i, int64_t *value) {
    if (npy->kind != 'f') {
        return lp_npy_integer(npy, data, i, value);
    }
    double real = lp_npy_real(npy, data, i);
    *value = fabs(real) < 0x1p53 ? (int64_t)real : -1;
    return fabs(real) < 0x1p53 && real - (double)*value == 0; /* NOLINT: exactly whole */
}

/* Whether all are -1 or 1, and some -1. */
static bool are_signs(const lp_npy *npy, const unsigned char *data) {
    bool some = false, all = npy->kind == 'f' || npy->kind == 'i';
    int64_t value = 0;
    for (size_t i = 0; all && i < npy->count; i++) {
        all = whole_at(npy, data, i, &value) && (value == 1 || value == -1);
        some = some || value == -1;
    }
    return all && some;
}

lp_status lp_npy_labels(const char *path, const unsigned char *bytes, const lp_npy *npy,
                        size_t count, size_t limit, int64_t *labels, lp_error *err) {
    const unsigned char *data = bytes + npy->offset;
    bool one_a_row = npy->rank == 1 || (npy->rank == 2 && npy->shape[1] == 1);
    if (lp_npy_is_text(npy) || !one_a_row || npy->count != count) {
        return lp_fail(
            err, LP_ERR_FORMAT,
            "%s: expected %zu whole numbers, one a row of the features, found kind '%c' of "
            "rank %d with %zu elements",
            path, count, npy->kind, npy->rank, npy->count);
    }
    bool signs = are_signs(npy, data);
    for (size_t i = 0; i < count; i++) {
        bool whole = whole_at(npy, data, i, &labels[i]);
        labels[i] = signs ? labels[i] > 0 : labels[i];
        if (!whole || labels[i] < 0 || (uint64_t)labels[i] >= limit) {
            return lp_fail(err, LP_ERR_DATA,
                           "%s: row %zu: expected a label from 0 to %zu, found %.*g", path, i,
                           limit - 1, npy->kind == 'f' ? 6 : 20, lp_npy_real(npy, data, i));
        }
    }
    return LP_OK;
}

void lp_npy_header(char header[LP_NPY_HEADER], const char *descr, size_t rows, size_t columns) {
    char shape[64];
    if (columns > 0) {
        (void)snprintf(shape, sizeof shape, "(%zu, %zu)", rows, columns);
    } else {
        (void)snprintf(shape, sizeof shape, "(%zu,)", rows);
    }
    memcpy(header, "\x93NUMPY\x01\x00\x76\x00", 10); /* 0x76 = 128 - 10 */
    int used = snprintf(header + 10, LP_NPY_HEADER - 10,
                        "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", descr, shape);
    memset(header + 10 + used, ' ', LP_NPY_HEADER - 11 - (size_t)used);
    header[LP_NPY_HEADER - 1] = '\n';
}
