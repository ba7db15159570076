/* Feature sets as libsvm and svmlight write them:
 *
 *   LABEL INDEX:VALUE INDEX:VALUE ...    # a comment
 *
 * Labels are numbers.  Indices rise within a line; features that are not named are 0.  They begin
 * at 1, or, where index 0 occurs, at 0, as scikit-learn reads them. */
#ifndef LP_FEAT_LIBSVM_TEXT_H
#define LP_FEAT_LIBSVM_TEXT_H

#include "feat/array_files.h"

/* Features float32 [N, F], F the largest index, and labels [N].  LP_ERR_FORMAT: with the line.
 * LP_ERR_UNSUPPORTED: queries (qid) or several labels. */
LP_MUST_USE lp_status lp_libsvm_read(const char *path, lp_array_file *x, lp_array_file *labels,
                                     lp_error *err);

#endif
