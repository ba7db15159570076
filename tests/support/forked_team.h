/* A team of forked processes on one machine, over socket pairs: what MPI does, without it.
 *
 *     forked_run(3, count_rows, &job);      // count_rows(&job) in three processes
 *
 * A rank whose function returns anything but 0, or dies, fails the test.  Results go through memory
 * that the ranks share (forked_shared). */
#ifndef LP_TESTS_FORKED_TEAM_H
#define LP_TESTS_FORKED_TEAM_H

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/team.h"
#include "check.h"

enum { FORKED_MOST = 8 };

static int forked_sockets[FORKED_MOST][FORKED_MOST]; /* of this rank: [own][other] */
static lp_transport forked_transport;

static const char *forked_host(size_t rank) {
    static const char *const names[FORKED_MOST] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    return names[rank];
}

/* Moves what can be moved of the first unfinished letter to or from a peer. */
static inline bool forked_move(const lp_letter *letters, size_t count, size_t *moved, size_t peer,
                               bool out) {
    for (size_t i = 0; i < count; i++) {
        const lp_letter *l = &letters[i];
        if (l->peer != peer || moved[i] == l->size) {
            continue;
        }
        int fd = forked_sockets[forked_transport.rank][peer];
        char *at = (char *)l->bytes + moved[i];
        ssize_t done = out ? send(fd, at, l->size - moved[i], MSG_DONTWAIT | MSG_NOSIGNAL)
                           : recv(fd, at, l->size - moved[i], MSG_DONTWAIT);
        moved[i] += done > 0 ? (size_t)done : 0;
        return out || done != 0; /* 0: the other end is gone */
    }
    return true;
}

static inline bool forked_unfinished(const lp_letter *letters, size_t count, const size_t *moved) {
    for (size_t i = 0; i < count; i++) {
        if (moved[i] < letters[i].size) {
            return true;
        }
    }
    return false;
}

static inline lp_status forked_exchange(const lp_letter *out, size_t out_count, const lp_letter *in,
                                        size_t in_count, lp_error *err) {
    size_t *sent = calloc(out_count + 1, sizeof *sent), *got = calloc(in_count + 1, sizeof *got);
    lp_status status = LP_OK;
    while (status == LP_OK &&
           (forked_unfinished(out, out_count, sent) || forked_unfinished(in, in_count, got))) {
        for (size_t r = 0; r < forked_transport.size; r++) {
            if (!forked_move(out, out_count, sent, r, true) ||
                !forked_move(in, in_count, got, r, false)) {
                status = lp_team_fail(err, LP_ERR_IO, r, "is gone");
            }
        }
        (void)poll(NULL, 0, 0);
    }
    free(sent);
    free(got);
    return status;
}

static inline void *forked_shared(size_t bytes) {
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(ftruncate(fileno(file), (off_t)bytes), 0);
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(file), 0);
    (void)fclose(file);
    assert_true(memory != MAP_FAILED);
    return memory;
}

static inline void forked_run(size_t ranks, int (*work)(void *context), void *context) {
    pid_t children[FORKED_MOST];
    for (size_t a = 0; a < ranks; a++) {
        for (size_t b = a + 1; b < ranks; b++) {
            int pair[2];
            assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
            forked_sockets[a][b] = pair[0];
            forked_sockets[b][a] = pair[1];
        }
    }
    (void)fflush(NULL);
    for (size_t r = 0; r < ranks; r++) {
        children[r] = fork();
        assert_true(children[r] >= 0);
        if (children[r] == 0) {
            for (size_t a = 0; a < ranks; a++) { /* a rank that dies is noticed by its sockets */
                for (size_t b = 0; b < ranks; b++) {
                    if (a != b && a != r) {
                        (void)close(forked_sockets[a][b]);
                    }
                }
            }
            forked_transport = (lp_transport){
                .rank = r, .size = ranks, .host = forked_host, .exchange = forked_exchange};
            lp_team_join(ranks > 1 ? &forked_transport : NULL);
            _exit(work(context));
        }
    }
    for (size_t a = 0; a < ranks; a++) {
        for (size_t b = 0; b < ranks; b++) {
            if (a != b) {
                (void)close(forked_sockets[a][b]);
            }
        }
    }
    int bad = 0;
    for (size_t r = 0; r < ranks; r++) {
        int ended = -1;
        assert_true(waitpid(children[r], &ended, 0) == children[r]);
        if (ended != 0) {
            print_message("# rank %zu of %zu: wait status %d\n", r, ranks, ended);
            bad = 1;
        }
    }
    assert_int_equal(bad, 0);
}

#endif
