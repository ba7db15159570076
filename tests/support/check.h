/* What every unit test includes: cmocka with its prerequisites, and helpers.  One cmocka group a
 * program; its output is TAP. */
#ifndef LP_TESTS_CHECK_H
#define LP_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "linprobe/status.h"

/* A call must succeed; otherwise the test fails with its error text. */
#define assert_ok(call, err)                                                                       \
    do {                                                                                           \
        if ((call) != LP_OK) {                                                                     \
            fail_msg("%s: %s", #call, (err)->text);                                                \
        }                                                                                          \
    } while (0)

/* A call must fail with this status and an error text that contains `part`. */
#define assert_fails(call, expected, err, part)                                                    \
    do {                                                                                           \
        lp_status found_ = (call);                                                                 \
        if (found_ != (expected) || strstr((err)->text, (part)) == NULL) {                         \
            fail_msg("%s: expected '%s' with \"%s\", found '%s' with \"%s\"", #call,               \
                     lp_status_name(expected), (part), lp_status_name(found_), (err)->text);       \
        }                                                                                          \
    } while (0)

/* A test of what only some machines have is skipped, and counted, on the others. */
#define NEEDS(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            print_message("# not here: %s\n", #condition);                                         \
            skip();                                                                                \
        }                                                                                          \
    } while (0)

#endif
