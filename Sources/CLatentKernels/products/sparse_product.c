// Products with a matrix that is nearly all zeros, which are found while it is read: z w and z^T y cost what the
// others cost, and one look at each zero. The order of summation is that of the rows of w, or of z, whatever the
// number of threads.

#include "runtime/internal.h"

#ifdef __clang__
#pragma clang fp contract(fast)
#endif

typedef struct {
  int64_t rows, n, size;
  const void *z, *w;
  void *out;
} sparse_job;

#define SPARSE(suffix, real)                                                                \
  static LATENT_CLONES void add_##suffix(int64_t n, real factor, const real *x, real *y) {  \
    LATENT_SAME_INDEX for (int64_t i = 0; i < n; ++i) y[i] += factor * x[i];                \
  }                                                                                         \
  static void combined_rows_##suffix(void *context, int64_t begin, int64_t end) {           \
    const sparse_job *job = context;                                                        \
    for (int64_t row = begin; row < end; ++row) {                                           \
      const real *z = (const real *)job->z + row * job->n, *w = job->w;                     \
      real *y = (real *)job->out + row * job->size;                                         \
      memset(y, 0, (size_t)job->size * sizeof(real));                                       \
      for (int64_t j = 0; j < job->n; ++j) {                                                \
        if (z[j] != 0) add_##suffix(job->size, z[j], w + j * job->size, y);                 \
      }                                                                                     \
    }                                                                                       \
  }                                                                                         \
  /* Rows begin..<end of z^T w: a share of the columns of z. */                             \
  static void gathered_rows_##suffix(void *context, int64_t begin, int64_t end) {           \
    const sparse_job *job = context;                                                        \
    real *y = job->out;                                                                     \
    memset(y + begin * job->size, 0, (size_t)((end - begin) * job->size) * sizeof(real));   \
    for (int64_t row = 0; row < job->rows; ++row) {                                         \
      const real *z = (const real *)job->z + row * job->n;                                  \
      const real *x = (const real *)job->w + row * job->size;                               \
      for (int64_t j = begin; j < end; ++j) {                                               \
        if (z[j] != 0) add_##suffix(job->size, z[j], x, y + j * job->size);                 \
      }                                                                                     \
    }                                                                                       \
  }
SPARSE(f32, float)
SPARSE(f64, double)

void latent_sparse_product(latent_dtype type, int64_t rows, int64_t n, int64_t size, const void *z,
                           const void *w, void *y) {
  sparse_job job = {rows, n, size, z, w, y};
  parallel_rows(rows, n + size, LATENT_MODERATE, &job,
                type == LATENT_F32 ? combined_rows_f32 : combined_rows_f64);
}

void latent_sparse_transposed_product(latent_dtype type, int64_t rows, int64_t n, int64_t size,
                                      const void *z, const void *x, void *y) {
  sparse_job job = {rows, n, size, z, x, y};
  parallel_rows(n, rows + size, LATENT_MODERATE, &job,
                type == LATENT_F32 ? gathered_rows_f32 : gathered_rows_f64);
}
