/* Message digests by libcrypto's EVP interface. */
#include "base/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/alloc.h"
#include "base/error.h"

static lp_status fail_crypto(lp_error *err) {
    return lp_fail(err, LP_ERR_UNSUPPORTED, "libcrypto cannot compute the digest");
}

lp_status lp_digest_new(lp_digest_kind kind, lp_digest **out, lp_error *err) {
    const EVP_MD *method = kind == LP_SHA256 ? EVP_sha256()
                           : kind == LP_MD5  ? EVP_md5()
                                             : EVP_sha1();
    *out = EVP_MD_CTX_new();
    if (*out != NULL && EVP_DigestInit_ex(*out, method, NULL) == 1) {
        return LP_OK;
    }
    lp_digest_free(*out);
    *out = NULL;
    return fail_crypto(err);
}

/* A digest of something whose size is known. */
static lp_status new_sized(lp_digest_kind kind, uint64_t size, lp_digest **digest, lp_error *err) {
    char start[32];
    lp_status status;
    LP_TRY(lp_digest_new(kind, digest, err));
    if (kind == LP_GIT_BLOB) {
        int length = snprintf(start, sizeof start, "blob %llu", (unsigned long long)size);
        status = lp_digest_add(*digest, start, (size_t)length + 1, err);
    }
done:
    return status;
}

lp_status lp_digest_add(lp_digest *digest, const void *bytes, size_t size, lp_error *err) {
    return EVP_DigestUpdate(digest, bytes, size) == 1 ? LP_OK : fail_crypto(err);
}

lp_status lp_digest_hex(lp_digest *digest, char hex[LP_DIGEST_HEX], lp_error *err) {
    unsigned char value[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (EVP_DigestFinal_ex(digest, value, &size) != 1 || 2 * size >= LP_DIGEST_HEX) {
        return fail_crypto(err);
    }
    for (unsigned i = 0; i < size; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", value[i]);
    }
    return LP_OK;
}

void lp_digest_free(lp_digest *digest) {
    EVP_MD_CTX_free(digest);
}

lp_status lp_digest_bytes(lp_digest_kind kind, const void *bytes, size_t size,
                          char hex[LP_DIGEST_HEX], lp_error *err) {
    lp_digest *digest;
    lp_status status;
    LP_TRY(new_sized(kind, size, &digest, err));
    LP_TRY(lp_digest_add(digest, bytes, size, err));
    LP_TRY(lp_digest_hex(digest, hex, err));
done:
    lp_digest_free(digest);
    return status;
}

lp_status lp_digest_descriptor(lp_digest_kind kind, int fd, const char *path,
                               char hex[LP_DIGEST_HEX], lp_error *err) {
    enum { BLOCK = 1 << 18 };
    lp_digest *digest = NULL;
    struct stat info;
    unsigned char *block = lp_alloc(BLOCK, 1);
    lp_status status;
    LP_TRY(lp_allocated(block, path, BLOCK, 1, err));
    if (fstat(fd, &info) != 0) {
        LP_TRY(lp_fail_errno(err, errno, "%s: cannot be read", path));
    }
    LP_TRY(new_sized(kind, (uint64_t)info.st_size, &digest, err));
    for (off_t at = 0;;) {
        ssize_t got = pread(fd, block, BLOCK, at);
        if (got == 0) {
            break;
        }
        if (got > 0) {
            LP_TRY(lp_digest_add(digest, block, (size_t)got, err));
            at += got;
        } else if (errno != EINTR) {
            LP_TRY(lp_fail_errno(err, errno, "%s: cannot be read", path));
        }
    }
    LP_TRY(lp_digest_hex(digest, hex, err));
done:
    lp_free(block);
    lp_digest_free(digest);
    return status;
}

lp_status lp_digest_file(lp_digest_kind kind, const char *path, char hex[LP_DIGEST_HEX],
                         lp_error *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return lp_fail_errno(err, errno, "%s: cannot be opened", path);
    }
    lp_status status = lp_digest_descriptor(kind, fd, path, hex, err);
    (void)close(fd);
    return status;
}
