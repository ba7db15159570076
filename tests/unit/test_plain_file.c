/* Files of a tree for libraries that open them by name (plain_file.h). */
#include <zlib.h>

#include "base/archive.h"
#include "base/file.h"
#include "check.h"
#include "data/plain_file.h"
#include "test_folder.h"
#include "write_zip.h"

static lp_error err;

static size_t gzip(const char *text, size_t length, unsigned char *out, size_t room) {
    z_stream stream = {.next_in = (unsigned char *)(uintptr_t)text, .avail_in = (unsigned)length};
    stream.next_out = out;
    stream.avail_out = (unsigned)room;
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY),
                     Z_OK);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    size_t size = stream.total_out;
    assert_int_equal(deflateEnd(&stream), Z_OK);
    return size;
}

/* Files for libraries that open them by name: as they lie there, packed by gzip, in an archive. */
static void a_packed_file_is_opened_by_a_name(void **state) {
    (void)state;
    static const char *const sources[] = {"plain", "packed", "plain.zip", "packed.zip"};
    static const char text[] = "the bytes of a file";
    unsigned char gz[256];
    char bytes[64];
    size_t size = gzip(text, strlen(text), gz, sizeof gz);
    put_file("plain/a/x", text, strlen(text));
    put_file("packed/a/x.gz", (const char *)gz, size);
    put_file("broken/a/x.gz", (const char *)gz, size - 9);
    gz[size - 8] ^= 1; /* its checksum */
    put_file("wrong/a/x.gz", (const char *)gz, size);
    gz[size - 8] ^= 1;
    const zip_member members[] = {{"a/x", text, strlen(text)}, {"a/x.gz", gz, size}};
    write_zip(in_folder("plain.zip"), &members[0], 1, true);
    write_zip(in_folder("packed.zip"), &members[1], 1, false);
    for (size_t i = 0; i < 4; i++) {
        lp_tree *tree;
        lp_plain_file file;
        assert_ok(lp_tree_open(in_folder(sources[i]), &tree, &err), &err);
        assert_ok(lp_plain_file_open(tree, "a/x", &file, &err), &err);
        FILE *opened = fopen(file.name, "rb");
        assert_non_null(opened);
        size_t got = fread(bytes, 1, sizeof bytes, opened);
        assert_int_equal(got, strlen(text));
        assert_memory_equal(bytes, text, strlen(text));
        assert_int_equal(fclose(opened), 0);
        assert_true((file.copy != NULL) == (i > 0));
        assert_non_null(strstr(file.path, i % 2 == 0 ? "a/x" : "a/x.gz"));
        lp_plain_file_close(&file);
        assert_fails(lp_plain_file_open(tree, "a/y", &file, &err), LP_ERR_IO, &err,
                     "a/y: there is no such file");
        lp_plain_file_close(&file);
        lp_tree_close(tree);
    }
    static const char *const faults[][2] = {{"broken", "broken gzip file: it ends early"},
                                            {"wrong", "broken gzip file: incorrect data check"}};
    for (size_t i = 0; i < 2; i++) {
        lp_tree *tree;
        lp_plain_file file;
        assert_ok(lp_tree_open(in_folder(faults[i][0]), &tree, &err), &err);
        assert_fails(lp_plain_file_open(tree, "a/x", &file, &err), LP_ERR_FORMAT, &err,
                     faults[i][1]);
        lp_plain_file_close(&file);
        lp_tree_close(tree);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packed_file_is_opened_by_a_name),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
