/* What every command has: --help, --quiet, --verbose and --config; and notes, which --quiet turns
 * off. */
#ifndef LP_CLI_GENERAL_H
#define LP_CLI_GENERAL_H

#include <stdbool.h>
#include "cli/options.h"

typedef struct general_settings {
    bool help;
    bool quiet;   /* only warnings and errors on standard error: no progress, no notes */
    bool verbose; /* more on standard error than usual, as what a solver does */
    const char *config;
} general_settings;

extern const cli_option general_options[]; /* over general_settings */

/* As the command line and its config file say; zeros before cli_run. */
extern general_settings general;

/* A line on standard error, "%s\n", unless --quiet. */
void general_note(const char *format, ...) LP_PRINTF(1, 2);

#endif
