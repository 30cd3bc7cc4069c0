// What sparse codes take: the largest elements of rows (largest.c), products with matrices that are nearly all zeros
// (sparse_product.c). F32 and F64. Included by latent_kernels.h.

#ifndef LATENT_SPARSE_H
#define LATENT_SPARSE_H

// Places of the k <= n largest elements of each row of x [rows, n], the largest first; of equal ones those further to
// the front, NaN as minus infinity. n < 2^31.
void latent_largest(latent_dtype type, int64_t rows, int64_t n, int64_t k, const void *x,
                    int32_t *indices);
// y [rows, size] = z [rows, n] w [n, size]. Rows of w that meet only zeros are not read.
void latent_sparse_product(latent_dtype type, int64_t rows, int64_t n, int64_t size, const void *z,
                           const void *w, void *y);
// y [n, size] = z^T x, of z [rows, n] and x [rows, size].
void latent_sparse_transposed_product(latent_dtype type, int64_t rows, int64_t n, int64_t size,
                                      const void *z, const void *x, void *y);

#endif
