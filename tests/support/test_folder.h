/* The scratch folder of a test program.  `make_folder` and `remove_folder` are the set-up and the
 * tear-down of its group, or are called by them. */
#ifndef LP_TESTS_TEST_FOLDER_H
#define LP_TESTS_TEST_FOLDER_H

#include <errno.h>
#include <ftw.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "check.h"

typedef struct test_path {
    struct test_path *next;
    char text[];
} test_path;

static char test_folder[256];  /* the folder's path, once it is made */
static test_path *test_paths;  /* what in_folder has given */
static bool test_left_garbage; /* remove_tree met a temporary file of this process */

/* The path of `name` in the folder.  It stays valid until the folder is removed. */
static inline const char *in_folder(const char *name) {
    size_t length = strlen(test_folder);
    for (const test_path *known = test_paths; known != NULL; known = known->next) {
        if (strcmp(known->text + length + 1, name) == 0) {
            return known->text;
        }
    }
    size_t bytes = length + strlen(name) + 2;
    test_path *path = malloc(sizeof *path + bytes);
    assert_non_null(path);
    (void)snprintf(path->text, bytes, "%s/%s", test_folder, name);
    path->next = test_paths;
    test_paths = path;
    return path->text;
}

/* The file `name` of the folder becomes these bytes; folders that it lies in are made.  Without a
 * sync, which would make the tests slow. */
static inline void put_file(const char *name, const void *bytes, size_t size) {
    const char *path = in_folder(name);
    lp_error put_err;
    assert_ok(lp_make_parents(path, &put_err), &put_err);
    (void)unlink(path);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static inline int remove_entry(const char *path, const struct stat *status, int kind,
                               struct FTW *place) {
    char ending[32]; /* of the temporary files of lp_writer */
    int length = snprintf(ending, sizeof ending, ".tmp.%ld", (long)getpid());
    const char *name = path + place->base;
    (void)status;
    (void)kind;
    if (strlen(name) > (size_t)length &&
        strcmp(name + strlen(name) - (size_t)length, ending) == 0) {
        print_message("# %s was left behind\n", path);
        test_left_garbage = true;
    }
    return remove(path);
}

/* Removes a file, or a folder with all that is in it; does not follow links.  Returns 0 when it is
 * gone, or never was. */
static inline int remove_tree(const char *path) {
    return nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT;
}

/* In TMPDIR, or in /tmp. */
static inline int make_folder(void **state) {
    const char *place = getenv("TMPDIR");
    (void)state;
    if (place == NULL || place[0] != '/' || strlen(place) > sizeof test_folder / 2) {
        place = "/tmp";
    }
    (void)snprintf(test_folder, sizeof test_folder, "%s/linprobe-test-XXXXXX", place);
    return mkdtemp(test_folder) == NULL;
}

/* Fails, too, when a writer of this process has left a temporary file. */
static inline int remove_folder(void **state) {
    int failed = remove_tree(test_folder);
    (void)state;
    while (test_paths != NULL) {
        test_path *next = test_paths->next;
        free(test_paths);
        test_paths = next;
    }
    return failed != 0 || test_left_garbage;
}

#endif
