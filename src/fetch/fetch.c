/* Stage: fetch.  A URL -> a file of known digest.
 *
 *   1. claim      the partial file is opened and locked; its size is where the download goes on
 *   2. room       the file system has space for the rest
 *   3. download   from that byte on, until all is there (fetch/http.c)
 *   4. publish    fsync, digest of what is on disk, rename to <path>, sync of the folder */
#include "fetch/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/file.h"
#include "fetch/http.h"

typedef struct transfer {
    const lp_fetch_request *request;
    char part[LP_PATH_ROOM];
    int fd;
    lp_http_sink sink; /* the partial file */
    lp_error why;
} transfer;

/* ---- digests --------------------------------------------------------------------------------- */

/* The digest that a request expects. */
typedef struct expectation {
    lp_digest_kind kind;
    const char *name; /* of the kind */
    const char *hex;  /* NULL: whatever it is */
} expectation;

static expectation expected_of(const lp_fetch_request *request) {
    return request->git_blob != NULL ? (expectation){LP_GIT_BLOB, "git's SHA-1", request->git_blob}
           : request->md5 != NULL && request->sha256 == NULL
               ? (expectation){LP_MD5, "MD5", request->md5}
               : (expectation){LP_SHA256, "SHA-256", request->sha256};
}

static lp_status check_digits(const lp_fetch_request *request, lp_error *err) {
    const expectation e = expected_of(request);
    size_t all = e.kind == LP_GIT_BLOB ? 40 : e.kind == LP_MD5 ? 32 : 64;
    size_t length = e.hex != NULL ? strlen(e.hex) : all;
    bool fits = request->prefix ? length >= 8 && length <= all : length == all;
    if (e.hex != NULL && (!fits || strspn(e.hex, "0123456789abcdefABCDEF") != length)) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: expected as %s %s%zu hexadecimal digits, found '%s'", request->url,
                       e.name, request->prefix ? "8 to " : "", all, e.hex);
    }
    return LP_OK;
}

/* Compares a file's digest with the expected one, and hands it on. */
static bool is_expected(const lp_fetch_request *request, const char found[LP_DIGEST_HEX]) {
    const char *hex = expected_of(request).hex;
    if (request->found != NULL) {
        memcpy(request->found, found, LP_DIGEST_HEX);
    }
    return hex == NULL || strncasecmp(found, hex, strlen(hex)) == 0;
}

/* ---- the partial file ------------------------------------------------------------------------ */

/* Is the file there already, so that nothing is left to do? */
static lp_status find_finished(const lp_fetch_request *request, bool *finished, lp_error *err) {
    const expectation e = expected_of(request);
    char found[LP_DIGEST_HEX];
    struct stat info;
    lp_status status;
    *finished = false;
    if (stat(request->path, &info) != 0) {
        return LP_OK; /* what is wrong with the folder shows at the partial file */
    }
    if (!S_ISREG(info.st_mode)) {
        return lp_fail(err, LP_ERR_IO, "%s: expected a file's name, found %s", request->path,
                       S_ISDIR(info.st_mode) ? "a folder" : "something else");
    }
    LP_TRY(lp_digest_file(e.kind, request->path, found, err));
    *finished = is_expected(request, found);
    if (!*finished) {
        LP_TRY(lp_fail(err, LP_ERR_FORMAT,
                       "%s: is there already, with %s %s, expected %s; move it away to "
                       "fetch it anew",
                       request->path, e.name, found, e.hex));
    }
done:
    return status;
}

static lp_status lock_part(transfer *t) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(t->fd, F_SETLK, &lock) == 0) {
        return LP_OK;
    }
    if (errno != EACCES && errno != EAGAIN) {
        return lp_fail_errno(&t->why, errno, "%s: cannot be locked", t->part);
    }
    struct flock holder = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    long pid = fcntl(t->fd, F_GETLK, &holder) == 0 && holder.l_type != F_UNLCK ? holder.l_pid : 0;
    return lp_fail(&t->why, LP_ERR_IO, "%s: another process (%ld) is fetching this file", t->part,
                   pid);
}

/* Opens and locks the partial file.  Between the two, its owner may have renamed or removed it;
 * then this is no longer the file of that name, and writing to it would damage a finished one. */
