/* A whole file of weights, of any format: zip, safetensors, legacy torch.save. */
#include "walk_checkpoint.h"

static void fuzz_one(fuzz_input input) {
    char path[512];
    fuzz_walk_checkpoint(fuzz_write(path, "file", input, 0), NULL);
}
