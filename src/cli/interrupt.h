/* Ctrl-C and SIGTERM: noted, so that long work ends at the next safe point. */
#ifndef LP_CLI_INTERRUPT_H
#define LP_CLI_INTERRUPT_H

/* From here on SIGINT and SIGTERM are noted.  A second one ends the process at once. */
void interrupt_watch(void);

/* The signal that came, or 0. */
int interrupt_signal(void);

#endif
