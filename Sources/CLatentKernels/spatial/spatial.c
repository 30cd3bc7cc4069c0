// Average pooling, interpolation and padding are one thing: a sparse linear map along each spatial
// axis. Their derivatives are the transposed maps, so one kernel that gathers serves both
// directions; nothing is ever scattered, and each output is summed by one task in a fixed order.

#include "spatial.h"

enum { TILE = 256 };

#define MAP_AXES(suffix, real)                                                                  \
  LATENT_INLINE void one_##suffix(int64_t n, real a, const real *x, real *y) {                  \
    LATENT_SAME_INDEX for (int64_t i = 0; i < n; ++i) y[i] = a * x[i];                          \
  }                                                                                             \
  LATENT_INLINE void two_##suffix(int64_t n, real a, const real *x, real b, const real *z,      \
                                  real *y) {                                                    \
    LATENT_SAME_INDEX for (int64_t i = 0; i < n; ++i) y[i] = a * x[i] + b * z[i];               \
  }                                                                                             \
  /* Any window: each line is summed for itself, so that errors grow with its length only. */   \
  LATENT_INLINE void many_##suffix(const spatial_job *job, spatial_row depth,                   \
                                   spatial_row height, spatial_row width, const real *x,        \
                                   real *y) {                                                   \
    const int64_t n = job->channels;                                                            \
    LATENT_ALIGNED real sum[TILE];                                                              \
    for (int64_t from = 0; from < n; from += TILE) {                                            \
      const int64_t part = smaller(TILE, n - from);                                             \
      LATENT_SAME_INDEX for (int64_t i = 0; i < part; ++i) y[from + i] = 0;                     \
      for (int64_t d = 0; d < depth.count; ++d) {                                               \
        for (int64_t h = 0; h < height.count; ++h) {                                            \
          const int64_t plane = depth.indices[d] * job->axes[1].inputs + height.indices[h];     \
          const real *line = x + plane * job->axes[2].inputs * n + from;                        \
          LATENT_SAME_INDEX for (int64_t i = 0; i < part; ++i) sum[i] = 0;                      \
          for (int64_t w = 0; w < width.count; ++w) {                                           \
            const real *tap = line + width.indices[w] * n, weight = (real)width.weights[w];     \
            LATENT_SAME_INDEX for (int64_t i = 0; i < part; ++i) sum[i] += weight * tap[i];     \
          }                                                                                     \
          const real weight = (real)(depth.weights[d] * height.weights[h]);                     \
          LATENT_SAME_INDEX for (int64_t i = 0; i < part; ++i) y[from + i] += weight * sum[i];  \
        }                                                                                       \
      }                                                                                         \
    }                                                                                           \
  }                                                                                             \
  static LATENT_CLONES void map_range_##suffix(void *context, int64_t begin, int64_t end) {     \
    const spatial_job *job = context;                                                           \
    const int64_t n = job->channels, line = job->axes[2].inputs * n;                            \
    for (int64_t at = begin; at < end;) {                                                       \
      const spatial_line where = line_at(job->axes, at, end);                                   \
      const spatial_row depth = row_of(&job->axes[0], where.depth);                             \
      const spatial_row height = row_of(&job->axes[1], where.height);                           \
      const real *x = (const real *)job->x + where.batch * input_positions(job->axes) * n;      \
      /* Windows of one or two taps a side (pooling and doubling by two) are read in one go. */ \
      const bool small = depth.count == 1 && height.count >= 1 && height.count <= 2;            \
      const int last = small ? (int)height.count - 1 : 0;                                       \
      const real *upper = x, *lower = x;                                                        \
      double above = 0, below = 0;                                                              \
      if (small) {                                                                              \
        const int64_t plane = depth.indices[0] * job->axes[1].inputs;                           \
        upper = x + (plane + height.indices[0]) * line;                                         \
        lower = x + (plane + height.indices[last]) * line;                                      \
        above = depth.weights[0] * height.weights[0];                                           \
        below = depth.weights[0] * height.weights[last];                                        \
      }                                                                                         \
      for (int64_t k = 0; k < where.count; ++k) {                                               \
        const spatial_row width = row_of(&job->axes[2], where.width + k);                       \
        real *y = (real *)job->y + (at + k) * n;                                                \
        if (!small || width.count < 1 || width.count > 2) {                                     \
          many_##suffix(job, depth, height, width, x, y);                                       \
          continue;                                                                             \
        }                                                                                       \
        const int64_t left = width.indices[0] * n;                                              \
        const double a = width.weights[0];                                                      \
        if (width.count == 1) {                                                                 \
          if (last == 0) {                                                                      \
            one_##suffix(n, (real)(above * a), upper + left, y);                                \
          } else {                                                                              \
            two_##suffix(n, (real)(above * a), upper + left, (real)(below * a), lower + left,   \
                         y);                                                                    \
          }                                                                                     \
          continue;                                                                             \
        }                                                                                       \
        const int64_t right = width.indices[1] * n;                                             \
        const double b = width.weights[1];                                                      \
        if (last == 0) {                                                                        \
          two_##suffix(n, (real)(above * a), upper + left, (real)(above * b), upper + right,    \
                       y);                                                                      \
          continue;                                                                             \
        }                                                                                       \
        const real aa = (real)(above * a), ab = (real)(above * b);                              \
        const real ba = (real)(below * a), bb = (real)(below * b);                              \
        LATENT_SAME_INDEX for (int64_t i = 0; i < n; ++i) {                                     \
          y[i] = (aa * upper[left + i] + ab * upper[right + i])                                 \
                 + (ba * lower[left + i] + bb * lower[right + i]);                              \
        }                                                                                       \
      }                                                                                         \
      at += where.count;                                                                        \
    }                                                                                           \
  }

