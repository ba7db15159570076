/* Included first by scripts/lint.sh when an analyser reads a source.  Analysers look at one source
 * at a time and cannot see that these return the status they are given, never LP_OK; without that,
 * each error path seems to go on with results that are not there. */
#ifndef LP_LINT_ANALYSIS_H
#define LP_LINT_ANALYSIS_H

#include "base/error.h"

#define lp_fail(err, status, ...) (lp_fail(err, status, __VA_ARGS__), (status))
#define lp_fail_errno(err, ...) (lp_fail_errno(err, __VA_ARGS__), LP_ERR_IO)
#define lp_fail_memory(...) (lp_fail_memory(__VA_ARGS__), LP_ERR_MEMORY)
#define lp_prefix(err, status, ...) (lp_prefix(err, status, __VA_ARGS__), (status))

#endif
