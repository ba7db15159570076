/* Teams of ranks: what is made of a transport's exchanges. */
#include "base/team.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/memory.h"

enum {
    MD5_HEX = 33,
    SAME_ROOM = 200 + MD5_HEX, /* the beginning of a compared text, and the digest of all of it */
    SCATTER_FROM = 65536, /* bytes: a broadcast of more goes out in shares, which ranks pass on */
    WHOLE_MOST = 16 << 20 /* bytes of a block that every rank digests as a whole */
};

static const lp_transport *team; /* NULL: alone */
static bool named;

void lp_team_join(const lp_transport *transport) {
    team = transport;
    named = false;
}

const lp_transport *lp_team_transport(void) {
    return team;
}

size_t lp_team_rank(void) {
    return team != NULL ? team->rank : 0;
}

size_t lp_team_size(void) {
    return team != NULL ? team->size : 1;
}

lp_status lp_team_fail(lp_error *err, lp_status status, size_t rank, const char *text) {
    char copy[sizeof err->text];
    (void)snprintf(copy, sizeof copy, "%s", text);
    named = true;
    return lp_fail(err, status, "rank %zu (%s): %s", rank, team != NULL ? team->host(rank) : "",
                   copy);
}

bool lp_team_failure_named(void) {
    return named;
}

lp_share lp_team_share_of(size_t rank, size_t count) {
    size_t size = lp_team_size(), each = count / size, more = count % size;
    size_t first = rank * each + (rank < more ? rank : more);
    return (lp_share){first, first + each + (rank < more)};
}

lp_share lp_team_share(size_t count) {
    return lp_team_share_of(lp_team_rank(), count);
}

/* Letters to and from every other rank. */
typedef struct lp_mail {
    lp_letter *out, *in; /* [size] each */
    size_t out_count, in_count;
} lp_mail;

static lp_status make_mail(lp_mail *mail, lp_memory *memory, lp_error *err) {
    *mail = (lp_mail){.out = lp_memory_take(memory, team->size, sizeof *mail->out),
                      .in = lp_memory_take(memory, team->size, sizeof *mail->in)};
    return lp_memory_check(memory, "letters", err);
}

static lp_status exchange(const lp_mail *mail, lp_error *err) {
    return team->exchange(mail->out, mail->out_count, mail->in, mail->in_count, err);
}

static lp_letter letter_of(size_t peer, void *items, lp_share share, size_t size) {
    return (lp_letter){peer, (char *)items + share.first * size, (share.end - share.first) * size};
}

lp_status lp_team_gather(void *items, size_t count, size_t size, lp_error *err) {
    lp_memory memory = {0};
    lp_mail mail;
    lp_status status;
    if (team == NULL) {
        return LP_OK;
    }
    LP_TRY(make_mail(&mail, &memory, err));
    for (size_t step = 1; step < team->size; step++) { /* each begins with another one */
        size_t to = (team->rank + step) % team->size;
        size_t from = (team->rank + team->size - step) % team->size;
        mail.out[mail.out_count++] = letter_of(to, items, lp_team_share(count), size);
        mail.in[mail.in_count++] = letter_of(from, items, lp_team_share_of(from, count), size);
    }
    LP_TRY(exchange(&mail, err));
done:
    lp_memory_free(&memory);
    return status;
}

lp_status lp_team_broadcast(void *bytes, size_t size, lp_error *err) {
    lp_memory memory = {0};
    lp_mail mail;
    lp_status status;
    if (team == NULL) {
        return LP_OK;
    }
    bool scatter = size >= SCATTER_FROM;
    LP_TRY(make_mail(&mail, &memory, err));
    for (size_t r = 1; r < team->size; r++) {
        lp_share share = scatter ? lp_team_share_of(r, size) : (lp_share){0, size};
        lp_letter letter = letter_of(team->rank == 0 ? r : 0, bytes, share, 1);
        if (team->rank == 0) {
            mail.out[mail.out_count++] = letter;
        } else if (team->rank == r) {
            mail.in[mail.in_count++] = letter;
        }
    }
    LP_TRY(exchange(&mail, err));
    status = scatter ? lp_team_gather(bytes, size, 1, err) : LP_OK;
done:
    lp_memory_free(&memory);
    return status;
}

lp_status lp_team_any(bool mine, bool *any, lp_error *err) {
    lp_status status = LP_OK;
    unsigned char *said = NULL;
    *any = mine;
    if (team == NULL) {
        return LP_OK;
    }
    said = lp_alloc_zeroed(team->size, 1);
    LP_TRY(lp_allocated(said, "ranks", team->size, 1, err));
    said[team->rank] = mine;
    LP_TRY(lp_team_gather(said, team->size, 1, err));
    for (size_t r = 0; r < team->size; r++) {
        *any = *any || said[r] != 0;
    }
done:
    lp_free(said);
    return status;
}

lp_status lp_team_meet(lp_error *err) {
    bool any;
    return lp_team_any(false, &any, err);
}

