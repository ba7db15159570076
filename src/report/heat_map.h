/* Confusion matrices as heat maps. */
#ifndef LP_REPORT_HEAT_MAP_H
#define LP_REPORT_HEAT_MAP_H

#include <stddef.h>
#include "report/chart.h"

typedef struct lp_heat_map {
    const char *title;
    size_t classes;           /* K >= 1 */
    const size_t *counts;     /* [K, K], row-major: row = true class, column = predicted */
    const char *const *names; /* [K]; NULL = no names */
    /* Superclasses: classes are put together by them, with lines between.  NULL = none. */
    const size_t *group_of;         /* [K], each below groups */
    const char *const *group_names; /* [groups] */
    size_t groups;
} lp_heat_map;

/* Each row is shown as shares of its true class; one without examples is grey.  The colour goes
 * with the square root of the share, so that a few per cent of confusion can be seen.  Names are
 * drawn where they are legible (to about 120 classes), numbers to about 25.  Above 1,000 classes
 * one cell stands for several and shows the largest share among them. */
LP_MUST_USE lp_status lp_heat_map_chart(const lp_heat_map *map, lp_chart **chart, lp_error *err);

#endif
