// Layer normalisation (Ba, Kiros and Hinton 2016) over the last axis. The variance is taken in a
// second pass over the centred row, because a one-pass formula loses it when the mean is large;
// that pass also yields what the first one's mean lacked by rounding.

#include <math.h>

#include "reductions/column_tiles.h"
#include "runtime/internal.h"

#ifdef __clang__
#pragma clang fp contract(fast)
#endif

// So many at once: one row's chain of dependent instructions hides behind another's.
enum { ROWS = 4 };

typedef struct {
  int64_t columns;
  double epsilon;
  const void *x, *scale, *shift, *statistics, *dy;
  void *out, *statistics_out;
} norm_job;

typedef struct {
  double mean, square;  // of x - center
} row_moments;

#define LAYER_NORM(suffix, real)                                                                  \
  LATENT_INLINE row_moments moments_##suffix(int64_t n, const real *x, real center) {             \
    row_moments total = {0, 0};                                                                   \
    for (int64_t from = 0; from < n; from += 4096) {                                              \
      LATENT_REASSOCIATE                                                                          \
      int64_t to = smaller(from + 4096, n);                                                       \
      real sum = 0, squares = 0;                                                                  \
      for (int64_t i = from; i < to; ++i) {                                                       \
        const real d = x[i] - center;                                                             \
        sum += d;                                                                                 \
        squares += d * d;                                                                         \
      }                                                                                           \
      total.mean += sum, total.square += squares;                                                 \
    }                                                                                             \
    total.mean /= (double)n, total.square /= (double)n;                                           \
    return total;                                                                                 \
  }                                                                                               \
  static LATENT_CLONES void norm_rows_##suffix(void *context, int64_t begin, int64_t end) {       \
    const norm_job *job = context;                                                                \
    const int64_t n = job->columns;                                                               \
    const real *scale = job->scale, *shift = job->shift;                                          \
    for (int64_t group = begin; group < end; group += ROWS) {                                     \
      const int64_t rows = smaller(ROWS, end - group);                                            \
      const real *all = (const real *)job->x + group * n;                                         \
      real center[ROWS];                                                                          \
      for (int64_t r = 0; r < rows; ++r) center[r] = (real)moments_##suffix(n, all + r * n, 0).mean;\
      real *statistics = (real *)job->statistics_out + 2 * group;                                 \
      for (int64_t r = 0; r < rows; ++r) {                                                        \
        const row_moments moments = moments_##suffix(n, all + r * n, center[r]);                  \
        const double variance = moments.square - moments.mean * moments.mean;                     \
        statistics[2 * r] = (real)(center[r] + moments.mean);                                     \
        statistics[2 * r + 1] = (real)(1 / sqrt(variance + job->epsilon));                        \
      }                                                                                           \
      for (int64_t r = 0; r < rows; ++r) {                                                        \
        const real *x = all + r * n, mean = statistics[2 * r], inverse = statistics[2 * r + 1];   \
        real *y = (real *)job->out + (group + r) * n;                                             \
        if (scale && shift) {                                                                     \
          LATENT_SAME_INDEX for (int64_t i = 0; i < n; ++i) {                                     \
            y[i] = (x[i] - mean) * inverse * scale[i] + shift[i];                                 \
          }                                                                                       \
        } else {                                                                                  \
          for (int64_t i = 0; i < n; ++i) {                                                       \
            const real normal = (x[i] - mean) * inverse;                                          \
            y[i] = (scale ? normal * scale[i] : normal) + (shift ? shift[i] : 0);                 \
          }                                                                                       \
        }                                                                                         \
      }                                                                                           \
    }                                                                                             \
  }                                                                                               \
  /* With n = normalised x and g = dy scale: dx = (g - mean g - n mean(g n)) / deviation. */      \
  static LATENT_CLONES void norm_grad_rows_##suffix(void *context, int64_t begin, int64_t end) {  \
    const norm_job *job = context;                                                                \
    const int64_t n = job->columns;                                                               \
    const real *scale = job->scale;                                                               \
    for (int64_t row = begin; row < end; ++row) {                                                 \
      const real *x = (const real *)job->x + row * n, *dy = (const real *)job->dy + row * n;      \
      const real *statistics = (const real *)job->statistics + 2 * row;                           \
      const real mean = statistics[0], inverse = statistics[1];                                   \
      real *dx = (real *)job->out + row * n;                                                      \
      double total = 0, product = 0;                                                              \
      for (int64_t from = 0; from < n; from += 4096) {                                            \
        LATENT_REASSOCIATE                                                                        \
        int64_t to = smaller(from + 4096, n);                                                     \
        real sum = 0, along = 0;                                                                  \
        if (scale) {                                                                              \
          for (int64_t i = from; i < to; ++i) {                                                   \
            const real g = dy[i] * scale[i];                                                      \
            sum += g;                                                                             \
            along += g * ((x[i] - mean) * inverse);                                               \
          }                                                                                       \
        } else {                                                                                  \
          for (int64_t i = from; i < to; ++i) {                                                   \
            sum += dy[i];                                                                         \
            along += dy[i] * ((x[i] - mean) * inverse);                                           \
          }                                                                                       \
        }                                                                                         \
        total += sum, product += along;                                                           \
      }                                                                                           \
      const real g_mean = (real)(total / (double)n), gn_mean = (real)(product / (double)n);       \
      if (scale) {                                                                                \
        LATENT_SAME_INDEX for (int64_t i = 0; i < n; ++i) {                                       \
          const real normal = (x[i] - mean) * inverse;                                            \
          dx[i] = inverse * ((dy[i] * scale[i] - g_mean) - normal * gn_mean);                     \
        }                                                                                         \
      } else {                                                                                    \
        LATENT_SAME_INDEX for (int64_t i = 0; i < n; ++i) {                                       \
          const real normal = (x[i] - mean) * inverse;                                            \
          dx[i] = inverse * ((dy[i] - g_mean) - normal * gn_mean);                                \
        }                                                                                         \
      }                                                                                           \
    }                                                                                             \
  }                                                                                               \
  static LATENT_CLONES void norm_tile_##suffix(void *context, int64_t row, int64_t rows,          \
                                               int64_t column, int64_t width, double *dscale,     \
                                               double *dshift) {                                  \
    const norm_job *job = context;                                                                \
    for (int64_t c = 0; c < width; ++c) dscale[c] = dshift[c] = 0;                                \
    for (int64_t begin = row; begin < row + rows; begin += 64) {                                  \
      int64_t end = smaller(begin + 64, row + rows);                                              \
      LATENT_ALIGNED real scale_sum[COLUMN_TILE], shift_sum[COLUMN_TILE];                         \
      for (int64_t c = 0; c < width; ++c) scale_sum[c] = shift_sum[c] = 0;                        \
      for (int64_t r = begin; r < end; ++r) {                                                     \
        const real *x = (const real *)job->x + r * job->columns + column;                         \
        const real *dy = (const real *)job->dy + r * job->columns + column;                       \
        const real *statistics = (const real *)job->statistics + 2 * r;                           \
        const real mean = statistics[0], inverse = statistics[1];                                 \
        LATENT_SAME_INDEX for (int64_t c = 0; c < width; ++c) {                                   \
          scale_sum[c] += dy[c] * ((x[c] - mean) * inverse);                                      \
          shift_sum[c] += dy[c];                                                                  \
        }                                                                                         \
      }                                                                                           \
      for (int64_t c = 0; c < width; ++c) dscale[c] += scale_sum[c], dshift[c] += shift_sum[c];   \
    }                                                                                             \
  }

