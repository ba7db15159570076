/* The inputs of a set that is there already, or half of it, against those of a new call. */
#include <stdlib.h>

#include "base/error.h"
#include "base/json_row.h"
#include "feat/meta_json.h"

static json_t *resumable_inputs(const lp_provenance *p) {
    lp_row row = lp_row_of(lp_provenance_inputs(p));
    lp_row_flag(&row, "fused_multiply_add", p->fused_multiply_add);
    return lp_row_end(&row);
}

lp_status lp_provenance_write_inputs(const char *path, const lp_provenance *p, lp_error *err) {
    return lp_json_write(path, resumable_inputs(p), err);
}

/* Whether the two have this member alike, or neither has it; takes over neither. */
static lp_status compare_input(const char *what, const char *key, const json_t *found,
                               const json_t *expected, lp_error *err) {
    const json_t *there = json_object_get(found, key), *here = json_object_get(expected, key);
    if (json_equal(there, here)) {
        return LP_OK;
    }
    char *a = lp_json_dump(there, LP_JSON_COMPACT), *b = lp_json_dump(here, LP_JSON_COMPACT);
    lp_status status = lp_fail(err, LP_ERR_ARGUMENT,
                               "%s was made from other inputs: %s is %.200s there and %.200s here; "
                               "remove it or choose another folder",
                               what, key, a != NULL ? a : "absent", b != NULL ? b : "absent");
    free(a);
    free(b);
    return status;
}

/* The same members with the same values: what is optional may be in either alone. */
static lp_status compare_inputs(const char *what, json_t *found, json_t *expected, lp_error *err) {
    const char *key;
    json_t *value;
    lp_status status = LP_OK;
    json_object_foreach(expected, key, value) {
        LP_TRY(compare_input(what, key, found, expected, err));
    }
    json_object_foreach(found, key, value) {
        LP_TRY(compare_input(what, key, found, expected, err));
    }
done:
    return status;
}

lp_status lp_provenance_check(const char *path, const char *what, const lp_provenance *p,
                              bool finished, lp_error *err) {
    json_t *found = NULL, *expected = finished ? lp_provenance_inputs(p) : resumable_inputs(p);
    lp_status status;
    LP_TRY(expected != NULL ? lp_json_read(path, &found, err)
                            : lp_fail_memory(err, "provenance", 1, 1));
    LP_TRY(
        compare_inputs(what, finished ? json_object_get(found, "inputs") : found, expected, err));
done:
    json_decref(found);
    json_decref(expected);
    return status;
}
