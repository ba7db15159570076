/* Downloads from the tests' own server (tests/support/http_server.c says what it can do). */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/file.h"
#include "fetch/fetch.h"
#include "check.h"
#include "served_data.h"

static const char *part_of(const lp_fetch_request *request) {
    static char part[256];
    (void)snprintf(part, sizeof part, "%s.part", request->path);
    return part;
}

/* ---- whole files ----------------------------------------------------------------------------- */

typedef struct watch {
    uint64_t done, total;
    uint64_t stop_at; /* cancels there; 0: never */
    int calls_left;   /* cancels after so many calls; 0: never */
    bool kill;        /* ... by killing the process */
    int told, wait;   /* ... by writing to one pipe and reading from the other; 0: none */
} watch;

static bool look(void *context, uint64_t done, uint64_t total, const char *line) {
    watch *w = context;
    assert_true(done >= w->done && line == NULL);
    w->done = done;
    w->total = total;
    if (w->calls_left > 0 && --w->calls_left == 0) {
        return false;
    }
    if (w->stop_at == 0 || done < w->stop_at) {
        return true;
    }
    if (w->kill) {
        (void)raise(SIGKILL);
    }
    if (w->told > 0) {
        char byte = 0;
        (void)!write(w->told, &byte, 1);
        (void)!read(w->wait, &byte, 1);
    }
    return false;
}

static void file_is_fetched_once(void **state) {
    (void)state;
    watch w = {0};
    lp_fetch_request request = ask("data", "once");
    request.progress = (lp_progress){look, &w};
    assert_ok(lp_fetch(&request, &err), &err);
    assert_true(holds(request.path, DATA_BYTES));
    assert_false(exists(part_of(&request)));
    assert_int_equal(w.done, DATA_BYTES);
    assert_int_equal(w.total, DATA_BYTES);
    assert_log("/data 200 0 300007\n");
    assert_ok(lp_fetch(&request, &err), &err);
    assert_log("");

    request = ask("nolength/data", "unknown-size");
    request.bytes = 0;
    assert_ok(lp_fetch(&request, &err), &err);
    assert_true(holds(request.path, DATA_BYTES));
    request = ask("empty", "empty");
    request.bytes = 0;
    request.sha256 = empty_hex;
    assert_ok(lp_fetch(&request, &err), &err);
    assert_true(holds(request.path, 0));
}

static void a_file_by_its_md5(void **state) {
    (void)state;
    char hex[LP_DIGEST_HEX];
    assert_ok(lp_digest_bytes(LP_MD5, data, DATA_BYTES, hex, &err), &err);
    lp_fetch_request request = ask("data", "md5");
    request.sha256 = NULL;
    request.md5 = "00000000000000000000000000000000";
    assert_fails(lp_fetch(&request, &err), LP_ERR_FORMAT, &err, "expected MD5 00000000");
    request.md5 = hex;
    assert_ok(lp_fetch(&request, &err), &err);
    assert_true(holds(request.path, DATA_BYTES));
    request.md5 = "0000";
    assert_fails(lp_fetch(&request, &err), LP_ERR_ARGUMENT, &err, "expected as MD5 32 hexadecimal");
    forget_log();
}

static void other_file_of_that_name_is_left_alone(void **state) {
    (void)state;
    lp_fetch_request request = ask("data", "other");
    write_file(request.path, data, 10);
    assert_fails(lp_fetch(&request, &err), LP_ERR_FORMAT, &err, "other: is there already, with");
    assert_non_null(strstr(err.text, data_hex));
    assert_true(holds(request.path, 10));
    request.path = test_folder;
    assert_fails(lp_fetch(&request, &err), LP_ERR_IO, &err, "found a folder");
    request.path = "/dev/null";
    assert_fails(lp_fetch(&request, &err), LP_ERR_IO, &err, "found something else");
    assert_log("");
}

/* ---- interrupted files ----------------------------------------------------------------------- */

