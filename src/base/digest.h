/* SHA-256, MD5 (for the published checksums of CIFAR) and git's digest of a file, over libcrypto.
 */
#ifndef LP_BASE_DIGEST_H
#define LP_BASE_DIGEST_H

#include <stddef.h>
#include "linprobe/status.h"

enum { LP_DIGEST_HEX = 65 }; /* 64 hexadecimal digits and the final zero */

typedef enum lp_digest_kind {
    LP_SHA256,
    LP_MD5,
    LP_GIT_BLOB /* SHA-1 over "blob SIZE", a zero byte and the content: a file's name in git.  The
                   size must be known first, so that only the functions for a whole have it. */
} lp_digest_kind;
typedef struct evp_md_ctx_st lp_digest; /* libcrypto's EVP_MD_CTX */

LP_MUST_USE lp_status lp_digest_new(lp_digest_kind kind, lp_digest **digest, lp_error *err);
LP_MUST_USE lp_status lp_digest_add(lp_digest *digest, const void *bytes, size_t size,
                                    lp_error *err);
/* Writes the lower-case hexadecimal digest.  The digest can only be freed after this. */
LP_MUST_USE lp_status lp_digest_hex(lp_digest *digest, char hex[LP_DIGEST_HEX], lp_error *err);
void lp_digest_free(lp_digest *digest);

/* Digest of a block of memory, and of a file's contents, by its name or open already. */
LP_MUST_USE lp_status lp_digest_bytes(lp_digest_kind kind, const void *bytes, size_t size,
                                      char hex[LP_DIGEST_HEX], lp_error *err);
LP_MUST_USE lp_status lp_digest_file(lp_digest_kind kind, const char *path, char hex[LP_DIGEST_HEX],
                                     lp_error *err);
LP_MUST_USE lp_status lp_digest_descriptor(lp_digest_kind kind, int fd, const char *path,
                                           char hex[LP_DIGEST_HEX], lp_error *err);

#endif
