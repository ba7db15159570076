/* Signals: Ctrl-C and SIGTERM are noted, so that long work ends at the next safe point; a mapped
 * file whose bytes cannot be read any more ends the process with a message. */
#ifndef LP_CLI_INTERRUPT_H
#define LP_CLI_INTERRUPT_H

/* From here on SIGINT and SIGTERM are noted, and said at once on standard error; a second one ends
 * the process at once.  A file that is
 * cut short while it is read, or whose disk or network fails, ends it with a message that names the
 * file and CLI_FAILURE: what was being written has no final name yet, as after a kill. */
void interrupt_watch(const char *command);

/* The signal that came, or 0. */
int interrupt_signal(void);

#endif
