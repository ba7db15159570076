/* Weights read on several threads: the same values and the same errors as on one. */
#include <math.h>
#include <stdbool.h>

#include "base/alloc.h"
#include "base/file.h"
#include "check.h"
#include "test_folder.h"
#include "linprobe/checkpoint.h"
#include "write_zip.h"

/* Storages of 100,000 to 176,000 float32: 2.8 million values, enough for seven parts. */
enum { STORAGES = 20, LEAST = 100000, MORE = 4000, TENSORS = 2 * STORAGES, THREADS = 3 };

static const size_t threads[THREADS] = {1, 2, 7};
static lp_error err;

/* ---- the values ------------------------------------------------------------------------------ */

static float *storages[STORAGES];

static size_t size_of(size_t storage) {
    return LEAST + MORE * storage;
}

static int make_values(void **state) {
    unsigned number = 1;
    (void)state;
    /* libarchive asks for the local time of each member.  The C library reads an unset TZ anew each
     * time, under a lock that ThreadSanitizer does not see. */
    (void)setenv("TZ", "UTC", 1);
    for (size_t s = 0; s < STORAGES; s++) {
        storages[s] = lp_alloc(size_of(s), sizeof(float));
        for (size_t i = 0; storages[s] != NULL && i < size_of(s); i++) {
            number = number * 1664525U + 1013904223U;
            storages[s][i] = (float)(number >> 8) / 4096 - 2048;
        }
        if (storages[s] == NULL) {
            return 1;
        }
    }
    return make_folder(state);
}

static int free_values(void **state) {
    for (size_t s = 0; s < STORAGES; s++) {
        lp_free(storages[s]);
    }
    return remove_folder(state);
}

/* ---- a zip file ------------------------------------------------------------------------------ */

typedef struct buffer {
    char bytes[64 * 1024];
    size_t used;
} buffer;

static void put(buffer *b, const char *bytes, size_t size) {
    assert_true(b->used + size <= sizeof b->bytes);
    memcpy(b->bytes + b->used, bytes, size);
    b->used += size;
}

#define PUT(b, literal) put(b, literal, sizeof(literal) - 1)

static void put_text(buffer *b, const char *text) {
    const char length[] = {(char)strlen(text), 0, 0, 0};
    PUT(b, "X");
    put(b, length, 4);
    put(b, text, strlen(text));
}

static void put_number(buffer *b, size_t number) {
    PUT(b, "J");
    for (unsigned i = 0; i < 4; i++) {
        const char byte = (char)(number >> 8 * i & 0xff);
        put(b, &byte, 1);
    }
}

/* [n], or [n / 4, 2] transposed from [2, n / 4] behind the first value */
static void put_tensor(buffer *b, const char *name, size_t storage, bool transposed) {
    char key[8];
    size_t n = size_of(storage);
    (void)snprintf(key, sizeof key, "%zu", storage);
    put_text(b, name);
    PUT(b, "ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\n");
    put_text(b, key);
    put_text(b, "cpu");
    put_number(b, n);
    PUT(b, "tQ");
    put_number(b, transposed ? 1 : 0);
    PUT(b, "(");
    put_number(b, transposed ? n / 4 : n);
    if (transposed) {
        put_number(b, 2);
    }
    PUT(b, "t(");
    put_number(b, 1);
    if (transposed) {
        put_number(b, n / 4);
    }
    PUT(b, "t\x89"
           "ccollections\nOrderedDict\n)RtR");
}

