/* The plan of an encoder's weights, on a file of as many tensors as its header can hold: what the
 * plan takes and what is left over are found in one pass. */
#include "model/weight_plan.h"

#include "base/alloc.h"
#include "base/file.h"
#include "check.h"
#include "test_folder.h"

enum { TENSORS = 50000, ROOM = 80 };

static lp_checkpoint *ckpt;
static lp_view view;
static lp_error err;

/* t00000 to t49999, F16, scalars. */
static int make_file(void **state) {
    static char bytes[8 + (size_t)TENSORS * ROOM + 2 * (size_t)TENSORS];
    size_t used = 8;
    for (int i = 0; i < TENSORS; i++) {
        used += (size_t)snprintf(
            bytes + used, ROOM,
            "%s\"t%05d\":{\"dtype\":\"F16\",\"shape\":[],\"data_offsets\":[%d,%d]}",
            i == 0 ? "{" : ",", i, 2 * i, 2 * i + 2);
    }
    bytes[used++] = '}';
    for (size_t i = 0; i < 8; i++) {
        bytes[i] = (char)((used - 8) >> 8 * i & 255);
    }
    if (make_folder(state) != 0) {
        return 1;
    }
    const char *path = in_folder("model.safetensors");
    lp_status status = lp_file_write(path, bytes, used + 2 * (size_t)TENSORS, &err);
    if (status == LP_OK) {
        status = lp_checkpoint_open(path, &ckpt, &err);
    }
    if (status == LP_OK) {
        status = lp_view_open(ckpt, "", 0, "", NULL, &view, &err);
    }
    if (status != LP_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
    }
    return status != LP_OK;
}

static int close_file(void **state) {
    lp_view_free(&view);
    lp_checkpoint_close(ckpt);
    return remove_folder(state);
}

static float *values[TENSORS];

static void many_tensors_are_told_apart(void **state) {
    (void)state;
    lp_weight_plan plan = {0};
    for (int i = TENSORS - 2; i >= 0; i -= 2) { /* not in the file's order */
        lp_plan_add(&plan, &values[i], "", "t%05d", i);
    }
    lp_plan_add(&plan, &values[1], "", "t00000"); /* shared with another weight */
    lp_plan_check(&plan, &view, "", NULL);
    assert_int_equal(plan.problems, TENSORS / 2);
    assert_fails(lp_plan_report(&plan, ckpt, "x", "", &err), LP_ERR_FORMAT, &err,
                 "25000 tensors are wrong:\n  t00001: no such tensor in this family\n  t00003: ");
    lp_plan_free(&plan);

    static const char *const odd[] = {"*1", "*3", "*5", "*7", "*9", NULL};
    plan = (lp_weight_plan){0};
    for (int i = 0; i < TENSORS; i += 2) {
        lp_plan_add(&plan, &values[i], "", "t%05d", i);
    }
    lp_plan_check(&plan, &view, "", odd);
    assert_ok(lp_plan_report(&plan, ckpt, "x", "", &err), &err);
    lp_plan_free(&plan);
}

static void failed_allocations_are_reported(void **state) {
    (void)state;
    for (size_t k = 1;; k++) {
        lp_weight_plan plan = {0};
        (void)lp_alloc_fail_at(k);
        lp_plan_add(&plan, &values[0], "", "t00000");
        lp_plan_check(&plan, &view, "", NULL);
        bool failed = plan.no_memory;
        lp_status status = lp_plan_report(&plan, ckpt, "x", "", &err);
        (void)lp_alloc_fail_at(0);
        lp_plan_free(&plan);
        assert_int_equal(status, failed ? LP_ERR_MEMORY : LP_ERR_FORMAT);
        if (!failed) {
            assert_int_equal(k, 3); /* the weights, and the list of them in the file's order */
            break;
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_tensors_are_told_apart),
        cmocka_unit_test(failed_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, make_file, close_file);
}
