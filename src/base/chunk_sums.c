/* Sums over chunks: threads add up what they can as soon as both sides are there, and ranks
 * exchange what is left.
 *
 *   a rank:  chunk -> sums; two siblings -> their sum, by the thread that made the second one
 *            -> the sums of whole subtrees, few
 *   ranks:   subtree [size], cut into a piece for each rank -> piece r of all subtrees to rank r
 *            -> added in the tree's order -> pieces to all
 *
 * Chunks are begun in their order, so few sums wait for their siblings at a time: the memory is
 * that of the threads and of one path up the tree, not that of all chunks. */
#include "base/chunk_sums.h"

#include <pthread.h>
#include <string.h>

#include "base/error.h"
#include "base/parallel.h"

/* The sum of chunks first .. first + 2^level - 1, as far as there are any. */
typedef struct tree_node {
    size_t level;
    double *sums; /* NULL: not there yet */
} tree_node;

struct lp_chunk_sums {
    size_t chunks, most, threads;
    bool alone;
    lp_share share;
    tree_node *nodes; /* [chunks] by their first chunk */
    double **free;    /* [buffers] a stack of those that are not in use */
    size_t free_count;
    pthread_mutex_t lock; /* guards the three above */
    double *total;        /* [most] of several ranks */
    /* of the run */
    lp_chunk_task task;
    void *context;
    size_t size;
};

static size_t levels_of(size_t chunks) {
    size_t levels = 0;
    while ((size_t)1 << levels < chunks) {
        levels++;
    }
    return levels;
}

lp_chunk_sums *lp_chunk_sums_new(lp_memory *memory, size_t chunks, size_t most, size_t threads,
                                 bool alone) {
    lp_chunk_sums *s = lp_memory_take_zeroed(memory, 1, sizeof *s);
    if (s == NULL) {
        return NULL;
    }
    s->chunks = chunks;
    s->most = most;
    s->alone = alone || lp_team_size() == 1;
    s->share = s->alone ? (lp_share){0, chunks} : lp_team_share(chunks);
    size_t own = s->share.end - s->share.first;
    s->threads = threads < own ? threads : own;
    s->threads = s->threads > 0 ? s->threads : 1;
    /* Besides what threads are at, a chunk that is late leaves at most a node a level on either
     * side of it, and so does the last one begun; a share's ends may too. */
    size_t buffers = s->threads + (s->threads + 2) * (levels_of(chunks) + 1);
    buffers = buffers < own ? buffers : own;
    s->nodes = lp_memory_take_zeroed(memory, chunks, sizeof *s->nodes);
    s->free = lp_memory_take(memory, buffers, sizeof *s->free);
    s->total = s->alone ? NULL : lp_memory_take(memory, most, sizeof *s->total);
    for (size_t b = 0; s->free != NULL && b < buffers; b++) { /* the system gives what is touched */
        s->free[s->free_count++] = lp_memory_take(memory, most, sizeof *s->total);
    }
    return s;
}

lp_share lp_chunk_sums_share(const lp_chunk_sums *sums) {
    return sums->share;
}

static void add(double *to, const double *from, size_t size) {
    for (size_t j = 0; j < size; j++) {
        to[j] += from[j];
    }
}

/* Goes up the tree from a node that is there, as far as its siblings are there too.  The lock is
 * held, but not while sums are added. */
static void climb(lp_chunk_sums *s, size_t first, double *sums) {
    size_t level = 0;
    for (size_t width = 1; width < s->chunks; width *= 2, level++) {
        bool right = (first & width) != 0;
        size_t sibling = right ? first - width : first + width;
        if (sibling >= s->chunks) {
            continue; /* there is no right side */
        }
        tree_node *other = &s->nodes[sibling];
        if (other->sums == NULL || other->level != level) {
            break;
        }
        double *left = right ? other->sums : sums, *added = right ? sums : other->sums;
        other->sums = NULL;
        (void)pthread_mutex_unlock(&s->lock);
        add(left, added, s->size);
        (void)pthread_mutex_lock(&s->lock);
        s->free[s->free_count++] = added;
        sums = left;
        first = right ? sibling : first;
    }
    s->nodes[first] = (tree_node){level, sums};
}

