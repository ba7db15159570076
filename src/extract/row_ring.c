/* Batches on all threads, and the ring of their rows until they are durable.
 *
 * Batches that are done wait in a ring.  A chunk is some of them in order, beginning with the first
 * that is not durable; every few seconds the thread that has just finished a batch makes a chunk
 * durable (feat/set_writer.h) while the others go on. */
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "extract/extraction.h"

enum { RING_BYTES = 8 << 20 };

static const double CHUNK_SECONDS = 5;

size_t lp_images_before(const lp_extraction *e, size_t b) {
    return b < e->batches ? e->resumed + b * e->batch : e->count;
}

float *lp_ring_rows(const lp_extraction *e, size_t place) {
    return e->ring.rows + place % e->ring.window * e->batch * e->width;
}

/* Places that are ready from the next on. */
static size_t ready_batches(const lp_extraction *e) {
    size_t n = 0;
    while (n < e->ring.window && e->ring.ready[(e->ring.next + n) % e->ring.window]) {
        n++;
    }
    return n;
}

/* Makes `count` batches from b on durable, in one or two pieces, and reports it to the caller. */
static lp_status write_chunk(const lp_extraction *e, size_t b, size_t count, bool report,
                             lp_stopwatch *watch, lp_error *err) {
    lp_status status = LP_OK;
    lp_stopwatch_start(watch);
    for (size_t end = b + count, upto; status == LP_OK && b < end; b = upto) {
        upto = (b / e->ring.window + 1) * e->ring.window; /* the ring's end */
        upto = upto < end ? upto : end;
        size_t images = lp_images_before(e, upto) - lp_images_before(e, b);
        status = lp_set_writer_append(e->writer, lp_ring_rows(e, b), images, err);
        lp_stopwatch_lap(watch, "write", 0, 4 * (double)images * (double)e->width);
    }
    if (status == LP_OK && report &&
        !lp_progress_step(&e->options->progress, lp_images_before(e, b), e->count, NULL)) {
        status = LP_CANCELLED; /* lp_extract_batches says how far it came */
    }
    return status;
}

/* Time it is also where the ring is half full: nobody waits for room for long. */
lp_status lp_ring_write(lp_extraction *e, bool all, lp_stopwatch *watch, lp_error *err) {
    lp_row_ring *r = &e->ring;
    lp_status status = LP_OK;
    size_t n;
    while (status == LP_OK && !r->writing && (n = ready_batches(e)) > 0 &&
           (all || 2 * n >= r->window || lp_clock_seconds() - r->last >= r->pause)) {
        size_t first = r->next;
        bool report = !r->stopped;
        r->writing = true;
        (void)pthread_mutex_unlock(&r->lock);
        status = write_chunk(e, first, n, report, watch, err);
        (void)pthread_mutex_lock(&r->lock);
        r->writing = false;
        for (size_t i = 0; i < n && (status == LP_OK || status == LP_CANCELLED); i++) {
            r->ready[r->next++ % r->window] = false;
        }
        r->last = lp_clock_seconds();
        r->pause = r->pause < CHUNK_SECONDS / 2 ? 2 * r->pause + 0.05 : CHUNK_SECONDS;
        (void)pthread_cond_broadcast(&r->moved);
    }
    return status;
}

/* Takes a place whose batch this thread does, once there is room for it; false where there is none
 * left, or the work has stopped. */
static bool take_place(lp_extraction *e, size_t index, size_t *place, size_t *batch) {
    lp_row_ring *r = &e->ring;
    bool team = lp_team_size() > 1;
    (void)pthread_mutex_lock(&r->lock);
    while (team && !r->stopped && !r->whole && r->taken == r->known) {
        (void)pthread_cond_wait(&r->moved, &r->lock);
    }
    bool found = !team || r->taken < r->known;
    *place = found && team ? r->taken++ : index;
    while (found && !r->stopped && *place >= r->next + r->window) {
        (void)pthread_cond_wait(&r->moved, &r->lock);
    }
    found = found && !r->stopped;
    *batch = found && r->batch != NULL ? r->batch[*place % r->window] : *place;
    (void)pthread_mutex_unlock(&r->lock);
    return found;
}

