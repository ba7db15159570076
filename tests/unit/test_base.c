/* The base layer: files, digests, random numbers, the parallel loop, number parsing. */
#include <fcntl.h>
#include <float.h>
#include <math.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/digest_memory.h"
#include "base/error.h"
#include "base/file.h"
#include "base/folder.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/random.h"
#include "base/text.h"
#include "check.h"
#include "normal.h"
#include "test_folder.h"

static lp_error err;

/* What lies beside the part that is forgotten stays, and the part can be used again. */
static void a_part_of_a_block_can_be_forgotten(void **state) {
    (void)state;
    enum { SIZE = 1 << 16, FROM = 100, BYTES = SIZE - 300 };
    unsigned char *block = lp_alloc(SIZE, 1);
    assert_non_null(block);
    memset(block, 7, SIZE);
    lp_forget(block + FROM, BYTES);
    for (size_t i = 0; i < SIZE; i++) {
        assert_true((i >= FROM && i < FROM + BYTES) || block[i] == 7);
    }
    memset(block, 9, SIZE);
    assert_true(block[FROM] == 9 && block[SIZE / 2] == 9);
    lp_forget(block + 1, 10); /* no whole page: nothing happens */
    lp_forget(block, 0);
    assert_true(block[5] == 9);
    lp_free(block);
}

/* The rename at the end would put a file in their place. */
static void devices_and_pipes_are_never_replaced(void **state) {
    (void)state;
    struct stat info;
    const char *pipe = in_folder("pipe");
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_fails(lp_file_write(pipe, "x", 1, &err), LP_ERR_IO, &err,
                 "pipe: is a device or a pipe, expected a file");
    assert_int_equal(stat(pipe, &info), 0);
    assert_true(S_ISFIFO(info.st_mode));
}

