// Convolutions by oneDNN, channels last.

#ifndef LATENT_DNN_CONVOLUTION_H
#define LATENT_DNN_CONVOLUTION_H

#include "latent_dnn_plan.h"

typedef enum {
  LATENT_DNN_FORWARD,           // x, w, bias -> y
  LATENT_DNN_BACKWARD_DATA,     // y, w -> x
  LATENT_DNN_BACKWARD_WEIGHTS,  // x, y -> w
  LATENT_DNN_TRANSPOSED,        // y, w, bias -> x: the same map as backward data, for integers
} latent_dnn_direction;

// x [batch, in..., in_channels], y [batch, out..., out_channels], w [out_channels, kernel...,
// in_channels / groups]. Three spatial axes, outermost first; missing ones have size 1.
typedef struct {
  int64_t batch, in_channels, out_channels, groups;
  int64_t in[3], out[3], kernel[3], stride[3], dilation[3], before[3], after[3];
  latent_dnn_direction direction;
  bool has_bias, relu;   // forward and transposed only
  latent_dnn_type type;  // of the image that is read
} latent_dnn_convolution;

// The plan for a shape, or null; scales may be null. They multiply the sum and the bias, before relu.
const latent_dnn_plan *latent_dnn_convolution_plan(const latent_dnn_convolution *shape,
                                                   const latent_dnn_scales *scales);

// Runs on the calling thread. Which of the arrays is written depends on the direction.
bool latent_dnn_run(const latent_dnn_plan *plan, const void *x, const void *packed,
                    const float *bias, const void *y);

#endif
