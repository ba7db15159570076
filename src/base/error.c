/* Status names and error texts. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { REASON_ROOM = 160 };

const char *lp_status_name(lp_status status) {
    static const char *const names[] = {
        [LP_OK] = "success",
        [LP_ERR_ARGUMENT] = "wrong argument",
        [LP_ERR_IO] = "I/O error",
        [LP_ERR_FORMAT] = "malformed file",
        [LP_ERR_UNSUPPORTED] = "not supported",
        [LP_ERR_MEMORY] = "out of memory",
        [LP_ERR_DATA] = "unusable values",
        [LP_CANCELLED] = "cancelled",
        [LP_NOT_CONVERGED] = "not converged",
    };
    return (size_t)status < sizeof names / sizeof names[0] ? names[status] : "unknown status";
}

const char *lp_version(void) {
    return LP_VERSION;
}

/* Names in files come from strangers: what would steer a terminal is masked.  Line feeds stay;
 * lists of several tensors need them. */
static void mask_controls(char *text) {
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if ((c < 0x20 && c != '\n') || c == 0x7f) {
            *text = '?';
        }
    }
}

lp_status lp_fail(lp_error *err, lp_status status, const char *format, ...) {
    va_list args;
    va_start(args, format);
    if (err != NULL) {
        err->status = status;
        (void)vsnprintf(err->text, sizeof err->text, format, args);
        mask_controls(err->text);
    }
    va_end(args);
    return status;
}

lp_status lp_fail_errno(lp_error *err, int code, const char *format, ...) {
    if (err != NULL) {
        va_list args;
        va_start(args, format);
        err->status = LP_ERR_IO;
        (void)vsnprintf(err->text, sizeof err->text, format, args);
        va_end(args);
        size_t used = strlen(err->text);
        if (used > sizeof err->text - REASON_ROOM) { /* a long path must not push the reason out */
            used = sizeof err->text - REASON_ROOM;
            used += (size_t)snprintf(err->text + used, REASON_ROOM, "...");
        }
        /* strerror is not thread-safe by the standard; glibc, musl and macOS return constant
         * text for every known code. */
        (void)snprintf(err->text + used, sizeof err->text - used, ": %s", strerror(code));
        mask_controls(err->text);
    }
    return LP_ERR_IO;
}

lp_status lp_fail_memory(lp_error *err, const char *what, size_t count, size_t size) {
    return lp_fail(err, LP_ERR_MEMORY, "out of memory: %s needs %zu x %zu bytes", what, count,
                   size);
}

lp_status lp_allocated(const void *block, const char *what, size_t count, size_t size,
                       lp_error *err) {
    return block != NULL ? LP_OK : lp_fail_memory(err, what, count, size);
}

lp_status lp_prefix(lp_error *err, lp_status status, const char *format, ...) {
    if (err != NULL && status != LP_OK) {
        char prefix[sizeof err->text], old[sizeof err->text];
        va_list args;
        va_start(args, format);
        (void)vsnprintf(prefix, sizeof prefix, format, args);
        va_end(args);
        memcpy(old, err->text, sizeof old);
        size_t used = strlen(prefix);
        memcpy(err->text, prefix, used);
        (void)snprintf(err->text + used, sizeof err->text - used, "%s", old);
        mask_controls(err->text);
        err->status = status;
    }
    return status;
}
