/* Where an extraction's time went, for people and for programs. */
#ifndef LP_CLI_PROFILE_TABLE_H
#define LP_CLI_PROFILE_TABLE_H

#include <stdio.h>
#include "base/json.h"
#include "linprobe/run.h"

/* A table of at most 80 columns, and under it what loading the weights took (0: there were none).
 */
void profile_print(FILE *out, const char *what, const lp_profile *profile, double load_seconds);

/* The tables of both splits of a run. */
void profile_print_run(FILE *out, const lp_run *run);

/* The same and more at full precision, as docs/FORMATS.md describes it. */
json_t *profile_object(const lp_profile *profile);

#endif
