/* JSON as every sidecar is read. */
#include "base/json.h"
#include "fuzz.h"

static void fuzz_one(fuzz_input input) {
    lp_error err = {0};
    json_t *value;
    if (!fuzz_succeeds(lp_json_parse("json", (const char *)input.data, input.size, &value, &err),
                       &err)) {
        fuzz_require(value == NULL, "no value after a failure");
        return;
    }
    const char *key;
    json_t *member;
    if (json_is_object(value)) {
        json_object_foreach(value, key, member) {
            (void)lp_json_text(value, key, "");
            (void)lp_json_number(value, key, 0);
            json_decref(lp_json_any_text(key));
        }
    }
    json_decref(value);
}
