// Reductions over the middle axis of [outer, n, inner]. Sums of float32 run in float over short
// blocks (vector lanes, so few additions per lane) and add the blocks in double: the error stays
// near that of one rounding, at the speed of memory.

#include <math.h>

#include "runtime/internal.h"
#include "runtime/real_math.h"

#ifdef __clang__
#pragma clang fp contract(fast)
#endif

enum {
  TILE = 128,           // columns of one task
  LONG_ROW = 65536,     // rows from here on are split
  MAX_PIECES = 128,     // of one long row
  MAX_PARTIALS = 4096,  // row blocks times columns, on the caller's stack
};

typedef struct {
  latent_reduction op;
  int64_t n, inner, tiles, piece;
  const void *x;
  void *y;
  double *partial;
  double shift;
} reduce_job;

LATENT_INLINE double combine(latent_reduction op, double a, double b) {
  switch (op) {
    case LATENT_REDUCE_MAX: return a > b || a != a ? a : b;
    case LATENT_REDUCE_MIN: return a < b || a != a ? a : b;
    case LATENT_PRODUCT: return a * b;
    default: return a + b;
  }
}

static LATENT_CLONES void combine_lines(latent_reduction op, int64_t n, const double *x,
                                        double *total) {
  if (op == LATENT_SUM || op == LATENT_SUM_SQUARES) {
    LATENT_SAME_INDEX for (int64_t i = 0; i < n; ++i) total[i] += x[i];
  } else {
    for (int64_t i = 0; i < n; ++i) total[i] = combine(op, total[i], x[i]);
  }
}

static void run_tasks(int64_t count, int64_t elements, int64_t serial_below, void *context,
                      latent_task task) {
  if (elements >= serial_below) {
    latent_parallel(count, context, task);
  } else {
    for (int64_t i = 0; i < count; ++i) task(context, i);
  }
}

#define REAL float
#define NAME(stem) stem##_f32
#define KEY int32_t
#define KEY_MIN INT32_MIN
#define KEY_MAX INT32_MAX
#define EXP exp_f32
#define LOG log_f32
#include "reduce_body.h"
#undef REAL
#undef NAME
#undef KEY
#undef KEY_MIN
#undef KEY_MAX
#undef EXP
#undef LOG

#define REAL double
#define NAME(stem) stem##_f64
#define KEY int64_t
#define KEY_MIN INT64_MIN
#define KEY_MAX INT64_MAX
#define EXP exp_f64
#define LOG log_f64
#include "reduce_body.h"

// MARK: Integers: sums and products wrap; there is no log-sum-exp.

static void integer_range(void *context, int64_t begin, int64_t end) {
  const reduce_job *job = context;
  for (int64_t o = begin; o < end; ++o) {
    const int32_t *x = (const int32_t *)job->x + o * job->n * job->inner;
    int32_t *y = (int32_t *)job->y + o * job->inner;
    int32_t start = job->op == LATENT_PRODUCT      ? 1
                    : job->op == LATENT_REDUCE_MAX ? INT32_MIN
                    : job->op == LATENT_REDUCE_MIN ? INT32_MAX
                                                   : 0;
    for (int64_t i = 0; i < job->inner; ++i) y[i] = start;
    for (int64_t j = 0; j < job->n; ++j) {
      for (int64_t i = 0; i < job->inner; ++i) {
        int32_t v = x[j * job->inner + i];
        uint32_t a = (uint32_t)y[i], b = (uint32_t)v;
        switch (job->op) {
          case LATENT_REDUCE_MAX: y[i] = v > y[i] ? v : y[i]; break;
          case LATENT_REDUCE_MIN: y[i] = v < y[i] ? v : y[i]; break;
          case LATENT_PRODUCT: y[i] = (int32_t)(a * b); break;
          case LATENT_SUM_SQUARES: y[i] = (int32_t)(a + b * b); break;
          default: y[i] = (int32_t)(a + b); break;
        }
      }
    }
  }
}

