/* Status names and error texts. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { REASON_ROOM = 160 };

const char *lp_status_name(lp_status status) {
    switch (status) {
    case LP_OK:
        return "success";
    case LP_ERR_ARGUMENT:
        return "wrong argument";
    case LP_ERR_IO:
        return "I/O error";
    case LP_ERR_FORMAT:
        return "malformed file";
    case LP_ERR_UNSUPPORTED:
        return "not supported";
    case LP_ERR_MEMORY:
        return "out of memory";
    case LP_ERR_DATA:
        return "unusable values";
    case LP_CANCELLED:
        return "cancelled";
    case LP_NOT_CONVERGED:
        return "not converged";
    }
    return "unknown status";
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
    if (err != NULL) {
        va_list args;
        va_start(args, format);
        err->status = status;
        (void)vsnprintf(err->text, sizeof err->text, format, args);
        va_end(args);
        mask_controls(err->text);
    }
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
    if (err != NULL) {
        char prefix[sizeof err->text];
        char old[sizeof err->text];
        va_list args;
        va_start(args, format);
        (void)vsnprintf(prefix, sizeof prefix, format, args);
        va_end(args);
        memcpy(old, err->text, sizeof old);
        int used = snprintf(err->text, sizeof err->text, "%s", prefix);
        if (used >= 0 && (size_t)used < sizeof err->text) {
            (void)snprintf(err->text + used, sizeof err->text - (size_t)used, "%s", old);
        }
        mask_controls(err->text);
        err->status = status;
    }
    return status;
}
