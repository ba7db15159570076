/* Processes that work on one job together: a team of ranks, each of which runs the same calls in
 * the same order on the same options, and owns a share of the work.
 *
 * A process by itself is a team of one: every call here then returns at once.  What carries bytes
 * between ranks is a transport, which the program gives (src/cli/ranks_mpi.c, by MPI); nothing
 * below knows more of it.  All calls are for the main thread.
 *
 * What ranks compute together has the same bytes for any number of them: sums have one order
 * (base/chunk_sums.h), and everything else is computed by every rank from the same bytes, or by one
 * rank and handed to the others. */
#ifndef LP_BASE_TEAM_H
#define LP_BASE_TEAM_H

#include <stdbool.h>
#include <stddef.h>
#include "base/digest.h"
#include "linprobe/status.h"

/* Bytes for a rank, or from it. */
typedef struct lp_letter {
    size_t peer;
    void *bytes;
    size_t size;
} lp_letter;

/* What carries them.  A call fails when another rank has failed: then err names that rank. */
typedef struct lp_transport {
    size_t rank, size;
    const char *(*host)(size_t rank);
    /* Sends and receives all of these at once and returns when all have arrived; two ranks'
     * letters to each other arrive in their order.  An empty letter is none. */
    lp_status (*exchange)(const lp_letter *out, size_t out_count, const lp_letter *in,
                          size_t in_count, lp_error *err);
    /* Mail, which the other rank does not wait for: posts it; looks whether any is there (*from is
     * the team's size where there is none); takes it. */
    lp_status (*post)(size_t to, const void *bytes, size_t size, lp_error *err);
    lp_status (*look)(size_t *from, size_t *size, lp_error *err);
    lp_status (*take)(size_t from, void *bytes, size_t size, lp_error *err);
} lp_transport;

/* Makes this process a rank of a team, before any work.  NULL: alone again. */
void lp_team_join(const lp_transport *transport);
const lp_transport *lp_team_transport(void);

size_t lp_team_rank(void);
size_t lp_team_size(void);

/* Writes "rank <rank> (<host>): <text>", the text of err, and notes that the failure has its rank.
 * Returns status. */
lp_status lp_team_fail(lp_error *err, lp_status status, size_t rank, const char *text);
bool lp_team_failure_named(void);

/* The items first .. end - 1 of `count` that a rank owns. */
typedef struct lp_share {
    size_t first, end;
} lp_share;
lp_share lp_team_share(size_t count);
lp_share lp_team_share_of(size_t rank, size_t count);

/* Rank 0's bytes to all. */
LP_MUST_USE lp_status lp_team_broadcast(void *bytes, size_t size, lp_error *err);

/* items [count], of `size` bytes each, of which every rank has filled in its share: all of them to
 * all. */
LP_MUST_USE lp_status lp_team_gather(void *items, size_t count, size_t size, lp_error *err);

/* Whether it is true of any rank. */
LP_MUST_USE lp_status lp_team_any(bool mine, bool *any, lp_error *err);

/* Waits for all. */
LP_MUST_USE lp_status lp_team_meet(lp_error *err);

/* LP_ERR_ARGUMENT, on every rank, unless all have the same text; names the first that differs from
 * rank 0, both texts (at most 200 characters of each), and `what` it is.  `advice` is NULL or says
 * what to do. */
LP_MUST_USE lp_status lp_team_same(const char *what, const char *text, const char *advice,
                                   lp_error *err);

/* SHA-256 over blocks of bytes that all ranks see, one after the other.  Rank 0 reads all of them,
 * the others a part, so that each byte is read twice; LP_ERR_DATA, naming the rank, where one sees
 * others than rank 0. */
typedef struct lp_block {
    const void *bytes;
    size_t size;
} lp_block;
LP_MUST_USE lp_status lp_team_digest(const char *path, const lp_block *blocks, size_t count,
                                     char hex[LP_DIGEST_HEX], lp_error *err);

#endif