void latent_reduce(latent_reduction op, latent_dtype type, int64_t outer, int64_t n, int64_t inner,
                   const void *x, void *y) {
  if (outer <= 0 || inner <= 0) return;
  reduce_job job = {.op = op, .n = n, .inner = inner, .x = x, .y = y};
  job.tiles = (inner + TILE - 1) / TILE;
  if (type == LATENT_I32) {
    parallel_rows(outer, n * inner, LATENT_MODERATE, &job, integer_range);
  } else if (type == LATENT_F32 && inner == 1) {
    reduce_rows_f32(&job, outer);
  } else if (type == LATENT_F32) {
    reduce_columns_f32(&job, outer);
  } else if (inner == 1) {
    reduce_rows_f64(&job, outer);
  } else {
    reduce_columns_f64(&job, outer);
  }
}

// MARK: Whole arrays, in double

enum { WHOLE_PIECES = 256 };

typedef struct {
  latent_dtype type;
  int64_t n, piece;
  const void *x, *y;
  double *partial;
  int64_t *counts;
} whole_job;

#define DOT(name, real)                                                         \
  static LATENT_CLONES double name(int64_t n, const real *x, const real *y) {   \
    LATENT_REASSOCIATE                                                          \
    double sum = 0;                                                             \
    for (int64_t i = 0; i < n; ++i) sum += (double)x[i] * (double)y[i];         \
    return sum;                                                                 \
  }
DOT(dot_f32, float)
DOT(dot_f64, double)
DOT(dot_i32, int32_t)

static int64_t piece_of(int64_t n) {
  return round_up(larger(16384, (n + WHOLE_PIECES - 1) / WHOLE_PIECES), 1024);
}

static void dot_task(void *context, int64_t index) {
  const whole_job *job = context;
  int64_t at = index * job->piece, n = smaller(job->piece, job->n - at);
  double *result = job->partial + index;
  if (job->type == LATENT_F32) {
    *result = dot_f32(n, (const float *)job->x + at, (const float *)job->y + at);
  } else if (job->type == LATENT_F64) {
    *result = dot_f64(n, (const double *)job->x + at, (const double *)job->y + at);
  } else {
    *result = dot_i32(n, (const int32_t *)job->x + at, (const int32_t *)job->y + at);
  }
}

double latent_dot(latent_dtype type, int64_t n, const void *x, const void *y) {
  if (n <= 0) return 0;
  double partial[WHOLE_PIECES];
  whole_job job = {.type = type, .n = n, .piece = piece_of(n), .x = x, .y = y, .partial = partial};
  int64_t pieces = (n + job.piece - 1) / job.piece;
  latent_parallel(pieces, &job, dot_task);
  double sum = 0;
  for (int64_t i = 0; i < pieces; ++i) sum += partial[i];
  return sum;
}

double latent_sum_squares(latent_dtype type, int64_t n, const void *x) {
  return latent_dot(type, n, x, x);
}

#define COUNT(name, bits, mask)                                              \
  static LATENT_CLONES int64_t name(int64_t n, const bits *x) {              \
    int64_t count = 0;                                                       \
    for (int64_t begin = 0; begin < n; begin += 65536) {                     \
      int64_t end = smaller(begin + 65536, n);                               \
      uint32_t part = 0;                                                     \
      for (int64_t i = begin; i < end; ++i) part += (x[i] & (mask)) == (mask); \
      count += part;                                                         \
    }                                                                        \
    return count;                                                            \
  }
COUNT(count_f32, uint32_t, UINT32_C(0x7f800000))
COUNT(count_f64, uint64_t, UINT64_C(0x7ff0000000000000))

static void count_task(void *context, int64_t index) {
  const whole_job *job = context;
  int64_t at = index * job->piece, n = smaller(job->piece, job->n - at);
  job->counts[index] = job->type == LATENT_F32 ? count_f32(n, (const uint32_t *)job->x + at)
                                               : count_f64(n, (const uint64_t *)job->x + at);
}

int64_t latent_count_non_finite(latent_dtype type, int64_t n, const void *x) {
  if (n <= 0 || (type != LATENT_F32 && type != LATENT_F64)) return 0;
  int64_t counts[WHOLE_PIECES];
  whole_job job = {.type = type, .n = n, .piece = piece_of(n), .x = x, .counts = counts};
  int64_t pieces = (n + job.piece - 1) / job.piece;
  latent_parallel(pieces, &job, count_task);
  int64_t sum = 0;
  for (int64_t i = 0; i < pieces; ++i) sum += counts[i];
  return sum;
}
