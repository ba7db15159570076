/* The safetensors header: what is accepted, and each way in which it can be wrong. */
#include "base/file.h"
#include "base/random.h"
#include "check.h"
#include "test_folder.h"
#include "linprobe/checkpoint.h"

static const char *file; /* the one file that tests write */
static lp_error err;

static int set_up(void **state) {
    if (make_folder(state) != 0) {
        return 1;
    }
    file = in_folder("model.safetensors");
    return 0;
}

/* Writes a file of this header and `data` bytes 0, 1, 2, ... */
static void write_file(const char *header, size_t data) {
    unsigned char bytes[4096];
    size_t length = strlen(header);
    assert_true(8 + length + data <= sizeof bytes);
    for (size_t i = 0; i < 8; i++) {
        bytes[i] = (unsigned char)(length >> 8 * i);
    }
    memcpy(bytes + 8, header, length);
    for (size_t i = 0; i < data; i++) {
        bytes[8 + length + i] = (unsigned char)i;
    }
    assert_ok(lp_file_write(file, bytes, 8 + length + data, &err), &err);
}

static void refused(const char *header, size_t data, lp_status status, const char *text) {
    lp_checkpoint *ckpt;
    write_file(header, data);
    assert_fails(lp_checkpoint_open(file, &ckpt, &err), status, &err, text);
    assert_null(ckpt);
    assert_non_null(strstr(err.text, file));
}

static void tensors_are_read(void **state) {
    (void)state;
    lp_checkpoint *ckpt;
    float b[4], a;
    write_file("{\"__metadata__\":{\"format\":\"pt\"},"
               "\"b\":{\"dtype\":\"U8\",\"shape\":[2,2],\"data_offsets\":[2,6]},"
               "\"e\":{\"dtype\":\"F32\",\"shape\":[0,3],\"data_offsets\":[6,6]},"
               "\"a\":{\"dtype\":\"I16\",\"shape\":[],\"data_offsets\":[0,2]}}   ",
               6);
    assert_ok(lp_checkpoint_open(file, &ckpt, &err), &err);
    assert_int_equal(lp_checkpoint_count(ckpt), 3);
    assert_string_equal(lp_checkpoint_tensor(ckpt, 0)->name, "a");
    assert_int_equal(lp_checkpoint_tensor(ckpt, 0)->rank, 0);
    assert_int_equal(lp_checkpoint_tensor(ckpt, 0)->count, 1);
    assert_int_equal(lp_checkpoint_tensor(ckpt, 2)->count, 0);
    lp_tensor_read reads[] = {{lp_checkpoint_find(ckpt, "b"), b},
                              {lp_checkpoint_find(ckpt, "a"), &a}};
    assert_ok(lp_checkpoint_read(ckpt, reads, 2, 0, &err), &err);
    assert_true(a == 256.0f && b[0] == 2.0f && b[1] == 3.0f && b[2] == 4.0f && b[3] == 5.0f);
    lp_checkpoint_close(ckpt);
}

static void other_types_are_listed_but_not_read(void **state) {
    (void)state;
    static const char *const names[] = {"F8_E4M3", "F8_E5M2", "U16", "U64", "C64", "F4"};
    static const size_t bytes[] = {2, 2, 4, 16, 16, 1};
    for (size_t i = 0; i < 6; i++) {
        char header[200], text[100];
        lp_checkpoint *ckpt;
        float values[2];
        (void)snprintf(header, sizeof header,
                       "{\"x\":{\"dtype\":\"%s\",\"shape\":[2],\"data_offsets\":[0,%zu]}}",
                       names[i], bytes[i]);
        write_file(header, bytes[i]);
        assert_ok(lp_checkpoint_open(file, &ckpt, &err), &err);
        lp_tensor_read read = {lp_checkpoint_find(ckpt, "x"), values};
        assert_int_equal(read.tensor->dtype, LP_DTYPE_OTHER);
        (void)snprintf(text, sizeof text, "tensor x: values of type %s cannot be read", names[i]);
        assert_fails(lp_checkpoint_read(ckpt, &read, 1, 0, &err), LP_ERR_UNSUPPORTED, &err, text);
        lp_checkpoint_close(ckpt);
    }
    refused("{\"x\":{\"dtype\":\"F7\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1,
            LP_ERR_UNSUPPORTED, "tensor x: unknown dtype \"F7\"");
}

