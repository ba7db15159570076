/* The tests' HTTP server (http_server.c says what it can do), for unit tests with a scratch folder.
 */
#ifndef LP_TESTS_TEST_SERVER_H
#define LP_TESTS_TEST_SERVER_H

#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "check.h"
#include "test_folder.h"

extern char **environ;

static pid_t server;
static int server_input; /* the server ends when this is closed */
static int port;
static size_t log_read; /* how much of the server's log the tests have seen */

static inline const char *url_of(const char *rest) {
    static char urls[4][600];
    static size_t next;
    char *url = urls[next++ % 4];
    (void)snprintf(url, sizeof urls[0], "http://127.0.0.1:%d/%s", port, rest);
    return url;
}

/* The server has answered with just these lines since the last call. */
static inline void assert_log(const char *expected) {
    char *log;
    size_t size;
    lp_error problem;
    assert_ok(lp_file_read(in_folder("log"), 1 << 20, &log, &size, &problem), &problem);
    assert_string_equal(log + log_read, expected);
    log_read = size;
    lp_free(log);
}

static inline void forget_log(void) {
    struct stat info;
    assert_int_equal(stat(in_folder("log"), &info), 0);
    log_read = (size_t)info.st_size;
}

/* Starts a program with pipes to its standard input and from its standard output. */
static inline pid_t start(const char *const *arguments, int *input, FILE **output) {
    int in[2], out[2];
    pid_t pid;
    char *argv[16] = {NULL};
    posix_spawn_file_actions_t actions;
    for (size_t i = 0; arguments[i] != NULL; i++) {
        assert_true(i + 1 < sizeof argv / sizeof *argv);
        argv[i] = lp_strdup(arguments[i]);
        assert_non_null(argv[i]);
    }
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    assert_int_equal(fcntl(in[1], F_SETFD, FD_CLOEXEC), 0);
    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    (void)posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    (void)posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    (void)posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, in_folder("log"),
                                           O_WRONLY | O_CREAT | O_APPEND, 0666);
    (void)posix_spawn_file_actions_addclose(&actions, out[0]);
    int failed = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    for (size_t i = 0; argv[i] != NULL; i++) {
        lp_free(argv[i]);
    }
    (void)close(in[0]);
    (void)close(out[1]);
    *input = in[1];
    *output = fdopen(out[0], "r");
    return failed == 0 ? pid : -1;
}

/* Serves a folder; false where that fails. */
static inline bool start_server(const char *folder) {
    char program[4096], digits[16];
    FILE *output;
    if (getenv("LP_TESTS") == NULL) {
        return false;
    }
    (void)snprintf(program, sizeof program, "%s/http_server", getenv("LP_TESTS"));
    server = start((const char *const[]){program, folder, NULL}, &server_input, &output);
    bool started = server > 0 && fgets(digits, sizeof digits, output) != NULL;
    port = started ? atoi(digits) : 0;
    (void)fclose(output);
    return started;
}

static inline bool stop_server(void) {
    int ended;
    (void)close(server_input);
    return waitpid(server, &ended, 0) == server && WIFEXITED(ended) && WEXITSTATUS(ended) == 0;
}

#endif
