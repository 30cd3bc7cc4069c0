// Log-softmax and the choice of one class, in one walk over the logits and without the array of
// log-probabilities between them: a language model reads one of 256 of those.

#include <math.h>

#include "runtime/internal.h"
#include "runtime/real_math.h"

#ifdef __clang__
#pragma clang fp contract(fast)
#endif

// Sums run over blocks of SUM_BLOCK in the array's type, and over the blocks in double.
enum { SUM_BLOCK = 1024 };

typedef struct {
  int64_t classes;
  const void *logits, *statistics, *dy;
  const int32_t *targets;
  void *out, *statistics_out;
} categorical_job;

LATENT_INLINE bool is_class(const categorical_job *job, int64_t row) {
  return job->targets[row] >= 0 && job->targets[row] < job->classes;
}

#define CATEGORICAL(suffix, real, exp_below_zero)                                                 \
  static LATENT_CLONES double exp_sum_##suffix(int64_t n, real top, const real *x) {              \
    double total = 0;                                                                             \
    for (int64_t begin = 0; begin < n; begin += SUM_BLOCK) {                                      \
      LATENT_REASSOCIATE                                                                          \
      const int64_t end = smaller(begin + SUM_BLOCK, n);                                          \
      real sum = 0;                                                                               \
      for (int64_t i = begin; i < end; ++i) sum += exp_below_zero(x[i] - top);                    \
      total += sum;                                                                               \
    }                                                                                             \
    return total;                                                                                 \
  }                                                                                               \
  static void rows_##suffix(void *context, int64_t begin, int64_t end) {                          \
    const categorical_job *job = context;                                                         \
    for (int64_t row = begin; row < end; ++row) {                                                 \
      const real *x = (const real *)job->logits + row * job->classes;                             \
      const real top = (real)latent_row_max_##suffix(job->classes, x);                            \
      const real log_sum = log_##suffix((real)exp_sum_##suffix(job->classes, top, x));            \
      real *statistics = (real *)job->statistics_out + 2 * row;                                   \
      statistics[0] = top, statistics[1] = log_sum;                                               \
      ((real *)job->out)[row] =                                                                   \
          is_class(job, row) ? (x[job->targets[row]] - top) - log_sum : -(real)INFINITY;          \
    }                                                                                             \
  }                                                                                               \
  static LATENT_CLONES void spread_##suffix(int64_t n, real top, real log_sum, real dy,           \
                                            const real *x, real *dx) {                            \
    LATENT_SAME_INDEX for (int64_t i = 0; i < n; ++i) {                                           \
      dx[i] = -dy * exp_below_zero((x[i] - top) - log_sum);                                       \
    }                                                                                             \
  }                                                                                               \
  static void grad_rows_##suffix(void *context, int64_t begin, int64_t end) {                     \
    const categorical_job *job = context;                                                         \
    for (int64_t row = begin; row < end; ++row) {                                                 \
      const real *x = (const real *)job->logits + row * job->classes;                             \
      const real *statistics = (const real *)job->statistics + 2 * row;                           \
      const real dy = ((const real *)job->dy)[row];                                               \
      real *dx = (real *)job->out + row * job->classes;                                           \
      if (is_class(job, row)) {                                                                   \
        spread_##suffix(job->classes, statistics[0], statistics[1], dy, x, dx);                   \
        dx[job->targets[row]] += dy;                                                              \
      } else {                                                                                    \
        memset(dx, 0, (size_t)job->classes * sizeof(real));                                       \
      }                                                                                           \
    }                                                                                             \
  }

#define EXP_F32(x) exp_nonpositive(x, 0.0f)
CATEGORICAL(f32, float, EXP_F32)
CATEGORICAL(f64, double, exp)

void latent_categorical_log_prob(latent_dtype type, int64_t rows, int64_t classes,
                                 const void *logits, const int32_t *targets, void *y,
                                 void *statistics) {
  categorical_job job = {.classes = classes, .logits = logits, .targets = targets, .out = y,
                         .statistics_out = statistics};
  bool wide = type == LATENT_F64;
  parallel_rows(rows, classes, wide ? LATENT_EXPENSIVE : LATENT_MODERATE, &job,
                wide ? rows_f64 : rows_f32);
}

void latent_categorical_log_prob_grad(latent_dtype type, int64_t rows, int64_t classes,
                                      const void *logits, const int32_t *targets,
                                      const void *statistics, const void *dy, void *dlogits) {
  categorical_job job = {.classes = classes, .logits = logits, .statistics = statistics, .dy = dy,
                         .targets = targets, .out = dlogits};
  bool wide = type == LATENT_F64;
  parallel_rows(rows, classes, wide ? LATENT_EXPENSIVE : LATENT_MODERATE, &job,
                wide ? grad_rows_f64 : grad_rows_f32);
}
