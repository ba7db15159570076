/* Archives to files: member by member, in pieces of a fixed size. */
#include "fetch/unpack.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/archive.h"
#include "base/error.h"
#include "base/file.h"
#include "base/progress.h"

enum { PIECE = 1 << 16 };

/* Whether a name stays below the folder it is put in. */
static bool stays_below(const char *name) {
    if (name[0] == '/' || name[0] == '\0') {
        return false;
    }
    for (const char *part = name; part != NULL; part = strchr(part, '/')) {
        part += *part == '/';
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0')) {
            return false;
        }
    }
    return true;
}

static lp_status write_member(lp_archive *archive, const char *path, lp_error *err) {
    unsigned char bytes[PIECE];
    size_t got = PIECE;
    lp_status status;
    LP_TRY(lp_make_parents(path, err));
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        return lp_fail_errno(err, errno, "%s: cannot be written", path);
    }
    while (status == LP_OK && got == PIECE) {
        status = lp_archive_read(archive, bytes, sizeof bytes, &got, err);
        if (status == LP_OK && fwrite(bytes, 1, got, file) != got) {
            status = lp_fail_errno(err, errno, "%s: cannot be written", path);
        }
    }
    if (fclose(file) != 0 && status == LP_OK) {
        status = lp_fail_errno(err, errno, "%s: cannot be written", path);
    }
done:
    return status;
}

static lp_status unpack(const char *name, const char *folder, bool nested, lp_progress progress,
                        uint64_t *files, lp_error *err) {
    lp_archive *archive = NULL;
    lp_member member;
    char path[LP_PATH_ROOM], beside[LP_PATH_ROOM];
    bool more = true;
    lp_status status;
    LP_TRY(lp_archive_open(name, LP_ARCHIVE_ANY, &archive, err));
    for (;;) {
        LP_TRY(lp_archive_next(archive, &member, &more, err));
        if (!more) {
            break;
        }
        const char *below = strncmp(member.name, "./", 2) == 0 ? member.name + 2 : member.name;
        if (!member.is_file) {
            continue;
        }
        if (!stays_below(below)) {
            LP_TRY(lp_fail(err, LP_ERR_FORMAT, "%s: %s: leads out of the archive's folder", name,
                           member.name));
        }
        LP_TRY(lp_path_in(path, folder, below, err));
        LP_TRY(write_member(archive, path, err));
        if (!lp_progress_step(&progress, ++*files, 0, NULL)) {
            LP_TRY(lp_fail(err, LP_CANCELLED, "stopped while unpacking %s", name));
        }
        if (!nested && lp_archive_ending(path) > 0) {
            LP_TRY(lp_path_print(beside, err, "%.*s", (int)(lp_path_name(path) - path - 1), path));
            LP_TRY(unpack(path, beside, true, progress, files, err));
            (void)unlink(path);
        }
    }
done:
    lp_archive_close(archive);
    return status;
}

lp_status lp_unpack(const char *archive, const char *folder, lp_progress progress, lp_error *err) {
    uint64_t files = 0;
    return unpack(archive, folder, false, progress, &files, err);
}