static void digests_match_published_vectors(void **state) {
    (void)state;
    char hex[LP_DIGEST_HEX];
    assert_ok(lp_digest_bytes(LP_SHA256, "abc", 3, hex, &err), &err);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_ok(lp_digest_bytes(LP_MD5, "abc", 3, hex, &err), &err);
    assert_string_equal(hex, "900150983cd24fb0d6963f7d28e17f72");
    assert_ok(lp_digest_bytes(LP_GIT_BLOB, "hello\n", 6, hex, &err), &err); /* git hash-object */
    assert_string_equal(hex, "ce013625030ba8dba906f756967f9e9ca394464a");
    assert_ok(lp_digest_file(LP_GIT_BLOB, "/dev/null", hex, &err), &err);
    assert_string_equal(hex, "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
}

/* A file of that size, whose one byte that is not zero is the first. */
static const char *large_file(const char *name, char first, off_t size) {
    const char *path = in_folder(name);
    assert_ok(lp_file_write(path, &first, 1, &err), &err);
    assert_int_equal(truncate(path, size), 0);
    return path;
}

/* Replaces the last digits of the only remembered digest, so that it can be told from a computed
 * one. */
static void change_memory(const char *folder, const char *file) {
    char name[64], path[LP_PATH_ROOM], *line;
    struct stat info;
    size_t size;
    assert_int_equal(stat(file, &info), 0);
    (void)snprintf(name, sizeof name, "%llx-%llx", (unsigned long long)info.st_dev,
                   (unsigned long long)info.st_ino);
    assert_true(lp_is_digest_memory(name));
    assert_ok(lp_path_in(path, folder, name, &err), &err);
    assert_ok(lp_file_read(path, 1000, &line, &size, &err), &err);
    memcpy(line + size - 5, "beef", 4);
    assert_ok(lp_file_write(path, line, size, &err), &err);
    lp_free(line);
}

static void a_large_files_digest_is_remembered(void **state) {
    (void)state;
    const char *folder = in_folder("digests-1"), *path;
    char hex[LP_DIGEST_HEX], true_hex[LP_DIGEST_HEX];
    int64_t now = (int64_t)time(NULL), later = now + 10;
    path = large_file("small", 1, LP_REMEMBERED_LEAST - 1);
    assert_ok(lp_digest_remembered(folder, later, path, hex, &err), &err);
    assert_false(lp_is_folder(folder)); /* too small */
    path = large_file("large", 1, LP_REMEMBERED_LEAST);
    assert_ok(lp_digest_file(LP_SHA256, path, true_hex, &err), &err);
    assert_ok(lp_digest_remembered(folder, now, path, hex, &err), &err);
    assert_string_equal(hex, true_hex);
    assert_false(lp_is_folder(folder)); /* changed just now */
    assert_ok(lp_digest_remembered(folder, later, path, hex, &err), &err);
    assert_string_equal(hex, true_hex);
    change_memory(folder, path);
    assert_ok(lp_digest_remembered(folder, now, path, hex, &err), &err);
    assert_string_equal(hex + 60, "beef"); /* not read again */
    lp_digest_memory(folder);
    assert_ok(lp_digest_known(path, hex, &err), &err);
    assert_string_equal(hex + 60, "beef");
    lp_digest_memory(NULL);
    assert_ok(lp_digest_known(path, hex, &err), &err);
    assert_string_equal(hex, true_hex);
}

static void a_changed_file_is_read_again(void **state) {
    (void)state;
    const char *folder = in_folder("digests-2"), *path = large_file("file", 1, LP_REMEMBERED_LEAST);
    char hex[LP_DIGEST_HEX], true_hex[LP_DIGEST_HEX];
    int64_t later = (int64_t)time(NULL) + 10;
    struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    assert_ok(lp_digest_file(LP_SHA256, path, true_hex, &err), &err);
    for (int what = 0; what < 3; what++) {
        assert_ok(lp_digest_remembered(folder, later, path, hex, &err), &err);
        change_memory(folder, path);
        if (what == 0) { /* its times */
            assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
        } else if (what == 1) { /* its size */
            assert_int_equal(truncate(path, LP_REMEMBERED_LEAST + 1), 0);
            assert_ok(lp_digest_file(LP_SHA256, path, true_hex, &err), &err);
        } else { /* what is remembered, cut short */
            assert_ok(lp_digest_remembered(folder, later, path, hex, &err), &err);
            lp_folder names = {0};
            assert_ok(lp_folder_read(folder, &names, &err), &err);
            assert_int_equal(names.count, 1);
            char *memory = lp_path_join(folder, names.names[0]);
            assert_int_equal(truncate(memory, 70), 0);
            lp_free(memory);
            lp_folder_clear(&names);
        }
        assert_ok(lp_digest_remembered(folder, later, path, hex, &err), &err);
        assert_string_equal(hex, true_hex);
    }
    assert_fails(lp_digest_remembered(folder, later, in_folder("none"), hex, &err), LP_ERR_IO, &err,
                 "none: cannot be opened");
}

static void digests_are_remembered_where_they_can_be(void **state) {
    (void)state;
    char hex[LP_DIGEST_HEX];
    const char *path = large_file("there", 1, LP_REMEMBERED_LEAST);
    const char *folder = large_file("no-folder", 1, 1);
    assert_ok(lp_digest_remembered(folder, (int64_t)time(NULL) + 10, path, hex, &err), &err);
    static const char *const others[] = {"", "-", "1-", "-1", "1-2.tmp.77", "notes.txt", "1--2"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_false(lp_is_digest_memory(others[i]));
    }
}

static void written_file_is_whole_or_absent(void **state) {
    (void)state;
    const char *path = in_folder("a/b/file"), *parent = in_folder("a/b");
    lp_writer *writer;
    assert_fails(lp_writer_open(path, &writer, &err), LP_ERR_IO, &err,
                 "a/b/file: cannot be created");
    assert_null(writer);
    assert_ok(lp_make_folders(parent, &err), &err);
    assert_ok(lp_make_folders(parent, &err), &err);
    assert_ok(lp_writer_open(path, &writer, &err), &err);
    assert_ok(lp_writer_put(writer, "7 x\n", 4, &err), &err);
    assert_false(lp_is_file(path));
    lp_writer_abort(writer);
    assert_false(lp_is_file(path));
    assert_ok(lp_file_write(path, "new", 3, &err), &err);
    lp_map map;
    assert_ok(lp_map_open(path, &map, &err), &err);
    assert_int_equal(map.size, 3);
    assert_memory_equal(map.data, "new", 3);
    lp_map_close(&map);
    assert_fails(lp_map_open(parent, &map, &err), LP_ERR_IO, &err,
                 "expected a file, found a folder");
    char *bytes;
    size_t size;
    assert_fails(lp_file_read(path, 2, &bytes, &size, &err), LP_ERR_FORMAT, &err,
                 "3 bytes, expected at most 2");
}

static void an_address_tells_the_map_it_lies_in(void **state) {
    (void)state;
    enum { MANY = 80 };
    char longer[400] = "";
    static lp_map maps[MANY];
    const char *path = in_folder("mapped");
    assert_ok(lp_file_write(path, "bytes", 5, &err), &err);
    for (size_t i = 0; i < 60; i++) {
        strcat(longer, i == 0 ? test_folder : "/././");
    }
    strcat(longer, "/mapped");
    assert_ok(lp_map_open(longer, &maps[0], &err), &err);
    assert_ok(lp_map_open(path, &maps[1], &err), &err);
    const char *end = lp_map_path_at(maps[0].data);
    assert_non_null(end);
    assert_memory_equal(end, "...", 3);
    assert_string_equal(end + 3, longer + strlen(longer) - strlen(end + 3));
    assert_string_equal(lp_map_path_at(maps[1].data + 4), path);
    assert_null(lp_map_path_at(maps[1].data + 5));
    assert_null(lp_map_path_at(NULL));
    const unsigned char *data = maps[1].data;
    lp_map_close(&maps[1]);
    assert_null(lp_map_path_at(data));

    /* More than there are slots: they work, and closing them leaves room for new ones. */
    for (size_t i = 1; i < MANY; i++) {
        assert_ok(lp_map_open(path, &maps[i], &err), &err);
        assert_memory_equal(maps[i].data, "bytes", 5);
    }
    for (size_t i = 0; i < MANY; i++) {
        lp_map_close(&maps[i]);
    }
    assert_ok(lp_map_open(path, &maps[0], &err), &err);
    assert_string_equal(lp_map_path_at(maps[0].data), path);
    lp_map_close(&maps[0]);
}

static void full_disk_is_reported_with_the_file(void **state) {
    (void)state;
    int fd = open("/dev/full", O_WRONLY);
    NEEDS(fd >= 0); /* Linux has it */
    assert_fails(lp_write_all(fd, "features.npy", "x", 1, &err), LP_ERR_IO, &err,
                 "features.npy: cannot be written: No space left on device");
    (void)close(fd);
}

static void random_numbers_are_the_same_everywhere(void **state) {
    (void)state;
    lp_random random;
    lp_random_seed(&random, 1);
    /* First outputs of the authors' C code for this seed. */
    uint64_t first = lp_random_next(&random);
    assert_true(first == UINT64_C(0xb3f2af6d0fc710c5));
    double sum = 0, squares = 0;
    for (int i = 0; i < 10000; i++) {
        double z = random_normal(&random);
        sum += z;
        squares += z * z;
    }
    assert_true(sum / 10000 > -0.04 && sum / 10000 < 0.04); /* 4 standard errors */
    assert_true(squares / 10000 > 0.94 && squares / 10000 < 1.06);
    size_t items[100], seen[100] = {0};
    for (size_t i = 0; i < 100; i++) {
        items[i] = i;
    }
    lp_random_shuffle(&random, items, 100);
    for (size_t i = 0; i < 100; i++) {
        seen[items[i]]++;
    }
    for (size_t i = 0; i < 100; i++) {
        assert_int_equal(seen[i], 1);
    }
}

typedef struct squares {
    size_t values[1000];
    size_t fail_from;
} squares;

static lp_status square(void *context, size_t index, size_t worker, lp_error *e) {
    squares *s = context;
    if (worker >= 4) {
        return lp_fail(e, LP_ERR_ARGUMENT, "worker %zu", worker);
    }
    if (index >= s->fail_from) {
        return lp_fail(e, LP_ERR_DATA, "task %zu", index);
    }
    s->values[index] = index * index;
    return LP_OK;
}

static void parallel_loop_does_every_task_and_reports_the_first_failure(void **state) {
    (void)state;
    static squares s = {.fail_from = SIZE_MAX};
    assert_ok(lp_parallel_for(4, 1000, square, &s, &err), &err);
    for (size_t i = 0; i < 1000; i++) {
        assert_int_equal(s.values[i], i * i);
    }
    s.fail_from = 17;
    assert_fails(lp_parallel_for(4, 1000, square, &s, &err), LP_ERR_DATA, &err, "task 17");
    assert_ok(lp_parallel_for(4, 0, square, &s, &err), &err);
    assert_true(lp_processor_count() >= 1);
}

static void numbers_are_parsed_to_the_last_character(void **state) {
    (void)state;
    double real;
    uint64_t count;
    assert_ok(lp_parse_real("-C", "0.316", 1e-9, 1e9, &real, &err), &err);
    assert_true(real == 0.316);
    static const char *const bad[] = {"", "0.3x", "nan", "inf", "1e999", "0x10", "-1", "0,5", " 1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_fails(lp_parse_real("-C", bad[i], 0, 10, &real, &err), LP_ERR_ARGUMENT, &err,
                     "-C: expected a number from 0 to 10, found '");
    }
    assert_ok(lp_parse_count("--threads", "18446744073709551615", 0, UINT64_MAX, &count, &err),
              &err);
    assert_true(count == UINT64_MAX);
    static const char *const wrong[] = {"", "1.0", "-1", "18446744073709551616", "7 ", "+7"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_fails(lp_parse_count("--threads", wrong[i], 0, UINT64_MAX, &count, &err),
                     LP_ERR_ARGUMENT, &err, "--threads: expected a whole number from 0 to ");
    }
}

