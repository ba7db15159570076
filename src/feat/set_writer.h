/* A feature set that is being written: finished chunks survive anything, and the set appears under
 * its final name only when it is whole.
 *
 *   <out>.partial/inputs.json   what the values depend on; a resuming run must have the same
 *   <out>.partial/features.npy  the header and the rows so far
 *   <out>.partial/journal       one line a chunk: first row, rows, CRC-32 of their bytes
 *
 * A chunk is written and synced before its journal line is, so a line stands only for rows that
 * are on the disk. */
#ifndef LP_FEAT_SET_WRITER_H
#define LP_FEAT_SET_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "linprobe/provenance.h"
#include "linprobe/status.h"

typedef struct lp_set_writer lp_set_writer;

/* Whether a finished set of these inputs is at `out`.  LP_ERR_ARGUMENT where something else is
 * there: a set of other inputs (the message names the first that differs), or no feature set. */
LP_MUST_USE lp_status lp_set_is_there(const char *out, const lp_provenance *p, bool *there,
                                      lp_error *err);

/* Opens or makes "<out>.partial" for float32 [rows, width].  p must outlive the writer.  *done rows
 * are there already and verified.  LP_ERR_ARGUMENT when the folder belongs to other inputs;
 * LP_ERR_IO when another process is writing it, or the system refuses; LP_ERR_MEMORY. */
LP_MUST_USE lp_status lp_set_writer_open(const char *out, const lp_provenance *p, size_t rows,
                                         size_t width, lp_set_writer **writer, size_t *done,
                                         lp_error *err);

/* Appends `count` rows, float32 [count, width], and returns when they are on the disk. */
LP_MUST_USE lp_status lp_set_writer_append(lp_set_writer *writer, const float *values, size_t count,
                                           lp_error *err);

/* Completes the set: labels int64 [rows], meta.json, and the final name.  All rows must have been
 * appended. */
LP_MUST_USE lp_status lp_set_writer_finish(lp_set_writer *writer, const int64_t *labels,
                                           lp_error *err);

/* The same of a set of several labels an image: marks int8 [rows, classes], as lp_features has
 * them. */
LP_MUST_USE lp_status lp_set_writer_finish_marks(lp_set_writer *writer, const int8_t *marks,
                                                 size_t classes, lp_error *err);

/* Releases the folder and keeps it, unless it was finished; NULL is allowed. */
void lp_set_writer_close(lp_set_writer *p);

#endif
