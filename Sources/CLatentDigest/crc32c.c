// With the instruction that x86 has for it (SSE4.2), eight bytes a step; elsewhere four bits a step
// by a table of 16 words.

#include "latent_digest.h"

#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

// The remainders of four bits: the polynomial 0x1EDC6F41, bits reversed.
static const uint32_t remainders[16] = {
    0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
    0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

static uint32_t divide_plain(uint32_t rest, const uint8_t *bytes, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    rest ^= bytes[i];
    rest = rest >> 4 ^ remainders[rest & 15];
    rest = rest >> 4 ^ remainders[rest & 15];
  }
  return rest;
}

uint32_t latent_crc32c_plain(const void *bytes, size_t count) {
  return ~divide_plain(~UINT32_C(0), (const uint8_t *)bytes, count);
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t divide_fast(const uint8_t *bytes, size_t count) {
  uint64_t rest = UINT32_MAX;
  for (; count >= 8; count -= 8, bytes += 8) {
    uint64_t word;
    memcpy(&word, bytes, 8);
    rest = _mm_crc32_u64(rest, word);
  }
  return ~divide_plain((uint32_t)rest, bytes, count);
}
#endif

uint32_t latent_crc32c(const void *bytes, size_t count) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) return divide_fast((const uint8_t *)bytes, count);
#endif
  return latent_crc32c_plain(bytes, count);
}
