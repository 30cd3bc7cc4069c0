// SwiftPM compiles every C target whatever the traits say, so the include is guarded here.

#include "latent_dnn.h"

#ifdef LATENT_ONEDNN

#include <oneapi/dnnl/dnnl.h>

// From the OpenMP runtime that oneDNN is linked with; declared here so that -fopenmp is not needed.
extern void omp_set_num_threads(int threads);

bool latent_dnn_available(void) { return true; }

void latent_dnn_prepare_thread(void) { omp_set_num_threads(1); }

bool latent_dnn_sgemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                      float alpha, const float *a, int64_t lda, const float *b, int64_t ldb,
                      float beta, float *c, int64_t ldc) {
  return dnnl_sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, n, k, alpha, a, lda, b,
                    ldb, beta, c, ldc) == dnnl_success;
}

#else

bool latent_dnn_available(void) { return false; }

void latent_dnn_prepare_thread(void) {}

bool latent_dnn_sgemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                      float alpha, const float *a, int64_t lda, const float *b, int64_t ldb,
                      float beta, float *c, int64_t ldc) {
  (void)transpose_a, (void)transpose_b, (void)m, (void)n, (void)k, (void)alpha, (void)a, (void)lda;
  (void)b, (void)ldb, (void)beta, (void)c, (void)ldc;
  return false;
}

#endif