static void killed_download_goes_on_where_it_was(void **state) {
    (void)state;
    char expected[64];
    struct stat info;
    int ended;
    lp_fetch_request request = ask("slow/data", "killed");
    pid_t child = fork();
    if (child == 0) {
        (void)close(server_input);
        watch w = {.stop_at = 20000, .kill = true};
        request.progress = (lp_progress){look, &w};
        _exit(lp_fetch(&request, &err) == LP_OK ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_true(WIFSIGNALED(ended) && WTERMSIG(ended) == SIGKILL);
    assert_false(exists(request.path));
    assert_int_equal(stat(part_of(&request), &info), 0);
    assert_true(info.st_size >= 20000 && info.st_size < DATA_BYTES);
    forget_log();
    request = ask("data", "killed");
    assert_ok(lp_fetch(&request, &err), &err);
    assert_true(holds(request.path, DATA_BYTES));
    (void)snprintf(expected, sizeof expected, "/data 206 %ld %ld\n", (long)info.st_size,
                   (long)(DATA_BYTES - info.st_size));
    assert_log(expected);
}

static void cancelled_download_is_kept(void **state) {
    (void)state;
    watch w = {.stop_at = 20000};
    lp_fetch_request request = ask("slow/data", "cancelled");
    request.progress = (lp_progress){look, &w};
    assert_fails(lp_fetch(&request, &err), LP_CANCELLED, &err, "cancelled; ");
    assert_non_null(strstr(err.text, "bytes are kept in /tmp/linprobe-test-"));
    assert_non_null(strstr(err.text, "cancelled.part, and the next run goes on from there"));
    assert_true(exists(part_of(&request)) && !exists(request.path));
    request.progress.step = NULL;
    request.url = url_of("data");
    assert_ok(lp_fetch(&request, &err), &err);
    assert_true(holds(request.path, DATA_BYTES));

    w = (watch){.calls_left = 15}; /* in the pause after a failure */
    request = ask("status/503/data", "cancelled-pause");
    request.progress = (lp_progress){look, &w};
    request.wait_ms = 1000000;
    assert_fails(lp_fetch(&request, &err), LP_CANCELLED, &err, "cancelled");
    assert_false(exists(part_of(&request)));
}

static void lost_connection_is_taken_up_again(void **state) {
    (void)state;
    lp_fetch_request request = ask("cut/1000/data", "lost");
    assert_ok(lp_fetch(&request, &err), &err);
    assert_true(holds(request.path, DATA_BYTES));
    assert_log("/cut/1000/data 200 0 300007\n/cut/1000/data 206 1000 299007 if-range\n");
}

static void lost_connections_are_counted(void **state) {
    (void)state;
    lp_fetch_request request = ask("always-cut/1000/data", "counted");
    assert_fails(lp_fetch(&request, &err), LP_ERR_IO, &err, "after 3 attempts: http://127.0.0.1:");
    assert_non_null(strstr(err.text, "3000 bytes are kept in"));
    assert_true(holds(part_of(&request), 3000));
    assert_false(exists(request.path));
    assert_log("/always-cut/1000/data 200 0 300007\n"
               "/always-cut/1000/data 206 1000 299007 if-range\n"
               "/always-cut/1000/data 206 2000 298007 if-range\n");
    /* Each MiB gives new attempts. */
    request = ask("always-cut/1048576/large", "large");
    request.bytes = LARGE_BYTES;
    request.sha256 = large_hex;
    request.attempts = 2;
    assert_ok(lp_fetch(&request, &err), &err);
    assert_true(holds(request.path, LARGE_BYTES));
    /* ... but not the same MiB again and again. */
    request = ask("norange/always-cut/1048577/large", "again");
    request.bytes = LARGE_BYTES;
    request.sha256 = large_hex;
    request.attempts = 2;
    forget_log();
    assert_fails(lp_fetch(&request, &err), LP_ERR_IO, &err, "after 2 attempts: ");
    assert_log("/norange/always-cut/1048577/large 200 0 3145729\n"
               "/norange/always-cut/1048577/large 200 0 3145729 if-range\n");
}

static void stalled_connection_is_given_up(void **state) {
    (void)state;
    lp_fetch_request request = ask("stall/1000/data", "stalled");
    request.attempts = 1;
    request.stall_seconds = 1;
    assert_fails(lp_fetch(&request, &err), LP_ERR_IO, &err, "too slow");
    assert_non_null(strstr(err.text, "1000 bytes are kept"));
    assert_true(holds(part_of(&request), 1000));
}

static void server_without_ranges_starts_again(void **state) {
    (void)state;
    lp_fetch_request request = ask("norange/data", "norange");
    write_file(part_of(&request), data + 7, 5000); /* would be wrong to keep */
    assert_ok(lp_fetch(&request, &err), &err);
    assert_true(holds(request.path, DATA_BYTES));
    assert_log("/norange/data 200 0 300007\n");
}

static void file_that_changed_meanwhile_starts_again(void **state) {
    (void)state;
    lp_fetch_request request = ask("changed/cut/1000/data", "changed");
    assert_ok(lp_fetch(&request, &err), &err);
    assert_true(holds(request.path, DATA_BYTES));
    assert_log(
        "/changed/cut/1000/data 200 0 300007\n/changed/cut/1000/data 200 0 300007 if-range\n");
}

static void wrong_content_range_starts_again(void **state) {
    (void)state;
    lp_fetch_request request = ask("badrange/data", "badrange");
    write_file(part_of(&request), data, 5000);
    assert_ok(lp_fetch(&request, &err), &err);
    assert_true(holds(request.path, DATA_BYTES));
    assert_log("/badrange/data 206 5000 295007\n/badrange/data 200 0 300007\n");

    const char *malformed[] = {"bytes",
                               "bytes+",
                               "bytes+5000",
                               "bytes+5000-",
                               "bytes+5000-300006",
                               "bytes+5000-300006:",
                               "bytes+5000-300006:300007x",
                               "bytes+5000-4999:300007",
                               "bytes+-5000-300006:300007",
                               "bytes+18446744073709556616-300006:300007",
                               "bytes+5000-300006:18446744073709851623",
                               "lines+5000-300006:300007",
                               "bytes+*:*"};
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        char rest[128], expected[320];
        (void)snprintf(rest, sizeof rest, "content-range/%s/data", malformed[i]);
        (void)snprintf(expected, sizeof expected, "/%s 206 5000 295007\n/%s 200 0 300007\n", rest,
                       rest);
        request = ask(rest, "malformed");
        write_file(part_of(&request), data, 5000);
        assert_ok(lp_fetch(&request, &err), &err);
        assert_log(expected);
        assert_int_equal(unlink(request.path), 0);
    }
    request = ask("content-range/bytes+5000-300006:*/data", "unknown-total");
    write_file(part_of(&request), data, 5000);
    assert_ok(lp_fetch(&request, &err), &err);
    assert_true(holds(request.path, DATA_BYTES));
    assert_log("/content-range/bytes+5000-300006:*/data 206 5000 295007\n");
    request = ask("content-range/bytes+5000-300006:300008/data", "other-total");
    write_file(part_of(&request), data, 5000);
    assert_fails(lp_fetch(&request, &err), LP_ERR_FORMAT, &err, "the server has 300008");
}

static void complete_part_is_recognised(void **state) {
    (void)state;
    lp_fetch_request request = ask("data", "complete");
    write_file(part_of(&request), data, DATA_BYTES);
    assert_ok(lp_fetch(&request, &err), &err);
    assert_true(holds(request.path, DATA_BYTES));
    assert_log(""); /* its size is known */
    request = ask("data", "complete-unknown");
    request.bytes = 0;
    write_file(part_of(&request), data, DATA_BYTES);
    assert_ok(lp_fetch(&request, &err), &err);
    assert_true(holds(request.path, DATA_BYTES));
    assert_log("/data 416 300007 0\n");
}

static void part_that_is_too_long_starts_again(void **state) {
    (void)state;
    lp_fetch_request request = ask("data", "long");
    write_file(part_of(&request), data, DATA_BYTES + 1);
    assert_ok(lp_fetch(&request, &err), &err);
    assert_true(holds(request.path, DATA_BYTES));
    assert_log("/data 200 0 300007\n");
    request = ask("data", "long-unknown");
    request.bytes = 0;
    write_file(part_of(&request), data, DATA_BYTES + 1);
    assert_ok(lp_fetch(&request, &err), &err);
    assert_true(holds(request.path, DATA_BYTES));
    assert_log("/data 416 300008 0\n/data 200 0 300007\n");
}

/* ---- wrong contents -------------------------------------------------------------------------- */

static void wrong_digest_leaves_nothing(void **state) {
    (void)state;
    lp_fetch_request request = ask("wrong/data", "wrong");
    assert_fails(lp_fetch(&request, &err), LP_ERR_FORMAT, &err, "expected SHA-256 ");
    const char *expected = strstr(err.text, data_hex);
    assert_non_null(expected);
    assert_non_null(strstr(expected, ", found "));
    assert_false(exists(request.path) || exists(part_of(&request)));
    /* The same with a part that was wrong from the start: the next run is clean. */
    write_file(part_of(&request), data + 7, 5000);
    request.url = url_of("data");
    assert_fails(lp_fetch(&request, &err), LP_ERR_FORMAT, &err, "expected SHA-256 ");
    assert_ok(lp_fetch(&request, &err), &err);
    assert_true(holds(request.path, DATA_BYTES));
    forget_log();
    request.path = in_folder("wrong-argument");
    request.sha256 = "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950a";
    assert_fails(lp_fetch(&request, &err), LP_ERR_ARGUMENT, &err, "64 hexadecimal digits");
    request.sha256 = "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950ag";
    assert_fails(lp_fetch(&request, &err), LP_ERR_ARGUMENT, &err, "64 hexadecimal digits");
    assert_log("");
}

/* Where only the first digits of a digest are published. */
static void first_digits_are_verified(void **state) {
    (void)state;
    char found[65] = "", digits[9];
    lp_fetch_request request = ask("data", "digits");
    memcpy(digits, data_hex, 8);
    digits[8] = '\0';
    request.sha256 = digits;
    request.prefix = true;
    request.found = found;
    assert_ok(lp_fetch(&request, &err), &err);
    assert_string_equal(found, data_hex);
    forget_log();
    assert_ok(lp_fetch(&request, &err), &err); /* it is there already */
    assert_log("");
    digits[7] = digits[7] == '0' ? '1' : '0';
    assert_fails(lp_fetch(&request, &err), LP_ERR_FORMAT, &err, "is there already, with SHA-256");
    digits[7] = '\0';
    assert_fails(lp_fetch(&request, &err), LP_ERR_ARGUMENT, &err, "8 to 64 hexadecimal digits");
}

/* Without a digest nothing would tell that a part of an earlier run is of the same file. */
static void unverified_download_starts_afresh(void **state) {
    (void)state;
    lp_fetch_request request = ask("data", "unverified");
    request.sha256 = NULL;
    write_file(part_of(&request), data + 7, 5000);
    assert_ok(lp_fetch(&request, &err), &err);
    assert_true(holds(request.path, DATA_BYTES));
    assert_log("/data 200 0 300007\n");
    request.path = in_folder("unverified-cut");
    request.url = url_of("always-cut/5000/norange/data");
    request.attempts = 1;
    assert_fails(lp_fetch(&request, &err), LP_ERR_IO, &err, "after 1 attempts");
    assert_false(exists(request.path) || exists(part_of(&request)));
}

static void wrong_size_is_noticed_early(void **state) {
    (void)state;
    lp_fetch_request request = ask("data", "size");
    for (int more = -1; more <= 1; more += 2) {
        char expected[128];
        request.url = url_of("data");
        request.bytes = (uint64_t)(DATA_BYTES + more);
        (void)snprintf(expected, sizeof expected, "expected %d bytes, the server has 300007",
                       DATA_BYTES + more);
        assert_fails(lp_fetch(&request, &err), LP_ERR_FORMAT, &err, expected);
        request.url = url_of("nolength/data");
        (void)snprintf(expected, sizeof expected, "expected %d bytes, the server %s",
                       DATA_BYTES + more, more < 0 ? "sends more" : "sent 300007");
        assert_fails(lp_fetch(&request, &err), LP_ERR_FORMAT, &err, expected);
        assert_false(exists(request.path) || exists(part_of(&request)));
    }
    /* A mirror with another file does not cost what came from the right one. */
    write_file(part_of(&request), data, 5000);
    request.url = url_of("data");
    assert_fails(lp_fetch(&request, &err), LP_ERR_FORMAT, &err, "the server has 300007");
    assert_true(holds(part_of(&request), 5000));
}

/* ---- servers that refuse --------------------------------------------------------------------- */

static void http_errors_give_their_status(void **state) {
    (void)state;
    lp_fetch_request request = ask("nothing", "http");
    assert_fails(lp_fetch(&request, &err), LP_ERR_IO, &err,
                 "/nothing: expected HTTP status 200, found 404");
    assert_log("/nothing 404 0 0\n");
    request.url = url_of("status/403/data");
    assert_fails(lp_fetch(&request, &err), LP_ERR_IO, &err, "found 403");
    assert_log("/status/403/data 403 0 0\n");
    request.url = url_of("status/206/data"); /* not asked for */
    assert_fails(lp_fetch(&request, &err), LP_ERR_IO, &err, "found 206");
    assert_log("/status/206/data 206 0 0\n");
    request.url = url_of("status/503/data"); /* may pass */
    assert_fails(lp_fetch(&request, &err), LP_ERR_IO, &err, "after 3 attempts: ");
    assert_non_null(strstr(err.text, "found 503"));
    assert_log("/status/503/data 503 0 0\n/status/503/data 503 0 0\n/status/503/data 503 0 0\n");
    assert_false(exists(request.path) || exists(part_of(&request)));
}

static void refused_connection_is_reported(void **state) {
    (void)state;
    char url[64];
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0); /* bound, but nobody listens */
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d/data", ntohs(address.sin_port));
    lp_fetch_request request = ask("data", "refused");
    request.url = url;
    assert_fails(lp_fetch(&request, &err), LP_ERR_IO, &err, "connect to 127.0.0.1");
    assert_non_null(strstr(err.text, url));
    assert_false(exists(request.path) || exists(part_of(&request)));
    (void)close(fd);
}

