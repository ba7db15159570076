/* Extraction over ranks.  Rank 0 hands out runs of batches, a few at a time, so that faster ranks
 * get more of them; it collects the rows, and writes the set as a process by itself does.
 *
 *     rank r, when its threads will soon have nothing to do   -> rank 0  ASK: how many batches
 *     rank 0, once the ring has room for their rows           -> rank r  DO: first, count
 *             when all are handed out                         -> rank r  DO: none
 *     rank r, when the next batch is ready                    -> rank 0  ROWS: its number, rows
 *
 * Each rank's main thread looks after the mail while its threads compute. */
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/parallel.h"
#include "extract/extraction.h"

enum { NAP_NANOSECONDS = 500000 };

typedef enum mail_kind { MAIL_ASK, MAIL_DO, MAIL_ROWS } mail_kind;

typedef struct mail_head {
    uint64_t kind, first, count;
} mail_head;

typedef struct rank_mail {
    lp_extraction *e;
    const lp_transport *team;
    char *letter; /* a head and the rows of a batch */
    size_t most;  /* bytes of it */
    /* of rank 0 */
    size_t *asked; /* [ranks] batches that a rank waits for; 0: none */
    size_t *doing; /* [ranks] batches that it has and rows of which have not come */
    size_t away;   /* ranks that have not been told that there are no more */
    /* of the others */
    bool asking;
    /* the threads' loop, which runs beside the mail */
    pthread_t runner;
    bool ended; /* guarded by the ring's lock */
    lp_status status;
    lp_error err;
} rank_mail;

static void *run_threads(void *context) {
    rank_mail *m = context;
    lp_extraction *e = m->e;
    m->status = lp_parallel_for(e->threads, e->batches, lp_extract_batch, e, &m->err);
    (void)pthread_mutex_lock(&e->ring.lock);
    m->ended = true;
    (void)pthread_mutex_unlock(&e->ring.lock);
    return NULL;
}

static void nap(void) {
    const struct timespec time = {.tv_nsec = NAP_NANOSECONDS};
    (void)nanosleep(&time, NULL);
}

static lp_status open_mail(rank_mail *m, lp_extraction *e, lp_error *err) {
    *m = (rank_mail){.e = e, .team = lp_team_transport()};
    m->away = m->team->size - 1;
    m->most = sizeof(mail_head) + e->batch * e->width * sizeof(float);
    m->letter = lp_memory_take(&e->memory, m->most, 1);
    m->asked = lp_memory_take_zeroed(&e->memory, m->team->size, sizeof *m->asked);
    m->doing = lp_memory_take_zeroed(&e->memory, m->team->size, sizeof *m->doing);
    return lp_memory_check(&e->memory, "messages", err);
}

static lp_status bad_mail(const rank_mail *m, size_t from, lp_error *err) {
    return lp_fail(err, LP_ERR_DATA, "rank %zu (%s) sent what was not expected of it", from,
                   m->team->host(from));
}

/* ---- rank 0 ---------------------------------------------------------------------------------- */

/* With the lock held: the rows of a batch from another rank into the ring. */
static lp_status store_rows(rank_mail *m, size_t from, const mail_head *head, size_t bytes,
                            lp_error *err) {
    lp_extraction *e = m->e;
    lp_row_ring *r = &e->ring;
    size_t b = head->first, images = lp_images_before(e, b + 1) - lp_images_before(e, b);
    if (m->doing[from] == 0 || b < r->next || b >= r->taken || r->ready[b % r->window] ||
        bytes != images * e->width * sizeof(float)) {
        return bad_mail(m, from, err);
    }
    memcpy(lp_ring_rows(e, b), m->letter + sizeof *head, bytes);
    r->ready[b % r->window] = true;
    m->doing[from]--;
    return lp_ring_write(e, false, e->watch, err);
}

/* With the lock held: reads what has come, if anything. */
static lp_status read_mail(rank_mail *m, bool *any, lp_error *err) {
    mail_head head;
    size_t from, size = 0;
    lp_status status;
    LP_TRY(m->team->look(&from, &size, err));
    *any = from < m->team->size;
    if (!*any) {
        return LP_OK;
    }
    if (size < sizeof head || size > m->most) {
        return bad_mail(m, from, err);
    }
    LP_TRY(m->team->take(from, m->letter, size, err));
    memcpy(&head, m->letter, sizeof head);
    if (head.kind == MAIL_ROWS) {
        status = store_rows(m, from, &head, size - sizeof head, err);
    } else if (head.kind == MAIL_ASK && m->asked[from] == 0 && head.count > 0) {
        m->asked[from] = head.count;
    } else {
        status = bad_mail(m, from, err);
    }
done:
    return status;
}

/* With the lock held: gives batches to those that wait for some. */
static lp_status hand_out(rank_mail *m, lp_error *err) {
    lp_row_ring *r = &m->e->ring;
    lp_status status = LP_OK;
    for (size_t rank = 1; rank < m->team->size; rank++) {
        size_t left = m->e->batches - r->taken, room = r->next + r->window - r->taken;
        size_t count = m->asked[rank] < left ? m->asked[rank] : left;
        count = count < room ? count : room;
        if (m->asked[rank] == 0 || (count == 0 && left > 0)) {
            continue;
        }
        const mail_head head = {MAIL_DO, r->taken, count};
        LP_TRY(m->team->post(rank, &head, sizeof head, err));
        r->taken += count;
        m->doing[rank] += count;
        m->asked[rank] = 0;
        m->away -= count == 0;
    }
done:
    return status;
}

