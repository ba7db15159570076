/* A checkpoint's tensor against what it should be. */
#ifndef LP_TESTS_TENSOR_CHECKS_H
#define LP_TESTS_TENSOR_CHECKS_H

#include "check.h"
#include "linprobe/checkpoint.h"

/* The file's format and one of its tensors, of at most 64 values: shape and values. */
static void assert_tensor(const char *path, const char *format, const char *name, size_t rank,
                          const size_t *shape, const float *values) {
    enum { MOST_VALUES = 64 };
    lp_checkpoint *ckpt;
    lp_error err;
    float found[MOST_VALUES];
    assert_ok(lp_checkpoint_open(path, &ckpt, &err), &err);
    assert_string_equal(lp_checkpoint_format(ckpt), format);
    const lp_tensor *t = lp_checkpoint_find(ckpt, name);
    assert_non_null(t);
    assert_int_equal(t->rank, rank);
    for (size_t i = 0; i < rank; i++) {
        assert_int_equal(t->shape[i], shape[i]);
    }
    assert_true(t->count <= MOST_VALUES);
    lp_tensor_read read = {t, found};
    assert_ok(lp_checkpoint_read(ckpt, &read, 1, 0, &err), &err);
    for (size_t i = 0; i < t->count; i++) {
        assert_true(found[i] == values[i]); /* NOLINT: whole numbers */
    }
    lp_checkpoint_close(ckpt);
}

#endif
