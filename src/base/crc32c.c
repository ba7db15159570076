/* Eight bytes a step: a table for each of them. */
#include "base/crc32c.h"

enum { STEP = 8 };

uint32_t lp_crc32c(const void *bytes, size_t size) {
    uint32_t tables[STEP][256], crc = 0xffffffffu;
    const unsigned char *p = bytes;
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t bits = i;
        for (int k = 0; k < 8; k++) {
            bits = bits >> 1 ^ ((bits & 1) != 0 ? 0x82f63b78u : 0);
        }
        tables[0][i] = bits;
    }
    for (int t = 1; t < STEP; t++) {
        for (size_t i = 0; i < 256; i++) {
            tables[t][i] = tables[t - 1][i] >> 8 ^ tables[0][tables[t - 1][i] & 0xff];
        }
    }
    for (; size >= STEP; size -= STEP, p += STEP) {
        uint32_t next = 0;
        for (unsigned i = 0; i < STEP; i++) {
            uint32_t of_crc = i < 4 ? crc >> 8 * i & 0xff : 0;
            next ^= tables[STEP - 1 - i][p[i] ^ of_crc];
        }
        crc = next;
    }
    for (; size > 0; size--, p++) {
        crc = crc >> 8 ^ tables[0][(crc ^ *p) & 0xff];
    }
    return crc ^ 0xffffffffu;
}
