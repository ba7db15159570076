/* The value of an option, from text. */
#ifndef LP_CLI_OPTION_VALUE_H
#define LP_CLI_OPTION_VALUE_H

#include <stddef.h>
#include "cli/options.h"

/* Stores a text as the option's kind has it; a flag is set.  The text must live as long as the
 * value.  LP_ERR_ARGUMENT with what was expected and found. */
LP_MUST_USE lp_status option_store(const cli_option *option, const char *text, void *value,
                                   lp_error *err);

/* "a, b or c" */
void option_choices(char *out, size_t room, const char *const *names);

#endif
