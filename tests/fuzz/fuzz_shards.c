/* Sharded weights: chunk model.safetensors.index.json, then the files that it may name,
 * a.safetensors and b.safetensors (an empty chunk: no such file).  The first byte:
 *   bit 0     the folder is opened, not the index file
 *   bit 1, 2  the first, second chunk is the whole file; otherwise the header of one, whose data
 * are zeros, 64 times the next byte of them */
#include "walk_checkpoint.h"

static void write_shard(const char *name, fuzz_input *input, bool whole) {
    char path[512];
    uint64_t zeros = whole ? 0 : 64 * (uint64_t)fuzz_byte(input);
    fuzz_input chunk = fuzz_chunk(input);
    fuzz_bytes file = {0};
    if (!whole && chunk.size > 0) {
        fuzz_put_number(&file, chunk.size, 8);
    }
    fuzz_put(&file, chunk.data, chunk.size);
    fuzz_write_some(path, name, (fuzz_input){file.data, file.size}, file.size + zeros);
    free(file.data);
}

static void fuzz_one(fuzz_input input) {
    char path[512];
    unsigned choice = fuzz_byte(&input);
    (void)fuzz_write(path, "model.safetensors.index.json", fuzz_chunk(&input), 0);
    write_shard("a.safetensors", &input, (choice & 2) != 0);
    write_shard("b.safetensors", &input, (choice & 4) != 0);
    fuzz_walk_checkpoint((choice & 1) != 0 ? fuzz_folder() : path, NULL);

    /* The digest is asked for after the reading, as the program does. */
    lp_error err = {0};
    lp_checkpoint *ckpt;
    const char *hex;
    if (fuzz_succeeds(lp_checkpoint_open(path, &ckpt, &err), &err)) {
        if (fuzz_succeeds(lp_checkpoint_sha256(ckpt, &hex, &err), &err)) {
            fuzz_require(strlen(hex) == 64, "a SHA-256 of 64 digits");
        }
        fuzz_require(lp_checkpoint_files(ckpt) >= 1 && lp_checkpoint_files(ckpt) <= 3,
                     "the files that the index names");
        lp_checkpoint_close(ckpt);
    }
}