static void header_is_checked(void **state) {
    (void)state;
    lp_checkpoint *ckpt;
    refused("{\"a\":}", 0, LP_ERR_FORMAT, "header: not valid JSON");
    refused("{\"a\":1", 0, LP_ERR_FORMAT, "header: not valid JSON");
    refused("{\"a\":1}", 0, LP_ERR_FORMAT, "tensor a: expected a dtype, a shape and two data_off");
    refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
            "\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}",
            2, LP_ERR_FORMAT, "duplicate");
    refused("{\"\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, LP_ERR_FORMAT,
            "name has 0 characters");
    refused("{\"a\\u0000b\":1}", 0, LP_ERR_FORMAT, "not valid JSON");
    refused("{\"a\\u001b\":1}", 0, LP_ERR_FORMAT, "control character, 0x1b");

    static const unsigned char longer[] = {100, 0, 0, 0, 0, 0, 0, 0, '{', '}'};
    assert_ok(lp_file_write(file, longer, sizeof longer, &err), &err);
    assert_fails(lp_checkpoint_open(file, &ckpt, &err), LP_ERR_FORMAT, &err,
                 "the header is said to have 100 bytes, but the file has only 10");
    static const unsigned char overflow[] = {255, 255, 255, 255, 255, 255, 255, 255, '{', '}'};
    assert_ok(lp_file_write(file, overflow, sizeof overflow, &err), &err);
    assert_fails(lp_checkpoint_open(file, &ckpt, &err), LP_ERR_FORMAT, &err,
                 "said to have 18446744073709551615 bytes");

    enum { LONG = (4 << 20) + 1 };
    char *bytes = calloc(1, 8 + LONG);
    assert_non_null(bytes);
    bytes[0] = 1;
    bytes[2] = 64;
    bytes[8] = '{';
    assert_ok(lp_file_write(file, bytes, 8 + LONG, &err), &err);
    assert_fails(lp_checkpoint_open(file, &ckpt, &err), LP_ERR_UNSUPPORTED, &err,
                 "a header of 4194305 bytes, expected at most 4194304");
    free(bytes);
}

static void deep_nesting_is_refused(void **state) {
    (void)state;
    enum { DEPTH = 3000 };
    char header[DEPTH + 20] = "{\"a\":";
    memset(header + 5, '[', DEPTH);
    refused(header, 0, LP_ERR_FORMAT, "not valid JSON");
}

static void numbers_are_checked(void **state) {
    (void)state;
    static const char *const shapes[] = {"[-1]", "[1.0]", "[\"1\"]", "1", "null", "[null]"};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        char header[200];
        (void)snprintf(header, sizeof header,
                       "{\"a\":{\"dtype\":\"U8\",\"shape\":%s,\"data_offsets\":[0,1]}}", shapes[i]);
        refused(header, 1, LP_ERR_FORMAT, "tensor a: expected a dtype, a shape and two data_off");
    }
    refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0]}}", 1, LP_ERR_FORMAT,
            "two data_offsets");
    refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1,2]}}", 1, LP_ERR_FORMAT,
            "two data_offsets");
    refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,1]}}", 1,
            LP_ERR_UNSUPPORTED, "tensor a: 9 dimensions, expected at most 8");
    refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[99999999999999999999],\"data_offsets\":[0,1]}}", 1,
            LP_ERR_FORMAT, "not valid JSON");
    refused("{\"a\":{\"dtype\":\"F64\",\"shape\":[4611686018427387904,8],"
            "\"data_offsets\":[0,1]}}",
            1, LP_ERR_FORMAT, "tensor a: its shape overflows");
    refused("{\"a\":{\"dtype\":\"F64\",\"shape\":[4611686018427387904],\"data_offsets\":[0,1]}}", 1,
            LP_ERR_FORMAT, "tensor a: its shape and strides reach beyond");
}

static void offsets_are_checked(void **state) {
    (void)state;
    refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}", 1, LP_ERR_FORMAT,
            "tensor a: data_offsets 0 to 2, expected a range within the 1 bytes of data");
    refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[2,0]}}", 2, LP_ERR_FORMAT,
            "tensor a: data_offsets 2 to 0, expected a range");
    refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,9]}}", 9, LP_ERR_FORMAT,
            "tensor a: data_offsets hold 9 bytes, expected 8");
    refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, LP_ERR_FORMAT,
            "tensor a: its shape and strides reach beyond");
    refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
            "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]}}",
            3, LP_ERR_FORMAT, "tensor b: it overlaps another one at byte 1");
    refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
            "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[3,5]}}",
            5, LP_ERR_FORMAT, "tensor b: there is a gap before it at byte 3");
    refused("{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}", 3, LP_ERR_FORMAT,
            "3 bytes of data, expected 2");
}

static void damaged_headers_do_no_harm(void **state) {
    (void)state;
    static const char good[] = "{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
                               "\"b\":{\"dtype\":\"F16\",\"shape\":[1,1],\"data_offsets\":[2,4]}}";
    lp_random random;
    lp_random_seed(&random, 11);
    size_t failed = 0;
    for (int round = 0; round < 300; round++) {
        char header[sizeof good];
        lp_checkpoint *ckpt;
        memcpy(header, good, sizeof good);
        header[lp_random_below(&random, sizeof good - 1)] =
            (char)(32 + lp_random_below(&random, 95));
        write_file(header, 4);
        if (lp_checkpoint_open(file, &ckpt, &err) == LP_OK) {
            float values[4];
            for (size_t i = 0; i < lp_checkpoint_count(ckpt); i++) {
                lp_tensor_read read = {lp_checkpoint_tensor(ckpt, i), values};
                assert_true(read.tensor->count <= 4);
                (void)!lp_checkpoint_read(ckpt, &read, 1, 0, &err);
            }
            lp_checkpoint_close(ckpt);
        } else {
            failed++;
        }
    }
    assert_true(failed > 150);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensors_are_read),
        cmocka_unit_test(other_types_are_listed_but_not_read),
        cmocka_unit_test(header_is_checked),
        cmocka_unit_test(deep_nesting_is_refused),
        cmocka_unit_test(numbers_are_checked),
        cmocka_unit_test(offsets_are_checked),
        cmocka_unit_test(damaged_headers_do_no_harm),
    };
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
