/* A feature set that is being written: finished chunks survive anything, and the set appears under
 * its final name only when it is whole.
 *
 *   <out>.partial/inputs.json   what the values depend on; a resuming run must have the same
 *   <out>.partial/features.npy  the header and the rows so far
 *   <out>.partial/journal       one line a chunk: first row, rows, CRC-32 of their bytes
 *
 * A chunk is written and synced before its journal line is, so a line stands only for rows that
 * are on the disk. */
#ifndef LP_EXTRACT_PARTIAL_H
#define LP_EXTRACT_PARTIAL_H

#include <stddef.h>
#include <stdint.h>
#include "base/json.h"
#include "linprobe/status.h"

typedef struct lp_partial lp_partial;

/* Opens or makes "<out>.partial" for float32 [rows, width].  *done rows are there already and
 * verified.  LP_ERR_ARGUMENT when the folder belongs to other inputs; LP_ERR_IO when another
 * process is writing it. */
LP_MUST_USE lp_status lp_partial_open(const char *out, const json_t *inputs, size_t rows,
                                      size_t width, lp_partial **partial, size_t *done,
                                      lp_error *err);

/* Appends `count` rows, float32 [count, width], and returns when they are on the disk. */
LP_MUST_USE lp_status lp_partial_append(lp_partial *partial, const float *values, size_t count,
                                        lp_error *err);

/* Completes the set: labels int64 [rows], meta.json (to which "sha256" is added), and the final
 * name.  All rows must have been appended. */
LP_MUST_USE lp_status lp_partial_finish(lp_partial *partial, const int64_t *labels, json_t *meta,
                                        lp_error *err);

/* Releases the folder and keeps it, unless it was finished; NULL is allowed. */
void lp_partial_close(lp_partial *partial);

/* Compares two "inputs" objects.  Equal: LP_OK.  Otherwise LP_ERR_ARGUMENT with the first member
 * that differs; `what` names the folder. */
LP_MUST_USE lp_status lp_inputs_compare(const char *what, const json_t *found,
                                        const json_t *expected, lp_error *err);

#endif
