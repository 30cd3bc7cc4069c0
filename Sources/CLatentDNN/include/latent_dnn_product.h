// Products of rows with weights that are packed beforehand, with the bias and relu in the same pass,
// float32. Without the OneDNN trait there is no plan.

#ifndef LATENT_DNN_PRODUCT_H
#define LATENT_DNN_PRODUCT_H

#include "latent_dnn_plan.h"

// y [rows, columns] = relu(x [rows, inner] w + bias).
typedef struct {
  int64_t rows, columns, inner;
  bool transposed;  // w is [columns, inner], otherwise [inner, columns]
  bool has_bias, relu;
} latent_dnn_product;

// The plan for a shape, or null. All plans of one weight have the same layout.
const latent_dnn_plan *latent_dnn_product_plan(const latent_dnn_product *shape);

bool latent_dnn_multiply(const latent_dnn_plan *plan, const float *x, const void *packed,
                         const float *bias, float *y);

#endif
