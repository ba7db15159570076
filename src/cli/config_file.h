/* Options from a file: one `key = value` a line.
 *
 *     # linprobe fit's options
 *     out = train.probe
 *     C = 0.5
 *     verbose = true
 *
 * Keys are the long options without their dashes (C and k, which have no long form, as they are).
 * Blanks around keys and values do not count; a value goes to the end of its line, and what is in
 * it is taken as it is.  A flag is true or false.  Empty lines, and lines that begin with #, are
 * nothing. */
#ifndef LP_CLI_CONFIG_FILE_H
#define LP_CLI_CONFIG_FILE_H

#include "linprobe/status.h"

/* Gets one line's key and value, which live as long as the program. */
typedef lp_status (*config_taker)(void *context, const char *key, const char *value, lp_error *err);

/* Hands over the lines one after the other.  Messages, also the taker's, begin with the file and
 * the line.  LP_ERR_IO, LP_ERR_FORMAT, or what the taker returned. */
LP_MUST_USE lp_status config_read(const char *path, config_taker take, void *context,
                                  lp_error *err);

#endif
