/* `--version --verbose`: what a report of a fault needs to say about this build and this machine.
 */
#ifndef LP_CLI_ABOUT_H
#define LP_CLI_ABOUT_H

#include <stdio.h>

/* Prints the version and commit, the compiler, the libraries with their versions, the processor
 * with the features that kernels ask for, and the kernels that are used here: "NAME  VALUE" lines.
 */
void about_print(FILE *out);

#endif