LAYER_NORM(f32, float)
LAYER_NORM(f64, double)

void latent_layer_norm(latent_dtype type, int64_t rows, int64_t columns, double epsilon,
                       const void *x, const void *scale, const void *shift, void *y,
                       void *statistics) {
  norm_job job = {.columns = columns, .epsilon = epsilon, .x = x, .scale = scale, .shift = shift,
                  .out = y, .statistics_out = statistics};
  parallel_rows(rows, columns, LATENT_CHEAP / 2, &job,
                type == LATENT_F64 ? norm_rows_f64 : norm_rows_f32);
}

void latent_layer_norm_grad(latent_dtype type, int64_t rows, int64_t columns, const void *x,
                            const void *scale, const void *statistics, const void *dy, void *dx,
                            void *dscale, void *dshift) {
  norm_job job = {.columns = columns, .x = x, .scale = scale, .statistics = statistics, .dy = dy,
                  .out = dx};
  bool wide = type == LATENT_F64;
  // The sums first: dx may take the place of dy.
  if (dscale || dshift) {
    latent_column_tiles(type, rows, columns, 2, dscale, dshift, LATENT_CHEAP / 2, &job,
                        wide ? norm_tile_f64 : norm_tile_f32);
  }
  if (dx) {
    parallel_rows(rows, columns, LATENT_CHEAP / 2, &job,
                  wide ? norm_grad_rows_f64 : norm_grad_rows_f32);
  }
}