static void reals_are_printed_as_short_as_they_read_back(void **state) {
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0, "0"},
                 {-0.0, "-0"},
                 {70.8, "70.8"},
                 {-55, "-55"},
                 {0.1, "0.1"},
                 {0.1 + 0.2, "0.30000000000000004"},
                 {1.0 / 3, "0.3333333333333333"},
                 {100, "100"},
                 {1e6, "1000000"},
                 {12345.678, "12345.678"},
                 {0.0001, "0.0001"},
                 {0.00123, "0.00123"},
                 {1e-6, "1e-6"},
                 {-2.5e-6, "-2.5e-6"},
                 {9007199254740992.0, "9007199254740992"},
                 {1e16, "10000000000000000"},
                 {1e17, "1e17"},
                 {1e300, "1e300"},
                 {DBL_MAX, "1.7976931348623157e308"},
                 {DBL_MIN, "2.2250738585072014e-308"},
                 {5e-324, "5e-324"},
                 {-1.2345678901234567e-308, "-1.2345678901234567e-308"}};
    char text[LP_REAL_TEXT];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_string_equal(lp_real_text(text, cases[i].value), cases[i].text);
        assert_true(strtod(text, NULL) == cases[i].value);
    }
    lp_random random;
    lp_random_seed(&random, 1);
    for (int i = 0; i < 100000; i++) {
        uint64_t bits = lp_random_next(&random);
        double value;
        memcpy(&value, &bits, sizeof value);
        if (isfinite(value)) {
            double back = strtod(lp_real_text(text, value), NULL);
            assert_memory_equal(&back, &value, sizeof value);
        }
    }
}

