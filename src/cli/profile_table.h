/* Where an extraction's time went, for people and for programs. */
#ifndef LP_CLI_PROFILE_TABLE_H
#define LP_CLI_PROFILE_TABLE_H

#include <stdio.h>
#include "base/json.h"
#include "linprobe/extract.h"

/* A table of at most 80 columns. */
void profile_print(FILE *out, const char *what, const lp_profile *profile);

/* The same and more at full precision, as docs/FORMATS.md describes it. */
json_t *profile_object(const lp_profile *profile);

#endif
