/* A parallel loop over POSIX threads. */
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* sched_getaffinity */
#endif
#include "base/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"

typedef struct shared_loop {
    lp_task task;
    void *context;
    size_t count;
    atomic_size_t next;
    atomic_bool failed;
    pthread_mutex_t lock; /* guards the three below */
    size_t failed_index;
    lp_status status;
    lp_error *err;
} shared_loop;

typedef struct loop_worker {
    shared_loop *loop;
    size_t number;
    pthread_t thread;
    lp_error err;
} loop_worker;

static void *work(void *argument) {
    loop_worker *self = argument;
    shared_loop *loop = self->loop;
    while (!atomic_load(&loop->failed)) {
        size_t index = atomic_fetch_add(&loop->next, 1);
        if (index >= loop->count) {
            break;
        }
        lp_status status = loop->task(loop->context, index, self->number, &self->err);
        if (status != LP_OK) {
            (void)pthread_mutex_lock(&loop->lock);
            if (loop->status == LP_OK || index < loop->failed_index) {
                loop->status = status;
                loop->failed_index = index;
                if (loop->err != NULL) {
                    *loop->err = self->err;
                }
            }
            (void)pthread_mutex_unlock(&loop->lock);
            atomic_store(&loop->failed, true);
        }
    }
    return NULL;
}

lp_status lp_parallel_for(size_t threads, size_t count, lp_task task, void *context,
                          lp_error *err) {
    threads = threads < count ? threads : count;
    threads = threads > 0 ? threads : 1;
    shared_loop loop = {
        .task = task, .context = context, .count = count, .status = LP_OK, .err = err};
    loop_worker *workers = lp_alloc_zeroed(threads, sizeof *workers);
    if (workers == NULL) {
        return lp_fail_memory(err, "threads", threads, sizeof *workers);
    }
    (void)pthread_mutex_init(&loop.lock, NULL);
    size_t started = 1;
    workers[0].loop = &loop;
    while (started < threads) {
        workers[started].loop = &loop;
        workers[started].number = started;
        if (pthread_create(&workers[started].thread, NULL, work, &workers[started]) != 0) {
            break;
        }
        started++;
    }
    (void)work(&workers[0]);
    for (size_t i = 1; i < started; i++) {
        (void)pthread_join(workers[i].thread, NULL);
    }
    (void)pthread_mutex_destroy(&loop.lock);
    lp_free(workers);
    return loop.status;
}

size_t lp_processor_count(void) {
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) {
        return (size_t)CPU_COUNT(&set);
    }
#endif
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (size_t)count : 1;
}