/* As with jansson's own writer, but for reals, and what comes out is what went in. */
static void json_is_printed_with_short_reals(void **state) {
    (void)state;
    static const char compact[] = "{\"b\":[70.8,1.0,-0.0,1e300,5e-324,[]],\"a\":{\"\\u0001\\\"/"
                                  "\xc3\xa9\":null,\"n\":-3},\"o\":{},"
                                  "\"t\":true}";
    static const char indented[] = "{\n  \"b\": [\n    70.8,\n    []\n  ],\n  \"o\": {}\n}\n";
    static const lp_json_layout layouts[] = {LP_JSON_COMPACT, LP_JSON_LINE, LP_JSON_INDENTED};
    static const size_t flags[] = {JSON_COMPACT, 0, JSON_INDENT(2)};
    json_t *value, *back;
    assert_ok(lp_json_parse("text", compact, strlen(compact), &value, &err), &err);
    for (size_t i = 0; i < 3; i++) {
        char *text = lp_json_dump(value, layouts[i]);
        assert_non_null(text);
        assert_ok(lp_json_parse("text", text, strlen(text), &back, &err), &err);
        assert_true(json_equal(value, back));
        if (i == 0) {
            assert_string_equal(text, compact);
        }
        json_object_del(back, "b"); /* no reals are left */
        char *own = lp_json_dump(back, layouts[i]), *theirs = json_dumps(back, flags[i]);
        assert_string_equal(own, theirs);
        free(theirs);
        free(own);
        free(text);
        json_decref(back);
    }
    json_decref(value);
    assert_null(lp_json_dump(NULL, LP_JSON_COMPACT));

    char *bytes;
    const char *path = in_folder("value.json");
    size_t size;
    assert_ok(lp_json_parse("text", indented, strlen(indented), &value, &err), &err);
    assert_ok(lp_json_write(path, json_incref(value), &err), &err);
    assert_ok(lp_file_read(path, 1000, &bytes, &size, &err), &err);
    assert_string_equal(bytes, indented);
    json_decref(value);
    lp_free(bytes);
}

