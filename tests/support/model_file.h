/* Checkpoints with any tensors, all zero (a hole behind the header of a .safetensors file) or
 * filled with numbers. */
#ifndef LP_TESTS_MODEL_FILE_H
#define LP_TESTS_MODEL_FILE_H

#include <math.h>
#include <stdbool.h>

#include "check.h"
#include "test_folder.h"
#include "linprobe/checkpoint.h"

enum { MAX_ENTRIES = 1536 };

typedef struct entry {
    char name[200];
    const char *dtype;
    size_t rank, shape[4];
} entry;

typedef struct model_file {
    entry entries[MAX_ENTRIES];
    size_t count;
    const char *metadata; /* a JSON object of texts; or NULL */
    const char *nan_in;   /* this F32 tensor begins with NaN */
    bool filled;          /* F32: numbers of either sign, variances positive */
} model_file;

static model_file file;

static entry *find_entry(const char *name) {
    for (size_t i = 0; i < file.count; i++) {
        if (strcmp(file.entries[i].name, name) == 0) {
            return &file.entries[i];
        }
    }
    fail_msg("the test has no tensor %s", name);
    return NULL;
}

static void add(const char *name, size_t rank, size_t a, size_t b, size_t c, size_t d) {
    assert_true(file.count < MAX_ENTRIES);
    entry *e = &file.entries[file.count++];
    *e = (entry){.dtype = "F32", .rank = rank, .shape = {a, b, c, d}};
    (void)snprintf(e->name, sizeof e->name, "%s", name);
}

static inline void drop(const char *name) {
    entry *e = find_entry(name);
    *e = file.entries[--file.count];
}

static void fill(FILE *out, const entry *e) {
    static unsigned state = 1;
    bool positive = strstr(e->name, "running_var") != NULL, real = strcmp(e->dtype, "F32") == 0;
    size_t count = real ? 1 : 2; /* halves of I64 */
    for (size_t j = 0; j < e->rank; j++) {
        count *= e->shape[j];
    }
    for (size_t i = 0; i < count; i++) {
        state = state * 1664525U + 1013904223U;
        float value = (float)(state >> 16) / 32768 - (positive ? -1 : 1);
        value *= !real ? 0 : count > 4096 ? 0.05F : 1;
        assert_int_equal(fwrite(&value, 4, 1, out), 1);
    }
}

/* Writes `file` as safetensors and opens it. */
static lp_checkpoint *open_file(void) {
    static char header[MAX_ENTRIES * 320];
    size_t used = 0, offset = 0, nan_at = SIZE_MAX;
    if (file.metadata != NULL) {
        used = (size_t)snprintf(header, sizeof header, "{\"__metadata__\":%s", file.metadata);
    }
    for (size_t i = 0; i < file.count; i++) {
        const entry *e = &file.entries[i];
        size_t bytes = strcmp(e->dtype, "I64") == 0 ? 8 : strcmp(e->dtype, "F16") == 0 ? 2 : 4;
        used += (size_t)snprintf(header + used, sizeof header - used,
                                 "%s\"%s\":{\"dtype\":\"%s\",\"shape\":[", used == 0 ? "{" : ",",
                                 e->name, e->dtype);
        for (size_t j = 0; j < e->rank; j++) {
            used += (size_t)snprintf(header + used, sizeof header - used, "%s%zu",
                                     j == 0 ? "" : ",", e->shape[j]);
            bytes *= e->shape[j];
        }
        used += (size_t)snprintf(header + used, sizeof header - used,
                                 "],\"data_offsets\":[%zu,%zu]}", offset, offset + bytes);
        if (file.nan_in != NULL && strcmp(file.nan_in, e->name) == 0) {
            nan_at = offset;
        }
        offset += bytes;
    }
    header[used++] = '}';
    const char *path = in_folder("model.safetensors");
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    unsigned char length[8];
    for (size_t i = 0; i < 8; i++) {
        length[i] = (unsigned char)(used >> (8 * i));
    }
    assert_int_equal(fwrite(length, 1, 8, out), 8);
    assert_int_equal(fwrite(header, 1, used, out), used);
    for (size_t i = 0; file.filled && i < file.count; i++) {
        fill(out, &file.entries[i]);
    }
    assert_int_equal(fflush(out), 0);
    assert_int_equal(ftruncate(fileno(out), (off_t)(8 + used + offset)), 0);
    if (nan_at != SIZE_MAX) {
        float nan = NAN;
        assert_int_equal(fseek(out, (long)(8 + used + nan_at), SEEK_SET), 0);
        assert_int_equal(fwrite(&nan, 4, 1, out), 1);
    }
    assert_int_equal(fclose(out), 0);
    lp_checkpoint *ckpt;
    lp_error err;
    assert_ok(lp_checkpoint_open(path, &ckpt, &err), &err);
    return ckpt;
}

#endif
