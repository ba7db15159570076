/* Unpacking a downloaded archive into a folder. */
#ifndef LP_FETCH_UNPACK_H
#define LP_FETCH_UNPACK_H

#include "linprobe/status.h"

/* Writes the regular files of an archive below `folder`; links and other kinds are left out.  An
 * archive that lies in it is unpacked beside itself, too, and removed; one in that one stays as it
 * is.  Files are not synced.  progress is in files; its total is 0.
 * LP_ERR_FORMAT: a damaged archive, or a name that leads out of the folder.  LP_ERR_IO: a file that
 * cannot be written.  LP_CANCELLED: by progress. */
LP_MUST_USE lp_status lp_unpack(const char *archive, const char *folder, lp_progress progress,
                                lp_error *err);

#endif
