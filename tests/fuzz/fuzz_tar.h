/* Tar archives with right checksums, for the fuzz targets of data sets. */
#ifndef LP_TESTS_FUZZ_TAR_H
#define LP_TESTS_FUZZ_TAR_H

#include "fuzz.h"

static inline void fuzz_tar_octal(uint8_t *field, size_t digits, unsigned long value) {
    for (size_t i = digits; i > 0; i--, value /= 8) {
        field[i - 1] = (uint8_t)('0' + value % 8);
    }
}

/* Adds a member; kind '0' is a file, others are links, folders, ... */
static inline void fuzz_tar_put(fuzz_bytes *tar, const char *name, char kind, fuzz_input bytes) {
    static const uint8_t zeros[512];
    uint8_t block[512] = {0};
    unsigned long sum = 0;
    (void)snprintf((char *)block, 100, "%s", name);
    fuzz_tar_octal(block + 100, 7, 0644);
    fuzz_tar_octal(block + 124, 11, (unsigned long)bytes.size);
    memset(block + 148, ' ', 8);
    block[156] = (uint8_t)kind;
    memcpy(block + 157, "/etc/passwd", 11);
    memcpy(block + 257, "ustar\00000", 8);
    for (size_t i = 0; i < sizeof block; i++) {
        sum += block[i];
    }
    fuzz_tar_octal(block + 148, 6, sum);
    block[154] = 0;
    fuzz_put(tar, block, sizeof block);
    fuzz_put(tar, bytes.data, bytes.size);
    fuzz_put(tar, zeros, (512 - bytes.size % 512) % 512);
}

/* Ends the archive, writes it as "file" and frees it. */
static inline void fuzz_tar_write(char path[512], fuzz_bytes *tar) {
    static const uint8_t zeros[1024];
    fuzz_put(tar, zeros, sizeof zeros);
    (void)fuzz_write(path, "file", (fuzz_input){tar->data, tar->size}, 0);
    free(tar->data);
}

#endif
