// What the kernels over spatial axes share: walking ranges of output positions line by line.

#ifndef LATENT_SPATIAL_INTERNAL_H
#define LATENT_SPATIAL_INTERNAL_H

#include "runtime/internal.h"
#include "latent_spatial.h"

typedef struct {
  latent_axis_map axes[3];
  int64_t channels, item;
  const void *x;
  void *y;
  const int32_t *positions;
  int32_t *positions_out;
} spatial_job;

// The entries of one row.
typedef struct {
  int64_t count;
  const int32_t *indices;
  const double *weights;
} spatial_row;

LATENT_INLINE spatial_row row_of(const latent_axis_map *map, int64_t output) {
  int32_t start = map->starts[output];
  return (spatial_row){map->starts[output + 1] - start, map->indices + start,
                       map->weights + start};
}

// Output positions first..<first + count of one line along the width.
typedef struct {
  int64_t batch, depth, height, width, count;
} spatial_line;

LATENT_INLINE spatial_line line_at(const latent_axis_map axes[3], int64_t position, int64_t end) {
  int64_t width = axes[2].outputs, line = position / width, plane = line / axes[1].outputs;
  spatial_line result = {plane / axes[0].outputs, plane % axes[0].outputs,
                         line % axes[1].outputs, position % width, 0};
  result.count = smaller(end - position, width - result.width);
  return result;
}

LATENT_INLINE int64_t input_positions(const latent_axis_map axes[3]) {
  return axes[0].inputs * axes[1].inputs * axes[2].inputs;
}

// Runs body over ranges of output positions; the cost of one is that of the elements it reads.
static inline void parallel_positions(int64_t batch, spatial_job *job, latent_range_body body) {
  int64_t outputs = 1;
  double taps = 1;
  for (int axis = 0; axis < 3; ++axis) {
    const latent_axis_map *map = &job->axes[axis];
    outputs *= map->outputs;
    if (map->outputs > 0) taps *= (double)map->starts[map->outputs] / (double)map->outputs;
  }
  if (job->channels <= 0) return;
  int64_t cost = job->channels * larger(1, (int64_t)(taps + 0.5));
  parallel_rows(batch * outputs, cost, LATENT_CHEAP, job, body);
}

#endif
