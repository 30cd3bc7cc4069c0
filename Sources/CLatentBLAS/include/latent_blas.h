// OpenBLAS and the LAPACK inside it, loaded when first needed: its threads spin from the moment it
// is loaded, and its choice of kernels can only be influenced before.

#ifndef LATENT_BLAS_H
#define LATENT_BLAS_H

// CBLAS's numbers for row-major order, transposition, triangles, diagonals and sides.
enum {
  LATENT_ROW_MAJOR = 101,
  LATENT_NO_TRANSPOSE = 111,
  LATENT_TRANSPOSE = 112,
  LATENT_UPPER = 121,
  LATENT_LOWER = 122,
  LATENT_NON_UNIT = 131,
  LATENT_LEFT = 141,
};

// The routines of one precision. LAPACK is column-major and takes every argument by address;
// `info` < 0 names a wrong argument, > 0 the failing pivot.
#define LATENT_BLAS_ROUTINES(T)                                                                   \
  void (*gemm)(int order, int transpose_a, int transpose_b, int m, int n, int k, T alpha,         \
               const T *a, int lda, const T *b, int ldb, T beta, T *c, int ldc);                  \
  void (*trsm)(int order, int side, int uplo, int transpose, int diagonal, int m, int n, T alpha, \
               const T *a, int lda, T *b, int ldb);                                               \
  void (*potrf)(const char *uplo, const int *n, T *a, const int *lda, int *info);                 \
  void (*getrf)(const int *m, const int *n, T *a, const int *lda, int *pivots, int *info);        \
  void (*getri)(const int *n, T *a, const int *lda, const int *pivots, T *work,                   \
                const int *lwork, int *info);                                                     \
  void (*geqrf)(const int *m, const int *n, T *a, const int *lda, T *tau, T *work,                \
                const int *lwork, int *info);                                                     \
  void (*orgqr)(const int *m, const int *n, const int *k, T *a, const int *lda, const T *tau,     \
                T *work, const int *lwork, int *info);                                            \
  void (*syev)(const char *jobz, const char *uplo, const int *n, T *a, const int *lda, T *w,      \
               T *work, const int *lwork, int *info);

typedef struct {
  LATENT_BLAS_ROUTINES(float)
} latent_blas_float;

typedef struct {
  LATENT_BLAS_ROUTINES(double)
} latent_blas_double;

#undef LATENT_BLAS_ROUTINES

// Load OpenBLAS on the first call, single-threaded; end the process with one sentence on standard
// error where it cannot be loaded.
const latent_blas_float *latent_blas_f32(void);
const latent_blas_double *latent_blas_f64(void);

// The family of kernels in use, such as "SkylakeX"; loads the library.
const char *latent_blas_kernels(void);

#endif
