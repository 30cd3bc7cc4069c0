// Sums over rows of quantities computed on the way. The matrix is cut into blocks of rows times
// tiles of columns by its size alone; each task sums its tile into its own place, and the blocks
// are added in order, in double.

#include "reductions/column_tiles.h"

enum { MAX_PARTIALS = 8192, BLOCK_ELEMENTS = 9600 };

typedef struct {
  int64_t rows, columns, tiles, blocks, block_rows;
  latent_dtype type;
  int sums;
  column_tile_body body;
  void *context;
  void *result[2];
  double *partial;  // [sums, blocks, columns]; null when one block stores its result at once
} tiles_job;

#define STORE(name, real)                                                                       \
  static LATENT_CLONES void name(int64_t blocks, int64_t step, int64_t width, double *sums,     \
                                 real *result) {                                                \
    for (int64_t b = 1; b < blocks; ++b) {                                                      \
      LATENT_SAME_INDEX for (int64_t c = 0; c < width; ++c) sums[c] += sums[b * step + c];      \
    }                                                                                           \
    for (int64_t c = 0; c < width; ++c) result[c] = (real)sums[c];                              \
  }
STORE(store_f32, float)
STORE(store_f64, double)

static void store(const tiles_job *job, int sum, int64_t blocks, int64_t column, int64_t width,
                  double *sums) {
  void *result = job->result[sum];
  if (!result) return;
  if (job->type == LATENT_F32) {
    store_f32(blocks, job->columns, width, sums, (float *)result + column);
  } else {
    store_f64(blocks, job->columns, width, sums, (double *)result + column);
  }
}

static void tile_task(void *context, int64_t index) {
  const tiles_job *job = context;
  int64_t block = index / job->tiles, column = index % job->tiles * COLUMN_TILE;
  int64_t width = smaller(COLUMN_TILE, job->columns - column), row = block * job->block_rows;
  int64_t rows = smaller(job->block_rows, job->rows - row);
  if (job->partial) {
    double *first = job->partial + block * job->columns + column;
    double *second = job->sums == 2 ? first + job->blocks * job->columns : NULL;
    job->body(job->context, row, rows, column, width, first, second);
    return;
  }
  LATENT_ALIGNED double total[2][COLUMN_TILE];
  job->body(job->context, row, rows, column, width, total[0], job->sums == 2 ? total[1] : NULL);
  for (int sum = 0; sum < job->sums; ++sum) store(job, sum, 1, column, width, total[sum]);
}

void latent_column_tiles(latent_dtype type, int64_t rows, int64_t columns, int sums, void *first,
                         void *second, int64_t serial_below, void *context,
                         column_tile_body body) {
  if (columns <= 0) return;
  LATENT_ALIGNED double partial[MAX_PARTIALS];
  int64_t wanted = smaller(rows * columns / BLOCK_ELEMENTS, MAX_PARTIALS / (sums * columns));
  tiles_job job = {.rows = rows, .columns = columns, .type = type, .sums = sums, .body = body,
                   .context = context, .result = {first, second}};
  job.tiles = (columns + COLUMN_TILE - 1) / COLUMN_TILE;
  job.block_rows = larger(4, round_up((rows + larger(wanted, 1) - 1) / larger(wanted, 1), 4));
  job.blocks = larger(1, (rows + job.block_rows - 1) / job.block_rows);
  if (job.blocks > 1) job.partial = partial;
  int64_t tasks = job.blocks * job.tiles;
  if (rows * columns < serial_below) {
    for (int64_t i = 0; i < tasks; ++i) tile_task(&job, i);
  } else {
    latent_parallel(tasks, &job, tile_task);
  }
  for (int sum = 0; job.partial && sum < sums; ++sum) {
    store(&job, sum, job.blocks, 0, columns, partial + sum * job.blocks * columns);
  }
}
