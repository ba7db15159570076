/* A lock on a folder, so that two processes do not work in it at once. */
#ifndef LP_BASE_LOCK_H
#define LP_BASE_LOCK_H

#include "linprobe/status.h"

/* Locks an existing folder until lp_lock_release, or until the process ends, however it does:
 * nothing is left in the folder.  *lock is what to release.  LP_ERR_IO when another process (or
 * this one) holds it, naming the folder.  On file systems that cannot lock a folder (NFS) there is
 * no lock, and no error.  In a team rank 0 takes it for all. */
LP_MUST_USE lp_status lp_lock_take(const char *folder, int *lock, lp_error *err);

/* Releases a lock; LP_NO_LOCK is allowed. */
void lp_lock_release(int lock);

enum { LP_NO_LOCK = -1 };

#endif