static void messages_cannot_steer_a_terminal(void **state) {
    (void)state;
    (void)lp_fail(&err, LP_ERR_FORMAT, "%s: bad", "a\033[2Jb\r\n");
    assert_string_equal(err.text, "a?[2Jb?\n: bad");
    (void)lp_prefix(&err, err.status, "%s: ", "x\033"); /* found by fuzzing */
    assert_string_equal(err.text, "x?: a?[2Jb?\n: bad");
    (void)lp_fail_errno(&err, 2, "%s", "\177");
    assert_string_equal(err.text, "?: No such file or directory");
}

static void every_status_has_a_name_of_its_own(void **state) {
    (void)state;
    for (int a = LP_OK; a <= LP_NOT_CONVERGED + 1; a++) { /* the last is none */
        for (int b = LP_OK; b < a; b++) {
            assert_string_not_equal(lp_status_name((lp_status)a), lp_status_name((lp_status)b));
        }
    }
    assert_string_equal(lp_status_name((lp_status)99), "unknown status");
}

static void a_long_path_leaves_the_reason_in_the_message(void **state) {
    (void)state;
    static char path[sizeof err.text + 10];
    char *bytes;
    size_t size;
    memset(path, 'x', sizeof path - 1);
    assert_fails(lp_file_read(path, 10, &bytes, &size, &err), LP_ERR_IO, &err,
                 "x...: File name too long");
}

static void no_folder_is_made_of_an_empty_path(void **state) {
    (void)state;
    assert_fails(lp_make_folders("", &err), LP_ERR_ARGUMENT, &err, "expected the path of a folder");
}

static void a_folder_that_cannot_be_made_says_why(void **state) {
    (void)state;
    const char *path = in_folder("dangling");
    assert_int_equal(symlink("/nowhere/at/all", path), 0);
    assert_fails(lp_make_folders(path, &err), LP_ERR_IO, &err,
                 "dangling: folder cannot be made: File exists");
}

