/* How a probe was made: the part of the probe file that docs/FORMATS.md calls "meta", and the one
 * place that knows its keys. */
#ifndef LP_PROBE_TRAINING_H
#define LP_PROBE_TRAINING_H

#include "base/json.h"
#include "feat/meta_json.h"
#include "linprobe/probe.h"

/* A training record that was read from JSON, with the memory behind its texts. */
typedef struct lp_training_file lp_training_file;

/* Reads what lp_training_json writes; everything may be missing.  LP_ERR_FORMAT, LP_ERR_MEMORY. */
LP_MUST_USE lp_status lp_training_read(const char *path, const json_t *meta,
                                       lp_training_file **file, lp_error *err);
void lp_training_close(lp_training_file *file);

/* The struct, valid until the file is closed; NULL where no training set is recorded. */
const lp_training *lp_training_of(const lp_training_file *file);

/* A new object; NULL when memory is short. */
json_t *lp_training_json(const lp_training *training, lp_detail detail);

/* Parts of it, also for reports: the options that a fit's result depends on, and what came out
 * (without the seconds, so that the same work gives the same bytes). */
json_t *lp_fit_options_json(const lp_fit_options *options);
json_t *lp_fit_report_json(const lp_fit_options *options, const lp_fit_report *report);

/* The solver that meta names; softmax where it names none, and ovr where it names one that is not
 * known (files of other programs). */
lp_solver lp_training_solver(const json_t *meta);

#endif
