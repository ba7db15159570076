/* Writing a small zip archive in a test. */
#ifndef LP_TESTS_WRITE_ZIP_H
#define LP_TESTS_WRITE_ZIP_H

#include <archive.h>
#include <archive_entry.h>
#include <stdbool.h>
#include <stddef.h>

#include "check.h"

typedef struct zip_member {
    const char *name;
    const void *bytes;
    size_t size;
} zip_member;

static inline void write_zip(const char *path, const zip_member *members, size_t count,
                             bool compressed) {
    struct archive *zip = archive_write_new();
    assert_int_equal(archive_write_set_format_zip(zip), ARCHIVE_OK);
    assert_int_equal(compressed ? archive_write_zip_set_compression_deflate(zip)
                                : archive_write_zip_set_compression_store(zip),
                     ARCHIVE_OK);
    assert_int_equal(archive_write_open_filename(zip, path), ARCHIVE_OK);
    for (size_t i = 0; i < count; i++) {
        struct archive_entry *entry = archive_entry_new();
        archive_entry_set_pathname(entry, members[i].name);
        archive_entry_set_size(entry, (la_int64_t)members[i].size);
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_perm(entry, 0644);
        assert_int_equal(archive_write_header(zip, entry), ARCHIVE_OK);
        assert_int_equal(archive_write_data(zip, members[i].bytes, members[i].size),
                         members[i].size);
        archive_entry_free(entry);
    }
    assert_int_equal(archive_write_close(zip), ARCHIVE_OK);
    assert_int_equal(archive_write_free(zip), ARCHIVE_OK);
}

#endif
