/* linprobe/status.h: what every call of the library returns, and how it explains a failure.
 *
 * A function that can fail returns an lp_status and takes an `lp_error *err` as its last
 * argument.  On failure its results are NULL or unchanged, and err->text says what was wrong:
 * the file, the place in it, what was expected and what was found.  err may be NULL where only
 * the status matters.
 *
 *     lp_error err;
 *     lp_checkpoint *ckpt;
 *     if (lp_checkpoint_open("ViT-B-32.pt", &ckpt, &err) != LP_OK)
 *         fprintf(stderr, "%s\n", err.text);
 *
 * The library never prints, exits or aborts because of input, and its own code reads no
 * environment variable.  OpenBLAS under it reads its own when it is loaded (OPENBLAS_CORETYPE
 * chooses the kernels, on which a probe's last digits depend).
 */
#ifndef LINPROBE_STATUS_H
#define LINPROBE_STATUS_H

#include <stdbool.h>
#include <stdint.h>
#include "linprobe/version.h"

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define LP_MUST_USE __attribute__((warn_unused_result))
#define LP_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define LP_MUST_USE
#define LP_PRINTF(text, first)
#endif

typedef enum lp_status {
    LP_OK = 0,
    LP_ERR_ARGUMENT,    /* the caller asked for something that does not exist or does not fit */
    LP_ERR_IO,          /* the system refused: open, read, write, rename, network */
    LP_ERR_FORMAT,      /* a file is not what its format demands */
    LP_ERR_UNSUPPORTED, /* a file is valid, but holds something this version does not handle */
    LP_ERR_MEMORY,      /* an allocation failed, or a size does not fit in memory */
    LP_ERR_DATA,        /* values that cannot be used: NaN, infinity, a label out of range */
    LP_CANCELLED,       /* the caller's callback asked to stop; finished work is kept */
    LP_NOT_CONVERGED    /* a solver stopped early; its result is filled in and usable */
} lp_status;

/* Text of the latest failure.  Written by the function that failed; callers prefix it. */
typedef struct lp_error {
    lp_status status;
    char text[4096];
} lp_error;

/* The caller's view of long work, a field of the options of every call that may take long.
 * step NULL: silent.  Otherwise step is called again and again with `done` of `total` units
 * (images, bytes, fits; total 0 = unknown) and a `line` that describes the step, or NULL.  It
 * returns false to stop the work, which then ends with LP_CANCELLED.  It may be called from any
 * worker thread, one call at a time.  Work that can go on from an earlier run calls it once before
 * it begins, with what was there already. */
typedef struct lp_progress {
    bool (*step)(void *context, uint64_t done, uint64_t total, const char *line);
    void *context; /* handed to step */
} lp_progress;

/* A short English name of a status ("I/O error"); never NULL. */
const char *lp_status_name(lp_status status);

#ifdef __cplusplus
}
#endif
#endif
