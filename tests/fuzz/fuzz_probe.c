/* A probe file.  First byte 0: the rest is the file; otherwise a chunk is its JSON header and the
 * rest its values, with the right magic, length and digest around them. */
#include "base/digest.h"
#include "fuzz.h"
#include "probe/classifier.h"

static void fuzz_one(fuzz_input input) {
    char path[512], hex[LP_DIGEST_HEX] = "";
    lp_error err = {0};
    fuzz_bytes file = {0};
    if (fuzz_byte(&input) == 0) {
        fuzz_put(&file, input.data, input.size);
    } else {
        fuzz_input header = fuzz_chunk(&input);
        fuzz_put(&file, "LPPROBE1", 8);
        fuzz_put_number(&file, header.size, 8);
        fuzz_put(&file, header.data, header.size);
        fuzz_put(&file, input.data, input.size);
        (void)fuzz_succeeds(lp_digest_bytes(LP_SHA256, file.data, file.size, hex, &err), &err);
        fuzz_put(&file, hex, strlen(hex));
    }
    (void)fuzz_write(path, "file", (fuzz_input){file.data, file.size}, 0);
    free(file.data);
    lp_probe *probe;
    if (!fuzz_succeeds(lp_probe_load(path, &probe, &err), &err)) {
        fuzz_require(probe == NULL, "no probe after a failure");
        return;
    }
    double sum = 0;
    for (size_t i = 0; i < probe->classes * probe->width; i++) {
        sum += probe->weights[i];
    }
    for (size_t k = 0; k < probe->classes; k++) {
        sum += probe->intercepts[k];
    }
    (void)sum;
    lp_probe_free(probe);
}
