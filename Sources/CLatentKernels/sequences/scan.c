// Walks along the middle axis of [outer, n, inner] that carry a position or a running value:
// the index of an extreme element, and cumulative sums (float32 accumulates in double).

#include "runtime/internal.h"

enum { TILE = 128, LANES = 64 };

typedef struct {
  bool largest, reverse, exclusive;
  int64_t n, inner, tiles;
  const void *x;
  void *y;
} scan_job;

// b beats a: larger (smaller), or the first NaN. Equal ones keep the earlier.
#define BEATS_LARGEST(b, a) ((b) > (a) || ((b) != (b) && (a) == (a)))
#define BEATS_SMALLEST(b, a) ((b) < (a) || ((b) != (b) && (a) == (a)))

#define ARG_COLUMNS(name, real, beats)                                                        \
  static LATENT_CLONES void name(int64_t rows, int64_t stride, int64_t width, const real *x,  \
                                 real *best, int32_t *index) {                                \
    for (int64_t c = 0; c < width; ++c) best[c] = x[c], index[c] = 0;                         \
    for (int64_t row = 1; row < rows; ++row) {                                                \
      const real *line = x + row * stride;                                                    \
      LATENT_SAME_INDEX for (int64_t c = 0; c < width; ++c) {                                 \
        const real v = line[c], b = best[c];                                                  \
        const int32_t i = index[c];                                                           \
        const bool wins = beats(v, b);                                                        \
        best[c] = wins ? v : b;                                                               \
        index[c] = wins ? (int32_t)row : i;                                                   \
      }                                                                                       \
    }                                                                                         \
  }

// A row is read as lines of LANES elements: a column each, folded at the end.
#define ARG_ROW(name, columns, real, beats)                                          \
  static int32_t name(int64_t n, const real *x) {                                    \
    LATENT_ALIGNED real best[LANES];                                                 \
    LATENT_ALIGNED int32_t index[LANES];                                             \
    int64_t lines = n / LANES;                                                       \
    real top = x[0];                                                                 \
    int32_t at = 0;                                                                  \
    if (lines > 0) {                                                                 \
      columns(lines, LANES, LANES, x, best, index);                                  \
      top = best[0], at = index[0] * LANES;                                          \
      for (int32_t c = 1; c < LANES; ++c) {                                          \
        int32_t here = index[c] * LANES + c;                                         \
        bool wins = beats(best[c], top), loses = beats(top, best[c]);                \
        if (wins || (!loses && here < at)) top = best[c], at = here;                 \
      }                                                                              \
    }                                                                                \
    for (int64_t i = lines * LANES; i < n; ++i) {                                    \
      if (beats(x[i], top)) top = x[i], at = (int32_t)i;                             \
    }                                                                                \
    return at;                                                                       \
  }

