// Products of rows with weights that are packed beforehand, with scales, bias and relu in the same
// pass. Without the OneDNN trait there is no plan.

#ifndef LATENT_DNN_PRODUCT_H
#define LATENT_DNN_PRODUCT_H

#include "latent_dnn_plan.h"

// y [rows, columns] = relu(scales * (x [rows, inner] w + bias)).
typedef struct {
  int64_t rows, columns, inner;
  bool transposed;  // w is [columns, inner], otherwise [inner, columns]
  bool has_bias, relu;
  latent_dnn_type type;
} latent_dnn_product;

// The plan for a shape, or null; scales may be null. All plans of one weight have the same layout.
const latent_dnn_plan *latent_dnn_product_plan(const latent_dnn_product *shape,
                                               const latent_dnn_scales *scales);

bool latent_dnn_multiply(const latent_dnn_plan *plan, const void *x, const void *packed,
                         const float *bias, float *y);

#endif
