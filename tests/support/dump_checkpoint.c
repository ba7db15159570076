/* dump_checkpoint FILE: one line a tensor, in order: name, type, shape, SHA-256 of its values as
 * float32 (row-major, little-endian).  For comparing with what PyTorch and safetensors read; the
 * program's own `inspect` shows no values. */
#include <stdio.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "linprobe/checkpoint.h"

static lp_status dump(lp_checkpoint *ckpt, const lp_tensor *tensor, lp_error *err) {
    char hex[LP_DIGEST_HEX] = "-";
    float *values = lp_alloc(tensor->count, sizeof *values);
    if (values == NULL) {
        return LP_ERR_MEMORY;
    }
    lp_tensor_read read = {tensor, values};
    lp_status status = lp_checkpoint_read(ckpt, &read, 1, 0, err);
    if (status == LP_OK) {
        status = lp_digest_bytes(LP_SHA256, values, tensor->count * sizeof *values, hex, err);
    }
    lp_free(values);
    if (status == LP_ERR_UNSUPPORTED) { /* of another type: listed without values */
        status = LP_OK;
    }
    printf("%s %s [", tensor->name, tensor->dtype_name);
    for (int i = 0; i < tensor->rank; i++) {
        printf("%s%zu", i > 0 ? "," : "", tensor->shape[i]);
    }
    printf("] %s\n", hex);
    return status;
}

int main(int argc, char **argv) {
    lp_error err = {LP_OK, ""};
    lp_checkpoint *ckpt;
    if (argc != 2) {
        fprintf(stderr, "usage: dump_checkpoint FILE\n");
        return 2;
    }
    lp_status status = lp_checkpoint_open(argv[1], &ckpt, &err);
    if (status == LP_OK) {
        printf("# %s\n", lp_checkpoint_format(ckpt));
    }
    for (size_t i = 0; status == LP_OK && i < lp_checkpoint_count(ckpt); i++) {
        status = dump(ckpt, lp_checkpoint_tensor(ckpt, i), &err);
    }
    lp_checkpoint_close(ckpt);
    if (status != LP_OK) {
        fprintf(stderr, "%s: %s\n", lp_status_name(status), err.text);
        return 1;
    }
    return 0;
}
