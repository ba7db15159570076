/* A .npy file: the header, then every element. */
#include "base/npy.h"
#include "fuzz.h"

static void fuzz_one(fuzz_input input) {
    lp_error err = {0};
    lp_npy npy;
    /* exactly as many bytes as there are, so that a read beyond them shows */
    uint8_t *bytes = malloc(input.size + 1);
    if (bytes == NULL) {
        return;
    }
    memcpy(bytes + 1, input.data, input.size);
    if (fuzz_succeeds(lp_npy_parse("npy", bytes + 1, input.size, &npy, &err), &err)) {
        size_t product = 1;
        for (int i = 0; i < npy.rank; i++) {
            product *= npy.shape[i];
        }
        fuzz_require(product == npy.count, "the count to be that of the shape");
        fuzz_require(npy.offset + npy.count * npy.item == input.size, "the file to end there");
        double sum = 0;
        for (size_t i = 0; i < npy.count; i++) {
            int64_t integer;
            char text[64];
            if (lp_npy_is_text(&npy)) {
                size_t length = lp_npy_text(&npy, bytes + 1 + npy.offset, i, text, sizeof text);
                fuzz_require(length == SIZE_MAX || length == strlen(text), "the text's length");
                continue;
            }
            sum += lp_npy_real(&npy, bytes + 1 + npy.offset, i);
            (void)lp_npy_integer(&npy, bytes + 1 + npy.offset, i, &integer);
        }
        (void)sum;
    }
    free(bytes);
}
