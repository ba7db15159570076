/* SHA-256 of large files, remembered from run to run. */
#ifndef LP_BASE_DIGEST_MEMORY_H
#define LP_BASE_DIGEST_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"

/* Smaller files are always read: that takes no longer than a look at the memory is worth. */
enum { LP_REMEMBERED_LEAST = 16 << 20 };

/* From now on lp_digest_known remembers in this folder, whose name must stay; NULL, as at the start
 * of a program: nowhere.  Not while another thread asks for a digest. */
void lp_digest_memory(const char *folder);

/* The SHA-256 of a file, by lp_digest_remembered where there is a folder for it. */
LP_MUST_USE lp_status lp_digest_known(const char *path, char hex[LP_DIGEST_HEX], lp_error *err);

/* The SHA-256 of a file.  `folder` holds a small file for each one that was read:
 * FOLDER/<device>-<inode>, one line of its size, the times of the last change of its content and of
 * anything (seconds and nanoseconds), and the digest.  Where these are the file's own, it is not
 * read.  A file that changed less than two seconds before `now` (seconds since 1970) is not
 * remembered: it could change again within the same tick of the system's clock.  A folder that
 * cannot be written is no failure. */
LP_MUST_USE lp_status lp_digest_remembered(const char *folder, int64_t now, const char *path,
                                           char hex[LP_DIGEST_HEX], lp_error *err);

/* Whether a file of that folder is called so. */
bool lp_is_digest_memory(const char *name);

#endif