MAP_AXES(f32, float)
MAP_AXES(f64, double)

// MARK: Maps that only move elements

static bool only_moves(const latent_axis_map *map) {
  for (int64_t o = 0; o < map->outputs; ++o) {
    if (map->starts[o + 1] - map->starts[o] > 1) return false;
  }
  for (int64_t k = 0; k < map->starts[map->outputs]; ++k) {
    if (map->weights[k] != 1) return false;
  }
  return true;
}

// The input that output `o` copies, or -1.
LATENT_INLINE int64_t source_of(const latent_axis_map *map, int64_t o) {
  int32_t start = map->starts[o];
  return map->starts[o + 1] > start ? map->indices[start] : -1;
}

static void move_range(void *context, int64_t begin, int64_t end) {
  const spatial_job *job = context;
  const latent_axis_map *width = &job->axes[2];
  const int64_t bytes = job->channels * job->item;
  int64_t previous = -2;  // the source line of the whole line before this one
  for (int64_t at = begin; at < end;) {
    const spatial_line where = line_at(job->axes, at, end);
    char *y = (char *)job->y + at * bytes;
    at += where.count;
    const int64_t d = source_of(&job->axes[0], where.depth);
    const int64_t h = source_of(&job->axes[1], where.height);
    if (d < 0 || h < 0) {
      memset(y, 0, (size_t)(where.count * bytes));
      previous = -2;
      continue;
    }
    const int64_t line =
        (where.batch * job->axes[0].inputs + d) * job->axes[1].inputs + h;
    const bool whole = where.count == width->outputs;
    if (whole && line == previous) {  // doubling repeats whole lines
      memcpy(y, y - where.count * bytes, (size_t)(where.count * bytes));
      continue;
    }
    previous = whole ? line : -2;
    const char *x = (const char *)job->x + line * width->inputs * bytes;
    for (int64_t k = 0; k < where.count;) {
      const int64_t source = source_of(width, where.width + k);
      int64_t run = 1;
      while (k + run < where.count &&
             source_of(width, where.width + k + run) == (source < 0 ? -1 : source + run)) {
        ++run;
      }
      if (source < 0) {
        memset(y + k * bytes, 0, (size_t)(run * bytes));
      } else {
        memcpy(y + k * bytes, x + source * bytes, (size_t)(run * bytes));
      }
      k += run;
    }
  }
}

void latent_map_axes(latent_dtype type, int64_t batch, int64_t channels,
                     const latent_axis_map axes[3], const void *x, void *y) {
  spatial_job job = {.axes = {axes[0], axes[1], axes[2]}, .channels = channels,
                     .item = item_size(type), .x = x, .y = y};
  const bool moves = only_moves(&axes[0]) && only_moves(&axes[1]) && only_moves(&axes[2]);
  parallel_positions(batch, &job,
                     moves                ? move_range
                     : type == LATENT_F64 ? map_range_f64
                                          : map_range_f32);
}
