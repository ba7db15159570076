/* Ranks by MPI: the transport of a team, and its end.  The only file that includes mpi.h.
 *
 * Waiting is done by testing and short sleeps, so that a rank that waits leaves the processor to
 * the threads that work, and hears of another rank's failure at once.  Three communicators keep
 * apart what must not be mixed up: exchanges, mail, and how ranks end:
 *
 *     a rank, at its end       -> rank 0    FINISHED: exit status, message, whether it is its own
 *     rank 0, after a failure  -> the rest  STOP: exchanges that are waited for fail
 *     rank 0, when all are in  -> the rest  GO: the exit status of all
 *
 * A rank that was killed does not come to its end.  mpirun and srun notice that and end the job; a
 * rank that is waited for longer than PATIENCE after a failure is ended by MPI_Abort. */
#include "cli/ranks.h"

#include <fcntl.h>
#include <mpi.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/team.h"
#include "report/terminal.h"

enum { PIECE = 1 << 30, SPINS = 200, NAP_NANOSECONDS = 100000, PATIENCE = 10, LAST_SECONDS = 5 };
static const double GRACE_SECONDS = 0.3;

typedef enum ending_kind { FINISHED, STOP, GO } ending_kind;

typedef struct ending {
    int kind, exit_status;
    int told; /* the failure is another rank's */
    char text[4096];
} ending;

static lp_transport transport;
static MPI_Comm data_comm, mail_comm, end_comm;
static char (*hosts)[MPI_MAX_PROCESSOR_NAME];
static ending *endings; /* [ranks] of those that have finished, on rank 0 */
static bool *finished;  /* [ranks] */
static bool stopped;    /* rank 0 has said so; on rank 0: it has said so to all */
static int voice = STDERR_FILENO;
static MPI_Request *told; /* [2 ranks + 1] messages about ends that are on their way */
static int told_count;

static lp_status fail_mpi(lp_error *err, int code, const char *doing) {
    char text[MPI_MAX_ERROR_STRING] = "";
    int length;
    (void)MPI_Error_string(code, text, &length);
    return lp_fail(err, LP_ERR_IO, "MPI, %s: %s", doing, text);
}

/* ---- how ranks end --------------------------------------------------------------------------- */

/* Sends a message about an end.  Nobody waits for it: two ranks that fail at once tell each other,
 * and what is still on its way is pushed on by whatever MPI does next.  The few bytes stay. */
static void tell(size_t rank, const ending *e) {
    ending *copy = lp_alloc(1, sizeof *copy);
    if (copy != NULL) {
        *copy = *e;
        told_count += MPI_Isend(copy, (int)sizeof *copy, MPI_BYTE, (int)rank, 0, end_comm,
                                &told[told_count]) == MPI_SUCCESS;
    }
}

static void stop_others(void) {
    const ending stop = {.kind = STOP};
    for (size_t r = 1; !stopped && r < transport.size; r++) {
        if (!finished[r]) {
            tell(r, &stop);
        }
    }
    stopped = true;
}

static bool is_failure(int exit_status) {
    return exit_status != 0 && exit_status != 3; /* 3: not converged, the same on all ranks */
}

/* Takes a message about an end where one is there. */
static bool hear(ending *e, size_t *from) {
    int there = 0;
    MPI_Status status;
    if (MPI_Iprobe(MPI_ANY_SOURCE, 0, end_comm, &there, &status) != MPI_SUCCESS || !there) {
        return false;
    }
    *from = (size_t)status.MPI_SOURCE;
    if (MPI_Recv(e, (int)sizeof *e, MPI_BYTE, status.MPI_SOURCE, 0, end_comm, &status) !=
        MPI_SUCCESS) {
        return false;
    }
    if (e->kind == FINISHED) {
        finished[*from] = true;
        endings[*from] = *e;
    }
    return true;
}

/* Fails where another rank's failure is the end of this one's work, too.  Not at once: what that
 * rank sent before may still be on its way, and with it this one may come to the same failure and
 * say it better. */
static lp_status listen_for_failures(lp_error *err) {
    static ending heard; /* 4 KiB; the main thread alone is here */
    static double since;
    size_t from, failed = 0;
    while (hear(&heard, &from)) {
        stopped = stopped || heard.kind == STOP;
    }
    for (size_t r = 1; r < transport.size && failed == 0; r++) {
        failed = finished[r] && is_failure(endings[r].exit_status) ? r : 0;
    }
    if (failed == 0 && !stopped) {
        return LP_OK;
    }
    since = since > 0 ? since : lp_clock_seconds();
    if (lp_clock_seconds() - since < GRACE_SECONDS) {
        return LP_OK;
    }
    return lp_team_fail(err, LP_ERR_IO, failed, failed > 0 ? endings[failed].text : "stopped");
}

static void nap(size_t *spins) {
    const struct timespec time = {.tv_nsec = NAP_NANOSECONDS};
    if (++*spins < SPINS) {
        (void)sched_yield();
    } else {
        (void)nanosleep(&time, NULL);
    }
}

/* ---- the transport --------------------------------------------------------------------------- */

