/* The text of --help, in 80 columns. */
#ifndef LP_CLI_HELP_H
#define LP_CLI_HELP_H

#include <stdio.h>
#include "cli/options.h"

/* Prints text word by word and ends the line.  The first line begins at `column`, where the caller
 * has printed something; the others, and those after a '\n', are indented. */
void help_wrap(FILE *out, size_t column, size_t indent, const char *text);

/* "a, b or c" */
void help_choices(char *out, size_t room, const char *const *names);

/* "usage: linprobe NAME ...", a line for each form. */
void help_usage(FILE *out, const cli_command *command);

/* All of it: usage, summary, details, then the options of all groups under their headings. */
void help_print(FILE *out, const cli_command *command, const cli_group *groups);

#endif
