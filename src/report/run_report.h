/* The report of a run of one model: results.json, results.csv, a page README.md, one evaluation for
 * each probe, confusion.png and report.html, all in the run's folder.  Nothing in them depends on
 * time or threads, so the same run gives the same bytes. */
#ifndef LP_REPORT_RUN_REPORT_H
#define LP_REPORT_RUN_REPORT_H

#include <stdio.h>
#include "linprobe/run.h"
#include "report/table.h"

typedef struct lp_run_report {
    const lp_run *run;
    const char *command;
    const lp_dataset *images; /* of the test split, for the page's pictures of mistakes */
} lp_run_report;

/* Writes all files.  LP_ERR_IO, LP_ERR_MEMORY, LP_ERR_DATA: an image cannot be read any more. */
LP_MUST_USE lp_status lp_run_report_write(const lp_run_report *report, lp_error *err);

/* Prints the result: a table and what others reported, the same rows as CSV, or results.json. */
LP_MUST_USE lp_status lp_run_report_print(const lp_run_report *report, FILE *out, lp_format format,
                                          lp_error *err);

/* "<data>-<model>[-<weights>]-<feature>[-normalized][-coarse]-C<C>", or "-swept" for C = NaN, of
 * what went into a run: its name unless the user gives one.  Files of one shape are told apart by
 * their digest. */
void lp_run_report_name(const lp_run *run, double C, char *name, size_t room);

#endif
