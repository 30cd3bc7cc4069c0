// Max pooling. The forward pass writes down where each maximum stood; the derivative asks, for each
// input, which of the outputs that saw it chose it: a gather again, whatever windows overlap.

#include "spatial.h"

#define MAX_AXES(suffix, real)                                                                  \
  /* NaN wins over numbers, the first of equals over later ones. */                             \
  LATENT_INLINE void take_larger_##suffix(int64_t n, const real *x, int32_t position, real *y,  \
                                          int32_t *positions) {                                 \
    if (positions) {                                                                            \
      LATENT_SAME_INDEX for (int64_t i = 0; i < n; ++i) {                                       \
        const bool takes = x[i] > y[i] || x[i] != x[i];                                         \
        y[i] = takes ? x[i] : y[i];                                                             \
        positions[i] = takes ? position : positions[i];                                         \
      }                                                                                         \
    } else {                                                                                    \
      LATENT_SAME_INDEX for (int64_t i = 0; i < n; ++i) {                                       \
        y[i] = x[i] > y[i] || x[i] != x[i] ? x[i] : y[i];                                       \
      }                                                                                         \
    }                                                                                           \
  }                                                                                             \
  static LATENT_CLONES void max_range_##suffix(void *context, int64_t begin, int64_t end) {     \
    const spatial_job *job = context;                                                           \
    const int64_t n = job->channels;                                                            \
    for (int64_t at = begin; at < end;) {                                                       \
      const spatial_line where = line_at(job->axes, at, end);                                   \
      const spatial_row depth = row_of(&job->axes[0], where.depth);                             \
      const spatial_row height = row_of(&job->axes[1], where.height);                           \
      const real *x = (const real *)job->x + where.batch * input_positions(job->axes) * n;      \
      for (int64_t k = 0; k < where.count; ++k) {                                               \
        const spatial_row width = row_of(&job->axes[2], where.width + k);                       \
        real *y = (real *)job->y + (at + k) * n;                                                \
        int32_t *positions = job->positions_out ? job->positions_out + (at + k) * n : 0;        \
        bool first = true;                                                                      \
        for (int64_t d = 0; d < depth.count; ++d) {                                             \
          for (int64_t h = 0; h < height.count; ++h) {                                          \
            const int64_t line = (depth.indices[d] * job->axes[1].inputs + height.indices[h])   \
                                 * job->axes[2].inputs;                                         \
            for (int64_t w = 0; w < width.count; ++w) {                                         \
              const int64_t position = line + width.indices[w];                                 \
              if (first) {                                                                      \
                for (int64_t i = 0; i < n; ++i) y[i] = x[position * n + i];                     \
                for (int64_t i = 0; positions && i < n; ++i) positions[i] = (int32_t)position;  \
                first = false;                                                                  \
              } else {                                                                          \
                take_larger_##suffix(n, x + position * n, (int32_t)position, y, positions);     \
              }                                                                                 \
            }                                                                                   \
          }                                                                                     \
        }                                                                                       \
      }                                                                                         \
      at += where.count;                                                                        \
    }                                                                                           \
  }                                                                                             \
  /* Outputs of this walk are the pooling's inputs, its inputs the pooling's windows. */        \
  static LATENT_CLONES void max_grad_range_##suffix(void *context, int64_t begin,               \
                                                    int64_t end) {                              \
    const spatial_job *job = context;                                                           \
    const int64_t n = job->channels;                                                            \
    const int64_t outputs =                                                                     \
        job->axes[0].outputs * job->axes[1].outputs * job->axes[2].outputs;                     \
    for (int64_t at = begin; at < end;) {                                                       \
      const spatial_line where = line_at(job->axes, at, end);                                   \
      const spatial_row depth = row_of(&job->axes[0], where.depth);                             \
      const spatial_row height = row_of(&job->axes[1], where.height);                           \
      const int64_t windows = where.batch * input_positions(job->axes) * n;                     \
      const real *dy = (const real *)job->x + windows;                                          \
      const int32_t *positions = job->positions + windows;                                      \
      for (int64_t k = 0; k < where.count; ++k) {                                               \
        const spatial_row width = row_of(&job->axes[2], where.width + k);                       \
        const int32_t here = (int32_t)((at + k) - where.batch * outputs);                       \
        real *dx = (real *)job->y + (at + k) * n;                                               \
        for (int64_t i = 0; i < n; ++i) dx[i] = 0;                                              \
        for (int64_t d = 0; d < depth.count; ++d) {                                             \
          for (int64_t h = 0; h < height.count; ++h) {                                          \
            const int64_t line = (depth.indices[d] * job->axes[1].inputs + height.indices[h])   \
                                 * job->axes[2].inputs;                                         \
            for (int64_t w = 0; w < width.count; ++w) {                                         \
              const int64_t from = (line + width.indices[w]) * n;                               \
              LATENT_SAME_INDEX for (int64_t i = 0; i < n; ++i) {                               \
                const real slope = dy[from + i];  /* loaded in any case: no branch */           \
                dx[i] += positions[from + i] == here ? slope : 0;                               \
              }                                                                                 \
            }                                                                                   \
          }                                                                                     \
        }                                                                                       \
      }                                                                                         \
      at += where.count;                                                                        \
    }                                                                                           \
  }

MAX_AXES(f32, float)
MAX_AXES(f64, double)

void latent_max_axes(latent_dtype type, int64_t batch, int64_t channels,
                     const latent_axis_map axes[3], const void *x, void *y, int32_t *positions) {
  spatial_job job = {.axes = {axes[0], axes[1], axes[2]}, .channels = channels, .x = x, .y = y,
                     .positions_out = positions};
  parallel_positions(batch, &job, type == LATENT_F64 ? max_range_f64 : max_range_f32);
}

void latent_max_axes_grad(latent_dtype type, int64_t batch, int64_t channels,
                          const latent_axis_map transposed[3], const int32_t *positions,
                          const void *dy, void *dx) {
  spatial_job job = {.axes = {transposed[0], transposed[1], transposed[2]},
                     .channels = channels, .x = dy, .y = dx, .positions = positions};
  parallel_positions(batch, &job, type == LATENT_F64 ? max_grad_range_f64 : max_grad_range_f32);
}
