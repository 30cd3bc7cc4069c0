// Digests: every checkpoint's when it is saved and when it is loaded, and those of the blocks of
// plain arrays.

#ifndef LATENT_DIGEST_H
#define LATENT_DIGEST_H

#include <stddef.h>
#include <stdint.h>

// The 32 bytes of SHA-256 (FIPS 180-4).
void latent_sha256(const void *bytes, size_t count, uint8_t digest[32]);

// CRC-32C (RFC 3720, 12.1).
uint32_t latent_crc32c(const void *bytes, size_t count);
// The same without special instructions.
uint32_t latent_crc32c_plain(const void *bytes, size_t count);

#endif
