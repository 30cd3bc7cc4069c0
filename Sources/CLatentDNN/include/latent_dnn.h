// oneDNN behind a narrow interface. Without the OneDNN trait every call says that it is not there.

#ifndef LATENT_DNN_H
#define LATENT_DNN_H

#include <stdbool.h>
#include <stdint.h>

#include "latent_dnn_convolution.h"
#include "latent_dnn_product.h"

// Whether the package was built with the OneDNN trait and the library is on this machine.
bool latent_dnn_available(void);

// Row-major C [m, n] = alpha op(A) op(B) + beta C on the calling thread alone: the work is split by
// us. False where oneDNN is not there or refuses the sizes; C is then untouched.
bool latent_dnn_sgemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                      float alpha, const float *a, int64_t lda, const float *b, int64_t ldb,
                      float beta, float *c, int64_t ldc);

#endif
