// The same names for both float types: kernels written once as macros over a suffix call
// exp_f32 (simd_math.h) or exp_f64 (libm, where accuracy matters and speed does not).

#ifndef LATENT_REAL_MATH_H
#define LATENT_REAL_MATH_H

#include <math.h>

#include "runtime/simd_math.h"

LATENT_INLINE double magnitude_f64(double x) { return __builtin_fabs(x); }
LATENT_INLINE double exp_f64(double x) { return exp(x); }
LATENT_INLINE double expm1_f64(double x) { return expm1(x); }
LATENT_INLINE double log_f64(double x) { return log(x); }
LATENT_INLINE double log1p_f64(double x) { return log1p(x); }
LATENT_INLINE double tanh_f64(double x) { return tanh(x); }
LATENT_INLINE double erf_f64(double x) { return erf(x); }
LATENT_INLINE double erfc_f64(double x) { return erfc(x); }

LATENT_INLINE double sigmoid_f64(double x) {
  double e = exp(-__builtin_fabs(x));
  return (x < 0 ? e : 1) / (1 + e);
}

LATENT_INLINE double softplus_f64(double x) {
  return (x > 0 ? x : 0) + log1p(exp(-__builtin_fabs(x)));
}

LATENT_INLINE double above_minus_1000(double x) { return x < -1000 ? -1000 : x; }

LATENT_INLINE double gelu_f64(double x) {
  return above_minus_1000(x) * (0.5 * erfc(-x * 0.70710678118654752440));
}

LATENT_INLINE double gelu_slope_f64(double x) {
  double y = x > 1000 ? 1000 : above_minus_1000(x);
  double density = 0.39894228040143267794 * exp(-0.5 * y * y);
  return y * density + 0.5 * erfc(-y * 0.70710678118654752440);
}

LATENT_INLINE double silu_f64(double x) { return above_minus_1000(x) * sigmoid_f64(x); }

LATENT_INLINE double silu_slope_f64(double x) {
  double y = x > 1000 ? 1000 : above_minus_1000(x);
  return sigmoid_f64(y) * (y * sigmoid_f64(-y) + 1);
}

// log(1 + e^-|x|) and its parts, for the Bernoulli kernels.
LATENT_INLINE float softplus_tail_f32(float x) {
  return log1p_unit(exp_nonpositive(-magnitude_f32(x), 0.0f));
}
LATENT_INLINE double softplus_tail_f64(double x) { return log1p(exp(-__builtin_fabs(x))); }

// e^v - 1 - v, given root = e^(v / 2): near 0 the series, because e^v - 1 and v agree to all but
// v^2 / 2.
LATENT_INLINE float expm1_minus_f32(float v, float root) {
  float p = 2.75573192e-6f;  // 1 / 9!
  p = p * v + 2.48015873e-5f;
  p = p * v + 1.98412698e-4f;
  p = p * v + 1.38888889e-3f;
  p = p * v + 8.33333333e-3f;
  p = p * v + 4.16666667e-2f;
  p = p * v + 1.66666667e-1f;
  p = p * v + 0.5f;
  float direct = root * root - 1.0f - v;
  return magnitude_f32(v) < 1.0f ? p * v * v : direct;
}

LATENT_INLINE double expm1_minus_f64(double v, double root) {
  (void)root;
  if (!(__builtin_fabs(v) < 0.5)) return expm1(v) - v;
  double term = v * v / 2, sum = 0;
  for (int k = 3; k < 20; ++k) {
    sum += term;
    term *= v / k;
  }
  return sum;
}

#endif
