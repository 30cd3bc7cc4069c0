// Conversions to and from 16 and 8 bits, each one pass over memory, and a product of integers for
// machines and builds without oneDNN's.

#include "runtime/internal.h"

// A product is rounded before it is rounded to an integer, with and without fused multiply-adds, so
// that every machine quantises alike.
#ifdef __clang__
#pragma clang fp contract(off)
#endif

LATENT_INLINE uint32_t bits_of(float v) {
  uint32_t bits;
  memcpy(&bits, &v, sizeof bits);
  return bits;
}

LATENT_INLINE float float_of(uint32_t bits) {
  float v;
  memcpy(&v, &bits, sizeof v);
  return v;
}

LATENT_INLINE uint32_t bf16_of(float v) {
  const uint32_t bits = bits_of(v);
  return v != v ? bits >> 16 | 0x40 : (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

// To the nearest integer, ties to even, for |v| < 2^22: the addition leaves no room for fractions.
LATENT_INLINE int32_t nearest(float v) { return (int32_t)(bits_of(v + 0x1.8p23f) - 0x4b400000); }

LATENT_INLINE float clamped(float v, float low, float high) {
  v = v != v ? 0 : v;
  v = v > low ? v : low;
  return v < high ? v : high;
}

#define CONVERT(name, from, to, expression)                                        \
  static LATENT_CLONES void name(int64_t n, float inverse, const void *input, void *output) { \
    const from *x = input;                                                         \
    to *y = output;                                                                \
    (void)inverse;                                                                 \
    LATENT_SAME_INDEX for (int64_t i = 0; i < n; ++i) {                            \
      const from v = x[i];                                                         \
      y[i] = expression;                                                           \
    }                                                                              \
  }

CONVERT(bf16_from_f32, float, uint16_t, (uint16_t)bf16_of(v))
CONVERT(f32_from_bf16, uint16_t, float, float_of((uint32_t)v << 16))
CONVERT(f32_as_bf16, float, float, float_of(bf16_of(v) << 16))
CONVERT(f32_from_s8, int8_t, float, v)

// Integers have no NaN and no infinity: the answer is whether all numbers were finite.
#define QUANTIZE(name, to, low, high)                                                        \
  static LATENT_CLONES bool name(int64_t n, float inverse, const void *input, void *output) { \
    const float *x = input;                                                                  \
    to *y = output;                                                                          \
    uint32_t others = 0;                                                                     \
    LATENT_SAME_INDEX for (int64_t i = 0; i < n; ++i) {                                      \
      const float v = x[i];                                                                  \
      others |= (bits_of(v) & 0x7f800000u) == 0x7f800000u;                                   \
      y[i] = (to)nearest(clamped(v * inverse, low, high));                                   \
    }                                                                                        \
    return others == 0;                                                                      \
  }

QUANTIZE(s8_from_f32, int8_t, -127, 127)
QUANTIZE(u8_from_f32, uint8_t, 0, 255)

typedef struct {
  void (*kernel)(int64_t n, float inverse, const void *x, void *y);
  bool (*quantize)(int64_t n, float inverse, const void *x, void *y);  // or this
  float inverse;
  int64_t from_item, to_item;
  const char *x;
  char *y;
  bool *others;  // set where some number was not finite
} low_precision_job;

static void low_precision_range(void *context, int64_t begin, int64_t end) {
  const low_precision_job *job = context;
  const char *x = job->x + begin * job->from_item;
  char *y = job->y + begin * job->to_item;
  if (!job->quantize) {
    job->kernel(end - begin, job->inverse, x, y);
  } else if (!job->quantize(end - begin, job->inverse, x, y)) {
    __atomic_store_n(job->others, true, __ATOMIC_RELAXED);
  }
}

static void run(low_precision_job job, int64_t n) {
  parallel_elements(n, LATENT_CHEAP, &job, low_precision_range);
}

void latent_bf16_from_f32(int64_t n, const float *x, uint16_t *y) {
  run((low_precision_job){.kernel = bf16_from_f32, .from_item = 4, .to_item = 2, .x = (const char *)x,
                          .y = (char *)y},
      n);
}

void latent_f32_from_bf16(int64_t n, const uint16_t *x, float *y) {
  run((low_precision_job){.kernel = f32_from_bf16, .from_item = 2, .to_item = 4, .x = (const char *)x,
                          .y = (char *)y},
      n);
}

void latent_f32_as_bf16(int64_t n, const float *x, float *y) {
  run((low_precision_job){.kernel = f32_as_bf16, .from_item = 4, .to_item = 4, .x = (const char *)x,
                          .y = (char *)y},
      n);
}

bool latent_quantize(bool is_signed, int64_t n, float inverse, const float *x, void *y) {
  bool others = false;
  run((low_precision_job){.quantize = is_signed ? s8_from_f32 : u8_from_f32, .inverse = inverse,
                          .from_item = 4, .to_item = 1, .x = (const char *)x, .y = y,
                          .others = &others},
      n);
  return !others;
}

void latent_f32_from_s8(int64_t n, const int8_t *x, float *y) {
  run((low_precision_job){.kernel = f32_from_s8, .from_item = 1, .to_item = 4, .x = (const char *)x,
                          .y = (char *)y},
      n);
}

// MARK: Products

// Four rows of w at a time share each load of x.
#define DOTS(name, type)                                                                       \
  static LATENT_CLONES void name##_four(int64_t k, const void *input, const int8_t *w,         \
                                        int32_t *sums) {                                       \
    const type *x = input;                                                                     \
    const int8_t *w1 = w + k, *w2 = w + 2 * k, *w3 = w + 3 * k;                                \
    int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;                                                    \
    for (int64_t i = 0; i < k; ++i) {                                                          \
      const int32_t v = x[i];                                                                  \
      s0 += v * w[i];                                                                          \
      s1 += v * w1[i];                                                                         \
      s2 += v * w2[i];                                                                         \
      s3 += v * w3[i];                                                                         \
    }                                                                                          \
    sums[0] = s0;                                                                              \
    sums[1] = s1;                                                                              \
    sums[2] = s2;                                                                              \
    sums[3] = s3;                                                                              \
  }                                                                                            \
  static LATENT_CLONES void name##_one(int64_t k, const void *input, const int8_t *w,          \
                                       int32_t *sums) {                                        \
    const type *x = input;                                                                     \
    int32_t sum = 0;                                                                           \
    for (int64_t i = 0; i < k; ++i) sum += (int32_t)x[i] * w[i];                               \
    *sums = sum;                                                                               \
  }
DOTS(dots_u8, uint8_t)
DOTS(dots_s8, int8_t)

void latent_integer_product(const latent_integer_product_shape *shape, const void *x,
                            const int8_t *w, const float *scales, const float *bias, float *y) {
  const int64_t k = shape->inner;
  for (int64_t column = 0; column < shape->columns;) {
    const int64_t width = shape->columns - column < 4 ? 1 : 4;
    void (*dots)(int64_t, const void *, const int8_t *, int32_t *) =
        shape->is_signed ? (width == 4 ? dots_s8_four : dots_s8_one)
                         : (width == 4 ? dots_u8_four : dots_u8_one);
    for (int64_t row = 0; row < shape->rows; ++row) {
      int32_t sums[4];
      dots(k, (const char *)x + row * shape->x_stride, w + column * k, sums);
      float *to = y + row * shape->y_stride + column;
      for (int64_t i = 0; i < width; ++i) {
        const float scaled = (float)sums[i] * (scales ? scales[column + i] : 1);
        to[i] = bias ? scaled + bias[column + i] : scaled;
      }
    }
    column += width;
  }
}