#define ARG_EXTREME(suffix, real)                                                             \
  ARG_COLUMNS(largest_columns_##suffix, real, BEATS_LARGEST)                                  \
  ARG_COLUMNS(smallest_columns_##suffix, real, BEATS_SMALLEST)                                \
  ARG_ROW(largest_row_##suffix, largest_columns_##suffix, real, BEATS_LARGEST)                \
  ARG_ROW(smallest_row_##suffix, smallest_columns_##suffix, real, BEATS_SMALLEST)             \
  static void arg_range_##suffix(void *context, int64_t begin, int64_t end) {                 \
    const scan_job *job = context;                                                            \
    const real *x = job->x;                                                                   \
    int32_t *y = job->y;                                                                      \
    LATENT_ALIGNED real best[TILE];                                                           \
    for (int64_t task = begin; task < end; ++task) {                                          \
      if (job->inner == 1) {                                                                  \
        const real *row = x + task * job->n;                                                  \
        y[task] = job->largest ? largest_row_##suffix(job->n, row)                            \
                               : smallest_row_##suffix(job->n, row);                          \
        continue;                                                                             \
      }                                                                                       \
      int64_t outer = task / job->tiles, column = task % job->tiles * TILE;                   \
      int64_t width = smaller(TILE, job->inner - column);                                     \
      const real *from = x + outer * job->n * job->inner + column;                            \
      int32_t *to = y + outer * job->inner + column;                                          \
      if (job->largest) {                                                                     \
        largest_columns_##suffix(job->n, job->inner, width, from, best, to);                  \
      } else {                                                                                \
        smallest_columns_##suffix(job->n, job->inner, width, from, best, to);                 \
      }                                                                                       \
    }                                                                                         \
  }

ARG_EXTREME(f32, float)
ARG_EXTREME(f64, double)
ARG_EXTREME(i32, int32_t)

// One task is a row, or a tile of columns of one outer index.
static void run_scan(scan_job *job, int64_t outer, latent_range_body body) {
  job->tiles = (job->inner + TILE - 1) / TILE;
  parallel_rows(outer * job->tiles, job->n * smaller(TILE, job->inner), LATENT_MODERATE, job,
                body);
}

void latent_arg_extreme(bool largest, latent_dtype type, int64_t outer, int64_t n, int64_t inner,
                        const void *x, int32_t *y) {
  if (outer <= 0 || inner <= 0) return;
  if (n <= 0) {
    memset(y, 0, (size_t)(outer * inner) * sizeof *y);
    return;
  }
  scan_job job = {.largest = largest, .n = n, .inner = inner, .x = x, .y = y};
  run_scan(&job, outer,
           type == LATENT_F32   ? arg_range_f32
           : type == LATENT_F64 ? arg_range_f64
                                : arg_range_i32);
}

#define CUMULATIVE_SUM(suffix, real, total)                                                   \
  static LATENT_CLONES void cumulative_columns_##suffix(const scan_job *job, int64_t width,   \
                                                        const real *x, real *y) {             \
    LATENT_ALIGNED total sum[TILE];                                                           \
    for (int64_t c = 0; c < width; ++c) sum[c] = 0;                                           \
    for (int64_t j = 0; j < job->n; ++j) {                                                    \
      int64_t at = (job->reverse ? job->n - 1 - j : j) * job->inner;                          \
      if (job->exclusive) {                                                                   \
        LATENT_SAME_INDEX for (int64_t c = 0; c < width; ++c) {                               \
          const real v = x[at + c];                                                           \
          y[at + c] = (real)sum[c];                                                           \
          sum[c] += (total)v;                                                                 \
        }                                                                                     \
      } else {                                                                                \
        LATENT_SAME_INDEX for (int64_t c = 0; c < width; ++c) {                               \
          sum[c] += (total)x[at + c];                                                         \
          y[at + c] = (real)sum[c];                                                           \
        }                                                                                     \
      }                                                                                       \
    }                                                                                         \
  }                                                                                           \
  static void cumulative_row_##suffix(const scan_job *job, const real *x, real *y) {          \
    total sum = 0;                                                                            \
    int64_t step = job->reverse ? -1 : 1, at = job->reverse ? job->n - 1 : 0;                 \
    for (int64_t j = 0; j < job->n; ++j, at += step) {                                        \
      const total next = sum + (total)x[at];                                                  \
      y[at] = (real)(job->exclusive ? sum : next);                                            \
      sum = next;                                                                             \
    }                                                                                         \
  }                                                                                           \
  static void cumulative_range_##suffix(void *context, int64_t begin, int64_t end) {          \
    const scan_job *job = context;                                                            \
    for (int64_t task = begin; task < end; ++task) {                                          \
      int64_t column = task % job->tiles * TILE;                                              \
      int64_t at = task / job->tiles * job->n * job->inner + column;                          \
      const real *x = (const real *)job->x + at;                                              \
      real *y = (real *)job->y + at;                                                          \
      if (job->inner == 1) {                                                                  \
        cumulative_row_##suffix(job, x, y);                                                   \
      } else {                                                                                \
        cumulative_columns_##suffix(job, smaller(TILE, job->inner - column), x, y);           \
      }                                                                                       \
    }                                                                                         \
  }

CUMULATIVE_SUM(f32, float, double)
CUMULATIVE_SUM(f64, double, double)
CUMULATIVE_SUM(i32, int32_t, uint32_t)  // wraps

void latent_cumulative_sum(latent_dtype type, int64_t outer, int64_t n, int64_t inner,
                           bool reverse, bool exclusive, const void *x, void *y) {
  if (outer <= 0 || inner <= 0 || n <= 0) return;
  scan_job job = {.reverse = reverse, .exclusive = exclusive, .n = n, .inner = inner, .x = x,
                  .y = y};
  run_scan(&job, outer,
           type == LATENT_F32   ? cumulative_range_f32
           : type == LATENT_F64 ? cumulative_range_f64
                                : cumulative_range_i32);
}
