// SwiftPM compiles every C target whatever the traits say, so everything is guarded here. The
// library is loaded when first needed: a process that only encodes one example starts without it.

#define _GNU_SOURCE
#include "latent_dnn.h"

#ifdef LATENT_ONEDNN

#include <dlfcn.h>
#include <oneapi/dnnl/dnnl.h>
#include <pthread.h>
#include <stddef.h>

#define TEXT(x) #x
#define VERSIONED(major) "libdnnl.so." TEXT(major)

static __typeof__(&dnnl_sgemm) sgemm;
static void (*set_threads)(int);  // of the OpenMP runtime that oneDNN is linked with
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void start(void) {
  void *library = dlopen(VERSIONED(DNNL_VERSION_MAJOR), RTLD_NOW | RTLD_LOCAL);
  if (!library) return;
  *(void **)&set_threads = dlsym(library, "omp_set_num_threads");
  *(void **)&sgemm = dlsym(library, "dnnl_sgemm");
}

bool latent_dnn_available(void) {
  pthread_once(&once, start);
  return sgemm != NULL;
}

bool latent_dnn_sgemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                      float alpha, const float *a, int64_t lda, const float *b, int64_t ldb,
                      float beta, float *c, int64_t ldc) {
  static _Thread_local bool prepared;
  if (!latent_dnn_available()) return false;
  if (!prepared) {
    // OpenMP's setting is one of the calling thread.
    prepared = true;
    if (set_threads) set_threads(1);
  }
  return sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, n, k, alpha, a, lda, b, ldb,
               beta, c, ldc) == dnnl_success;
}

#else

bool latent_dnn_available(void) { return false; }

bool latent_dnn_sgemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                      float alpha, const float *a, int64_t lda, const float *b, int64_t ldb,
                      float beta, float *c, int64_t ldc) {
  (void)transpose_a, (void)transpose_b, (void)m, (void)n, (void)k, (void)alpha, (void)a, (void)lda;
  (void)b, (void)ldb, (void)beta, (void)c, (void)ldc;
  return false;
}

#endif
