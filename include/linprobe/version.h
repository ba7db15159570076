/* linprobe/version.h: the version of these headers, and of the library that a program runs with.
 *
 *     #include <stdio.h>
 *     #include <string.h>
 *     #include "linprobe/version.h"
 *
 *     #if LP_VERSION_NUMBER < 100 // 0.1.0
 *     #error "linprobe 0.1.0 or newer is needed"
 *     #endif
 *
 *     int main(void) {
 *         if (strcmp(lp_version(), LP_VERSION) != 0)
 *             printf("compiled with %s, run with %s\n", LP_VERSION, lp_version());
 *         return 0;
 *     }
 *
 * While the major version is 0, a new minor version may change functions and structs.
 */
#ifndef LINPROBE_VERSION_H
#define LINPROBE_VERSION_H

#ifdef __cplusplus
extern "C" {
#endif

/* The one place of the version number: the Makefile reads it here. */
#define LP_VERSION_MAJOR 0
#define LP_VERSION_MINOR 1
#define LP_VERSION_PATCH 0

/* For comparisons by the preprocessor: 10000 MAJOR + 100 MINOR + PATCH. */
#define LP_VERSION_NUMBER (LP_VERSION_MAJOR * 10000 + LP_VERSION_MINOR * 100 + LP_VERSION_PATCH)

/* "MAJOR.MINOR.PATCH" */
#define LP_VERSION_TEXT(number) #number
#define LP_VERSION_JOIN(major, minor, patch)                                                       \
    LP_VERSION_TEXT(major) "." LP_VERSION_TEXT(minor) "." LP_VERSION_TEXT(patch)
#define LP_VERSION LP_VERSION_JOIN(LP_VERSION_MAJOR, LP_VERSION_MINOR, LP_VERSION_PATCH)

/* The version of the library at run time, "MAJOR.MINOR.PATCH". */
const char *lp_version(void);

#ifdef __cplusplus
}
#endif
#endif
