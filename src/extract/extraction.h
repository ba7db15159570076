/* What the files of an extraction share: its state, and the ring of rows that are not durable yet.
 */
#ifndef LP_EXTRACT_EXTRACTION_H
#define LP_EXTRACT_EXTRACTION_H

#include <pthread.h>

#include "base/memory.h"
#include "base/team.h"
#include "extract/profile.h"
#include "feat/set_writer.h"
#include "linprobe/extract.h"

typedef struct lp_worker_memory {
    lp_preprocessor *preprocessor;
    unsigned char *rgb;
    size_t rgb_bytes;
    float *images, *scratch;
    lp_stopwatch *watch; /* NULL: no profile is wanted */
} lp_worker_memory;

/* Rows that are computed and not durable, or not with rank 0.  A batch's place in the ring is its
 * number, but on ranks that get theirs from rank 0: there it is the order in which they came. */
typedef struct lp_row_ring {
    float *rows;   /* float32 [window, B, F]: those of place p are at p % window */
    size_t window; /* batches */
    pthread_mutex_t lock;
    pthread_cond_t moved; /* the ring, or it has stopped, or there is more to do */
    /* guarded by the lock */
    bool *ready;   /* [window] */
    size_t *batch; /* [window] number of a place's batch, on ranks other than 0; else NULL */
    size_t next;   /* every place before it is durable, or with rank 0 */
    size_t taken;  /* places before it are being computed; in a team */
    size_t known;  /* places before it have a batch; in a team */
    bool whole;    /* no more will be known */
    bool writing;  /* a thread is making a chunk durable */
    bool stopped;  /* something failed, or the caller said so */
    double last;   /* when the last chunk was */
    double pause;  /* seconds until the next: short at first, so that there is something to see */
} lp_row_ring;

typedef struct lp_extraction {
    lp_memory memory;          /* that the arrays below lie in, but for an image's */
    const lp_encoder *encoder; /* NULL: features are the pixels */
    const lp_dataset *data;
    const lp_extract_options *options;
    lp_feature_point point;
    size_t width;   /* F */
    size_t batch;   /* B */
    size_t count;   /* N */
    size_t resumed; /* images that were done before; batch 0 begins behind them */
    size_t batches; /* that are left */
    lp_set_writer *writer;
    lp_row_ring ring;
    lp_worker_memory *workers;
    size_t threads;
    size_t own_images;     /* computed by this rank, in a team */
    lp_stopwatch *watches; /* of the workers, then of the calling thread between chunks; or NULL */
    lp_stopwatch *watch;   /* the last of them */
} lp_extraction;

/* Images before batch b, or all. */
size_t lp_images_before(const lp_extraction *e, size_t b);

/* Images first .. first + count - 1 into rows, float32 [count, F]. */
LP_MUST_USE lp_status lp_extract_images(const lp_extraction *e, lp_worker_memory *memory,
                                        size_t first, size_t count, float *rows, lp_error *err);

/* Computes the missing batches and makes them durable.  LP_CANCELLED: it says how far it came. */
LP_MUST_USE lp_status lp_extract_batches(lp_extraction *e, lp_error *err);

/* ---- for extract_ranks.c ---- */

/* Where the rows of a place are. */
float *lp_ring_rows(const lp_extraction *e, size_t place);

/* With the ring's lock held: makes durable what is ready, all of it or once it is time, unless
 * another thread is at it. */
LP_MUST_USE lp_status lp_ring_write(lp_extraction *e, bool all, lp_stopwatch *watch, lp_error *err);

/* A task of lp_parallel_for: batch `index`, or the next one that this rank gets. */
lp_status lp_extract_batch(void *context, size_t index, size_t worker, lp_error *err);

/* The part of lp_extract_batches that differs in a team: hands out batches and collects rows
 * (rank 0), or gets batches and hands in rows. */
LP_MUST_USE lp_status lp_extract_with_ranks(lp_extraction *e, lp_error *err);

#endif
