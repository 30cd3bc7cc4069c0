// Inference with 16 and 8 bits: conversions and the product of integers.
// Included by latent_kernels.h.

#ifndef LATENT_LOW_PRECISION_H
#define LATENT_LOW_PRECISION_H

// bfloat16 is the upper half of a float32, rounded to the nearest, ties to even; NaN stays NaN.
void latent_bf16_from_f32(int64_t n, const float *x, uint16_t *y);
void latent_f32_from_bf16(int64_t n, const uint16_t *x, float *y);
// x rounded to bfloat16, as float32.
void latent_f32_as_bf16(int64_t n, const float *x, float *y);

// x * inverse, rounded to the nearest integer, ties to even, and saturated: to -127...127 where
// signed (int8), else to 0...255 (uint8). NaN becomes 0.
bool latent_quantize(bool is_signed, int64_t n, float inverse, const float *x, void *y);
void latent_f32_from_s8(int64_t n, const int8_t *x, float *y);

// y [rows, columns] = scales * (x w^T) + bias with the sums in int32, exact up to 2^16 inner elements.
// x [rows, inner] is int8 where signed, else uint8; w [columns, inner] is int8; scales and bias
// [columns] may be null. Strides are elements from one row to the next. Serial.
typedef struct {
  int64_t rows, columns, inner, x_stride, y_stride;
  bool is_signed;
} latent_integer_product_shape;
void latent_integer_product(const latent_integer_product_shape *shape, const void *x,
                            const int8_t *w, const float *scales, const float *bias, float *y);

#endif