static void only_https_and_this_machine_are_asked(void **state) {
    (void)state;
    const char *refused[] = {"http://example.com/data",
                             "http://127.0.0.1.example.com/data",
                             "http://localhost.example.com/data",
                             "http://128.0.0.1/data",
                             "http://[::2]/data",
                             "http://127.0.0.1@example.com/data",
                             "ftp://127.0.0.1/data",
                             "file:///etc/passwd",
                             "gopher://127.0.0.1/",
                             "data",
                             "",
                             "https://"};
    lp_fetch_request request = ask("data", "url");
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        request.url = refused[i];
        if (lp_fetch(&request, &err) != LP_ERR_ARGUMENT) {
            fail_msg("%s: %s", refused[i], err.text);
        }
        assert_non_null(strstr(err.text, refused[i]));
        assert_false(exists(part_of(&request)));
    }
    char url[64];
    (void)snprintf(url, sizeof url, "http://LocalHost:%d/data", port);
    request.url = url;
    assert_ok(lp_fetch(&request, &err), &err);
}

static void redirections_obey_the_same_rule(void **state) {
    (void)state;
    lp_fetch_request request = ask("redirect/redirect/data", "redirected");
    assert_ok(lp_fetch(&request, &err), &err);
    assert_true(holds(request.path, DATA_BYTES));
    assert_log("/redirect/redirect/data 302 0 0\n/redirect/data 302 0 0\n/data 200 0 300007\n");
    const char *schemes[] = {"http", "ftp", "file"};
    for (size_t i = 0; i < 3; i++) {
        char rest[64], target[64];
        (void)snprintf(rest, sizeof rest, "redirect-to/%s/data", schemes[i]);
        (void)snprintf(target, sizeof target,
                       "/data: redirected to %s://example.com/: ", schemes[i]);
        request = ask(rest, "redirected-away");
        assert_fails(lp_fetch(&request, &err), LP_ERR_IO, &err, target);
        assert_false(exists(request.path) || exists(part_of(&request)));
    }
    forget_log();
    request = ask("redirect-loop/data", "redirected-away");
    assert_fails(lp_fetch(&request, &err), LP_ERR_IO, &err, "more than 10 redirections");
}

