/* Manual pages and completions, made from the tables of commands and options. */
#ifndef LP_CLI_MANUAL_H
#define LP_CLI_MANUAL_H

#include <stdio.h>
#include "cli/options.h"

/* A page of section 1 in roff's man macros: of a command, or with NULL of the program. */
LP_MUST_USE lp_status manual_print(FILE *out, const cli_command *command, lp_error *err);

/* The script of a shell, "bash", "zsh" or "fish".  LP_ERR_ARGUMENT: another. */
LP_MUST_USE lp_status completion_print(FILE *out, const char *shell, lp_error *err);

#endif
