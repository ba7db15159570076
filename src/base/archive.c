/* Archives by libarchive. */
#include "base/archive.h"

#include <archive.h>
#include <archive_entry.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"

struct lp_archive {
    struct archive *handle;
    char *path;
    char *member;
};

/* Warnings count as failures: a checksum that does not match is one. */
static lp_status fail_archive(const lp_archive *archive, lp_status status, lp_error *err) {
    const char *reason = archive_error_string(archive->handle);
    return lp_fail(err, status, "%s%s%s: %s", archive->path, archive->member != NULL ? ": " : "",
                   archive->member != NULL ? archive->member : "",
                   reason != NULL ? reason : "cannot be read as an archive");
}

lp_status lp_archive_open(const char *path, lp_archive_kind kind, lp_archive **out, lp_error *err) {
    *out = NULL;
    lp_archive *archive = lp_alloc_zeroed(1, sizeof *archive);
    if (archive == NULL) {
        return lp_fail_memory(err, path, 1, sizeof *archive);
    }
    archive->path = lp_strdup(path);
    archive->handle = archive_read_new();
    if (archive->path == NULL || archive->handle == NULL) {
        lp_archive_close(archive);
        return lp_fail_memory(err, path, 1, sizeof *archive);
    }
    if (kind == LP_ARCHIVE_ZIP) {
        (void)archive_read_support_format_zip_seekable(archive->handle);
    } else {
        (void)archive_read_support_filter_gzip(archive->handle);
        (void)archive_read_support_format_tar(archive->handle);
    }
    if (archive_read_open_filename(archive->handle, path, 1 << 18) != ARCHIVE_OK) {
        /* the same call opens the file and recognises the format */
        bool readable = lp_is_file(path);
        lp_status status = fail_archive(archive, readable ? LP_ERR_FORMAT : LP_ERR_IO, err);
        lp_archive_close(archive);
        return status;
    }
    *out = archive;
    return LP_OK;
}

lp_status lp_archive_next(lp_archive *archive, lp_member *member, bool *more, lp_error *err) {
    struct archive_entry *entry;
    lp_free(archive->member);
    archive->member = NULL;
    *more = false;
    int code = archive_read_next_header(archive->handle, &entry);
    if (code == ARCHIVE_EOF) {
        return LP_OK;
    }
    if (code != ARCHIVE_OK) {
        return fail_archive(archive, LP_ERR_FORMAT, err);
    }
    const char *name = archive_entry_pathname(entry);
    archive->member = lp_strdup(name != NULL ? name : "");
    if (archive->member == NULL) {
        return lp_fail_memory(err, archive->path, 1, 1);
    }
    member->name = archive->member;
    member->size = archive_entry_size(entry) > 0 ? (uint64_t)archive_entry_size(entry) : 0;
    member->is_file =
        archive_entry_filetype(entry) == AE_IFREG && archive_entry_hardlink(entry) == NULL;
    *more = true;
    return LP_OK;
}

lp_status lp_archive_read(lp_archive *archive, void *bytes, size_t size, size_t *got,
                          lp_error *err) {
    *got = 0;
    while (*got < size) {
        la_ssize_t n =
            archive_read_data(archive->handle, (unsigned char *)bytes + *got, size - *got);
        if (n < 0) {
            return fail_archive(archive, LP_ERR_FORMAT, err);
        }
        if (n == 0) {
            break;
        }
        *got += (size_t)n;
    }
    return LP_OK;
}

lp_status lp_archive_read_exact(lp_archive *archive, void *bytes, size_t size, lp_error *err) {
    size_t got, extra;
    char beyond;
    lp_status status = lp_archive_read(archive, bytes, size, &got, err);
    if (status == LP_OK && got == size) {
        status = lp_archive_read(archive, &beyond, 1, &extra, err);
        if (status == LP_OK && extra == 0) {
            return LP_OK;
        }
    }
    if (status != LP_OK) {
        return status;
    }
    return lp_fail(err, LP_ERR_FORMAT, "%s: %s: expected %zu bytes, found %s", archive->path,
                   archive->member, size, got < size ? "fewer" : "more");
}

void lp_archive_close(lp_archive *archive) {
    if (archive != NULL) {
        if (archive->handle != NULL) {
            (void)archive_read_free(archive->handle);
        }
        lp_free(archive->path);
        lp_free(archive->member);
        lp_free(archive);
    }
}
