// A few rows times a transposed matrix, y = x w^T: inference one example at a time. Such a product
// reads every weight once and is bound by that; the packing of a large-product library would read
// and write them again, and need the library loaded at all.

#include "runtime/internal.h"

#ifdef __clang__
#pragma clang fp contract(fast)
#endif

enum { OUTPUTS = 32, SMALL_WORK = 32768 };

typedef struct {
  int64_t m, n, k;
  const float *x, *w;
  float *y;
} small_product;

// Four rows of w at a time share each load of x.
static LATENT_CLONES void four_outputs(int64_t k, const float *x, const float *w, float *y) {
  LATENT_REASSOCIATE
  const float *w1 = w + k, *w2 = w + 2 * k, *w3 = w + 3 * k;
  float s0 = 0, s1 = 0, s2 = 0, s3 = 0;
  for (int64_t i = 0; i < k; ++i) {
    s0 += x[i] * w[i];
    s1 += x[i] * w1[i];
    s2 += x[i] * w2[i];
    s3 += x[i] * w3[i];
  }
  y[0] = s0;
  y[1] = s1;
  y[2] = s2;
  y[3] = s3;
}

static LATENT_CLONES void one_output(int64_t k, const float *x, const float *w, float *y) {
  LATENT_REASSOCIATE
  float sum = 0;
  for (int64_t i = 0; i < k; ++i) sum += x[i] * w[i];
  *y = sum;
}

static void outputs(void *context, int64_t begin, int64_t end) {
  const small_product *p = context;
  int64_t j = begin;
  for (; j + 4 <= end; j += 4) {
    for (int64_t r = 0; r < p->m; ++r) {
      four_outputs(p->k, p->x + r * p->k, p->w + j * p->k, p->y + r * p->n + j);
    }
  }
  for (; j < end; ++j) {
    for (int64_t r = 0; r < p->m; ++r) {
      one_output(p->k, p->x + r * p->k, p->w + j * p->k, p->y + r * p->n + j);
    }
  }
}

void latent_small_product(int64_t m, int64_t n, int64_t k, const float *x, const float *w,
                          float *y) {
  small_product job = {m, n, k, x, w, y};
  if (n * k < SMALL_WORK) {
    outputs(&job, 0, n);
  } else {
    parallel_chunks(n, OUTPUTS, &job, outputs);
  }
}