static const char *host_of(size_t rank) {
    return hosts[rank];
}

static size_t pieces_of(const lp_letter *letters, size_t count) {
    size_t pieces = 0;
    for (size_t i = 0; i < count; i++) {
        pieces += (letters[i].size + PIECE - 1) / PIECE;
    }
    return pieces;
}

/* Begins a letter's transfer, in pieces that MPI can count. */
static int begin(const lp_letter *letter, bool send, MPI_Request *requests, int *count) {
    int code = MPI_SUCCESS;
    for (size_t at = 0; at < letter->size && code == MPI_SUCCESS; at += PIECE) {
        size_t size = letter->size - at < PIECE ? letter->size - at : PIECE;
        char *bytes = (char *)letter->bytes + at;
        code = send ? MPI_Isend(bytes, (int)size, MPI_BYTE, (int)letter->peer, 0, data_comm,
                                &requests[*count])
                    : MPI_Irecv(bytes, (int)size, MPI_BYTE, (int)letter->peer, 0, data_comm,
                                &requests[*count]);
        *count += code == MPI_SUCCESS;
    }
    return code;
}

/* Waits for requests; when another rank has failed they are left as they are, and this process
 * soon ends. */
static lp_status wait_for(MPI_Request *requests, int count, lp_error *err) {
    size_t spins = 0;
    lp_status status = LP_OK;
    for (int next = 0; next < count;) {
        int arrived = 0;
        int code = MPI_Test(&requests[next], &arrived, MPI_STATUS_IGNORE);
        if (code != MPI_SUCCESS) {
            return fail_mpi(err, code, "waiting for another rank");
        }
        next += arrived;
        if (!arrived) {
            LP_TRY(listen_for_failures(err));
            nap(&spins);
        }
    }
done:
    return status;
}

static lp_status exchange(const lp_letter *out, size_t out_count, const lp_letter *in,
                          size_t in_count, lp_error *err) {
    size_t most = pieces_of(out, out_count) + pieces_of(in, in_count);
    MPI_Request *requests = lp_alloc(most, sizeof(MPI_Request));
    int count = 0, code = MPI_SUCCESS;
    lp_status status;
    LP_TRY(lp_allocated(requests, "messages", most, sizeof(MPI_Request), err));
    for (size_t i = 0; i < in_count && code == MPI_SUCCESS; i++) {
        code = begin(&in[i], false, requests, &count);
    }
    for (size_t i = 0; i < out_count && code == MPI_SUCCESS; i++) {
        code = begin(&out[i], true, requests, &count);
    }
    status = code == MPI_SUCCESS ? wait_for(requests, count, err)
                                 : fail_mpi(err, code, "sending to another rank");
done:
    lp_free(requests);
    return status;
}

static lp_status post(size_t to, const void *bytes, size_t size, lp_error *err) {
    MPI_Request request;
    int code = MPI_Isend(bytes, (int)size, MPI_BYTE, (int)to, 0, mail_comm, &request);
    return code == MPI_SUCCESS ? wait_for(&request, 1, err)
                               : fail_mpi(err, code, "sending to another rank");
}

static lp_status look(size_t *from, size_t *size, lp_error *err) {
    int there = 0, count = 0;
    MPI_Status status;
    *from = transport.size;
    int code = MPI_Iprobe(MPI_ANY_SOURCE, 0, mail_comm, &there, &status);
    if (code != MPI_SUCCESS) {
        return fail_mpi(err, code, "looking for messages");
    }
    if (there) {
        (void)MPI_Get_count(&status, MPI_BYTE, &count);
        *from = (size_t)status.MPI_SOURCE;
        *size = (size_t)count;
        return LP_OK;
    }
    return listen_for_failures(err);
}

static lp_status take(size_t from, void *bytes, size_t size, lp_error *err) {
    MPI_Request request;
    int code = MPI_Irecv(bytes, (int)size, MPI_BYTE, (int)from, 0, mail_comm, &request);
    return code == MPI_SUCCESS ? wait_for(&request, 1, err)
                               : fail_mpi(err, code, "receiving from another rank");
}

/* ---- beginning and end ----------------------------------------------------------------------- */

/* Of the other ranks nothing is printed but by ranks_voice. */
static void fall_silent(void) {
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    voice = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (nowhere >= 0) {
        (void)dup2(nowhere, STDOUT_FILENO);
        (void)dup2(nowhere, STDERR_FILENO);
        (void)close(nowhere);
    }
}

static lp_status learn_hosts(lp_error *err) {
    char own[MPI_MAX_PROCESSOR_NAME] = "";
    int length;
    lp_status status;
    size_t most = 2 * transport.size + 1;
    hosts = lp_alloc_zeroed(transport.size, sizeof *hosts);
    told = lp_alloc(most, sizeof(MPI_Request));
    LP_TRY(lp_allocated(told, "ranks", most, sizeof(MPI_Request), err));
    endings = lp_alloc_zeroed(transport.size, sizeof *endings);
    finished = lp_alloc_zeroed(transport.size, sizeof *finished);
    LP_TRY(lp_allocated(hosts, "ranks", transport.size, sizeof *hosts, err));
    LP_TRY(lp_allocated(endings, "ranks", transport.size, sizeof *endings, err));
    LP_TRY(lp_allocated(finished, "ranks", transport.size, sizeof *finished, err));
    (void)MPI_Get_processor_name(own, &length);
    (void)MPI_Allgather(own, (int)sizeof own, MPI_BYTE, hosts, (int)sizeof own, MPI_BYTE,
                        MPI_COMM_WORLD);
done:
    return status;
}