static void certificate_is_verified(void **state) {
    (void)state;
    const char *key = in_folder("key.pem"), *certificate = in_folder("certificate.pem");
    char line[256], url[128];
    FILE *output;
    int input;
    long tls_port = 0;
    pid_t maker = start((const char *const[]){"openssl", "req", "-x509", "-nodes", "-newkey",
                                              "rsa:2048", "-subj", "/CN=localhost", "-keyout", key,
                                              "-out", certificate, NULL},
                        &input, &output);
    (void)close(input);
    (void)fclose(output);
    if (maker < 0) {
        print_message("# no openssl program to make a certificate with\n");
        skip();
    }
    assert_int_equal(waitpid(maker, NULL, 0), maker);
    pid_t tls = start((const char *const[]){"openssl", "s_server", "-accept", "127.0.0.1:0", "-key",
                                            key, "-cert", certificate, "-www", NULL},
                      &input, &output);
    assert_true(tls > 0);
    while (tls_port == 0 && fgets(line, sizeof line, output) != NULL) {
        if (strncmp(line, "ACCEPT 127.0.0.1:", 17) == 0) {
            tls_port = strtol(line + 17, NULL, 10);
        }
    }
    lp_fetch_request request = ask("data", "tls");
    (void)snprintf(url, sizeof url, "https://localhost:%ld/data", tls_port);
    request.url = url;
    lp_status status = lp_fetch(&request, &err);
    (void)kill(tls, SIGTERM);
    assert_int_equal(waitpid(tls, NULL, 0), tls);
    (void)close(input);
    (void)fclose(output);
    assert_true(tls_port > 0);
    assert_fails(status, LP_ERR_IO, &err, "certificate");
    assert_false(exists(request.path) || exists(part_of(&request)));
}

