/* archive -> its bytes in memory -> temporary file;  gzip -> temporary file */
#include "data/plain_file.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <zlib.h>

#include "base/error.h"

static const uint64_t unpacked_max = UINT64_C(1) << 34;

/* Makes the copy what is read from now on. */
static lp_status use_copy(lp_plain_file *f, FILE *copy, lp_error *err) {
    if (fflush(copy) != 0) {
        return lp_fail_errno(err, errno, "%s: a temporary file cannot be written", f->path);
    }
    rewind(copy);
    if (f->copy != NULL) {
        (void)fclose(f->copy);
    }
    f->copy = copy;
    return lp_path_print(f->name, err, "/dev/fd/%d", fileno(copy));
}

static lp_status copy_member(const lp_tree *tree, const char *name, lp_plain_file *f,
                             lp_error *err) {
    lp_tree_file file = {.own = NULL};
    FILE *copy = NULL;
    lp_status status;
    LP_TRY(lp_tree_read(tree, name, &file, err));
    copy = tmpfile();
    if (copy == NULL || fwrite(file.bytes, 1, file.size, copy) != file.size) {
        LP_TRY(lp_fail_errno(err, errno, "%s: a temporary file cannot be written", f->path));
    }
    LP_TRY(use_copy(f, copy, err));
    copy = NULL;
done:
    if (copy != NULL) {
        (void)fclose(copy);
    }
    lp_tree_file_clear(&file);
    return status;
}

/* Until the end of the stream, whose checksum zlib compares. */
static lp_status copy_stream(gzFile from, FILE *to, lp_plain_file *f, lp_error *err) {
    enum { BLOCK = 1 << 16 };
    unsigned char block[BLOCK];
    uint64_t written = 0;
    int code = Z_OK, got;
    while ((got = gzread(from, block, BLOCK)) > 0) {
        written += (uint64_t)got;
        if (written > unpacked_max) {
            return lp_fail(err, LP_ERR_FORMAT, "%s: unpacks to more than 16 GiB", f->path);
        }
        if (fwrite(block, 1, (size_t)got, to) != (size_t)got) {
            return lp_fail_errno(err, errno, "%s: a temporary file cannot be written", f->path);
        }
    }
    const char *why = gzerror(from, &code);
    if (got < 0 || (code != Z_OK && code != Z_STREAM_END)) {
        size_t named = strlen(f->name); /* zlib begins with it */
        why += strncmp(why, f->name, named) == 0 && why[named] == ':' ? named + 2 : 0;
        return lp_fail(err, LP_ERR_FORMAT, "%s: broken gzip file: %s", f->path,
                       code == Z_BUF_ERROR ? "it ends early" : why);
    }
    return LP_OK;
}

static lp_status unpack(lp_plain_file *f, lp_error *err) {
    gzFile from = gzopen(f->name, "rb");
    FILE *to = tmpfile();
    lp_status status;
    if (from == NULL || to == NULL) {
        LP_TRY(lp_fail_errno(err, errno, "%s: %s", f->path,
                             from == NULL ? "cannot be opened"
                                          : "a temporary file cannot be written"));
    }
    LP_TRY(copy_stream(from, to, f, err));
    LP_TRY(use_copy(f, to, err));
    to = NULL;
done:
    if (from != NULL) {
        (void)gzclose_r(from);
    }
    if (to != NULL) {
        (void)fclose(to);
    }
    return status;
}

lp_status lp_plain_file_open(const lp_tree *tree, const char *name, lp_plain_file *f,
                             lp_error *err) {
    char packed[LP_PATH_ROOM];
    lp_status status;
    *f = (lp_plain_file){.copy = NULL};
    LP_TRY(lp_path_print(packed, err, "%s.gz", name));
    bool plain = lp_tree_has_file(tree, name) || !lp_tree_has_file(tree, packed);
    const char *found = plain ? name : packed;
    LP_TRY(lp_tree_path(tree, found, f->path, err));
    if (!lp_tree_has_file(tree, found)) {
        LP_TRY(lp_fail(err, LP_ERR_IO, "%s: there is no such file", f->path));
    }
    memcpy(f->name, f->path, sizeof f->name);
    LP_TRY(lp_tree_is_archive(tree) ? copy_member(tree, found, f, err) : LP_OK);
    LP_TRY(plain ? LP_OK : unpack(f, err));
done:
    return status;
}

void lp_plain_file_close(lp_plain_file *f) {
    if (f->copy != NULL) {
        (void)fclose(f->copy);
    }
    f->copy = NULL;
}
