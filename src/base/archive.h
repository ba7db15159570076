/* Reading zip and tar archives by libarchive, member by member, in order, nothing extracted to
 * disk and nothing executed. */
#ifndef LP_BASE_ARCHIVE_H
#define LP_BASE_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "linprobe/status.h"

typedef struct lp_archive lp_archive;

typedef enum lp_archive_kind {
    LP_ARCHIVE_ZIP,
    LP_ARCHIVE_TAR_GZ, /* also one that is not compressed */
    LP_ARCHIVE_TAR,    /* by xz, bzip2 or zstd, or not compressed */
    LP_ARCHIVE_ANY     /* by the file's first bytes */
} lp_archive_kind;

/* How many characters at a name's end say that it is an archive of one of these kinds, ".tar.gz";
 * 0: it is none by its name. */
size_t lp_archive_ending(const char *name);

/* One member.  `name` is valid until the next call on the archive. */
typedef struct lp_member {
    const char *name;
    uint64_t size;  /* uncompressed */
    bool is_file;   /* a regular file, not a folder or a link */
    uint64_t place; /* where its bytes begin in an archive of LP_ARCHIVE_TAR; 0: they do not lie
                       there as they are, since the archive or the member is compressed or sparse */
} lp_member;

LP_MUST_USE lp_status lp_archive_open(const char *path, lp_archive_kind kind, lp_archive **archive,
                                      lp_error *err);

/* Goes to the next member.  *more is false after the last one. */
LP_MUST_USE lp_status lp_archive_next(lp_archive *archive, lp_member *member, bool *more,
                                      lp_error *err);

/* Reads up to `size` bytes of the current member; *got < size only at its end. */
LP_MUST_USE lp_status lp_archive_read(lp_archive *archive, void *bytes, size_t size, size_t *got,
                                      lp_error *err);

/* Reads the rest of the current member, exactly `size` bytes, and checks that it ends there, so
 * that its checksum is verified. */
LP_MUST_USE lp_status lp_archive_read_exact(lp_archive *archive, void *bytes, size_t size,
                                            lp_error *err);

void lp_archive_close(lp_archive *archive);

#endif
