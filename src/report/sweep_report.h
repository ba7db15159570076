/* The report of a sweep: sweep.json, sweep.csv, the curve as sweep.png and sweep.svg, the part of
 * it round the peak as sweep-peak.png and sweep-peak.svg, and sweep.html. */
#ifndef LP_REPORT_SWEEP_REPORT_H
#define LP_REPORT_SWEEP_REPORT_H

#include "linprobe/features.h"
#include "linprobe/multilabel.h"
#include "linprobe/sweep.h"
#include "report/table.h"

typedef struct lp_sweep_report {
    const char *command;
    lp_features *train, *validation; /* validation NULL: a part of train */
    lp_sweep_options options;        /* its fit: with the chosen C */
    lp_sweep *sweep;
    bool refit_on_both; /* the fit is on the validation set too */
    lp_fit_report fit;  /* of the fit on all training (and validation) data */
    size_t shared[2];   /* rows of the test set that train and validation have too */
    bool scored;
    lp_score score;                   /* of that fit on the test set, where scored */
    lp_multilabel_evaluation several; /* the same of several labels an image */
} lp_sweep_report;

/* Writes all files.  Where the peak is no part of the curve by itself, its files are left out. */
LP_MUST_USE lp_status lp_sweep_report_write(const lp_sweep_report *report, const char *folder,
                                            lp_error *err);

/* Prints the points and the choice; as CSV the points alone; sweep.json. */
void lp_sweep_report_print(const lp_sweep_report *report, FILE *out, lp_format format);

#endif
