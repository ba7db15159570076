/* Options of every command. */
#include "cli/general.h"

#include <stdarg.h>
#include <stdio.h>

general_settings general;

#define AT(member) offsetof(general_settings, member)
const cli_option general_options[] = {
    {CLI_GENERAL, "--config", "FILE", CLI_TEXT, AT(config),
     .help = "take options from a file, one `key = value` a line; those of the command line win"},
    {CLI_GENERAL, "--quiet", NULL, CLI_FLAG, AT(quiet), .letter = 'q', .excludes = "--verbose",
     .help = "no progress and no notes on standard error: only warnings and errors"},
    {CLI_GENERAL, "--verbose", NULL, CLI_FLAG, AT(verbose), .letter = 'v',
     .help = "say more on standard error"},
    {CLI_GENERAL, "--help", NULL, CLI_FLAG, AT(help), .letter = 'h', .help = "print this text"},
    {.name = NULL}};
#undef AT

void general_note(const char *format, ...) {
    va_list args;
    if (general.quiet) {
        return;
    }
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
}
