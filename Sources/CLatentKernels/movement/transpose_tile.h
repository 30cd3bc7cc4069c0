// A square tile of 4-byte items, its lines exchanged for its columns in registers: four rounds of
// interleaving line i with line i + 8. Only whole cache lines are read and written.

#ifndef LATENT_TRANSPOSE_TILE_H
#define LATENT_TRANSPOSE_TILE_H

#include "runtime/internal.h"

enum { TILE = 16 };

typedef uint32_t line __attribute__((vector_size(4 * TILE), aligned(4)));

LATENT_INLINE line low_halves(line a, line b) {
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

LATENT_INLINE line high_halves(line a, line b) {
  return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

LATENT_INLINE void interleave(const line *from, line *to) {
  for (int i = 0; i < TILE / 2; ++i) {
    to[2 * i] = low_halves(from[i], from[i + TILE / 2]);
    to[2 * i + 1] = high_halves(from[i], from[i + TILE / 2]);
  }
}

// a is left transposed.
LATENT_INLINE void transpose_lines(line a[TILE]) {
  line b[TILE];
  interleave(a, b);
  interleave(b, a);
  interleave(a, b);
  interleave(b, a);
}

#endif