/* Tensor "a07" is storage 7; of each second storage there is also the view "b08". */
static void write_model(void) {
    static buffer pickle;
    static char names[STORAGES][24];
    zip_member members[STORAGES + 1];
    pickle.used = 0;
    PUT(&pickle, "\x80\x02}(");
    for (size_t s = 0; s < STORAGES; s++) {
        char name[8];
        (void)snprintf(name, sizeof name, "a%02zu", s);
        put_tensor(&pickle, name, s, false);
        if (s % 2 == 0) {
            name[0] = 'b';
            put_tensor(&pickle, name, s, true);
        }
        (void)snprintf(names[s], sizeof names[s], "model/data/%zu", s);
        members[s + 1] = (zip_member){names[s], storages[s], size_of(s) * sizeof(float)};
    }
    PUT(&pickle, "u.");
    members[0] = (zip_member){"model/data.pkl", pickle.bytes, pickle.used};
    write_zip(in_folder("model.pt"), members, STORAGES + 1, false);
}

/* ---- a safetensors file ---------------------------------------------------------------------- */

/* Storages first .. end - 1, as tensors "a07". */
static void write_safetensors(const char *name, size_t first, size_t end) {
    char header[4096];
    size_t used = 0, offset = 0;
    for (size_t s = first; s < end; s++) {
        used += (size_t)snprintf(
            header + used, sizeof header - used,
            "%s\"a%02zu\":{\"dtype\":\"F32\",\"shape\":[%zu],\"data_offsets\":[%zu,%zu]}",
            s == first ? "{" : ",", s, size_of(s), offset, offset + 4 * size_of(s));
        offset += 4 * size_of(s);
    }
    header[used++] = '}';
    const unsigned char length[8] = {(unsigned char)used, (unsigned char)(used >> 8)};
    FILE *out = fopen(in_folder(name), "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(length, 1, 8, out), 8);
    assert_int_equal(fwrite(header, 1, used, out), used);
    for (size_t s = first; s < end; s++) {
        assert_int_equal(fwrite(storages[s], 4, size_of(s), out), size_of(s));
    }
    assert_int_equal(fclose(out), 0);
}

static void write_shards(void) {
    char index[2048];
    size_t used = (size_t)snprintf(index, sizeof index, "{\"weight_map\": {");
    write_safetensors("b.safetensors", 0, 7);
    write_safetensors("a.safetensors", 7, STORAGES);
    for (size_t s = 0; s < STORAGES; s++) {
        used +=
            (size_t)snprintf(index + used, sizeof index - used, "%s\"a%02zu\": \"%s.safetensors\"",
                             s > 0 ? ", " : "", s, s < 7 ? "b" : "a");
    }
    used += (size_t)snprintf(index + used, sizeof index - used, "}}");
    assert_ok(lp_file_write(in_folder("model.safetensors.index.json"), index, used, &err), &err);
}

/* ---- tests ----------------------------------------------------------------------------------- */

/* All tensors of a checkpoint, in an order of its own. */
typedef struct model {
    lp_checkpoint *ckpt;
    size_t count;
    lp_tensor_read reads[TENSORS];
} model;

static model open_model(const char *name) {
    model m;
    assert_ok(lp_checkpoint_open(in_folder(name), &m.ckpt, &err), &err);
    m.count = lp_checkpoint_count(m.ckpt);
    assert_true(m.count <= TENSORS);
    for (size_t i = 0; i < m.count; i++) {
        const lp_tensor *tensor = lp_checkpoint_tensor(m.ckpt, i * 7 % m.count);
        m.reads[i] = (lp_tensor_read){tensor, lp_alloc(tensor->count, sizeof(float))};
        assert_non_null(m.reads[i].values);
    }
    return m;
}

static void close_model(model *m) {
    for (size_t i = 0; i < m->count; i++) {
        lp_free(m->reads[i].values);
    }
    lp_checkpoint_close(m->ckpt);
}

static float expected(const lp_tensor *tensor, size_t i) {
    size_t s = (size_t)(tensor->name[1] - '0') * 10 + (size_t)(tensor->name[2] - '0');
    return storages[s][tensor->name[0] == 'a' ? i : 1 + i / 2 + i % 2 * (size_of(s) / 4)];
}

static void assert_read_alike(const char *name, size_t tensors) {
    model m = open_model(name);
    assert_int_equal(m.count, tensors);
    for (size_t t = 0; t < THREADS; t++) {
        for (size_t r = 0; r < m.count; r++) {
            memset(m.reads[r].values, 0xff, m.reads[r].tensor->count * sizeof(float));
        }
        assert_ok(lp_checkpoint_read(m.ckpt, m.reads, m.count, threads[t], &err), &err);
        for (size_t r = 0; r < m.count; r++) {
            for (size_t i = 0; i < m.reads[r].tensor->count; i++) {
                if (m.reads[r].values[i] != expected(m.reads[r].tensor, i)) {
                    fail_msg("%s, %zu threads: value %zu of %s", name, threads[t], i,
                             m.reads[r].tensor->name);
                }
            }
        }
    }
    close_model(&m);
}

static void threads_do_not_change_what_is_read(void **state) {
    (void)state;
    write_model();
    assert_read_alike("model.pt", STORAGES + STORAGES / 2);
    write_shards();
    assert_read_alike("model.safetensors.index.json", STORAGES);
    assert_read_alike("a.safetensors", STORAGES - 7);
}

/* Changes the last value of a storage in the file, but not its checksum. */
static void damage(size_t storage) {
    char *bytes;
    size_t size, at = 0;
    const float nan = NAN, *last = &storages[storage][size_of(storage) - 4];
    assert_ok(lp_file_read(in_folder("model.pt"), 1 << 24, &bytes, &size, &err), &err);
    while (at + 16 < size && memcmp(bytes + at, last, 16) != 0) {
        at++;
    }
    assert_true(at + 16 < size);
    memcpy(bytes + at + 12, &nan, sizeof nan);
    assert_ok(lp_file_write(in_folder("model.pt"), bytes, size, &err), &err);
    lp_free(bytes);
}

static void the_first_error_of_the_file_is_told(void **state) {
    (void)state;
    write_model();
    damage(17);
    damage(6);
    damage(11);
    model m = open_model("model.pt");
    for (size_t t = 0; t < THREADS; t++) {
        lp_status status = lp_checkpoint_read(m.ckpt, m.reads, m.count, threads[t], &err);
        assert_fails(status, LP_ERR_FORMAT, &err, "model.pt: model/data/6: ");
        assert_null(strstr(err.text, "not a number")); /* the checksum comes first */
    }
    close_model(&m);
}

static void every_failed_allocation_is_reported(void **state) {
    (void)state;
    write_model();
    model m = open_model("model.pt");
    for (size_t t = 0; t < THREADS; t++) {
        lp_status status = LP_ERR_MEMORY;
        size_t k = 0;
        while (status != LP_OK) {
            (void)lp_alloc_fail_at(++k);
            status = lp_checkpoint_read(m.ckpt, m.reads, m.count, threads[t], &err);
            (void)lp_alloc_fail_at(0);
            assert_true(status == LP_OK || status == LP_ERR_MEMORY);
        }
        assert_true(k > 30);
    }
    close_model(&m);
}

/* How many allocations tell how often the archive was opened. */
static void few_values_are_read_by_one_thread(void **state) {
    (void)state;
    write_model();
    model m = open_model("model.pt");
    size_t used[2];
    for (size_t i = 0; i < 2; i++) {
        (void)lp_alloc_fail_at(0);
        assert_ok(lp_checkpoint_read(m.ckpt, m.reads, 2, i == 0 ? 1 : 7, &err), &err);
        used[i] = lp_alloc_fail_at(0);
    }
    assert_int_equal(used[0], used[1]);
    close_model(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_do_not_change_what_is_read),
        cmocka_unit_test(the_first_error_of_the_file_is_told),
        cmocka_unit_test(every_failed_allocation_is_reported),
        cmocka_unit_test(few_values_are_read_by_one_thread),
    };
    return cmocka_run_group_tests(tests, make_values, free_values);
}
