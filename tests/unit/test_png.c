/* PNG encoding: what libpng reads back is what was written. */
#include <signal.h>
#include <sys/resource.h>

#include "base/alloc.h"
#include "base/file.h"
#include "test_folder.h"
#include "picture.h"
#include "write_png.h"

static lp_error err;
static const char *path;

static int set_up(void **state) {
    if (make_folder(state) != 0) {
        return 1;
    }
    path = in_folder("a.png");
    return 0;
}

static void fill(unsigned char *rgb, size_t size) {
    for (size_t i = 0; i < size; i++) {
        rgb[i] = (unsigned char)(((uint64_t)i * i * 2654435761u) >> 13);
    }
}

static void pictures_come_back(void **state) {
    (void)state;
    static const size_t sizes[][2] = {{1, 1}, {1, 700}, {700, 1}, {33, 17}, {128, 128}};
    unsigned char rgb[128 * 128 * 3];
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        lp_buffer png = {0};
        fill(rgb, sizeof rgb);
        assert_ok(lp_png_encode(rgb, sizes[i][0], sizes[i][1], &png, &err), &err);
        picture p = decode(&png);
        assert_int_equal(p.height, sizes[i][0]);
        assert_int_equal(p.width, sizes[i][1]);
        assert_memory_equal(p.rgb, rgb, p.width * p.height * 3);
        free(p.rgb);
        lp_buffer_free(&png);
    }
}

static void bytes_hold_nothing_but_the_picture(void **state) {
    (void)state;
    unsigned char rgb[16 * 16 * 3];
    lp_buffer a = {0}, b = {0};
    fill(rgb, sizeof rgb);
    assert_ok(lp_png_encode(rgb, 16, 16, &a, &err), &err);
    assert_ok(lp_png_encode(rgb, 16, 16, &b, &err), &err);
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.bytes, b.bytes, a.size);
    /* signature, then IHDR (13 bytes), then at once the data: no date, text, or colour profile */
    assert_memory_equal(a.bytes + 12, "IHDR", 4);
    assert_memory_equal(a.bytes + 8 + 12 + 13 + 4, "IDAT", 4);
    assert_memory_equal(a.bytes + a.size - 8, "IEND", 4);
    lp_buffer_free(&a);
    lp_buffer_free(&b);
}

static void impossible_sizes_are_refused(void **state) {
    (void)state;
    lp_buffer png = {0};
    unsigned char rgb[3] = {0};
    assert_fails(lp_png_encode(rgb, 0, 1, &png, &err), LP_ERR_ARGUMENT, &err, "1 x 0 pixels");
    assert_fails(lp_png_encode(rgb, 1, 0, &png, &err), LP_ERR_ARGUMENT, &err, "0 x 1 pixels");
    assert_fails(lp_png_encode(rgb, 1, SIZE_MAX, &png, &err), LP_ERR_ARGUMENT, &err, "pixels");
    assert_null(png.bytes);
}

static void files_are_complete_or_not_there(void **state) {
    (void)state;
    static unsigned char rgb[400 * 400 * 3];
    struct rlimit limit, small;
    fill(rgb, sizeof rgb);
    assert_fails(write_png("/nonexistent/a.png", rgb, 1, 1, &err), LP_ERR_IO, &err,
                 "/nonexistent/a.png: cannot be created: No such file or directory");
    assert_ok(write_png(path, rgb, 2, 2, &err), &err);
    /* no room for more than 20,000 bytes, as on a full disk */
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    small = limit;
    small.rlim_cur = 20000;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    lp_status status = write_png(path, rgb, 400, 400, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_fails(status, LP_ERR_IO, &err, "a.png: cannot be written: File too large");
    lp_buffer old = {0};
    char *bytes;
    assert_ok(lp_file_read(path, 1 << 20, &bytes, &old.size, &err), &err);
    old.bytes = bytes;
    picture p = decode(&old); /* the earlier one, whole */
    assert_int_equal(p.width, 2);
    free(p.rgb);
    lp_free(bytes);
}

static void failed_allocations_are_reported(void **state) {
    (void)state;
    unsigned char rgb[40 * 40 * 3];
    fill(rgb, sizeof rgb);
    (void)lp_alloc_fail_at(0);
    assert_ok(write_png(path, rgb, 40, 40, &err), &err);
    size_t needed = lp_alloc_fail_at(0);
    assert_true(needed > 4); /* libpng's and zlib's are among them */
    for (size_t k = 1; k <= needed; k++) {
        (void)lp_alloc_fail_at(k);
        lp_status status = write_png(path, rgb, 40, 40, &err);
        (void)lp_alloc_fail_at(0);
        assert_fails(status, LP_ERR_MEMORY, &err, "out of memory");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_come_back),
        cmocka_unit_test(bytes_hold_nothing_but_the_picture),
        cmocka_unit_test(impossible_sizes_are_refused),
        cmocka_unit_test(files_are_complete_or_not_there),
        cmocka_unit_test(failed_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