static void any_bytes_become_a_json_string(void **state) {
    (void)state;
    static const char *const pairs[][2] = {
        {"a", "a"}, {"\xc3\xa9", "\xc3\xa9"}, {"\xc3\xa9\xff", "???"}, {"\xc3", "?"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        json_t *value = lp_json_any_text(pairs[i][0]);
        assert_string_equal(json_string_value(value), pairs[i][1]);
        json_decref(value);
    }
    assert_true(json_is_null(lp_json_any_text(NULL)));
}

static void json_errors_name_line_and_column(void **state) {
    (void)state;
    json_t *value;
    assert_fails(lp_json_parse("config.json", "{\n \"a\": 1,\n \"a\": 2}", 20, &value, &err),
                 LP_ERR_FORMAT, &err, "config.json: not valid JSON at line 3, column");
    assert_null(value);
}

static void failed_allocations_are_reported(void **state) {
    (void)state;
    const char *path = in_folder("memory");
    lp_alloc_fail_at(0);
    assert_ok(lp_file_write(path, "x", 1, &err), &err);
    size_t needed = lp_alloc_fail_at(0);
    assert_true(needed > 0);
    for (size_t k = 1; k <= needed; k++) {
        lp_alloc_fail_at(k);
        assert_fails(lp_file_write(path, "y", 1, &err), LP_ERR_MEMORY, &err, "out of memory");
    }
    lp_alloc_fail_at(0);
    assert_null(lp_alloc(SIZE_MAX / 2, 3));
}

/* Blocks are aligned, and after one that could not be had no more are taken. */
static void memory_remembers_what_it_lacked(void **state) {
    (void)state;
    lp_memory memory = {0};
    unsigned char *zeros = lp_memory_take_zeroed(&memory, 3, 5);
    assert_non_null(zeros);
    assert_int_equal((uintptr_t)zeros % 64, 0);
    for (size_t i = 0; i < 15; i++) {
        assert_int_equal(zeros[i], 0);
    }
    assert_ok(lp_memory_check(&memory, "blocks", &err), &err);
    assert_null(lp_memory_take(&memory, SIZE_MAX, 2));
    assert_null(lp_memory_take(&memory, 7, 1));
    assert_fails(lp_memory_check(&memory, "blocks", &err), LP_ERR_MEMORY, &err, " x 2 bytes");
    lp_memory_free(&memory);
    assert_null(memory.last);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(devices_and_pipes_are_never_replaced),
        cmocka_unit_test(digests_match_published_vectors),
        cmocka_unit_test(a_large_files_digest_is_remembered),
        cmocka_unit_test(a_changed_file_is_read_again),
        cmocka_unit_test(digests_are_remembered_where_they_can_be),
        cmocka_unit_test(memory_remembers_what_it_lacked),
        cmocka_unit_test(written_file_is_whole_or_absent),
        cmocka_unit_test(an_address_tells_the_map_it_lies_in),
        cmocka_unit_test(full_disk_is_reported_with_the_file),
        cmocka_unit_test(random_numbers_are_the_same_everywhere),
        cmocka_unit_test(parallel_loop_does_every_task_and_reports_the_first_failure),
        cmocka_unit_test(numbers_are_parsed_to_the_last_character),
        cmocka_unit_test(reals_are_printed_as_short_as_they_read_back),
        cmocka_unit_test(json_is_printed_with_short_reals),
        cmocka_unit_test(messages_cannot_steer_a_terminal),
        cmocka_unit_test(every_status_has_a_name_of_its_own),
        cmocka_unit_test(a_long_path_leaves_the_reason_in_the_message),
        cmocka_unit_test(no_folder_is_made_of_an_empty_path),
        cmocka_unit_test(a_folder_that_cannot_be_made_says_why),
        cmocka_unit_test(any_bytes_become_a_json_string),
        cmocka_unit_test(json_errors_name_line_and_column),
        cmocka_unit_test(failed_allocations_are_reported),
        cmocka_unit_test(a_part_of_a_block_can_be_forgotten),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
