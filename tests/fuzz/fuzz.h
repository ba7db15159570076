/* What every fuzz target includes: reading its input, files and zip archives made from it, and what
 * must hold of every call.  A target defines fuzz_one; docs/TESTING.md lists them.
 *
 * An input that is to become several things begins with chunks: a length of two bytes,
 * little-endian, then so many bytes, or as many as are left. */
#ifndef LP_TESTS_FUZZ_H
#define LP_TESTS_FUZZ_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

#include "base/alloc.h"
#include "linprobe/status.h"

typedef struct fuzz_input {
    const uint8_t *data;
    size_t size;
} fuzz_input;

static void fuzz_one(fuzz_input input);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every input is also run with one allocation failing, which one depends on the input. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_one((fuzz_input){data, size});
    uint32_t sum = (uint32_t)crc32_z(0, data, size);
    if (sum % 8 == 0) {
        (void)lp_alloc_fail_at(1 + sum / 8 % 64);
        fuzz_one((fuzz_input){data, size});
        (void)lp_alloc_fail_at(0);
    }
    return 0;
}

static inline void fuzz_require(bool holds, const char *what) {
    if (!holds) {
        (void)fprintf(stderr, "fuzz: expected %s\n", what);
        abort();
    }
}

/* A failure has a status, a message that carries the same, and nothing that steers a terminal. */
static inline bool fuzz_succeeds(lp_status status, const lp_error *err) {
    if (status == LP_OK) {
        return true;
    }
    fuzz_require(err->status == status, "the error's status to be the one returned");
    fuzz_require(err->text[0] != '\0', "a message");
    for (const char *c = err->text; *c != '\0'; c++) {
        fuzz_require((unsigned char)*c >= 0x20 || *c == '\n', "no control characters");
    }
    return false;
}

static inline unsigned fuzz_byte(fuzz_input *input) {
    unsigned byte = 0;
    if (input->size > 0) {
        byte = *input->data++;
        input->size--;
    }
    return byte;
}

static inline fuzz_input fuzz_chunk(fuzz_input *input) {
    size_t length = fuzz_byte(input);
    length += (size_t)fuzz_byte(input) << 8;
    if (length > input->size) {
        length = input->size;
    }
    fuzz_input chunk = {input->data, length};
    input->data += length;
    input->size -= length;
    return chunk;
}

/* ---- files ----------------------------------------------------------------------------------- */

static char fuzz_folder_path[256];

static inline void fuzz_path(char path[512], const char *name) {
    (void)snprintf(path, 512, "%s/%s", fuzz_folder_path, name);
}

/* Names that a target may give to its files; all are removed at the end. */
static const char *const fuzz_names[] = {"file",
                                         "file.bin",
                                         "file.index.json",
                                         "features.npy",
                                         "labels.npy",
                                         "meta.json",
                                         "model.safetensors",
                                         "list.csv",
                                         "train/0.tar",
                                         "classnames.txt",
                                         "1.pgm",
                                         "2.pgm",
                                         "model.safetensors.index.json",
                                         "config.json",
                                         "a.safetensors",
                                         "b.safetensors",
                                         "open_clip_config.json",
                                         "preprocessor_config.json",
                                         "train.bin",
                                         "test.bin",
                                         "fine_label_names.txt",
                                         "data_batch_1.bin",
                                         "train_X.bin",
                                         "train_y.bin",
                                         "test_X.bin",
                                         "test_y.bin",
                                         "class_names.txt",
                                         "model.index",
                                         "model.data-00000-of-00001",
                                         "model.data-00000-of-00002",
                                         "model.data-00001-of-00002"};

static inline void fuzz_remove_files(void) {
    char path[512];
    for (size_t i = 0; i < sizeof fuzz_names / sizeof fuzz_names[0]; i++) {
        fuzz_path(path, fuzz_names[i]);
        (void)unlink(path);
    }
}

static inline void fuzz_remove_all(void) {
    char path[512];
    fuzz_remove_files();
    fuzz_path(path, "train");
    (void)rmdir(path);
    (void)rmdir(fuzz_folder_path);
}

