/* Downloading a data set by name, and where it then is. */
#ifndef LP_CLI_FETCH_SET_H
#define LP_CLI_FETCH_SET_H

#include "base/file.h"
#include "cli/settings.h"
#include "data/data_sets.h"

typedef struct fetch_set_request {
    const lp_data_set *set;
    const char *out;   /* a folder; NULL: in the cache */
    const char *cache; /* NULL: the program's own */
    const char *from;  /* an address that the files lie below, in place of their own; or NULL */
    bool unverified;   /* take files whatever their digest */
    lp_format format;
} fetch_set_request;

/* Whether the set has addresses to be fetched from. */
bool fetch_set_is_possible(const lp_data_set *set);

/* Downloads, verifies, unpacks; prints a row for each file. */
LP_MUST_USE lp_status fetch_set(const fetch_set_request *request, lp_error *err);

/* What --data NAME means: "NAME:PATH" of the set in `cache` (may be NULL) or linprobe's own; or the
 * word itself, where it is not the bare name of a set, or something of that name lies there.
 * LP_ERR_ARGUMENT: the set is not in the cache; says how to get it. */
LP_MUST_USE lp_status fetch_set_find(const char *word, const char *cache, char found[LP_PATH_ROOM],
                                     lp_error *err);

#endif
