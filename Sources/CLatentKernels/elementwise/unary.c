// Elementwise functions of one array: for each operation one loop, cloned by CPU, and a table.

#include "gelu.h"
#include "runtime/internal.h"
#include "runtime/real_math.h"

#ifdef __clang__
#pragma clang fp contract(fast)
#define floor_of(x) __builtin_elementwise_floor(x)
#define round_even(x) __builtin_elementwise_roundeven(x)
#else
#define floor_of(x) _Generic((x), float: floorf, default: floor)(x)
#define round_even(x) _Generic((x), float: rintf, default: rint)(x)
#endif

#define UNARY_LOOP(attributes, name, real, expression)                       \
  static attributes void name(int64_t n, const void *input, void *output) { \
    const real *x = input;                                                   \
    real *y = output;                                                        \
    LATENT_SAME_INDEX for (int64_t i = 0; i < n; ++i) {                      \
      const real v = x[i];                                                   \
      y[i] = expression;                                                     \
    }                                                                        \
  }

// The same expression in both types.
#define UNARY_BOTH(name, expression)                            \
  UNARY_LOOP(LATENT_CLONES, name##_f32_loop, float, expression) \
  UNARY_LOOP(LATENT_CLONES, name##_f64_loop, double, expression)
// name_f32 vectorises, name_f64 calls libm.
#define UNARY_MATH(name)                                           \
  UNARY_LOOP(LATENT_CLONES, name##_f32_loop, float, name##_f32(v)) \
  UNARY_LOOP(, name##_f64_loop, double, name##_f64(v))

UNARY_BOTH(negate, -v)
UNARY_BOTH(square, v * v)
UNARY_BOTH(reciprocal, 1 / v)
UNARY_BOTH(sign, v > 0 ? 1 : v < 0 ? -1 : v)  // zeros and NaN pass
UNARY_BOTH(sqrt, square_root(v))
UNARY_BOTH(rsqrt, 1 / square_root(v))
UNARY_BOTH(relu, v < 0 ? 0 : v)  // NaN passes
UNARY_BOTH(floor, floor_of(v))
UNARY_BOTH(round, round_even(v))
UNARY_BOTH(is_finite, v - v == 0 ? 1 : 0)
UNARY_LOOP(LATENT_CLONES, abs_f32_loop, float, magnitude_f32(v))
UNARY_LOOP(LATENT_CLONES, abs_f64_loop, double, magnitude_f64(v))
UNARY_MATH(exp)
UNARY_MATH(expm1)
UNARY_MATH(log)
UNARY_MATH(log1p)
UNARY_MATH(tanh)
UNARY_MATH(sigmoid)
UNARY_MATH(softplus)
UNARY_MATH(erf)
UNARY_MATH(erfc)
UNARY_MATH(silu)
UNARY_LOOP(LATENT_CLONES, log_sigmoid_f32_loop, float, (v < 0 ? v : 0) - softplus_tail_f32(v))
UNARY_LOOP(, log_sigmoid_f64_loop, double, (v < 0 ? v : 0) - softplus_tail_f64(v))
UNARY_LOOP(LATENT_CLONES, elu_f32_loop, float, v > 0 ? v : expm1_f32(v))
UNARY_LOOP(, elu_f64_loop, double, v > 0 ? v : expm1(v))
UNARY_LOOP(, sin_f64_loop, double, sin(v))
UNARY_LOOP(, cos_f64_loop, double, cos(v))

static void gelu_f32_loop(int64_t n, const void *x, void *y) { latent_gelu_f32(n, x, NULL, y); }
static void gelu_f64_loop(int64_t n, const void *x, void *y) { latent_gelu_f64(n, x, NULL, y); }

// The reduction of sin_quarter_f32 holds to 1e5. Each block is computed by it; the arguments that
// are larger (rare) are then replaced by libm's result, so that no element depends on another.
LATENT_INLINE void sin_blocks(int64_t n, const float *x, float *y, uint32_t quarter) {
  float kept[256];
  for (int64_t begin = 0; begin < n; begin += 256) {
    int64_t count = smaller(256, n - begin);
    uint32_t far = 0;
    LATENT_SAME_INDEX for (int64_t i = 0; i < count; ++i) {
      far |= magnitude_f32(x[begin + i]) > sin_limit;
    }
    if (far) memcpy(kept, x + begin, (size_t)count * sizeof *kept);
    LATENT_SAME_INDEX for (int64_t i = 0; i < count; ++i) {
      y[begin + i] = sin_quarter_f32(x[begin + i], quarter);
    }
    for (int64_t i = 0; far && i < count; ++i) {
      if (magnitude_f32(kept[i]) > sin_limit) {
        y[begin + i] = quarter ? cosf(kept[i]) : sinf(kept[i]);
      }
    }
  }
}

static LATENT_CLONES void sin_f32_loop(int64_t n, const void *x, void *y) {
  sin_blocks(n, x, y, 0);
}
static LATENT_CLONES void cos_f32_loop(int64_t n, const void *x, void *y) {
  sin_blocks(n, x, y, 1);
}

// lgamma_r, because lgamma writes a global sign.
static double log_gamma(double x) {
  int sign;
  return lgamma_r(x, &sign);
}

// Upward recurrence to x >= 12, then the asymptotic series with Bernoulli numbers (Abramowitz and
// Stegun 6.3.5 and 6.3.18), reflection (6.3.7) for x < 0.
static double digamma(double x) {
  if (x == 0) return copysign(INFINITY, -x);
  if (isinf(x)) return x > 0 ? x : NAN;
  double result = 0;
  if (x < 0) {
    double fraction = x - nearbyint(x);
    if (fraction == 0) return NAN;
    result = -3.14159265358979323846 / tan(3.14159265358979323846 * fraction);
    x = 1 - x;
  }
  double recurrence = 0;
  for (; x < 12; x += 1) recurrence += 1 / x;
  double s = 1 / (x * x);
  double series = s * (1.0 / 12 - s * (1.0 / 120 - s * (1.0 / 252 - s * (1.0 / 240 - s *
                  (1.0 / 132 - s * (691.0 / 32760 - s * (1.0 / 12)))))));
  return result + (log(x) - 0.5 / x - series - recurrence);
}

UNARY_LOOP(, lgamma_f32_loop, float, (float)log_gamma(v))
UNARY_LOOP(, lgamma_f64_loop, double, log_gamma(v))
UNARY_LOOP(, digamma_f32_loop, float, (float)digamma(v))
UNARY_LOOP(, digamma_f64_loop, double, digamma(v))

typedef struct {
  latent_unary_kernel f32, f64;
  int f32_serial_below, f64_serial_below;
} unary_entry;

#define CHEAP(name) {name##_f32_loop, name##_f64_loop, LATENT_CHEAP, LATENT_CHEAP}
#define MODERATE(name) {name##_f32_loop, name##_f64_loop, LATENT_MODERATE, LATENT_MODERATE}
#define MATH(name) {name##_f32_loop, name##_f64_loop, LATENT_MODERATE, LATENT_EXPENSIVE}
#define EXPENSIVE(name) {name##_f32_loop, name##_f64_loop, LATENT_EXPENSIVE, LATENT_EXPENSIVE}

static unary_entry unary_entry_for(latent_unary_op op) {
  switch (op) {
    case LATENT_NEGATE: return (unary_entry)CHEAP(negate);
    case LATENT_ABS: return (unary_entry)CHEAP(abs);
    case LATENT_SIGN: return (unary_entry)CHEAP(sign);
    case LATENT_SQUARE: return (unary_entry)CHEAP(square);
    case LATENT_RECIPROCAL: return (unary_entry)MODERATE(reciprocal);
    case LATENT_SQRT: return (unary_entry)MODERATE(sqrt);
    case LATENT_RSQRT: return (unary_entry)MODERATE(rsqrt);
    case LATENT_EXP: return (unary_entry)MATH(exp);
    case LATENT_EXPM1: return (unary_entry)MATH(expm1);
    case LATENT_LOG: return (unary_entry)MATH(log);
    case LATENT_LOG1P: return (unary_entry)MATH(log1p);
    case LATENT_SIN: return (unary_entry)MATH(sin);
    case LATENT_COS: return (unary_entry)MATH(cos);
    case LATENT_TANH: return (unary_entry)MATH(tanh);
    case LATENT_SIGMOID: return (unary_entry)MATH(sigmoid);
    case LATENT_SOFTPLUS: return (unary_entry)MATH(softplus);
    case LATENT_LOG_SIGMOID: return (unary_entry)MATH(log_sigmoid);
    case LATENT_ERF: return (unary_entry)MATH(erf);
    case LATENT_ERFC: return (unary_entry)MATH(erfc);
    case LATENT_LGAMMA: return (unary_entry)EXPENSIVE(lgamma);
    case LATENT_DIGAMMA: return (unary_entry)EXPENSIVE(digamma);
    case LATENT_RELU: return (unary_entry)CHEAP(relu);
    case LATENT_ELU: return (unary_entry)MATH(elu);
    case LATENT_GELU: return (unary_entry)MATH(gelu);
    case LATENT_SILU: return (unary_entry)MATH(silu);
    case LATENT_FLOOR: return (unary_entry)CHEAP(floor);
    case LATENT_ROUND: return (unary_entry)CHEAP(round);
    case LATENT_IS_FINITE: return (unary_entry)CHEAP(is_finite);
  }
  __builtin_unreachable();
}

latent_unary_kernel latent_unary_kernel_for(latent_unary_op op, latent_dtype type) {
  unary_entry entry = unary_entry_for(op);
  return type == LATENT_F32 ? entry.f32 : entry.f64;
}

typedef struct {
  latent_unary_kernel kernel;
  int64_t item;
  const char *x;
  char *y;
} unary_job;

static void unary_range(void *context, int64_t begin, int64_t end) {
  const unary_job *job = context;
  job->kernel(end - begin, job->x + begin * job->item, job->y + begin * job->item);
}

void latent_unary(latent_unary_op op, latent_dtype type, int64_t n, const void *x, void *y) {
  unary_entry entry = unary_entry_for(op);
  bool wide = type == LATENT_F64;
  unary_job job = {wide ? entry.f64 : entry.f32, item_size(type), x, y};
  parallel_elements(n, wide ? entry.f64_serial_below : entry.f32_serial_below, &job, unary_range);
}

typedef struct {
  latent_dtype type;
  const void *x;
  void *y;
  double low, high;
} clamp_job;

#define CLAMP(name, real)                                                                \
  static LATENT_CLONES void name(const real *x, real *y, int64_t n, real low, real high) { \
    LATENT_SAME_INDEX for (int64_t i = 0; i < n; ++i) {                                  \
      real v = x[i] < low ? low : x[i];                                                  \
      y[i] = v > high ? high : v;                                                        \
    }                                                                                    \
  }
CLAMP(clamp_f32, float)
CLAMP(clamp_f64, double)
CLAMP(clamp_i32, int32_t)

static int32_t saturated(double value) {
  return value >= INT32_MAX ? INT32_MAX : value <= INT32_MIN ? INT32_MIN : (int32_t)value;
}

static void clamp_range(void *context, int64_t begin, int64_t end) {
  const clamp_job *job = context;
  int64_t n = end - begin;
  if (job->type == LATENT_F32) {
    clamp_f32((const float *)job->x + begin, (float *)job->y + begin, n, (float)job->low,
              (float)job->high);
  } else if (job->type == LATENT_F64) {
    clamp_f64((const double *)job->x + begin, (double *)job->y + begin, n, job->low, job->high);
  } else {
    clamp_i32((const int32_t *)job->x + begin, (int32_t *)job->y + begin, n,
              saturated(ceil(job->low)), saturated(floor(job->high)));
  }
}

void latent_clamp(latent_dtype type, int64_t n, const void *x, double low, double high, void *y) {
  clamp_job job = {type, x, y, low, high};
  parallel_elements(n, LATENT_CHEAP, &job, clamp_range);
}
