/* PyTorch's zip file around a pickle: chunks data.pkl and data/0, the rest is data/1. */
#include "walk_checkpoint.h"

static void fuzz_one(fuzz_input input) {
    char path[512];
    fuzz_zip zip = {0};
    fuzz_input pickle = fuzz_chunk(&input), first = fuzz_chunk(&input);
    fuzz_zip_add(&zip, "a/data.pkl", pickle);
    fuzz_zip_add(&zip, "a/byteorder", (fuzz_input){(const uint8_t *)"little", 6});
    fuzz_zip_add(&zip, "a/data/0", first);
    fuzz_zip_add(&zip, "a/data/1", input);
    fuzz_walk_checkpoint(fuzz_zip_write(&zip, path, "file"), NULL);
}
