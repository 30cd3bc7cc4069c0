// Sums over rows of quantities computed on the way (bias and scale gradients); column_tiles.c.

#ifndef LATENT_COLUMN_TILES_H
#define LATENT_COLUMN_TILES_H

#include "runtime/internal.h"

enum { COLUMN_TILE = 1024 };

// Handles rows [row, row + rows) x columns [column, column + width) and writes the sums over the
// rows to first[0 ..< width] and, where two sums are wanted, second[0 ..< width].
typedef void (*column_tile_body)(void *context, int64_t row, int64_t rows, int64_t column,
                                 int64_t width, double *first, double *second);

// sums is 1 or 2; a result that is null is not stored.
void latent_column_tiles(latent_dtype type, int64_t rows, int64_t columns, int sums, void *first,
                         void *second, int64_t serial_below, void *context,
                         column_tile_body body);

#endif
