// Sums over rows of quantities computed on the way (bias and scale gradients). The matrix is cut
// into blocks of rows times tiles of columns by its size alone; each task sums its tile, and the
// blocks are added in order, in double.

#ifndef LATENT_COLUMN_TILES_H
#define LATENT_COLUMN_TILES_H

#include "internal.h"

enum { COLUMN_TILE = 1024, COLUMN_PARTIALS = 8192, COLUMN_BLOCK_ELEMENTS = 6400 };

// Handles rows [row, row + rows) x columns [column, column + width) and writes the sums to
// total[0 ..< width] and, when two sets are summed, total[COLUMN_TILE ..< COLUMN_TILE + width].
typedef void (*column_tile_body)(void *context, int64_t row, int64_t rows, int64_t column,
                                 int64_t width, double *total);

typedef struct {
  latent_dtype type;
  int sets;
  int64_t rows, columns, tiles, blocks, block_rows;
  column_tile_body body;
  void *context;
  void *result[2];  // null: not wanted
  double *partial;
} column_tiles_job;

static inline void store_real(latent_dtype type, void *array, int64_t index, double value) {
  if (!array) return;
  if (type == LATENT_F32) {
    ((float *)array)[index] = (float)value;
  } else {
    ((double *)array)[index] = value;
  }
}

static inline void column_tile_task(void *context, int64_t index) {
  const column_tiles_job *job = context;
  int64_t block = index / job->tiles, column = index % job->tiles * COLUMN_TILE;
  int64_t width = smaller(COLUMN_TILE, job->columns - column), row = block * job->block_rows;
  LATENT_ALIGNED double total[2 * COLUMN_TILE];
  job->body(job->context, row, smaller(job->block_rows, job->rows - row), column, width, total);
  for (int set = 0; set < job->sets; ++set) {
    const double *sums = total + set * COLUMN_TILE;
    if (job->blocks == 1) {
      for (int64_t c = 0; c < width; ++c) {
        store_real(job->type, job->result[set], column + c, sums[c]);
      }
    } else {
      memcpy(job->partial + (set * job->blocks + block) * job->columns + column, sums,
             (size_t)width * sizeof *sums);
    }
  }
}

static inline void parallel_column_tiles(latent_dtype type, int64_t rows, int64_t columns,
                                         int sets, void *first, void *second,
                                         int64_t serial_below, void *context,
                                         column_tile_body body) {
  if (columns <= 0) return;
  LATENT_ALIGNED double partial[COLUMN_PARTIALS];
  column_tiles_job job = {type, sets, rows, columns, 0, 0, 0, body, context, {first, second},
                          partial};
  job.tiles = (columns + COLUMN_TILE - 1) / COLUMN_TILE;
  int64_t blocks = smaller(rows * columns / COLUMN_BLOCK_ELEMENTS,
                           COLUMN_PARTIALS / (sets * columns));
  job.block_rows = larger(1, (rows + larger(blocks, 1) - 1) / larger(blocks, 1));
  job.blocks = larger(1, (rows + job.block_rows - 1) / job.block_rows);
  int64_t tasks = job.blocks * job.tiles;
  if (rows * columns < serial_below) {
    for (int64_t i = 0; i < tasks; ++i) column_tile_task(&job, i);
  } else {
    latent_parallel(tasks, &job, column_tile_task);
  }
  for (int set = 0; job.blocks > 1 && set < sets; ++set) {
    double *sums = partial + set * job.blocks * columns;
    for (int64_t b = 1; b < job.blocks; ++b) {
      for (int64_t c = 0; c < columns; ++c) sums[c] += sums[b * columns + c];
    }
    for (int64_t c = 0; c < columns; ++c) store_real(type, job.result[set], c, sums[c]);
  }
}

#endif
