/* CRC-32C, the checksum of TensorFlow's files (polynomial 0x1edc6f41, bits reflected; RFC 3720,
 * B.4). */
#ifndef LP_BASE_CRC32C_H
#define LP_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

uint32_t lp_crc32c(const void *bytes, size_t size);

#endif
