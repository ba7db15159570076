/* UTF-8 decoding (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF). */
#include "report/utf8.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

size_t lp_utf8_next(const char **text, char bytes[LP_UTF8_MAX]) {
    static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */
    const unsigned char *p = (const unsigned char *)*text;
    uint32_t code = p[0];
    size_t more = code < 0x80 ? 0 : code >= 0xf0 ? 3 : code >= 0xe0 ? 2 : 1;
    bool valid = code < 0x80 || (code >= 0xc2 && code <= 0xf4);
    if (more > 0) {
        code &= 0x3fu >> more;
    }
    for (size_t i = 1; valid && i <= more; i++) { /* a zero byte ends this, too */
        valid = (p[i] & 0xc0) == 0x80;
        code = code << 6 | (p[i] & 0x3f);
    }
    valid = valid && !(more == 2 && code < 0x800) && !(more == 3 && code < 0x10000) &&
            !(code >= 0xd800 && code < 0xe000) && code <= 0x10ffff;
    bool control = (code < 0x20 && code != '\t' && code != '\n' && code != '\r') ||
                   (code >= 0x7f && code < 0xa0);
    bool nothing = (code & 0xfffe) == 0xfffe || (code >= 0xfdd0 && code < 0xfdf0);
    bool shown = valid && !control && !nothing;
    size_t size = shown ? 1 + more : sizeof replacement - 1;
    memcpy(bytes, shown ? *text : replacement, size);
    bytes[0] = bytes[0] == '\r' ? '\n' : bytes[0];
    *text += valid ? 1 + more : 1;
    return size;
}
