/* A feature set in the making: it ends with the same bytes whatever interrupted it. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "check.h"
#include "feat/set_writer.h"
#include "test_folder.h"
#include "linprobe/features.h"
#include "test_meta.h"

enum { ROWS = 10, WIDTH = 3 };

static lp_error err;
static float values[ROWS * WIDTH];
static int64_t labels[ROWS];
static const lp_provenance *inputs;
static const char *out, *part;

static int set_up(void **state) {
    for (int i = 0; i < ROWS * WIDTH; i++) {
        values[i] = (float)i / 7;
    }
    for (int i = 0; i < ROWS; i++) {
        labels[i] = i % 2;
    }
    inputs = provenance_of(
        "{\"inputs\": {\"feature_format\": 2, \"family\": \"pixels\", \"feature\": \"pixels\", "
        "\"data_sha256\": \"abc\", \"images\": 10}, \"data\": {\"classes\": 2}}");
    if (make_folder(state) != 0) {
        return 1;
    }
    out = in_folder("set");
    part = in_folder("set.partial");
    return 0;
}

static int clear(void **state) {
    (void)state;
    return remove_tree(out) != 0 || remove_tree(part) != 0;
}

/* Appends rows from `done` on in chunks of `chunk`, and finishes. */
static void complete(lp_set_writer *p, size_t done, size_t chunk) {
    for (size_t i = done; i < ROWS; i += chunk) {
        size_t count = i + chunk < ROWS ? chunk : ROWS - i;
        assert_ok(lp_set_writer_append(p, values + i * WIDTH, count, &err), &err);
    }
    assert_ok(lp_set_writer_finish(p, labels, &err), &err);
    lp_set_writer_close(p);
}

static void assert_set_is_right(void) {
    lp_features *f;
    assert_ok(lp_features_open(out, &f, &err), &err);
    assert_int_equal(f->count, ROWS);
    assert_int_equal(f->width, WIDTH);
    assert_memory_equal(f->x, values, sizeof values);
    assert_memory_equal(f->labels, labels, sizeof labels);
    assert_int_equal(strlen(f->digest), 64);
    lp_features_close(f);
    assert_false(lp_is_folder(part));
    char *journal = lp_path_join(out, "journal");
    assert_false(lp_is_file(journal));
    lp_free(journal);
}

static void several_labels_an_image_are_a_matrix(void **state) {
    (void)state;
    int8_t marks[ROWS * 2]; /* of the two classes */
    lp_set_writer *p;
    lp_features *f;
    size_t done;
    for (size_t i = 0; i < ROWS * 2; i++) {
        marks[i] = (int8_t)((int)(i % 3) - 1);
    }
    assert_ok(lp_set_writer_open(out, inputs, ROWS, WIDTH, &p, &done, &err), &err);
    assert_ok(lp_set_writer_append(p, values, ROWS, &err), &err);
    assert_ok(lp_set_writer_finish_marks(p, marks, 2, &err), &err);
    lp_set_writer_close(p);
    assert_ok(lp_features_open_any(out, &f, &err), &err);
    assert_int_equal(f->classes, 2);
    assert_memory_equal(f->marks, marks, sizeof marks);
    lp_features_close(f);
}

static void undisturbed_run_writes_the_set(void **state) {
    (void)state;
    lp_set_writer *p;
    size_t done;
    assert_ok(lp_set_writer_open(out, inputs, ROWS, WIDTH, &p, &done, &err), &err);
    assert_int_equal(done, 0);
    assert_false(lp_is_folder(out));
    assert_fails(lp_set_writer_finish(p, labels, &err), LP_ERR_ARGUMENT, &err, "0 of 10 rows");
    complete(p, 0, 4);
    assert_set_is_right();
}

static void interrupted_run_goes_on_where_it_stood(void **state) {
    (void)state;
    lp_set_writer *p;
    size_t done;
    assert_ok(lp_set_writer_open(out, inputs, ROWS, WIDTH, &p, &done, &err), &err);
    assert_ok(lp_set_writer_append(p, values, 4, &err), &err);
    assert_ok(lp_set_writer_append(p, values + 4 * WIDTH, 2, &err), &err);
    lp_set_writer_close(p);
    assert_false(lp_is_folder(out));
    assert_ok(lp_set_writer_open(out, inputs, ROWS, WIDTH, &p, &done, &err), &err);
    assert_int_equal(done, 6);
    complete(p, done, 3);
    assert_set_is_right();
}

/* Damages one file of the partial set at `offset` from its end. */
static void damage(const char *name, off_t from_end, bool cut) {
    char *path = lp_path_join(part, name);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    off_t at = lseek(fd, -from_end, SEEK_END);
    assert_true(at >= 0);
    if (cut) {
        assert_int_equal(ftruncate(fd, at), 0);
    } else {
        char byte = 0x55;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    }
    (void)close(fd);
    lp_free(path);
}

