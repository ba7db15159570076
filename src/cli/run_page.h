/* The page of a run of reproduce, and its pictures. */
#ifndef LP_CLI_RUN_PAGE_H
#define LP_CLI_RUN_PAGE_H

#include "base/json.h"
#include "linprobe/dataset.h"
#include "report/evaluation.h"
#include "report/published.h"
#include "report/table.h"

typedef struct run_page {
    const char *title;
    const char *folder; /* of the run: report.html and confusion.png are written there */
    const json_t *rows; /* one object a probe, with solver, top1, top1_low, top1_high */
    const lp_column *columns;
    size_t column_count;
    const char *reported;          /* what others reported, in words */
    const lp_published *published; /* the same where it is of these very inputs, or NULL */
    const lp_evaluation *evaluation;
    const char *solver;       /* of the probe that was evaluated */
    const lp_dataset *images; /* of the test split */
    const json_t *result;     /* results.json */
} run_page;

LP_MUST_USE lp_status run_page_write(const run_page *run, lp_error *err);

#endif