lp_status lp_team_same(const char *what, const char *text, const char *advice, lp_error *err) {
    lp_status status = LP_OK;
    char(*texts)[SAME_ROOM] = NULL, hex[LP_DIGEST_HEX];
    if (team == NULL) {
        return LP_OK;
    }
    texts = lp_alloc_zeroed(team->size, sizeof *texts);
    LP_TRY(lp_allocated(texts, what, team->size, sizeof *texts, err));
    LP_TRY(lp_digest_bytes(LP_MD5, text, strlen(text), hex, err));
    (void)snprintf(texts[team->rank], SAME_ROOM - MD5_HEX, "%s", text);
    memcpy(texts[team->rank] + SAME_ROOM - MD5_HEX, hex, MD5_HEX);
    LP_TRY(lp_team_gather(texts, team->size, sizeof *texts, err));
    for (size_t r = 1; r < team->size; r++) {
        if (memcmp(texts[r], texts[0], sizeof *texts) != 0) {
            named = true;
            LP_TRY(lp_fail(err, LP_ERR_ARGUMENT,
                           "the ranks differ in %s: rank %zu (%s) has %s, but rank 0 (%s) has %s%s",
                           what, r, team->host(r), texts[r], team->host(0), texts[0],
                           advice != NULL ? advice : ""));
        }
    }
done:
    lp_free(texts);
    return status;
}

/* ---- digests --------------------------------------------------------------------------------- */

static lp_status add_parts(const lp_block *blocks, size_t count, size_t rank, lp_digest *digest,
                           lp_error *err) {
    lp_status status = LP_OK;
    for (size_t b = 0; b < count; b++) {
        size_t size = blocks[b].size;
        lp_share part = size > WHOLE_MOST ? lp_team_share_of(rank, size) : (lp_share){0, size};
        LP_TRY(lp_digest_add(digest, (const char *)blocks[b].bytes + part.first,
                             part.end - part.first, err));
    }
done:
    return status;
}

static lp_status digest_parts(const lp_block *blocks, size_t count, size_t rank,
                              char hex[LP_DIGEST_HEX], lp_error *err) {
    lp_digest *digest = NULL;
    lp_status status;
    LP_TRY(lp_digest_new(LP_SHA256, &digest, err));
    LP_TRY(add_parts(blocks, count, rank, digest, err));
    LP_TRY(lp_digest_hex(digest, hex, err));
done:
    lp_digest_free(digest);
    return status;
}

static lp_status digest_all(const lp_block *blocks, size_t count, char hex[LP_DIGEST_HEX],
                            lp_error *err) {
    lp_digest *digest = NULL;
    lp_status status;
    LP_TRY(lp_digest_new(LP_SHA256, &digest, err));
    for (size_t b = 0; b < count; b++) {
        LP_TRY(lp_digest_add(digest, blocks[b].bytes, blocks[b].size, err));
    }
    LP_TRY(lp_digest_hex(digest, hex, err));
done:
    lp_digest_free(digest);
    return status;
}

/* What rank 0 finds in the part of every other one, and they themselves. */
static lp_status compare_parts(const char *path, const lp_block *blocks, size_t count,
                               lp_error *err) {
    char(*found)[LP_DIGEST_HEX] = lp_alloc_zeroed(team->size, sizeof *found);
    char(*expected)[LP_DIGEST_HEX] = lp_alloc_zeroed(team->size, sizeof *expected);
    lp_status status;
    LP_TRY(lp_allocated(found, path, team->size, sizeof *found, err));
    LP_TRY(lp_allocated(expected, path, team->size, sizeof *expected, err));
    for (size_t r = 1; r < team->size; r++) {
        if (team->rank == 0 || team->rank == r) {
            char *hex = team->rank == 0 ? expected[r] : found[r];
            LP_TRY(digest_parts(blocks, count, r, hex, err));
        }
    }
    LP_TRY(lp_team_broadcast(expected, team->size * sizeof *expected, err));
    LP_TRY(lp_team_gather(found, team->size, sizeof *found, err));
    for (size_t r = 1; r < team->size; r++) {
        if (strcmp(found[r], expected[r]) != 0) {
            named = true;
            LP_TRY(lp_fail(err, LP_ERR_DATA,
                           "%s: rank %zu (%s) sees other bytes than rank 0 (%s): SHA-256 of its "
                           "part is %s, expected %s",
                           path, r, team->host(r), team->host(0), found[r], expected[r]));
        }
    }
done:
    lp_free(found);
    lp_free(expected);
    return status;
}

lp_status lp_team_digest(const char *path, const lp_block *blocks, size_t count,
                         char hex[LP_DIGEST_HEX], lp_error *err) {
    lp_status status;
    char sizes[128] = "";
    if (team == NULL) {
        return digest_all(blocks, count, hex, err);
    }
    for (size_t b = 0, used = 0; b < count && used + 24 < sizeof sizes; b++) {
        used += (size_t)snprintf(sizes + used, sizeof sizes - used, "%s%zu", b > 0 ? " + " : "",
                                 blocks[b].size);
    }
    LP_TRY(lp_team_same(path, sizes, " bytes", err)); /* the parts are cut by them */
    if (team->rank == 0) {
        LP_TRY(digest_all(blocks, count, hex, err));
    }
    LP_TRY(compare_parts(path, blocks, count, err));
    LP_TRY(lp_team_broadcast(hex, LP_DIGEST_HEX, err));
done:
    return status;
}
