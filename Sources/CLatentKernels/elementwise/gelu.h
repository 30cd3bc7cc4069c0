// GELU over rows. In float32 it is the dearest pass of a Transformer: by formula it costs two
// divisions, an exponential and a polynomial of degree 9.

#ifndef LATENT_GELU_H
#define LATENT_GELU_H

#include "runtime/internal.h"

// y = gelu(x + bias); bias may be null.
void latent_gelu_f32(int64_t n, const float *x, const float *bias, float *y);
void latent_gelu_f64(int64_t n, const double *x, const double *bias, double *y);

// dx = g gelu'(x)
void latent_gelu_slope_f32(int64_t n, const float *g, const float *x, float *dx);
void latent_gelu_slope_f64(int64_t n, const double *g, const double *x, double *dx);

#endif
