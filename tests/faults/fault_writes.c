/* Loaded before the C library (LD_PRELOAD), makes the k-th call that changes a file fail, as a full
 * or broken disk would.
 *
 *   FAULT_LOG    a line for each such call, numbered from 1 by its place: "write", "fsync", ...
 *   FAULT_AT     the first call that fails; absent: none
 *   FAULT_ERRNO  with what: ENOSPC (from then on every call but those that remove something), EIO
 *                (that one call), or SHORT (a write that takes half of its bytes, then ENOSPC) */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_int calls;
static int log_fd = -1;
static int fail_at;
static const char *kind = "";

__attribute__((constructor)) static void start(void) {
    const char *log = getenv("FAULT_LOG"), *at = getenv("FAULT_AT");
    kind = getenv("FAULT_ERRNO") != NULL ? getenv("FAULT_ERRNO") : "ENOSPC";
    fail_at = at != NULL ? atoi(at) : 0;
    if (log != NULL) {
        log_fd =
            (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    }
}

/* Counts a call; true where it is to fail, with errno set. */
static bool fails(const char *name) {
    int k = atomic_fetch_add(&calls, 1) + 1;
    if (log_fd >= 0) {
        (void)syscall(SYS_write, log_fd, name, strlen(name));
        (void)syscall(SYS_write, log_fd, "\n", (size_t)1);
    }
    bool eio = strcmp(kind, "EIO") == 0;
    if (fail_at == 0 || k < fail_at || (eio && k > fail_at)) {
        return false;
    }
    errno = eio ? EIO : ENOSPC;
    return true;
}

/* Standard streams and sockets are no disk. */
static bool on_disk(int fd) {
    struct stat info;
    return fd > 2 && fstat(fd, &info) == 0 && (S_ISREG(info.st_mode) || S_ISDIR(info.st_mode));
}

#define REAL(result, name, ...)                                                                    \
    result (*real)(__VA_ARGS__) = (result(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

ssize_t write(int fd, const void *bytes, size_t size) {
    REAL(ssize_t, "write", int, const void *, size_t);
    if (on_disk(fd) && fails("write")) {
        if (strcmp(kind, "SHORT") == 0 && atomic_load(&calls) == fail_at && size > 1) {
            return real(fd, bytes, size / 2);
        }
        return -1;
    }
    return real(fd, bytes, size);
}

int fsync(int fd) {
    REAL(int, "fsync", int);
    return on_disk(fd) && fails("fsync") ? -1 : real(fd);
}

int fdatasync(int fd) {
    REAL(int, "fdatasync", int);
    return on_disk(fd) && fails("fdatasync") ? -1 : real(fd);
}

int ftruncate(int fd, off_t size) {
    REAL(int, "ftruncate", int, off_t);
    return on_disk(fd) && fails("ftruncate") ? -1 : real(fd, size);
}

int rename(const char *from, const char *to) {
    REAL(int, "rename", const char *, const char *);
    return fails("rename") ? -1 : real(from, to);
}

int mkdir(const char *path, mode_t mode) {
    REAL(int, "mkdir", const char *, mode_t);
    struct stat info;
    return stat(path, &info) != 0 && fails("mkdir") ? -1 : real(path, mode);
}

int open(const char *path, int flags, ...) {
    REAL(int, "open", const char *, int, ...);
    mode_t mode = 0;
    if ((flags & O_CREAT) != 0) {
        va_list args;
        va_start(args, flags);
        mode = va_arg(args, mode_t);
        va_end(args);
    }
    const char *end = strrchr(path, '.'); /* what `make coverage` counts is none of the program's */
    bool counts = end != NULL && strcmp(end, ".gcda") == 0;
    return (flags & O_CREAT) != 0 && !counts && fails("open") ? -1 : real(path, flags, mode);
}
