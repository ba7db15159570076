/* meta.json: the one place that knows its keys.  docs/FORMATS.md describes them. */
#ifndef LP_FEAT_META_JSON_H
#define LP_FEAT_META_JSON_H

#include <stdbool.h>
#include "base/digest.h"
#include "base/json_row.h"
#include "linprobe/provenance.h"

/* A provenance that was read from JSON, with the memory behind its texts. */
typedef struct lp_provenance_file lp_provenance_file;

/* Reads the members that lp_provenance_json writes; all of them may be missing.  `path` is for
 * messages.  Without inputs of this program (those
 * have a "feature_format") recorded stays false, and inputs of another program are not read.
 * LP_ERR_FORMAT names the member whose value has the wrong type or is not in its list,
 * LP_ERR_MEMORY. */
LP_MUST_USE lp_status lp_provenance_read(const char *path, const json_t *meta,
                                         lp_provenance_file **file, lp_error *err);
void lp_provenance_close(lp_provenance_file *file);

/* The struct, valid until the file is closed. */
const lp_provenance *lp_provenance_of(const lp_provenance_file *file);

/* What the two forms contain: everything, or no lists of classes and superclasses (for a page that
 * shows the settings). */
typedef enum lp_detail { LP_DETAIL_ALL, LP_DETAIL_BRIEF } lp_detail;

/* The parts of meta.json as new objects; NULL when memory is short.
 *   inputs   everything that the values depend on
 *   weights  the weights' file, null for pixels
 *   encoder  its name and dimensions, null for pixels
 *   data     the data set, with the names of its classes */
json_t *lp_provenance_inputs(const lp_provenance *p);
json_t *lp_provenance_weights(const lp_provenance *p);
json_t *lp_provenance_encoder(const lp_provenance *p);
json_t *lp_provenance_data(const lp_provenance *p, lp_detail detail);

/* Sets the parts that are recorded; "data" also where only names of classes are known. */
void lp_provenance_put(lp_row *row, const lp_provenance *p, lp_detail detail);

/* meta.json of a set of [rows, width] with the digest `sha256` of its arrays. */
json_t *lp_provenance_json(const lp_provenance *p, size_t rows, size_t width, const char *sha256,
                           lp_detail detail);

/* SHA-256 of the inputs, 64 hexadecimal digits: sets with the same inputs have the same key. */
LP_MUST_USE lp_status lp_provenance_key(const lp_provenance *p, char hex[LP_DIGEST_HEX],
                                        lp_error *err);

/* inputs.json of a set that is being written: the inputs, and whether the processor has fused
 * multiply-adds, because a set must not be half of one kind and half of the other. */
LP_MUST_USE lp_status lp_provenance_write_inputs(const char *path, const lp_provenance *p,
                                                 lp_error *err);

/* Whether the file at `path` says the same inputs of p: the inputs.json of a set that is being
 * written, or with `finished` a meta.json, where fused multiply-adds do not count.  `what` names
 * the set.  LP_ERR_ARGUMENT names the first input that differs; LP_ERR_IO, LP_ERR_FORMAT,
 * LP_ERR_MEMORY as lp_json_read. */
LP_MUST_USE lp_status lp_provenance_check(const char *path, const char *what,
                                          const lp_provenance *p, bool finished, lp_error *err);

#endif
