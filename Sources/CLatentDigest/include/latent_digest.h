// SHA-256 (FIPS 180-4): every checkpoint is digested when it is saved and when it is loaded.

#ifndef LATENT_DIGEST_H
#define LATENT_DIGEST_H

#include <stddef.h>
#include <stdint.h>

// The 32 bytes of the digest.
void latent_sha256(const void *bytes, size_t count, uint8_t digest[32]);

#endif