lp_status ranks_join(lp_error *err) {
    int level, rank, size;
    int code = MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level);
    lp_status status;
    if (code != MPI_SUCCESS || level < MPI_THREAD_FUNNELED) {
        return lp_fail(err, LP_ERR_UNSUPPORTED,
                       "MPI cannot be started in a process with threads (level %d)", level);
    }
    (void)MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    (void)MPI_Comm_size(MPI_COMM_WORLD, &size);
    (void)MPI_Comm_dup(MPI_COMM_WORLD, &data_comm);
    (void)MPI_Comm_dup(MPI_COMM_WORLD, &mail_comm);
    (void)MPI_Comm_dup(MPI_COMM_WORLD, &end_comm);
    (void)MPI_Comm_set_errhandler(data_comm, MPI_ERRORS_RETURN);
    (void)MPI_Comm_set_errhandler(mail_comm, MPI_ERRORS_RETURN);
    (void)MPI_Comm_set_errhandler(end_comm, MPI_ERRORS_RETURN);
    transport = (lp_transport){.rank = (size_t)rank,
                               .size = (size_t)size,
                               .host = host_of,
                               .exchange = exchange,
                               .post = post,
                               .look = look,
                               .take = take};
    LP_TRY(learn_hosts(err));
    if (rank > 0) {
        fall_silent();
    }
    if (getenv("OMPI_COMM_WORLD_SIZE") != NULL || size > 1) { /* also mpirun -n 1 */
        lp_terminal_pass_on();
    }
    if (size > 1) {
        lp_team_join(&transport);
    }
done:
    return status;
}

int ranks_voice(void) {
    return voice;
}

/* On rank 0: waits until all have finished, not for long once something has failed.  False where
 * some have not. */
static bool await_all(bool failed) {
    static ending heard;
    size_t from, spins = 0, left = 0;
    double since = lp_clock_seconds();
    do {
        while (hear(&heard, &from)) {
            if (is_failure(heard.exit_status) && !failed) {
                failed = true;
                since = lp_clock_seconds();
            }
        }
        if (failed) {
            stop_others();
        }
        left = 0;
        for (size_t r = 1; r < transport.size; r++) {
            left += !finished[r];
        }
        nap(&spins);
    } while (left > 0 && (!failed || lp_clock_seconds() - since < PATIENCE));
    return left == 0;
}

static int final_status;

static void end_now(int number) {
    (void)number;
    _exit(final_status);
}

/* Messages to ranks that failed are never received; where MPI waits for them, time ends it. */
static int finalize(int exit_status) {
    final_status = exit_status;
    (void)signal(SIGALRM, end_now);
    (void)signal(SIGTERM, SIG_IGN); /* of a launcher that sees another rank end before this one */
    (void)alarm(LAST_SECONDS);
    for (int i = 0; i < told_count; i++) {
        (void)MPI_Wait(&told[i], MPI_STATUS_IGNORE);
    }
    (void)MPI_Finalize();
    return exit_status;
}

static int leave_first(int exit_status) {
    bool spoken = is_failure(exit_status);
    bool whole = await_all(spoken);
    for (size_t r = 1; r < transport.size; r++) {
        if (!finished[r] || !is_failure(endings[r].exit_status) || endings[r].told) {
            continue;
        }
        if (!spoken) {
            (void)fflush(stdout);
            (void)fprintf(stderr, "linprobe: %s\n", endings[r].text);
            spoken = true;
        }
        /* the one that began it may know of a signal */
        exit_status = endings[r].exit_status > exit_status ? endings[r].exit_status : exit_status;
    }
    if (!whole) {
        (void)MPI_Abort(MPI_COMM_WORLD, exit_status);
    }
    const ending go = {.kind = GO, .exit_status = exit_status};
    for (size_t r = 1; r < transport.size; r++) {
        tell(r, &go);
    }
    return finalize(exit_status);
}

static int leave_other(int exit_status, const char *message) {
    static ending mine;
    size_t from, spins = 0;
    mine = (ending){.kind = FINISHED, .exit_status = exit_status, .told = stopped};
    (void)snprintf(mine.text, sizeof mine.text, "%s", message);
    tell(0, &mine);
    do {
        nap(&spins);
    } while (!hear(&mine, &from) || mine.kind != GO);
    return finalize(0); /* rank 0 has the exit status of all */
}

int ranks_leave(int exit_status, const char *message) {
    if (transport.size == 1) {
        return finalize(exit_status);
    }
    return transport.rank == 0 ? leave_first(exit_status) : leave_other(exit_status, message);
}
