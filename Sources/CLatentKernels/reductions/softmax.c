// Softmax and log-softmax of rows and their derivatives, shifted by the row's maximum.

#include <math.h>

#include "runtime/internal.h"
#include "runtime/real_math.h"

#ifdef __clang__
#pragma clang fp contract(fast)
#endif

typedef struct {
  bool logarithm;
  latent_dtype type;
  int64_t n;
  const void *x, *y;
  void *out;
} softmax_job;

// Sums run over blocks of SUM_BLOCK in the array's type, and over the blocks in double.
enum { SUM_BLOCK = 1024 };

#define SOFTMAX(suffix, real)                                                                     \
  static LATENT_CLONES void softmax_row_##suffix(bool logarithm, int64_t n, real top,             \
                                                 const real *x, real *y) {                        \
    double total = 0;                                                                             \
    for (int64_t begin = 0; begin < n; begin += SUM_BLOCK) {                                      \
      LATENT_REASSOCIATE                                                                          \
      int64_t end = smaller(begin + SUM_BLOCK, n);                                                \
      real sum = 0;                                                                               \
      if (logarithm) {                                                                            \
        for (int64_t i = begin; i < end; ++i) sum += exp_##suffix(x[i] - top);                    \
      } else {                                                                                    \
        LATENT_SAME_INDEX for (int64_t i = begin; i < end; ++i) {                                 \
          const real e = exp_##suffix(x[i] - top);                                                \
          y[i] = e;                                                                               \
          sum += e;                                                                               \
        }                                                                                         \
      }                                                                                           \
      total += sum;                                                                               \
    }                                                                                             \
    if (logarithm) {                                                                              \
      const real log_sum = log_##suffix((real)total);                                             \
      LATENT_SAME_INDEX for (int64_t i = 0; i < n; ++i) y[i] = (x[i] - top) - log_sum;            \
    } else {                                                                                      \
      const real scale = (real)(1 / total);                                                       \
      for (int64_t i = 0; i < n; ++i) y[i] *= scale;                                              \
    }                                                                                             \
  }                                                                                               \
  static void softmax_range_##suffix(void *context, int64_t begin, int64_t end) {                 \
    const softmax_job *job = context;                                                             \
    for (int64_t row = begin; row < end; ++row) {                                                 \
      const real *x = (const real *)job->x + row * job->n;                                        \
      softmax_row_##suffix(job->logarithm, job->n, (real)latent_row_max_##suffix(job->n, x), x,   \
                           (real *)job->out + row * job->n);                                      \
    }                                                                                             \
  }                                                                                               \
  static LATENT_CLONES void softmax_grad_row_##suffix(bool logarithm, int64_t n, const real *dy,  \
                                                      const real *y, real *dx) {                  \
    double total = 0;                                                                             \
    for (int64_t begin = 0; begin < n; begin += SUM_BLOCK) {                                      \
      LATENT_REASSOCIATE                                                                          \
      int64_t end = smaller(begin + SUM_BLOCK, n);                                                \
      real sum = 0;                                                                               \
      if (logarithm) {                                                                            \
        for (int64_t i = begin; i < end; ++i) sum += dy[i];                                       \
      } else {                                                                                    \
        for (int64_t i = begin; i < end; ++i) sum += y[i] * dy[i];                                \
      }                                                                                           \
      total += sum;                                                                               \
    }                                                                                             \
    const real along = (real)total;                                                               \
    if (logarithm) {                                                                              \
      LATENT_SAME_INDEX for (int64_t i = 0; i < n; ++i) {                                         \
        dx[i] = dy[i] - exp_##suffix(y[i]) * along;                                               \
      }                                                                                           \
    } else {                                                                                      \
      LATENT_SAME_INDEX for (int64_t i = 0; i < n; ++i) dx[i] = y[i] * (dy[i] - along);           \
    }                                                                                             \
  }                                                                                               \
  static void softmax_grad_range_##suffix(void *context, int64_t begin, int64_t end) {            \
    const softmax_job *job = context;                                                             \
    for (int64_t row = begin; row < end; ++row) {                                                 \
      int64_t at = row * job->n;                                                                  \
      softmax_grad_row_##suffix(job->logarithm, job->n, (const real *)job->x + at,                \
                                (const real *)job->y + at, (real *)job->out + at);                \
    }                                                                                             \
  }

SOFTMAX(f32, float)
SOFTMAX(f64, double)

void latent_softmax(bool logarithm, latent_dtype type, int64_t outer, int64_t n, const void *x,
                    void *y) {
  softmax_job job = {.logarithm = logarithm, .type = type, .n = n, .x = x, .out = y};
  bool wide = type == LATENT_F64;
  parallel_rows(outer, n, wide ? LATENT_EXPENSIVE : LATENT_MODERATE, &job,
                wide ? softmax_range_f64 : softmax_range_f32);
}

void latent_softmax_grad(bool logarithm, latent_dtype type, int64_t outer, int64_t n,
                         const void *dy, const void *y, void *dx) {
  softmax_job job = {.logarithm = logarithm, .type = type, .n = n, .x = dy, .y = y, .out = dx};
  bool wide = type == LATENT_F64;
  int64_t threshold = !logarithm ? LATENT_CHEAP : wide ? LATENT_EXPENSIVE : LATENT_MODERATE;
  parallel_rows(outer, n, threshold, &job,
                wide ? softmax_grad_range_f64 : softmax_grad_range_f32);
}