static lp_status claim_part(transfer *t) {
    struct stat opened, named;
    lp_status status = LP_OK;
    for (int tries = 0; tries < 100 && status == LP_OK; tries++) {
        t->fd = open(t->part, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (t->fd < 0) {
            return lp_fail_errno(&t->why, errno, "%s: cannot be created", t->part);
        }
        if (fstat(t->fd, &opened) != 0 || !S_ISREG(opened.st_mode)) {
            status =
                lp_fail(&t->why, LP_ERR_IO, "%s: expected a file, found something else", t->part);
        } else {
            status = lock_part(t);
        }
        if (status == LP_OK && fstat(t->fd, &opened) == 0 && stat(t->part, &named) == 0 &&
            named.st_dev == opened.st_dev && named.st_ino == opened.st_ino) {
            t->sink.done = (uint64_t)opened.st_size;
            return LP_OK;
        }
        (void)close(t->fd);
        t->fd = -1;
    }
    return status != LP_OK ? status
                           : lp_fail(&t->why, LP_ERR_IO,
                                     "%s: other processes keep replacing this file", t->part);
}

static lp_status empty_part(lp_http_sink *sink, lp_error *err) {
    const transfer *t = sink->context;
    if (ftruncate(t->fd, 0) != 0) {
        return lp_fail_errno(err, errno, "%s: cannot be emptied", t->part);
    }
    sink->done = 0;
    return LP_OK;
}

static lp_status check_room(lp_http_sink *sink, lp_error *err) {
    const transfer *t = sink->context;
    struct statvfs system;
    uint64_t room;
    if (sink->total <= sink->done || fstatvfs(t->fd, &system) != 0 ||
        !lp_mul_u64(system.f_bavail, system.f_frsize, &room) || room >= sink->total - sink->done) {
        return LP_OK;
    }
    return lp_fail(err, LP_ERR_IO, "%s: needs %llu bytes more, only %llu are free on its disk",
                   t->part, (unsigned long long)(sink->total - sink->done),
                   (unsigned long long)room);
}

static lp_status write_part(lp_http_sink *sink, const void *bytes, size_t size, lp_error *err) {
    const transfer *t = sink->context;
    lp_status status = lp_write_all(t->fd, t->part, bytes, size, err);
    return sink->total == 0
               ? status
               : lp_prefix(err, status, "%llu of %llu bytes written, %llu more needed: ",
                           (unsigned long long)sink->done, (unsigned long long)sink->total,
                           (unsigned long long)(sink->total - sink->done));
}

/* ---- the whole download ---------------------------------------------------------------------- */

static lp_status verify(transfer *t) {
    const expectation e = expected_of(t->request);
    char found[LP_DIGEST_HEX];
    lp_status status;
    if (fsync(t->fd) != 0) {
        return lp_fail_errno(&t->why, errno, "%s: cannot be synced", t->part);
    }
    /* Not by name: closing any descriptor of the file would drop the lock. */
    LP_TRY(lp_digest_descriptor(e.kind, t->fd, t->part, found, &t->why));
    if (!is_expected(t->request, found)) {
        t->sink.spoiled = true;
        LP_TRY(lp_fail(&t->why, LP_ERR_FORMAT,
                       "%s: expected %s %s, found %s in %llu bytes; they were discarded",
                       t->request->url, e.name, e.hex, found, (unsigned long long)t->sink.done));
    }
done:
    return status;
}

/* After a failure: removes the partial file when it is empty, known to be wrong or could not be
 * verified with what follows, and otherwise says that it stays. */
static void leave_part(transfer *t) {
    if (t->sink.done == 0 || t->sink.spoiled || expected_of(t->request).hex == NULL) {
        (void)unlink(t->part);
    } else {
        size_t used = strlen(t->why.text);
        (void)snprintf(t->why.text + used, sizeof t->why.text - used,
                       "; %llu bytes are kept in %s, and the next run goes on from there",
                       (unsigned long long)t->sink.done, t->part);
    }
}

/* The steps that need the lock. */
static lp_status fetch_claimed(transfer *t, lp_http *http) {
    lp_http_sink *sink = &t->sink;
    bool finished;
    lp_status status;
    LP_TRY(find_finished(t->request, &finished, &t->why));
    if (finished) { /* by the process that held the lock before */
        (void)unlink(t->part);
        return LP_OK;
    }
    if ((sink->total > 0 && sink->done > sink->total) || expected_of(t->request).hex == NULL) {
        LP_TRY(empty_part(sink, &t->why));
    }
    LP_TRY(check_room(sink, &t->why));
    LP_TRY(lp_http_get(http, sink, &t->why));
    LP_TRY(verify(t));
    if (rename(t->part, t->request->path) != 0) {
        LP_TRY(lp_fail_errno(&t->why, errno, "%s: cannot be renamed to %s", t->part,
                             t->request->path));
    }
    return lp_sync_parent(t->request->path, &t->why);
done:
    leave_part(t);
    return status;
}

static lp_status fetch(transfer *t) {
    const char *ending = t->request->ending != NULL ? t->request->ending : ".part";
    lp_http *http = NULL;
    lp_status status;
    LP_TRY(lp_path_print(t->part, &t->why, "%s%s", t->request->path, ending));
    LP_TRY(lp_http_open(t->request, &http, &t->why)); /* before anything is created */
    LP_TRY(claim_part(t));
    status = fetch_claimed(t, http);
    (void)close(t->fd);
done:
    lp_http_close(http);
    return status;
}

lp_status lp_fetch(const lp_fetch_request *request, lp_error *err) {
    bool finished = false;
    transfer *t = NULL;
    lp_status status;
    LP_TRY(check_digits(request, err));
    LP_TRY(find_finished(request, &finished, err));
    if (finished) {
        return LP_OK;
    }
    t = lp_alloc_zeroed(1, sizeof *t);
    LP_TRY(lp_allocated(t, request->path, 1, sizeof *t, err));
    t->request = request;
    t->sink = (lp_http_sink){.total = request->bytes,
                             .context = t,
                             .empty = empty_part,
                             .expect = check_room,
                             .put = write_part};
    status = fetch(t);
    if (status != LP_OK) {
        (void)lp_fail(err, status, "%s", t->why.text);
    }
done:
    lp_free(t);
    return status;
}

/* ---- into memory ----------------------------------------------------------------------------- */

typedef struct text_room {
    const char *url;
    char *text;
    size_t room, most;
} text_room;

static lp_status empty_text(lp_http_sink *sink, lp_error *err) {
    (void)err;
    sink->done = 0;
    return LP_OK;
}

static lp_status check_length(lp_http_sink *sink, lp_error *err) {
    const text_room *t = sink->context;
    return sink->total <= t->most
               ? LP_OK
               : lp_fail(err, LP_ERR_FORMAT, "%s: %llu bytes, expected at most %zu", t->url,
                         (unsigned long long)sink->total, t->most);
}

static lp_status keep_text(lp_http_sink *sink, const void *bytes, size_t size, lp_error *err) {
    text_room *t = sink->context;
    size_t used = (size_t)sink->done;
    if (size > t->most - used) {
        return lp_fail(err, LP_ERR_FORMAT, "%s: expected at most %zu bytes, found more", t->url,
                       t->most);
    }
    if (size > t->room - used) {
        size_t room = t->room < t->most / 2 ? 2 * t->room : t->most;
        room = room > used + size ? room : used + size;
        char *longer = lp_grow(t->text, t->room + 1, room + 1, 1);
        if (longer == NULL) {
            return lp_fail_memory(err, t->url, room + 1, 1);
        }
        t->text = longer;
        t->room = room;
    }
    memcpy(t->text + used, bytes, size);
    return LP_OK;
}

lp_status lp_fetch_text(const lp_fetch_request *request, size_t most, char **text, size_t *size,
                        lp_error *err) {
    text_room room = {.url = request->url, .room = most < 65536 ? most : 65536, .most = most};
    lp_http_sink sink = {
        .context = &room, .empty = empty_text, .expect = check_length, .put = keep_text};
    lp_http *http = NULL;
    lp_status status;
    *text = NULL;
    *size = 0;
    room.text = lp_alloc(room.room + 1, 1);
    LP_TRY(lp_allocated(room.text, request->url, room.room + 1, 1, err));
    LP_TRY(lp_http_open(request, &http, err));
    LP_TRY(lp_http_get(http, &sink, err));
    *size = (size_t)sink.done;
    *text = room.text;
    (*text)[*size] = '\0';
    room.text = NULL;
done:
    lp_http_close(http);
    lp_free(room.text);
    return status;
}