/* Until every batch's rows are in the ring or durable, and everyone knows that there are no more.
 */
static lp_status serve(rank_mail *m, lp_error *err) {
    lp_row_ring *r = &m->e->ring;
    lp_status status = LP_OK;
    for (bool more = true; more && status == LP_OK;) {
        bool any = true;
        (void)pthread_mutex_lock(&r->lock);
        while (any && status == LP_OK) {
            status = read_mail(m, &any, err);
        }
        status = status == LP_OK ? hand_out(m, err) : status;
        more = !r->stopped && (m->away > 0 || !m->ended);
        for (size_t rank = 1; rank < m->team->size; rank++) {
            more = more || (m->doing[rank] > 0 && !r->stopped);
        }
        (void)pthread_mutex_unlock(&r->lock);
        if (more && status == LP_OK) {
            nap();
        }
    }
    return status;
}

/* ---- the others ------------------------------------------------------------------------------ */

/* With the lock held: takes batches where some have come. */
static lp_status take_batches(rank_mail *m, lp_error *err) {
    lp_row_ring *r = &m->e->ring;
    mail_head head;
    size_t from, size = 0;
    lp_status status;
    LP_TRY(m->team->look(&from, &size, err));
    if (from == m->team->size) {
        return LP_OK;
    }
    if (from != 0 || size != sizeof head || !m->asking) {
        return bad_mail(m, from, err);
    }
    LP_TRY(m->team->take(from, &head, sizeof head, err));
    for (size_t i = 0; i < head.count; i++) {
        r->batch[r->known++ % r->window] = head.first + i;
    }
    r->whole = head.count == 0;
    m->asking = false;
    (void)pthread_cond_broadcast(&r->moved);
done:
    return status;
}

/* Asks for as many batches as there are threads, before they have nothing to do. */
static lp_status ask(rank_mail *m, lp_error *err) {
    lp_row_ring *r = &m->e->ring;
    size_t room = r->window - (r->known - r->next), count = m->e->threads;
    count = count < room ? count : room;
    lp_status status = LP_OK;
    if (!m->asking && !r->whole && count > 0 && r->known - r->taken < m->e->threads) {
        const mail_head head = {MAIL_ASK, 0, count};
        LP_TRY(m->team->post(0, &head, sizeof head, err));
        m->asking = true;
    }
done:
    return status;
}

/* With the lock held, but not while rows are on their way: hands in what is ready. */
static lp_status hand_in(rank_mail *m, lp_error *err) {
    lp_extraction *e = m->e;
    lp_row_ring *r = &e->ring;
    lp_status status = LP_OK;
    while (status == LP_OK && r->next < r->known && r->ready[r->next % r->window]) {
        size_t b = r->batch[r->next % r->window];
        size_t images = lp_images_before(e, b + 1) - lp_images_before(e, b);
        size_t bytes = images * e->width * sizeof(float);
        const mail_head head = {MAIL_ROWS, b, 1};
        memcpy(m->letter, &head, sizeof head);
        memcpy(m->letter + sizeof head, lp_ring_rows(e, r->next), bytes);
        r->ready[r->next++ % r->window] = false;
        (void)pthread_cond_broadcast(&r->moved);
        (void)pthread_mutex_unlock(&r->lock);
        status = m->team->post(0, m->letter, sizeof head + bytes, err);
        (void)pthread_mutex_lock(&r->lock);
    }
    return status;
}

static lp_status help(rank_mail *m, lp_error *err) {
    lp_row_ring *r = &m->e->ring;
    lp_status status = LP_OK;
    for (bool more = true; more && status == LP_OK;) {
        (void)pthread_mutex_lock(&r->lock);
        status = take_batches(m, err);
        status = status == LP_OK ? hand_in(m, err) : status;
        status = status == LP_OK ? ask(m, err) : status;
        more = !r->stopped && !(r->whole && r->next == r->known);
        (void)pthread_mutex_unlock(&r->lock);
        if (more && status == LP_OK) {
            nap();
        }
    }
    return status;
}

/* ---- both ------------------------------------------------------------------------------------ */

lp_status lp_extract_with_ranks(lp_extraction *e, lp_error *err) {
    lp_row_ring *r = &e->ring;
    bool first = lp_team_rank() == 0;
    rank_mail *m = lp_memory_take_zeroed(&e->memory, 1, sizeof *m);
    lp_status status;
    LP_TRY(lp_memory_check(&e->memory, "messages", err));
    LP_TRY(open_mail(m, e, err));
    r->known = first ? e->batches : 0;
    r->whole = first;
    if (pthread_create(&m->runner, NULL, run_threads, m) != 0) {
        return lp_fail(err, LP_ERR_MEMORY, "no thread can be started");
    }
    status = first ? serve(m, err) : help(m, err);
    (void)pthread_mutex_lock(&r->lock);
    r->stopped = r->stopped || status != LP_OK;
    (void)pthread_cond_broadcast(&r->moved);
    (void)pthread_mutex_unlock(&r->lock);
    (void)pthread_join(m->runner, NULL);
    if (status != LP_OK && first) { /* another rank's failure: keep what has come in order */
        lp_error ignored;
        (void)pthread_mutex_lock(&r->lock);
        (void)!lp_ring_write(e, true, e->watch, &ignored);
        (void)pthread_mutex_unlock(&r->lock);
    } else if (status == LP_OK && m->status != LP_OK) {
        status = m->status;
        if (err != NULL) {
            *err = m->err;
        }
    }
done:
    return status;
}