/* ---- files that cannot be written ------------------------------------------------------------ */

static void full_disk_is_reported(void **state) {
    (void)state;
    struct rlimit limit;
    struct rlimit small;
    lp_fetch_request request = ask("data", "full");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    small = limit;
    small.rlim_cur = 100000;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    lp_status status = lp_fetch(&request, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_fails(status, LP_ERR_IO, &err, "of 300007 bytes written, ");
    assert_non_null(strstr(err.text, " more needed: "));
    assert_non_null(strstr(err.text, "full.part: cannot be written: File too large; "));
    assert_true(holds(part_of(&request), 100000));
    assert_ok(lp_fetch(&request, &err), &err); /* with room again */
    assert_true(holds(request.path, DATA_BYTES));
}

static void too_little_room_is_noticed_early(void **state) {
    (void)state;
    lp_fetch_request request = ask("data", "room");
    request.bytes = UINT64_C(1) << 60;
    assert_fails(lp_fetch(&request, &err), LP_ERR_IO, &err,
                 "room.part: needs 1152921504606846976 bytes more, only ");
    assert_false(exists(request.path) || exists(part_of(&request)));
    assert_log("");
}

static void unwritable_folder_is_reported(void **state) {
    (void)state;
    lp_fetch_request request = ask("data", "no-folder/file");
    assert_fails(lp_fetch(&request, &err), LP_ERR_IO, &err,
                 "no-folder/file.part: cannot be created: No such file or directory");
    if (geteuid() != 0) { /* root may write everywhere */
        assert_int_equal(mkdir(in_folder("closed"), 0555), 0);
        request = ask("data", "closed/file");
        assert_fails(lp_fetch(&request, &err), LP_ERR_IO, &err, "Permission denied");
    }
    request = ask("data", "linked"); /* a link would be followed to someone else's file */
    assert_int_equal(symlink(in_folder("victim"), part_of(&request)), 0);
    assert_fails(lp_fetch(&request, &err), LP_ERR_IO, &err, "linked.part: cannot be created");
    assert_false(exists(in_folder("victim")));
    request = ask("data", "fifo");
    assert_int_equal(mkfifo(part_of(&request), 0600), 0);
    assert_fails(lp_fetch(&request, &err), LP_ERR_IO, &err, "fifo.part: expected a file");
    assert_log("");
}

static void two_downloads_of_one_file_refuse_each_other(void **state) {
    (void)state;
    int told[2], wait[2], ended;
    char byte;
    char expected[64];
    lp_fetch_request request = ask("stall/1000/data", "two");
    assert_int_equal(pipe(told), 0);
    assert_int_equal(pipe(wait), 0);
    pid_t child = fork();
    if (child == 0) {
        (void)close(server_input);
        (void)close(told[0]); /* so that it ends with this process, however that ends */
        (void)close(wait[1]);
        watch w = {.stop_at = 1000, .told = told[1], .wait = wait[0]};
        request.progress = (lp_progress){look, &w};
        _exit(lp_fetch(&request, &err) == LP_CANCELLED ? 0 : 1);
    }
    assert_int_equal(read(told[0], &byte, 1), 1); /* the child is in the middle */
    forget_log();
    request.url = url_of("data");
    (void)snprintf(expected, sizeof expected, "two.part: another process (%ld) is fetching",
                   (long)child);
    assert_fails(lp_fetch(&request, &err), LP_ERR_IO, &err, expected);
    assert_true(holds(part_of(&request), 1000));
    assert_log("");
    assert_int_equal(write(wait[1], "", 1), 1);
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_true(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
    assert_ok(lp_fetch(&request, &err), &err);
    assert_log("/data 206 1000 299007\n");
    for (int i = 0; i < 2; i++) {
        (void)close(told[i]);
        (void)close(wait[i]);
    }
}

static void failed_allocations_are_reported(void **state) {
    (void)state;
    lp_fetch_request request = ask("data", "memory");
    lp_alloc_fail_at(0);
    assert_ok(lp_fetch(&request, &err), &err);
    size_t needed = lp_alloc_fail_at(0);
    assert_true(needed > 0);
    for (size_t k = 1; k <= needed; k++) {
        assert_int_equal(unlink(request.path), 0);
        lp_alloc_fail_at(k);
        lp_status status = lp_fetch(&request, &err);
        lp_alloc_fail_at(0);
        assert_fails(status, LP_ERR_MEMORY, &err, "out of memory");
        assert_ok(lp_fetch(&request, &err), &err); /* whatever was kept is of use */
        assert_true(holds(request.path, DATA_BYTES));
    }
    request.path = in_folder("no-text");
    request.url = url_of("nothing");
    assert_int_equal(lp_fetch(&request, NULL), LP_ERR_IO);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(file_is_fetched_once, begin),
        cmocka_unit_test_setup(a_file_by_its_md5, begin),
        cmocka_unit_test_setup(other_file_of_that_name_is_left_alone, begin),
        cmocka_unit_test_setup(killed_download_goes_on_where_it_was, begin),
        cmocka_unit_test_setup(cancelled_download_is_kept, begin),
        cmocka_unit_test_setup(lost_connection_is_taken_up_again, begin),
        cmocka_unit_test_setup(lost_connections_are_counted, begin),
        cmocka_unit_test_setup(stalled_connection_is_given_up, begin),
        cmocka_unit_test_setup(server_without_ranges_starts_again, begin),
        cmocka_unit_test_setup(file_that_changed_meanwhile_starts_again, begin),
        cmocka_unit_test_setup(wrong_content_range_starts_again, begin),
        cmocka_unit_test_setup(complete_part_is_recognised, begin),
        cmocka_unit_test_setup(part_that_is_too_long_starts_again, begin),
        cmocka_unit_test_setup(wrong_digest_leaves_nothing, begin),
        cmocka_unit_test_setup(first_digits_are_verified, begin),
        cmocka_unit_test_setup(unverified_download_starts_afresh, begin),
        cmocka_unit_test_setup(wrong_size_is_noticed_early, begin),
        cmocka_unit_test_setup(http_errors_give_their_status, begin),
        cmocka_unit_test_setup(refused_connection_is_reported, begin),
        cmocka_unit_test_setup(only_https_and_this_machine_are_asked, begin),
        cmocka_unit_test_setup(redirections_obey_the_same_rule, begin),
        cmocka_unit_test_setup(certificate_is_verified, begin),
        cmocka_unit_test_setup(full_disk_is_reported, begin),
        cmocka_unit_test_setup(too_little_room_is_noticed_early, begin),
        cmocka_unit_test_setup(unwritable_folder_is_reported, begin),
        cmocka_unit_test_setup(two_downloads_of_one_file_refuse_each_other, begin),
        cmocka_unit_test_setup(failed_allocations_are_reported, begin),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
