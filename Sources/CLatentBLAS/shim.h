// OpenBLAS and the Fortran LAPACK symbols it exports (Debian's OpenBLAS has no LAPACKE).

#ifndef LATENT_BLAS_SHIM_H
#define LATENT_BLAS_SHIM_H

#include <cblas.h>

// Column-major; every argument by address; `info` < 0 names a wrong argument, > 0 the failing
// pivot.
#define LATENT_LAPACK(T, p)                                                                       \
  void p##potrf_(const char *uplo, const int *n, T *a, const int *lda, int *info);                \
  void p##getrf_(const int *m, const int *n, T *a, const int *lda, int *pivots, int *info);       \
  void p##getri_(const int *n, T *a, const int *lda, const int *pivots, T *work,                  \
                 const int *lwork, int *info);                                                    \
  void p##geqrf_(const int *m, const int *n, T *a, const int *lda, T *tau, T *work,               \
                 const int *lwork, int *info);                                                    \
  void p##orgqr_(const int *m, const int *n, const int *k, T *a, const int *lda, const T *tau,    \
                 T *work, const int *lwork, int *info);                                           \
  void p##syev_(const char *jobz, const char *uplo, const int *n, T *a, const int *lda, T *w,     \
                T *work, const int *lwork, int *info);

LATENT_LAPACK(float, s)
LATENT_LAPACK(double, d)

#undef LATENT_LAPACK

#endif
