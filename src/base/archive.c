/* Archives by libarchive; gzip by zlib, because libarchive's own filter does not compare the CRC-32
 * at a stream's end. */
#include "base/archive.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>
#include <zlib.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

enum { BLOCK = 1 << 16 };

struct lp_archive {
    struct archive *handle;
    char *path;
    char *member;
    gzFile gzip; /* of a tar archive, also one that is not compressed */
    bool within; /* a member's bytes may lie ahead */
    unsigned char block[BLOCK];
};

/* Warnings count as failures: a checksum that does not match is one. */
static lp_status fail_archive(const lp_archive *archive, lp_status status, lp_error *err) {
    const char *reason = archive_error_string(archive->handle);
    if (reason != NULL && strstr(reason, "No progress is possible") != NULL) { /* liblzma's words */
        reason = "truncated: the compressed data end early";
    }
    return lp_fail(err, status, "%s%s%s: %s", archive->path, archive->member != NULL ? ": " : "",
                   archive->member != NULL ? archive->member : "",
                   reason != NULL ? reason : "cannot be read as an archive");
}

/* The next bytes of the tar archive; 0 at the end, -1 for a damaged or truncated stream. */
static la_ssize_t read_block(struct archive *handle, void *context, const void **bytes) {
    lp_archive *archive = context;
    int code = Z_OK, got = gzread(archive->gzip, archive->block, BLOCK);
    const char *reason = gzerror(archive->gzip, &code);
    *bytes = archive->block;
    if (got >= 0 && (code == Z_OK || code == Z_STREAM_END)) {
        return got;
    }
    archive_set_error(handle, EINVAL, "%s", code == Z_BUF_ERROR ? "truncated gzip input" : reason);
    return -1;
}

/* Behind the tar's end marker there is still the end of the gzip stream with its checksum. */
static lp_status read_rest(lp_archive *archive, lp_error *err) {
    const void *bytes;
    la_ssize_t got = archive->gzip != NULL ? 1 : 0;
    while (got > 0) {
        got = read_block(archive->handle, archive, &bytes);
    }
    return got == 0 ? LP_OK : fail_archive(archive, LP_ERR_FORMAT, err);
}

static int open_tar(lp_archive *archive) {
    (void)archive_read_support_format_tar(archive->handle);
    archive->gzip = gzopen(archive->path, "rb");
    if (archive->gzip == NULL) {
        archive_set_error(archive->handle, errno, "%s", strerror(errno));
        return ARCHIVE_FATAL;
    }
    return archive_read_open(archive->handle, archive, NULL, read_block, NULL);
}

/* Zip and gzip by their first bytes; everything else is for libarchive to recognise. */
static lp_archive_kind kind_of(const char *path) {
    unsigned char start[4] = {0};
    FILE *file = fopen(path, "rb");
    size_t got = file != NULL ? fread(start, 1, sizeof start, file) : 0;
    if (file != NULL) {
        (void)fclose(file);
    }
    return got == 4 && memcmp(start, "PK\3\4", 4) == 0 ? LP_ARCHIVE_ZIP
           : start[0] == 0x1f && start[1] == 0x8b      ? LP_ARCHIVE_TAR_GZ
                                                       : LP_ARCHIVE_TAR;
}

static int open_kind(lp_archive *archive, const char *path, lp_archive_kind kind) {
    if (kind == LP_ARCHIVE_TAR_GZ) {
        return open_tar(archive);
    }
    if (kind == LP_ARCHIVE_ZIP) {
        (void)archive_read_support_format_zip_seekable(archive->handle);
    } else {
        (void)archive_read_support_format_tar(archive->handle);
        /* not all of them: some run a program */
        (void)archive_read_support_filter_xz(archive->handle);
        (void)archive_read_support_filter_bzip2(archive->handle);
        (void)archive_read_support_filter_zstd(archive->handle);
    }
    return archive_read_open_filename(archive->handle, path, 1 << 18);
}

size_t lp_archive_ending(const char *name) {
    static const char *const endings[] = {".zip",    ".tar",     ".tgz",    ".tar.gz",
                                          ".tar.xz", ".tar.bz2", ".tar.zst"};
    size_t found = 0;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        found = lp_text_ends(name, endings[i]) ? strlen(endings[i]) : found;
    }
    return found;
}

