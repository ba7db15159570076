/* A safetensors file of the right header length: a chunk is the header, the rest the data. */
#include "walk_checkpoint.h"

static void fuzz_one(fuzz_input input) {
    char path[512];
    fuzz_bytes file = {0};
    fuzz_input header = fuzz_chunk(&input);
    fuzz_put_number(&file, header.size, 8);
    fuzz_put(&file, header.data, header.size);
    fuzz_put(&file, input.data, input.size);
    (void)fuzz_write(path, "file", (fuzz_input){file.data, file.size}, 0);
    free(file.data);
    fuzz_walk_checkpoint(path, NULL);
}
