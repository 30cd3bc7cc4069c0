// Pooling, resampling and padding of [batch, depth, height, width, channels] (spatial.c,
// max_pooling.c). Fewer spatial axes are leading ones of size 1.

#ifndef LATENT_SPATIAL_H
#define LATENT_SPATIAL_H

#include <stdint.h>

#include "latent_kernels.h"

// A linear map along one axis as sparse rows: output o is the sum of weights[k] * input[indices[k]]
// for k in starts[o]..<starts[o + 1]. Indices rise within a row.
typedef struct {
  int64_t inputs, outputs;
  const int32_t *starts, *indices;
  const double *weights;
} latent_axis_map;

// y [batch, axes' outputs, channels] from x [batch, axes' inputs, channels], float32 and float64:
// each output is a sum over the product of the three rows. What only moves elements (no row longer
// than one, all weights 1) is copied. The transpose is the call with transposed maps.
void latent_map_axes(latent_dtype type, int64_t batch, int64_t channels,
                     const latent_axis_map axes[3], const void *x, void *y);

// The largest of the elements that the rows name (weights are not read, no row is empty); NaN if
// one is. positions, where not null, receives where it stood, counted over the three input axes:
// the first of equals.
void latent_max_axes(latent_dtype type, int64_t batch, int64_t channels,
                     const latent_axis_map axes[3], const void *x, void *y, int32_t *positions);

// The derivative: dx of each input is the sum of dy over the outputs whose position is the input's.
// `transposed` are the transposes of the maps of the forward pass.
void latent_max_axes_grad(latent_dtype type, int64_t batch, int64_t channels,
                          const latent_axis_map transposed[3], const int32_t *positions,
                          const void *dy, void *dx);

#endif