lp_status lp_archive_open(const char *path, lp_archive_kind kind, lp_archive **out, lp_error *err) {
    lp_archive *archive = lp_alloc_zeroed(1, sizeof *archive);
    lp_status status;
    int code;
    LP_TRY(lp_allocated(archive, path, 1, sizeof *archive, err));
    archive->path = lp_strdup(path);
    archive->handle = archive_read_new();
    LP_TRY(lp_allocated(archive->path, path, strlen(path) + 1, 1, err));
    LP_TRY(lp_allocated(archive->handle, path, 1, sizeof *archive, err));
    kind = kind == LP_ARCHIVE_ANY ? kind_of(path) : kind;
    code = open_kind(archive, path, kind);
    if (code != ARCHIVE_OK && kind == LP_ARCHIVE_ZIP && kind_of(path) == LP_ARCHIVE_ZIP) {
        LP_TRY(lp_fail(err, LP_ERR_FORMAT,
                       "%s: expected a zip file's list of members at its end, found none: it is "
                       "cut off or damaged",
                       path));
    }
    if (code != ARCHIVE_OK) {
        /* the same call opens the file and recognises the format */
        LP_TRY(fail_archive(archive, lp_is_file(path) ? LP_ERR_FORMAT : LP_ERR_IO, err));
    }
done:
    if (status != LP_OK) {
        lp_archive_close(archive);
        archive = NULL;
    }
    *out = archive;
    return status;
}

/* A tar archive ends with blocks of zeros: one that was cut off between members has none, which is
 * no error to libarchive.  `end` is where the last member ended. */
static lp_status check_end(lp_archive *archive, la_int64_t end, lp_error *err) {
    bool is_tar =
        (archive_format(archive->handle) & ARCHIVE_FORMAT_BASE_MASK) == ARCHIVE_FORMAT_TAR;
    if (is_tar && archive_filter_bytes(archive->handle, 0) == end) {
        return lp_fail(err, LP_ERR_FORMAT,
                       "%s: expected the end of a tar archive, found nothing after %llu bytes: it "
                       "is cut off",
                       archive->path, (unsigned long long)end);
    }
    return read_rest(archive, err);
}

lp_status lp_archive_next(lp_archive *archive, lp_member *member, bool *more, lp_error *err) {
    struct archive_entry *entry;
    *more = false;
    if (archive->within && archive_read_data_skip(archive->handle) != ARCHIVE_OK) {
        return fail_archive(archive, LP_ERR_FORMAT, err);
    }
    archive->within = false;
    lp_free(archive->member);
    archive->member = NULL;
    la_int64_t end = archive_filter_bytes(archive->handle, 0);
    int code = archive_read_next_header(archive->handle, &entry);
    if (code == ARCHIVE_EOF) {
        return check_end(archive, end, err);
    }
    if (code != ARCHIVE_OK) {
        return fail_archive(archive, LP_ERR_FORMAT, err);
    }
    const char *name = archive_entry_pathname(entry);
    archive->member = lp_strdup(name != NULL ? name : "");
    if (archive->member == NULL) {
        return lp_fail_memory(err, archive->path, 1, 1);
    }
    archive->within = true;
    member->name = archive->member;
    member->size = archive_entry_size(entry) > 0 ? (uint64_t)archive_entry_size(entry) : 0;
    member->is_file =
        archive_entry_filetype(entry) == AE_IFREG && archive_entry_hardlink(entry) == NULL;
    bool stored = archive->gzip == NULL && archive_filter_count(archive->handle) == 1 &&
                  archive_entry_sparse_count(entry) == 0;
    member->place = stored ? (uint64_t)archive_filter_bytes(archive->handle, 0) : 0;
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
    size_t got, extra = 0;
    char beyond;
    lp_status status;
    LP_TRY(lp_archive_read(archive, bytes, size, &got, err));
    LP_TRY(lp_archive_read(archive, &beyond, 1, &extra, err));
    if (got < size || extra > 0) {
        status = lp_fail(err, LP_ERR_FORMAT, "%s: %s: expected %zu bytes, found %s", archive->path,
                         archive->member, size, got < size ? "fewer" : "more");
    }
done:
    return status;
}

void lp_archive_close(lp_archive *archive) {
    if (archive != NULL) {
        (void)archive_read_free(archive->handle);
        if (archive->gzip != NULL) {
            (void)gzclose_r(archive->gzip);
        }
        lp_free(archive->path);
        lp_free(archive->member);
        lp_free(archive);
    }
}