static lp_status do_chunk(void *context, size_t index, size_t worker, lp_error *err) {
    lp_chunk_sums *s = context;
    size_t chunk = s->share.first + index;
    (void)pthread_mutex_lock(&s->lock);
    double *sums = s->free[--s->free_count];
    (void)pthread_mutex_unlock(&s->lock);
    lp_status status = s->task(s->context, chunk, worker, sums, err);
    (void)pthread_mutex_lock(&s->lock);
    climb(s, chunk, sums);
    (void)pthread_mutex_unlock(&s->lock);
    return status;
}

/* ---- ranks ----------------------------------------------------------------------------------- */

/* The subtree that begins a rank's chunks first .. end - 1: how many chunks it has. */
static size_t subtree(const lp_chunk_sums *s, size_t first, size_t end) {
    size_t width = 1;
    while (width < s->chunks && (first & width) == 0 &&
           (first + 2 * width <= end || end == s->chunks)) {
        width *= 2;
    }
    return first + width < end ? width : end - first;
}

static size_t subtrees_of(const lp_chunk_sums *s, size_t rank) {
    lp_share share = lp_team_share_of(rank, s->chunks);
    size_t count = 0;
    for (size_t c = share.first; c < share.end; c += subtree(s, c, share.end)) {
        count++;
    }
    return count;
}

typedef struct sum_exchange {
    lp_memory memory;
    lp_letter *out, *in; /* [ranks] */
    size_t nodes;        /* of all ranks */
    uint64_t **marks;    /* [ranks] at the head of what came */
    double **pieces;     /* [nodes] in the order of their chunks */
    size_t *firsts;      /* [nodes] */
} sum_exchange;

/* A letter: the mark, then a piece of each subtree of the sender. */
static size_t letter_size(size_t nodes, size_t piece) {
    return sizeof(uint64_t) + nodes * piece * sizeof(double);
}

static lp_status pack(const lp_chunk_sums *s, uint64_t mark, sum_exchange *x, lp_error *err) {
    size_t ranks = lp_team_size(), own = subtrees_of(s, lp_team_rank());
    lp_status status;
    x->out = lp_memory_take(&x->memory, ranks, sizeof *x->out);
    LP_TRY(lp_memory_check(&x->memory, "sums", err));
    for (size_t r = 0; r < ranks; r++) {
        lp_share piece = lp_team_share_of(r, s->size);
        size_t size = piece.end - piece.first;
        char *bytes = lp_memory_take(&x->memory, letter_size(own, size), 1);
        LP_TRY(lp_memory_check(&x->memory, "sums", err));
        x->out[r] = (lp_letter){r, bytes, letter_size(own, size)};
        memcpy(bytes, &mark, sizeof mark);
        double *to = (double *)(void *)(bytes + sizeof mark);
        for (size_t c = s->share.first; c < s->share.end; c += subtree(s, c, s->share.end)) {
            memcpy(to, s->nodes[c].sums + piece.first, size * sizeof *to);
            to += size;
        }
    }
done:
    return status;
}

static lp_status make_room(const lp_chunk_sums *s, sum_exchange *x, size_t piece, lp_error *err) {
    size_t ranks = lp_team_size(), me = lp_team_rank();
    lp_status status;
    for (size_t r = 0; r < ranks; r++) {
        x->nodes += subtrees_of(s, r);
    }
    x->in = lp_memory_take(&x->memory, ranks, sizeof *x->in);
    x->marks = lp_memory_take(&x->memory, ranks, sizeof *x->marks);
    x->pieces = lp_memory_take(&x->memory, x->nodes, sizeof *x->pieces);
    x->firsts = lp_memory_take(&x->memory, x->nodes, sizeof *x->firsts);
    LP_TRY(lp_memory_check(&x->memory, "sums", err));
    for (size_t r = 0, n = 0; r < ranks; r++) {
        lp_share share = lp_team_share_of(r, s->chunks);
        size_t size = letter_size(subtrees_of(s, r), piece);
        char *bytes = r == me ? x->out[me].bytes : lp_memory_take(&x->memory, size, 1);
        LP_TRY(lp_memory_check(&x->memory, "sums", err));
        x->in[r] = (lp_letter){r, bytes, size};
        x->marks[r] = (uint64_t *)(void *)bytes;
        double *next = (double *)(void *)(bytes + sizeof(uint64_t));
        for (size_t c = share.first; c < share.end; c += subtree(s, c, share.end)) {
            x->firsts[n] = c;
            x->pieces[n++] = next;
            next += piece;
        }
    }
done:
    return status;
}