static void torn_writes_cost_only_their_chunk(void **state) {
    (void)state;
    static const struct {
        const char *name;
        off_t from_end;
        bool cut;
        size_t done;
    } cases[] = {
        {"features.npy", 1, false, 4},  /* a wrong byte in the last chunk */
        {"features.npy", 5, true, 4},   /* its end is missing */
        {"journal", 1, true, 4},        /* its line is not ended */
        {"journal", 3, false, 4},       /* its checksum is wrong */
        {"features.npy", 72, false, 0}, /* a wrong byte in the first chunk */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lp_set_writer *p;
        size_t done;
        assert_ok(lp_set_writer_open(out, inputs, ROWS, WIDTH, &p, &done, &err), &err);
        assert_ok(lp_set_writer_append(p, values, 4, &err), &err);
        assert_ok(lp_set_writer_append(p, values + 4 * WIDTH, 2, &err), &err);
        lp_set_writer_close(p);
        damage(cases[i].name, cases[i].from_end, cases[i].cut);
        assert_ok(lp_set_writer_open(out, inputs, ROWS, WIDTH, &p, &done, &err), &err);
        assert_int_equal(done, cases[i].done);
        complete(p, done, 1);
        assert_set_is_right();
        assert_int_equal(clear(NULL), 0);
    }
}

/* Killed after the set got its name, and before its working files went. */
static void working_files_of_a_killed_run_go_later(void **state) {
    (void)state;
    lp_set_writer *p;
    size_t done;
    bool there;
    const char *journal = in_folder("set/journal");
    assert_ok(lp_set_is_there(out, inputs, &there, &err), &err);
    assert_false(there);
    assert_ok(lp_set_writer_open(out, inputs, ROWS, WIDTH, &p, &done, &err), &err);
    complete(p, 0, ROWS);
    assert_ok(lp_file_write(journal, "0 10 0\n", 7, &err), &err);
    assert_ok(lp_set_is_there(out, inputs, &there, &err), &err);
    assert_true(there && !lp_is_file(journal));
    assert_set_is_right();
}

static void other_inputs_are_refused(void **state) {
    (void)state;
    lp_set_writer *p;
    size_t done;
    assert_ok(lp_set_writer_open(out, inputs, ROWS, WIDTH, &p, &done, &err), &err);
    lp_set_writer_close(p);
    lp_provenance other = *inputs;
    other.data.sha256 = "abd";
    assert_fails(
        lp_set_writer_open(out, &other, ROWS, WIDTH, &p, &done, &err), LP_ERR_ARGUMENT, &err,
        "set.partial was made from other inputs: data_sha256 is \"abc\" there and \"abd\" here");
    assert_null(p);
    other = *inputs;
    other.fused_multiply_add = !inputs->fused_multiply_add; /* half a set of each kind is none */
    assert_fails(lp_set_writer_open(out, &other, ROWS, WIDTH, &p, &done, &err), LP_ERR_ARGUMENT,
                 &err, "fused_multiply_add is ");
}

static void two_writers_refuse_each_other(void **state) {
    (void)state;
    lp_set_writer *p;
    size_t done;
    assert_ok(lp_set_writer_open(out, inputs, ROWS, WIDTH, &p, &done, &err), &err);
    pid_t child = fork(); /* a lock is a process's */
    if (child == 0) {
        lp_set_writer *second;
        lp_status status = lp_set_writer_open(out, inputs, ROWS, WIDTH, &second, &done, &err);
        _exit(status == LP_ERR_IO && strstr(err.text, "another process is writing") != NULL ? 0
                                                                                            : 1);
    }
    int ended;
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_true(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
    complete(p, done, ROWS);
    assert_set_is_right();
}

static void failed_allocations_lose_nothing(void **state) {
    (void)state;
    lp_set_writer *p;
    size_t done;
    lp_alloc_fail_at(0);
    assert_ok(lp_set_writer_open(out, inputs, ROWS, WIDTH, &p, &done, &err), &err);
    size_t needed = lp_alloc_fail_at(0);
    lp_set_writer_close(p);
    for (size_t k = 1; k <= needed; k++) {
        lp_alloc_fail_at(k);
        lp_status status = lp_set_writer_open(out, inputs, ROWS, WIDTH, &p, &done, &err);
        lp_alloc_fail_at(0);
        /* what the first call needed and a later one does not */
        if (status == LP_OK) {
            lp_set_writer_close(p);
        } else {
            assert_int_equal(status, LP_ERR_MEMORY);
        }
    }
    for (size_t k = 1; k < 100; k++) {
        assert_ok(lp_set_writer_open(out, inputs, ROWS, WIDTH, &p, &done, &err), &err);
        if (done < ROWS) {
            assert_ok(lp_set_writer_append(p, values + done * WIDTH, ROWS - done, &err), &err);
        }
        lp_alloc_fail_at(k);
        lp_status status = lp_set_writer_finish(p, labels, &err);
        lp_alloc_fail_at(0);
        lp_set_writer_close(p);
        if (status != LP_OK) {
            assert_int_equal(status, LP_ERR_MEMORY);
        }
        if (lp_is_folder(out)) { /* renamed: what can fail after that loses nothing */
            break;
        }
        assert_true(k < 99);
    }
    lp_features *f;
    assert_ok(lp_features_open(out, &f, &err), &err);
    assert_memory_equal(f->x, values, sizeof values);
    lp_features_close(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(undisturbed_run_writes_the_set, clear),
        cmocka_unit_test_teardown(several_labels_an_image_are_a_matrix, clear),
        cmocka_unit_test_teardown(interrupted_run_goes_on_where_it_stood, clear),
        cmocka_unit_test_teardown(torn_writes_cost_only_their_chunk, clear),
        cmocka_unit_test_teardown(working_files_of_a_killed_run_go_later, clear),
        cmocka_unit_test_teardown(other_inputs_are_refused, clear),
        cmocka_unit_test_teardown(two_writers_refuse_each_other, clear),
        cmocka_unit_test_teardown(failed_allocations_lose_nothing, clear),
    };
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
