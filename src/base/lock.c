/* Locks by flock, which Linux, the BSDs and macOS have: a POSIX lock (fcntl) needs a file that is
 * open for writing, and that would stay behind in the folder. */
#include "base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/error.h"
#include "base/team.h"

lp_status lp_lock_take(const char *folder, int *lock, lp_error *err) {
    *lock = LP_NO_LOCK;
    if (lp_team_rank() > 0) {
        return LP_OK;
    }
    *lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*lock < 0) {
        return lp_fail_errno(err, errno, "%s: folder cannot be opened", folder);
    }
    if (flock(*lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        (void)close(*lock);
        *lock = LP_NO_LOCK;
        return lp_fail(err, LP_ERR_IO,
                       "%s: another process is at work in this folder; wait for it, or choose "
                       "another one",
                       folder);
    }
    return LP_OK;
}

void lp_lock_release(int lock) {
    if (lock >= 0) {
        (void)close(lock);
    }
}
