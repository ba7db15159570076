/* Files of random bytes that the tests' own server serves, and what tests of downloads ask of them.
 *
 *     data   DATA_BYTES     the first bytes of `data`
 *     large  LARGE_BYTES    all of them
 *     empty  none */
#ifndef LP_TESTS_SERVED_DATA_H
#define LP_TESTS_SERVED_DATA_H

#include <sys/stat.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/random.h"
#include "fetch/fetch.h"
#include "check.h"
#include "test_folder.h"
#include "test_server.h"

enum { DATA_BYTES = 300007, LARGE_BYTES = (3 << 20) + 1 };

static lp_error err;
static char data_hex[LP_DIGEST_HEX], large_hex[LP_DIGEST_HEX], empty_hex[LP_DIGEST_HEX];
static unsigned char data[LARGE_BYTES];

/* A request for "data" under the server's path `rest`, with short pauses. */
static inline lp_fetch_request ask(const char *rest, const char *name) {
    lp_fetch_request request = {.url = url_of(rest),
                                .path = in_folder(name),
                                .bytes = DATA_BYTES,
                                .sha256 = data_hex,
                                .attempts = 3,
                                .wait_ms = 1};
    return request;
}

/* In a folder that is made where it is missing. */
static inline void write_file(const char *path, const void *bytes, size_t size) {
    char folder[512];
    (void)snprintf(folder, sizeof folder, "%s", path);
    *strrchr(folder, '/') = '\0';
    assert_ok(lp_make_folders(folder, &err), &err);
    assert_ok(lp_file_write(path, bytes, size, &err), &err);
}

/* Whether a file holds the first bytes of the data. */
static inline bool holds(const char *path, size_t size) {
    lp_map map;
    assert_ok(lp_map_open(path, &map, &err), &err);
    bool same = map.size == size && (size == 0 || memcmp(map.data, data, size) == 0);
    lp_map_close(&map);
    return same;
}

static inline bool exists(const char *path) {
    struct stat info;
    return lstat(path, &info) == 0;
}

static inline int set_up(void **state) {
    lp_random random;
    if (make_folder(state) != 0) {
        return 1;
    }
    lp_random_seed(&random, 5);
    for (size_t i = 0; i < LARGE_BYTES; i++) {
        data[i] = (unsigned char)lp_random_next(&random);
    }
    write_file(in_folder("served/data"), data, DATA_BYTES);
    write_file(in_folder("served/large"), data, LARGE_BYTES);
    write_file(in_folder("served/empty"), data, 0);
    assert_ok(lp_digest_bytes(LP_SHA256, data, DATA_BYTES, data_hex, &err), &err);
    assert_ok(lp_digest_bytes(LP_SHA256, data, LARGE_BYTES, large_hex, &err), &err);
    assert_ok(lp_digest_bytes(LP_SHA256, data, 0, empty_hex, &err), &err);
    return !start_server(in_folder("served"));
}

/* A failed test leaves lines in the log that the next one must not see. */
static inline int begin(void **state) {
    (void)state;
    forget_log();
    return 0;
}

static inline int tear_down(void **state) {
    bool stopped = stop_server();
    return remove_folder(state) != 0 || !stopped;
}

#endif
