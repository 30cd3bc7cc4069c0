// Convolutions by oneDNN, float32, channels last. A plan is one primitive for one exact shape; it is
// made once and kept. Plans run on the calling thread alone: the caller cuts the work into pieces.
// Without the OneDNN trait, or where oneDNN has only reference code, there is no plan.

#ifndef LATENT_DNN_CONVOLUTION_H
#define LATENT_DNN_CONVOLUTION_H

#include <stdbool.h>
#include <stdint.h>

typedef enum {
  LATENT_DNN_FORWARD,           // x, w, bias -> y
  LATENT_DNN_BACKWARD_DATA,     // y, w -> x
  LATENT_DNN_BACKWARD_WEIGHTS,  // x, y -> w
} latent_dnn_direction;

// x [batch, in..., in_channels], y [batch, out..., out_channels], w [out_channels, kernel...,
// in_channels / groups]. Three spatial axes, outermost first; missing ones have size 1.
typedef struct {
  int64_t batch, in_channels, out_channels, groups;
  int64_t in[3], out[3], kernel[3], stride[3], dilation[3], before[3], after[3];
  latent_dnn_direction direction;
  bool has_bias, relu;  // forward only
} latent_dnn_convolution;

typedef struct latent_dnn_plan latent_dnn_plan;

// The plan for a shape, or null.
const latent_dnn_plan *latent_dnn_convolution_plan(const latent_dnn_convolution *shape);

// Bytes of the weights in the layout that the plan works on. Plans that differ in batch, in and out
// alone may still differ in layout: `latent_dnn_same_weights` tells.
int64_t latent_dnn_weights_bytes(const latent_dnn_plan *plan);
bool latent_dnn_same_weights(const latent_dnn_plan *a, const latent_dnn_plan *b);
// From the layout above to the plan's, and back.
bool latent_dnn_pack(const latent_dnn_plan *plan, const float *w, void *packed);
bool latent_dnn_unpack(const latent_dnn_plan *plan, const void *packed, float *w);

// Runs on the calling thread. Which of the arrays is written depends on the direction.
bool latent_dnn_run(const latent_dnn_plan *plan, const float *x, const void *packed,
                    const float *bias, const float *y);

#endif
