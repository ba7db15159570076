/* File mapping, whole-file reads and atomic writes (POSIX). */
#if defined(__linux__) && !defined(_DEFAULT_SOURCE)
#define _DEFAULT_SOURCE /* madvise */
#endif
#include "base/file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/team.h"

static lp_status open_regular(const char *path, int *fd, uint64_t *size, lp_error *err) {
    struct stat info;
    /* O_NONBLOCK: a FIFO that nobody writes to would be waited for.  It means nothing to a file. */
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0) {
        return lp_fail_errno(err, errno, "%s: cannot be opened", path);
    }
    if (fstat(*fd, &info) != 0 || !S_ISREG(info.st_mode)) {
        const char *what = S_ISDIR(info.st_mode) ? "a folder" : "not a regular file";
        (void)close(*fd);
        return lp_fail(err, LP_ERR_IO, "%s: expected a file, found %s", path, what);
    }
    *size = (uint64_t)info.st_size;
    return LP_OK;
}

/* The open maps.  Who reads a map holds it open, so that its slot does not change meanwhile. */
enum { MAPS = 64, MAP_PATH = 256, CLAIMED = 1 };

static struct {
    atomic_uintptr_t begin; /* 0: free; CLAIMED: being filled */
    atomic_size_t size;
    char path[MAP_PATH];
} maps[MAPS];

static void note_map(const char *path, const lp_map *map) {
    size_t length = strlen(path);
    bool whole = length < MAP_PATH;
    for (size_t i = 0; i < MAPS; i++) {
        uintptr_t free_slot = 0;
        if (atomic_compare_exchange_strong(&maps[i].begin, &free_slot, CLAIMED)) {
            (void)snprintf(maps[i].path, MAP_PATH, "%s%s", whole ? "" : "...",
                           whole ? path : path + length + 4 - MAP_PATH);
            atomic_store(&maps[i].size, (size_t)map->size);
            atomic_store(&maps[i].begin, (uintptr_t)map->data);
            return;
        }
    }
}

static void forget_map(const lp_map *map) {
    for (size_t i = 0; i < MAPS; i++) {
        uintptr_t begin = (uintptr_t)map->data;
        if (atomic_compare_exchange_strong(&maps[i].begin, &begin, 0)) {
            return;
        }
    }
}

const char *lp_map_path_at(const void *address) {
    for (size_t i = 0; i < MAPS; i++) {
        uintptr_t begin = atomic_load(&maps[i].begin);
        if (begin > CLAIMED && (uintptr_t)address - begin < atomic_load(&maps[i].size)) {
            return maps[i].path;
        }
    }
    return NULL;
}