/* Adds the pieces up in the tree: a stack of nodes from the left, of which the last two are added
 * as soon as they are siblings. */
static void add_pieces(const lp_chunk_sums *s, sum_exchange *x, size_t piece) {
    size_t used = 0;
    for (size_t n = 0; n < x->nodes; n++) {
        double *sums = x->pieces[n];
        size_t first = x->firsts[n], end = n + 1 < x->nodes ? x->firsts[n + 1] : s->chunks;
        size_t width = 1;
        while (first + width < end) {
            width *= 2;
        }
        for (;; width *= 2) { /* those before it in the stack are whole left sides */
            if ((first & width) != 0) {
                first -= width;
                used--;
                add(x->pieces[used], sums, piece);
                sums = x->pieces[used];
            } else if (first + width < s->chunks || width >= s->chunks) {
                break;
            }
        }
        x->pieces[used++] = sums;
    }
}

static lp_status exchange_sums(lp_chunk_sums *s, uint64_t mark, lp_error *err) {
    const lp_transport *team = lp_team_transport();
    size_t ranks = team->size, me = team->rank, others = 0;
    lp_share own = lp_team_share(s->size);
    size_t piece = own.end - own.first;
    sum_exchange x = {.nodes = 0};
    lp_status status;
    LP_TRY(pack(s, mark, &x, err));
    LP_TRY(make_room(s, &x, piece, err));
    for (size_t r = 0; r < ranks; r++) {
        if (r != me) {
            x.out[others] = x.out[r];
            x.in[others++] = x.in[r];
        }
    }
    LP_TRY(team->exchange(x.out, others, x.in, others, err));
    for (size_t r = 0; r < ranks; r++) {
        if (*x.marks[r] != mark) {
            LP_TRY(lp_fail(err, LP_ERR_DATA,
                           "rank %zu (%s) and rank %zu (%s) were about to add sums of different "
                           "models: their options or their processors' rounding differ",
                           r, team->host(r), me, team->host(me)));
        }
    }
    add_pieces(s, &x, piece);
    memcpy(s->total + own.first, x.pieces[0], piece * sizeof *s->total);
    LP_TRY(lp_team_gather(s->total, s->size, sizeof *s->total, err));
done:
    lp_memory_free(&x.memory);
    return status;
}

/* ---- a run ----------------------------------------------------------------------------------- */

/* Takes back what the last run has left. */
static void restart(lp_chunk_sums *s) {
    for (size_t c = s->share.first; c < s->share.end; c++) {
        if (s->nodes[c].sums != NULL) {
            s->free[s->free_count++] = s->nodes[c].sums;
            s->nodes[c].sums = NULL;
        }
    }
}

lp_status lp_chunk_sums_run(lp_chunk_sums *s, size_t size, uint64_t mark, lp_chunk_task task,
                            void *context, double **total, lp_error *err) {
    size_t own = s->share.end - s->share.first;
    s->task = task;
    s->context = context;
    s->size = size;
    restart(s);
    (void)pthread_mutex_init(&s->lock, NULL);
    lp_status status = lp_parallel_for(s->threads, own, do_chunk, s, err);
    (void)pthread_mutex_destroy(&s->lock);
    *total = s->alone ? s->nodes[0].sums : s->total;
    return status == LP_OK && !s->alone ? exchange_sums(s, mark, err) : status;
}

uint64_t lp_chunk_mark(uint64_t mark, const double *values, size_t count) {
    for (size_t j = 0; lp_team_size() > 1 && j < count; j++) {
        uint64_t bits;
        memcpy(&bits, &values[j], sizeof bits);
        mark = (mark ^ bits) * UINT64_C(0x9E3779B97F4A7C15); /* an odd number: it loses nothing */
        mark ^= mark >> 32;
    }
    return mark;
}
