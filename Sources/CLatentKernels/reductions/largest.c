// The k largest elements of each row by a heap of k: most elements of a long row meet one comparison.

#include <math.h>

#include "runtime/internal.h"

typedef struct {
  int64_t n, k;
  const void *x;
  int32_t *indices;
} largest_job;

// An element comes before another in the result where it is larger, or as large and further to the front. NaN counts
// as minus infinity.
#define LARGEST(suffix, real)                                                                  \
  LATENT_INLINE real value_##suffix(const real *x, int32_t i) {                                \
    return isnan(x[i]) ? -(real)INFINITY : x[i];                                               \
  }                                                                                            \
  LATENT_INLINE bool before_##suffix(const real *x, int32_t a, int32_t b) {                    \
    const real p = value_##suffix(x, a), q = value_##suffix(x, b);                             \
    return p > q || (p == q && a < b);                                                         \
  }                                                                                            \
  /* heap[0] is the last of the result; what is put at `at` sinks to its place. */             \
  static void sink_##suffix(const real *x, int32_t *heap, int64_t size, int64_t at) {          \
    const int32_t item = heap[at];                                                             \
    for (int64_t child; (child = 2 * at + 1) < size; at = child) {                             \
      if (child + 1 < size && before_##suffix(x, heap[child], heap[child + 1])) ++child;       \
      if (!before_##suffix(x, item, heap[child])) break;                                       \
      heap[at] = heap[child];                                                                  \
    }                                                                                          \
    heap[at] = item;                                                                           \
  }                                                                                            \
  static void largest_rows_##suffix(void *context, int64_t begin, int64_t end) {               \
    const largest_job *job = context;                                                          \
    for (int64_t row = begin; row < end; ++row) {                                              \
      const real *x = (const real *)job->x + row * job->n;                                     \
      int32_t *heap = job->indices + row * job->k;                                             \
      for (int64_t i = 0; i < job->k; ++i) heap[i] = (int32_t)i;                               \
      for (int64_t i = job->k / 2; i-- > 0;) sink_##suffix(x, heap, job->k, i);                \
      real least = value_##suffix(x, heap[0]);                                                 \
      for (int64_t i = job->k; i < job->n; ++i) {                                              \
        if (x[i] > least) {                                                                    \
          heap[0] = (int32_t)i;                                                                \
          sink_##suffix(x, heap, job->k, 0);                                                   \
          least = value_##suffix(x, heap[0]);                                                  \
        }                                                                                      \
      }                                                                                        \
      for (int64_t size = job->k; size > 1;) {                                                 \
        const int32_t last = heap[0];                                                          \
        heap[0] = heap[--size];                                                                \
        heap[size] = last;                                                                     \
        sink_##suffix(x, heap, size, 0);                                                       \
      }                                                                                        \
    }                                                                                          \
  }
LARGEST(f32, float)
LARGEST(f64, double)

void latent_largest(latent_dtype type, int64_t rows, int64_t n, int64_t k, const void *x,
                    int32_t *indices) {
  largest_job job = {n, k, x, indices};
  if (k > 0) {
    parallel_rows(rows, n, LATENT_MODERATE, &job,
                  type == LATENT_F32 ? largest_rows_f32 : largest_rows_f64);
  }
}