/* The folder of this process's files, made at the first call. */
static inline const char *fuzz_folder(void) {
    if (fuzz_folder_path[0] == '\0') {
        const char *place = getenv("TMPDIR"), *memory = "/dev/shm"; /* no disk is waited for */
        if (place == NULL) {
            place = access(memory, W_OK) == 0 ? memory : "/tmp";
        }
        (void)snprintf(fuzz_folder_path, sizeof fuzz_folder_path, "%.200s/fuzz-XXXXXX", place);
        if (mkdtemp(fuzz_folder_path) == NULL) {
            perror(fuzz_folder_path);
            exit(2);
        }
        (void)atexit(fuzz_remove_all);
    }
    return fuzz_folder_path;
}

/* Writes a file of one of the names above, followed by zeros up to `size` where that is larger. */
static inline const char *fuzz_write(char path[512], const char *name, fuzz_input bytes,
                                     uint64_t size) {
    (void)fuzz_folder();
    fuzz_path(path, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool written = fd >= 0 && (size_t)write(fd, bytes.data, bytes.size) == bytes.size &&
                   (size <= bytes.size || ftruncate(fd, (off_t)size) == 0);
    if (!written || close(fd) != 0) {
        perror(path);
        exit(2);
    }
    return path;
}

/* The same; no bytes: no such file. */
static inline void fuzz_write_some(char path[512], const char *name, fuzz_input bytes,
                                   uint64_t size) {
    (void)fuzz_write(path, name, bytes, size);
    if (bytes.size == 0) {
        (void)unlink(path);
    }
}

/* ---- bytes being put together ---------------------------------------------------------------- */

typedef struct fuzz_bytes {
    uint8_t *data;
    size_t size, capacity;
} fuzz_bytes;

static inline void fuzz_put(fuzz_bytes *out, const void *bytes, size_t size) {
    if (size > out->capacity - out->size) {
        out->capacity = 2 * (out->size + size) + 256;
        out->data = realloc(out->data, out->capacity);
        if (out->data == NULL) {
            exit(2);
        }
    }
    if (size > 0) {
        memcpy(out->data + out->size, bytes, size);
    }
    out->size += size;
}

static inline void fuzz_put_number(fuzz_bytes *out, uint64_t value, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) {
        uint8_t byte = (uint8_t)(i < 8 ? value >> 8 * i : 0);
        fuzz_put(out, &byte, 1);
    }
}

/* A zip archive of stored members with right checksums, which no mutation would find. */
typedef struct fuzz_zip {
    fuzz_bytes file, directory;
    unsigned count;
} fuzz_zip;

static inline void fuzz_zip_record(fuzz_bytes *out, bool central, const char *name,
                                   fuzz_input bytes, size_t at) {
    size_t length = strlen(name);
    fuzz_put_number(out, central ? 0x02014b50 : 0x04034b50, 4);
    fuzz_put_number(out, 20, central ? 2 : 0); /* made by */
    fuzz_put_number(out, 20, 2);               /* needed */
    fuzz_put_number(out, 0, 8);                /* flags, method, time, date */
    fuzz_put_number(out, crc32_z(0, bytes.data, bytes.size), 4);
    fuzz_put_number(out, bytes.size, 4);
    fuzz_put_number(out, bytes.size, 4);
    fuzz_put_number(out, length, 2);
    fuzz_put_number(out, 0, 2); /* extra field */
    if (central) {
        fuzz_put_number(out, 0, 10); /* comment, disk, attributes */
        fuzz_put_number(out, at, 4);
    }
    fuzz_put(out, name, length);
}

static inline void fuzz_zip_add(fuzz_zip *zip, const char *name, fuzz_input bytes) {
    size_t at = zip->file.size;
    fuzz_zip_record(&zip->file, false, name, bytes, 0);
    fuzz_put(&zip->file, bytes.data, bytes.size);
    fuzz_zip_record(&zip->directory, true, name, bytes, at);
    zip->count++;
}

static inline const char *fuzz_zip_write(fuzz_zip *zip, char path[512], const char *name) {
    size_t at = zip->file.size;
    fuzz_put(&zip->file, zip->directory.data, zip->directory.size);
    fuzz_put_number(&zip->file, 0x06054b50, 4);
    fuzz_put_number(&zip->file, 0, 4);
    fuzz_put_number(&zip->file, zip->count, 2);
    fuzz_put_number(&zip->file, zip->count, 2);
    fuzz_put_number(&zip->file, zip->directory.size, 4);
    fuzz_put_number(&zip->file, at, 4);
    fuzz_put_number(&zip->file, 0, 2);
    (void)fuzz_write(path, name, (fuzz_input){zip->file.data, zip->file.size}, 0);
    free(zip->file.data);
    free(zip->directory.data);
    return path;
}

#endif
