// Conversion between element types, and filling. Into integers: truncation toward zero,
// saturation, NaN becomes 0.

#include "runtime/internal.h"

LATENT_INLINE int32_t i32_from_float(float v) {
  return v != v ? 0 : v >= 2147483648.0f ? INT32_MAX : v <= -2147483648.0f ? INT32_MIN : (int32_t)v;
}
LATENT_INLINE int32_t i32_from_double(double v) {
  return v != v ? 0 : v >= 2147483647.0 ? INT32_MAX : v <= -2147483648.0 ? INT32_MIN : (int32_t)v;
}
LATENT_INLINE uint8_t u8_from_float(float v) {
  return v > 0 ? (v >= 255 ? 255 : (uint8_t)(int32_t)v) : 0;  // NaN fails the comparison
}
LATENT_INLINE uint8_t u8_from_double(double v) {
  return v > 0 ? (v >= 255 ? 255 : (uint8_t)(int32_t)v) : 0;
}
LATENT_INLINE uint8_t u8_from_i32(int32_t v) { return v < 0 ? 0 : v > 255 ? 255 : (uint8_t)v; }

typedef void (*convert_kernel)(int64_t n, const void *x, void *y);

#define CONVERT(name, from, to, expression)                                  \
  static LATENT_CLONES void name(int64_t n, const void *input, void *output) { \
    const from *x = input;                                                   \
    to *y = output;                                                          \
    LATENT_SAME_INDEX for (int64_t i = 0; i < n; ++i) {                      \
      const from v = x[i];                                                   \
      y[i] = expression;                                                     \
    }                                                                        \
  }

CONVERT(f32_f64, float, double, v)
CONVERT(f32_i32, float, int32_t, i32_from_float(v))
CONVERT(f32_u8, float, uint8_t, u8_from_float(v))
CONVERT(f64_f32, double, float, (float)v)
CONVERT(f64_i32, double, int32_t, i32_from_double(v))
CONVERT(f64_u8, double, uint8_t, u8_from_double(v))
CONVERT(i32_f32, int32_t, float, (float)v)
CONVERT(i32_f64, int32_t, double, v)
CONVERT(i32_u8, int32_t, uint8_t, u8_from_i32(v))
CONVERT(u8_f32, uint8_t, float, v)
CONVERT(u8_f64, uint8_t, double, v)
CONVERT(u8_i32, uint8_t, int32_t, v)

static convert_kernel kernel_for(latent_dtype from, latent_dtype to) {
  switch (from) {
    case LATENT_F32: return to == LATENT_F64 ? f32_f64 : to == LATENT_I32 ? f32_i32 : f32_u8;
    case LATENT_F64: return to == LATENT_F32 ? f64_f32 : to == LATENT_I32 ? f64_i32 : f64_u8;
    case LATENT_I32: return to == LATENT_F32 ? i32_f32 : to == LATENT_F64 ? i32_f64 : i32_u8;
    case LATENT_U8: return to == LATENT_F32 ? u8_f32 : to == LATENT_F64 ? u8_f64 : u8_i32;
  }
  __builtin_unreachable();
}

typedef struct {
  convert_kernel kernel;
  int64_t from_item, to_item;
  const char *x;
  char *y;
} convert_job;

static void convert_range(void *context, int64_t begin, int64_t end) {
  const convert_job *job = context;
  const char *x = job->x + begin * job->from_item;
  char *y = job->y + begin * job->to_item;
  if (job->kernel) {
    job->kernel(end - begin, x, y);
  } else {
    memmove(y, x, (size_t)((end - begin) * job->to_item));
  }
}

void latent_convert(latent_dtype from, latent_dtype to, int64_t n, const void *x, void *y) {
  if (from == to && x == y) return;
  convert_job job = {from == to ? NULL : kernel_for(from, to), item_size(from), item_size(to), x,
                     y};
  parallel_elements(n, LATENT_CHEAP, &job, convert_range);
}

typedef struct {
  latent_dtype type;
  double value;
  void *y;
} fill_job;

static void fill_range(void *context, int64_t begin, int64_t end) {
  const fill_job *job = context;
  union { float f32; double f64; int32_t i32; uint8_t u8; } value;
  switch (job->type) {
    case LATENT_F32: value.f32 = (float)job->value; break;
    case LATENT_F64: value.f64 = job->value; break;
    case LATENT_I32: value.i32 = i32_from_double(job->value); break;
    case LATENT_U8: value.u8 = u8_from_double(job->value); break;
  }
  int item = (int)item_size(job->type);
  latent_copy_line(item, end - begin, &value, 0, (char *)job->y + begin * item);
}

void latent_fill(latent_dtype type, int64_t n, double value, void *y) {
  fill_job job = {type, value, y};
  parallel_elements(n, LATENT_CHEAP, &job, fill_range);
}

typedef struct {
  latent_dtype to;
  const uint8_t *x;
  double scale, shift;
  void *y;
} image_job;

#define SCALE_BYTES(name, real)                                                          \
  static LATENT_CLONES void name(int64_t n, const uint8_t *x, real scale, real shift, real *y) { \
    for (int64_t i = 0; i < n; ++i) y[i] = (real)x[i] * scale + shift;                   \
  }
SCALE_BYTES(scale_bytes_f32, float)
SCALE_BYTES(scale_bytes_f64, double)

static void image_range(void *context, int64_t begin, int64_t end) {
  const image_job *job = context;
  if (job->to == LATENT_F32) {
    scale_bytes_f32(end - begin, job->x + begin, (float)job->scale, (float)job->shift,
                    (float *)job->y + begin);
  } else {
    scale_bytes_f64(end - begin, job->x + begin, job->scale, job->shift,
                    (double *)job->y + begin);
  }
}

void latent_u8_to_float(latent_dtype to, int64_t n, const uint8_t *x, double scale, double shift,
                        void *y) {
  image_job job = {to, x, scale, shift, y};
  parallel_elements(n, LATENT_CHEAP, &job, image_range);
}
