/* A provenance from the text of a meta.json, for feature sets that a test makes by hand.  Released
 * when the program ends. */
#ifndef LP_TESTS_META_H
#define LP_TESTS_META_H

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "feat/meta_json.h"

enum { META_FILES = 64 };

static lp_provenance_file *meta_files[META_FILES];
static size_t meta_file_count;

static void meta_close_all(void) {
    for (size_t i = 0; i < meta_file_count; i++) {
        lp_provenance_close(meta_files[i]);
    }
}

static const lp_provenance *provenance_of(const char *text) {
    lp_error meta_error;
    json_t *meta;
    assert_true(meta_file_count < META_FILES);
    if (meta_file_count == 0) {
        (void)atexit(meta_close_all);
    }
    assert_ok(lp_json_parse("meta.json", text, strlen(text), &meta, &meta_error), &meta_error);
    assert_ok(lp_provenance_read("meta.json", meta, &meta_files[meta_file_count], &meta_error),
              &meta_error);
    json_decref(meta);
    return lp_provenance_of(meta_files[meta_file_count++]);
}

#endif
