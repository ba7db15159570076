/* A fuzz target without a fuzzer, as a TAP program: every file of its corpus, and near relatives of
 * each (cut short, a byte changed), through LLVMFuzzerTestOneInput.  A file of a big corpus has a
 * share of its relatives run, other ones than its neighbours.  What the target finds wrong aborts.
 *
 * usage: fuzz_NAME [FILE...]    default: tests/fuzz/corpus/NAME/ */
#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CUTS = 48, CHANGES = 96, SMALL_CORPUS = 32 };

/* Memory of exactly the input's size, so that a sanitizer sees a step beyond it. */
static void run(const uint8_t *data, size_t size) {
    uint8_t *copy = malloc(size > 0 ? size : 1);
    if (copy == NULL) {
        exit(2);
    }
    if (size > 0) {
        memcpy(copy, data, size);
    }
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

/* Every `step`-th relative, from one that depends on the data. */
static void run_relatives(uint8_t *data, size_t size, size_t step) {
    static const uint8_t values[] = {0x00, 0xff, 0x80, 0x7f, 0x01, 0x28};
    size_t turn = crc32_z(0, data, size) % step;
    for (size_t i = 0; i < CUTS; i++) {
        if (turn++ % step == 0) {
            run(data, size * i / CUTS);
        }
        if (i < size && turn++ % step == 0) {
            run(data, size - 1 - i); /* every length near the end */
        }
    }
    for (size_t i = 0; i < CHANGES && size > 0; i++) {
        size_t at = size < CHANGES ? i % size : size * i / CHANGES;
        uint8_t kept = data[at];
        data[at] = values[i % sizeof values];
        if (turn++ % step == 0) {
            run(data, size);
        }
        data[at] = kept;
    }
}

static bool replay(const char *path, size_t step) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return false;
    }
    static uint8_t data[1 << 20];
    size_t size = fread(data, 1, sizeof data, file);
    bool whole = feof(file) != 0;
    (void)fclose(file);
    if (whole) {
        run(data, size);
        run_relatives(data, size, step);
    }
    return whole;
}

int main(int argc, char **argv) {
    int tests = 0, failed = 0;
    setvbuf(stdout, NULL, _IOLBF, 0); /* an abort must not lose which file it was */
    for (int i = 1; i < argc; i++) {
        printf("# %s\n", argv[i]);
        bool good = replay(argv[i], 1);
        failed += !good;
        printf("%s %d - %s\n", good ? "ok" : "not ok", ++tests, argv[i]);
    }
    if (argc == 1) {
        char folder[512], path[1024];
        const char *name = strrchr(argv[0], '/');
        name = name != NULL ? name + 1 : argv[0];
        (void)snprintf(folder, sizeof folder, "%s/%s", LP_FUZZ_CORPUS,
                       strncmp(name, "fuzz_", 5) == 0 ? name + 5 : name);
        DIR *entries = opendir(folder);
        if (entries == NULL) {
            perror(folder);
            return 1;
        }
        size_t files = 0;
        while (readdir(entries) != NULL) {
            files++;
        }
        rewinddir(entries);
        size_t step = 1 + files / SMALL_CORPUS;
        for (const struct dirent *entry; (entry = readdir(entries)) != NULL;) {
            if (entry->d_name[0] != '.') {
                (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
                printf("# %s\n", entry->d_name);
                bool good = replay(path, step);
                failed += !good;
                printf("%s %d - %s\n", good ? "ok" : "not ok", ++tests, entry->d_name);
            }
        }
        (void)closedir(entries);
    }
    printf("1..%d\n", tests);
    return tests == 0 || failed != 0;
}
