/* Mapped files whose bytes cannot be read any more. */
#ifndef LP_CLI_LOST_FILE_H
#define LP_CLI_LOST_FILE_H

/* From here on a file that is cut short while it is read, or whose disk or network fails, ends the
 * process with a message that names it and CLI_FAILURE.  What was being written has no final name
 * yet, as after a kill. */
void lost_file_watch(const char *command);

#endif
