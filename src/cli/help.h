/* The text of --help: as wide as the terminal, or in 80 columns where there is none. */
#ifndef LP_CLI_HELP_H
#define LP_CLI_HELP_H

#include <stdio.h>
#include "cli/options.h"

/* Prints text word by word and ends the line.  The first line begins at `column`, where the caller
 * has printed something; the others, and those after a '\n', are indented. */
void help_wrap(FILE *out, size_t column, size_t indent, const char *text);

/* The heading of a section; the text of an option, "help (choices; default)". */
enum { HELP_TEXT = 1024 };
const char *help_heading(cli_section section);
void help_option(const cli_option *option, const void *settings, char text[HELP_TEXT]);

/* "usage: linprobe NAME ...", a line for each form. */
void help_usage(FILE *out, const cli_command *command);

/* All of it: usage, summary, details, then the options of all groups under their headings, with the
 * defaults that the settings hold. */
void help_print(FILE *out, const cli_command *command, const void *settings);

#endif