lp_status lp_map_open(const char *path, lp_map *map, lp_error *err) {
    int fd;
    *map = (lp_map){0};
    lp_status status = open_regular(path, &fd, &map->size, err);
    if (status != LP_OK) {
        return status;
    }
    if (map->size > SIZE_MAX) {
        status = lp_fail(err, LP_ERR_MEMORY, "%s: too large to be mapped", path);
    } else if (map->size > 0) {
        void *data = mmap(NULL, (size_t)map->size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (data == MAP_FAILED) {
            status = errno == ENOMEM ? lp_fail_memory(err, path, (size_t)map->size, 1)
                                     : lp_fail_errno(err, errno, "%s: cannot be mapped", path);
        } else {
            map->data = data;
            note_map(path, map);
        }
    }
    (void)close(fd);
    if (status != LP_OK) {
        map->size = 0;
    }
    return status;
}

void lp_map_close(lp_map *map) {
    if (map->data != NULL) {
        forget_map(map);
        (void)munmap((void *)(uintptr_t)map->data, (size_t)map->size);
    }
    *map = (lp_map){0};
}

void lp_map_rest(const lp_map *map) {
#ifdef __linux__ /* elsewhere this advice may change nothing */
    if (map->data != NULL) {
        (void)madvise((void *)(uintptr_t)map->data, (size_t)map->size, MADV_DONTNEED);
    }
#else
    (void)map;
#endif
}

lp_status lp_file_read(const char *path, uint64_t max_bytes, char **bytes, size_t *size,
                       lp_error *err) {
    int fd;
    uint64_t file_size;
    char *buffer = NULL;
    *bytes = NULL;
    *size = 0;
    lp_status status = open_regular(path, &fd, &file_size, err);
    if (status != LP_OK) {
        return status;
    }
    if (file_size > max_bytes) {
        LP_TRY(lp_fail(err, LP_ERR_FORMAT, "%s: %llu bytes, expected at most %llu", path,
                       (unsigned long long)file_size, (unsigned long long)max_bytes));
    }
    buffer = lp_alloc((size_t)file_size + 1, 1);
    LP_TRY(lp_allocated(buffer, path, (size_t)file_size, 1, err));
    for (size_t used = 0; used < (size_t)file_size;) {
        ssize_t got = read(fd, buffer + used, (size_t)file_size - used);
        if (got > 0) {
            used += (size_t)got;
        } else if (got == 0) {
            LP_TRY(lp_fail(err, LP_ERR_IO, "%s: became shorter while it was read", path));
        } else if (errno != EINTR) {
            LP_TRY(lp_fail_errno(err, errno, "%s: cannot be read", path));
        }
    }
    buffer[file_size] = '\0';
    *bytes = buffer;
    *size = (size_t)file_size;
    buffer = NULL;
done:
    (void)close(fd);
    lp_free(buffer);
    return status;
}

lp_status lp_write_all(int fd, const char *path, const void *bytes, size_t size, lp_error *err) {
    const char *next = bytes;
    while (size > 0) {
        ssize_t put = write(fd, next, size);
        if (put >= 0) {
            next += put;
            size -= (size_t)put;
        } else if (errno != EINTR) {
            return lp_fail_errno(err, errno, "%s: cannot be written", path);
        }
    }
    return LP_OK;
}

enum { WRITER_BUFFER = 1 << 16 };

struct lp_writer {
    char path[LP_PATH_ROOM], temporary[LP_PATH_ROOM];
    bool idle; /* another rank writes */
    int fd;
    size_t used;
    char buffer[WRITER_BUFFER];
};

/* A rename would replace a device or a pipe. */
static lp_status check_kind(const char *path, lp_error *err) {
    struct stat info;
    return stat(path, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)
               ? lp_fail(err, LP_ERR_IO, "%s: is a device or a pipe, expected a file", path)
               : LP_OK;
}

/* The folder that path lies in; "" where that is the root of a relative path. */
static lp_status parent_of(const char *path, char parent[LP_PATH_ROOM], lp_error *err) {
    size_t length = strlen(path);
    while (length > 0 && path[length - 1] == '/') {
        length--;
    }
    while (length > 0 && path[length - 1] != '/') {
        length--;
    }
    while (length > 1 && path[length - 1] == '/') {
        length--;
    }
    return lp_path_print(parent, err, "%.*s", (int)length, path);
}

/* Whether something can be made at path: the nearest of its parents that there is can be written.
 */
static lp_status check_parents(const char *path, lp_error *err) {
    char parent[LP_PATH_ROOM], above[LP_PATH_ROOM];
    struct stat info;
    lp_status status;
    LP_TRY(parent_of(path, parent, err));
    while (parent[0] != '\0' && stat(parent, &info) != 0 && errno == ENOENT) {
        memcpy(above, parent, sizeof above);
        LP_TRY(parent_of(above, parent, err));
    }
    const char *folder = parent[0] != '\0' ? parent : ".";
    if (stat(folder, &info) != 0) {
        LP_TRY(lp_fail_errno(err, errno, "%s: cannot be made: %s", path, folder));
    } else if (!S_ISDIR(info.st_mode)) {
        LP_TRY(lp_fail(err, LP_ERR_IO, "%s: cannot be made: %s is no folder", path, folder));
    } else if (access(folder, W_OK | X_OK) != 0) {
        LP_TRY(lp_fail_errno(err, errno, "%s: cannot be made: folder %s", path, folder));
    }
done:
    return status;
}

lp_status lp_check_out_file(const char *path, lp_error *err) {
    lp_status status;
    LP_TRY(check_kind(path, err));
    if (lp_is_folder(path)) {
        LP_TRY(lp_fail(err, LP_ERR_IO, "%s: is a folder, expected a file", path));
    }
    LP_TRY(check_parents(path, err));
done:
    return status;
}

lp_status lp_check_out_folder(const char *path, lp_error *err) {
    struct stat info;
    if (stat(path, &info) != 0) {
        return check_parents(path, err);
    }
    if (!S_ISDIR(info.st_mode)) {
        return lp_fail(err, LP_ERR_IO, "%s: is no folder", path);
    }
    return access(path, W_OK | X_OK) == 0
               ? LP_OK
               : lp_fail_errno(err, errno, "%s: cannot be written", path);
}

lp_status lp_writer_open(const char *path, lp_writer **out, lp_error *err) {
    lp_writer *writer = NULL;
    lp_status status;
    LP_TRY(check_kind(path, err));
    writer = lp_alloc(1, sizeof *writer);
    LP_TRY(lp_allocated(writer, path, 1, sizeof *writer, err));
    writer->used = 0;
    writer->idle = lp_team_rank() > 0;
    writer->fd = -1;
    LP_TRY(lp_path_print(writer->path, err, "%s", path));
    LP_TRY(lp_path_print(writer->temporary, err, "%s.tmp.%ld", path, (long)getpid()));
    if (!writer->idle) {
        writer->fd = open(writer->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    }
    if (!writer->idle && writer->fd < 0) {
        LP_TRY(lp_fail_errno(err, errno, "%s: cannot be created", path));
    }
done:
    if (status != LP_OK) {
        lp_free(writer);
        writer = NULL;
    }
    *out = writer;
    return status;
}

static lp_status writer_flush(lp_writer *writer, lp_error *err) {
    size_t used = writer->used;
    writer->used = 0;
    return writer->idle ? LP_OK : lp_write_all(writer->fd, writer->path, writer->buffer, used, err);
}

lp_status lp_writer_put(lp_writer *writer, const void *bytes, size_t size, lp_error *err) {
    lp_status status = LP_OK;
    if (size > WRITER_BUFFER - writer->used) {
        LP_TRY(writer_flush(writer, err));
    }
    if (size >= WRITER_BUFFER) {
        return writer->idle ? LP_OK : lp_write_all(writer->fd, writer->path, bytes, size, err);
    }
    memcpy(writer->buffer + writer->used, bytes, size);
    writer->used += size;
done:
    return status;
}

lp_status lp_writer_commit(lp_writer *writer, lp_error *err) {
    if (writer->idle) {
        lp_free(writer);
        return LP_OK;
    }
    lp_status status = writer_flush(writer, err);
    if (status == LP_OK && fsync(writer->fd) != 0) {
        status = lp_fail_errno(err, errno, "%s: cannot be synced", writer->path);
    }
    if (close(writer->fd) != 0 && status == LP_OK) {
        status = lp_fail_errno(err, errno, "%s: cannot be closed", writer->path);
    }
    if (status == LP_OK && rename(writer->temporary, writer->path) != 0) {
        status = lp_fail_errno(err, errno, "%s: cannot be renamed from %s", writer->path,
                               writer->temporary);
    }
    if (status != LP_OK) {
        (void)unlink(writer->temporary);
    } else {
        status = lp_sync_parent(writer->path, err);
    }
    lp_free(writer);
    return status;
}

void lp_writer_abort(lp_writer *writer) {
    if (writer != NULL) {
        if (!writer->idle) {
            (void)close(writer->fd);
            (void)unlink(writer->temporary);
        }
        lp_free(writer);
    }
}

lp_status lp_file_write(const char *path, const void *bytes, size_t size, lp_error *err) {
    lp_writer *writer = NULL;
    lp_status status;
    LP_TRY(lp_writer_open(path, &writer, err));
    LP_TRY(lp_writer_put(writer, bytes, size, err));
    return lp_writer_commit(writer, err);
done:
    lp_writer_abort(writer);
    return status;
}

lp_status lp_make_folders(const char *path, lp_error *err) {
    if (path[0] == '\0') {
        return lp_fail(err, LP_ERR_ARGUMENT, "expected the path of a folder, found nothing");
    }
    char folder[LP_PATH_ROOM];
    lp_status status = LP_OK;
    if (lp_team_rank() > 0) {
        return LP_OK;
    }
    for (size_t length = 1; status == LP_OK && path[length - 1] != '\0'; length++) {
        if (path[length] == '/' || path[length] == '\0') {
            LP_TRY(lp_path_print(folder, err, "%.*s", (int)length, path));
            int reason = mkdir(folder, 0777) != 0 ? errno : 0;
            if (reason != 0 && !lp_is_folder(folder)) { /* which sets errno, too */
                status = lp_fail_errno(err, reason, "%s: folder cannot be made", folder);
            }
        }
    }
done:
    return status;
}

lp_status lp_make_parents(const char *path, lp_error *err) {
    char parent[LP_PATH_ROOM];
    lp_status status;
    LP_TRY(parent_of(path, parent, err));
    status = parent[0] != '\0' ? lp_make_folders(parent, err) : LP_OK;
done:
    return status;
}

lp_status lp_sync_parent(const char *path, lp_error *err) {
    int length = (int)(lp_path_name(path) - path);
    char folder[LP_PATH_ROOM];
    lp_status status;
    LP_TRY(lp_path_print(folder, err, "%.*s%s", length, path, length > 0 ? "" : "."));
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* Some file systems refuse to sync a folder; there is nothing more to do there. */
    if (fd < 0 || (fsync(fd) != 0 && errno != EINVAL && errno != ENOTSUP)) {
        status = lp_fail_errno(err, errno, "%s: folder cannot be synced", folder);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
done:
    return status;
}

bool lp_is_folder(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

bool lp_is_file(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

char *lp_path_join(const char *folder, const char *name) {
    size_t length = strlen(folder);
    size_t bytes = length + strlen(name) + 2;
    char *path = lp_alloc(bytes, 1);
    if (path != NULL) {
        const char *slash = length > 0 && folder[length - 1] == '/' ? "" : "/";
        (void)snprintf(path, bytes, "%s%s%s", folder, slash, name);
    }
    return path;
}

lp_status lp_path_print(char path[LP_PATH_ROOM], lp_error *err, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int size = vsnprintf(path, LP_PATH_ROOM, format, args);
    va_end(args);
    return size >= 0 && size < LP_PATH_ROOM
               ? LP_OK
               : lp_fail(err, LP_ERR_ARGUMENT, "%.100s...: a path of %d bytes, expected at most %d",
                         path, size, LP_PATH_ROOM - 1);
}

lp_status lp_path_in(char path[LP_PATH_ROOM], const char *folder, const char *name, lp_error *err) {
    size_t length = strlen(folder);
    const char *slash = length > 0 && folder[length - 1] == '/' ? "" : "/";
    return lp_path_print(path, err, "%s%s%s", folder, slash, name);
}

lp_status lp_path_beside(char path[LP_PATH_ROOM], const char *neighbour, const char *name,
                         lp_error *err) {
    int folder = (int)(lp_path_name(neighbour) - neighbour);
    return lp_path_print(path, err, "%.*s%s", folder, neighbour, name);
}

void lp_path_slug(char *out, size_t room, const char *text) {
    size_t used = 0;
    for (; *text != '\0' && used + 1 < room; text++) {
        bool keep = isalnum((unsigned char)*text) || *text == '.';
        if (keep || (used > 0 && out[used - 1] != '-')) {
            out[used++] = keep ? (char)tolower((unsigned char)*text) : '-';
        }
    }
    out[used] = '\0';
}

const char *lp_path_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}