lp_status lp_extract_batch(void *context, size_t index, size_t worker, lp_error *err) {
    lp_extraction *e = context;
    lp_row_ring *r = &e->ring;
    lp_worker_memory *memory = &e->workers[worker];
    size_t place, batch;
    if (!take_place(e, index, &place, &batch)) {
        return LP_OK; /* where the work has stopped, another one says why */
    }
    size_t first = lp_images_before(e, batch), count = lp_images_before(e, batch + 1) - first;
    lp_stopwatch_start(memory->watch);
    lp_status status = lp_extract_images(e, memory, first, count, lp_ring_rows(e, place), err);
    (void)pthread_mutex_lock(&r->lock);
    if (status == LP_OK) {
        r->ready[place % r->window] = true;
        e->own_images += count;
        if (!r->stopped && lp_team_rank() == 0) {
            status = lp_ring_write(e, false, memory->watch, err);
        }
    }
    if (status != LP_OK) {
        r->stopped = true;
        (void)pthread_cond_broadcast(&r->moved);
    }
    (void)pthread_mutex_unlock(&r->lock);
    return status;
}

static lp_status make_ring(lp_extraction *e, lp_error *err) {
    lp_row_ring *r = &e->ring;
    size_t floats = e->batch * e->width, least = 4 * e->threads * lp_team_size();
    r->window = RING_BYTES / (floats * sizeof *r->rows);
    r->window = r->window > least ? r->window : least;
    r->window = r->window < e->batches ? r->window : e->batches;
    r->rows = lp_memory_take(&e->memory, r->window, floats * sizeof *r->rows);
    r->ready = lp_memory_take_zeroed(&e->memory, r->window, sizeof *r->ready);
    if (lp_team_rank() > 0) {
        r->batch = lp_memory_take(&e->memory, r->window, sizeof *r->batch);
    }
    return lp_memory_check(&e->memory, "features", err);
}

/* All batches; what was ready since the last chunk is made durable also where they were stopped. */
static lp_status do_batches(lp_extraction *e, lp_error *err) {
    lp_row_ring *r = &e->ring;
    lp_status status = LP_CANCELLED;
    if (lp_progress_step(&e->options->progress, e->resumed, e->count, NULL)) {
        status = lp_team_size() > 1
                     ? lp_extract_with_ranks(e, err)
                     : lp_parallel_for(e->threads, e->batches, lp_extract_batch, e, err);
    }
    if ((status == LP_OK || status == LP_CANCELLED) && lp_team_rank() == 0) {
        (void)pthread_mutex_lock(&r->lock);
        lp_status last = lp_ring_write(e, true, e->watch, err);
        (void)pthread_mutex_unlock(&r->lock);
        status = status == LP_OK || last != LP_OK ? last : status;
    }
    return status;
}

lp_status lp_extract_batches(lp_extraction *e, lp_error *err) {
    lp_row_ring *r = &e->ring;
    e->batches = (e->count - e->resumed + e->batch - 1) / e->batch;
    if (e->batches == 0) {
        return LP_OK;
    }
    lp_status status;
    LP_TRY(make_ring(e, err));
    (void)pthread_mutex_init(&r->lock, NULL);
    (void)pthread_cond_init(&r->moved, NULL);
    status = do_batches(e, err);
    (void)pthread_cond_destroy(&r->moved);
    (void)pthread_mutex_destroy(&r->lock);
    if (status == LP_CANCELLED) {
        size_t ready = lp_images_before(e, r->next);
        status = ready == e->count ? LP_OK
                                   : lp_fail(err, status, "%s: stopped after %zu of %zu images",
                                             e->options->out, ready, e->count);
    }
done:
    return status;
}
