// Elementary functions of float32 as straight-line code without branches or calls, so that a loop
// over them vectorises. Reductions are Cody and Waite's; the polynomials are minimax fits in the
// form published by Norbert Juffa (forums.developer.nvidia.com and stackoverflow.com, BSD
// licence), for fused multiply-add; without it they lose about half an ulp more.

#ifndef LATENT_SIMD_MATH_H
#define LATENT_SIMD_MATH_H

#include <math.h>

#include "runtime/internal.h"

#ifdef __clang__
#pragma clang fp contract(fast)
#endif

LATENT_INLINE uint32_t bits_of(float x) {
  union { float value; uint32_t bits; } pun = {.value = x};
  return pun.bits;
}

LATENT_INLINE float from_bits(uint32_t bits) {
  union { uint32_t bits; float value; } pun = {.bits = bits};
  return pun.value;
}

LATENT_INLINE float magnitude_f32(float x) { return from_bits(bits_of(x) & 0x7fffffffu); }

LATENT_INLINE float with_sign_of(float magnitude, float sign) {
  return from_bits((bits_of(magnitude) & 0x7fffffffu) | (bits_of(sign) & 0x80000000u));
}

// Adding 1.5 * 2^23 rounds to an integer, which then stands in the low bits: no conversion, so a
// NaN stays harmless.
static const float round_magic = 12582912.0f;

typedef struct {
  float value;     // nearest integer
  uint32_t count;  // the same in two's complement
} rounded_f32;

LATENT_INLINE rounded_f32 round_to_count(float x) {
  float shifted = x + round_magic;
  rounded_f32 result = {shifted - round_magic, bits_of(shifted) - bits_of(round_magic)};
  return result;
}

// 2^count for -126 <= count <= 127.
LATENT_INLINE float power_of_two(uint32_t count) { return from_bits((count + 127u) << 23); }

LATENT_INLINE float exp_polynomial(float r) {  // |r| <= log(2) / 2
  float p = 1.37805939e-3f;
  p = p * r + 8.37312452e-3f;
  p = p * r + 4.16695364e-2f;
  p = p * r + 1.66664720e-1f;
  p = p * r + 4.99999851e-1f;
  p = p * r + 1.0f;
  return p * r + 1.0f;
}

// log(2) in two pieces, the first of 9 bits so that count * piece is exact.
static const float log2_high = 0.693359375f, log2_low = -2.12194440e-4f;

// Below this e^x leaves the normal numbers and the result is 0. Gradual underflow costs more than
// it gives: a denormal product or operand takes the processor some 150 cycles, and saturated
// logits, masked attention and spread importance weights are full of them.
static const float exp_limit = -87.33f;

// The count of a rounded number, moved to the place of a float's exponent (the magic constant's own
// bits are shifted out).
LATENT_INLINE uint32_t exponent_of(float shifted) { return bits_of(shifted) << 23; }

// e^(x + tail) for x <= 0 and a small tail. What happens far below the limit is discarded.
LATENT_INLINE float exp_nonpositive(float x, float tail) {
  float shifted = x * 1.44269504f + round_magic, n = shifted - round_magic;
  float r = (x - n * log2_high) - n * log2_low + tail;
  float result = exp_polynomial(r) * from_bits(exponent_of(shifted) + 0x3f800000u);
  return x < exp_limit ? 0.0f : result;
}

// 2^128 does not exist, so the exponent is added to the bits of the polynomial, which is below 1
// where it reaches 128. Above the limit and for NaN, x + infinity is the answer.
LATENT_INLINE float exp_f32(float x) {
  float shifted = x * 1.44269504f + round_magic, n = shifted - round_magic;
  float r = (x - n * log2_high) - n * log2_low;
  float result = from_bits(bits_of(exp_polynomial(r)) + exponent_of(shifted));
  result = x <= 88.7228317f ? result : x + INFINITY;
  return x < exp_limit ? 0.0f : result;
}

LATENT_INLINE float expm1_f32(float x) {
  float a = x > 89.0f ? 89.0f : x < -20.0f ? -20.0f : x;
  rounded_f32 n = round_to_count(a * 1.44269504f);
  float r = (a - n.value * log2_high) - n.value * log2_low;
  float p = 1.97350979e-4f;
  p = p * r + 1.39309070e-3f;
  p = p * r + 8.33343994e-3f;
  p = p * r + 4.16668020e-2f;
  p = p * r + 1.66666716e-1f;
  p = p * r + 4.99999970e-1f;
  float v = p * r * r + r;  // in this order, so that r * r cannot underflow on its own
  // 2^n (v + 1) - 1, halved because 2^128 does not exist.
  float half_scale = power_of_two(n.count - 1u);
  float half_result = v * half_scale + (half_scale - 0.5f);
  float result = n.count == 0 ? v : half_result + half_result;
  return x == 0.0f ? x : result;
}

// log(1 + f) for f in [-1/3, 1/3]. No square of f is formed: it would be denormal for the tiny f
// of softplus.
LATENT_INLINE float log1p_polynomial(float f) {
  float r = -0.130310059f;
  r = r * f + 0.140869141f;
  r = r * f + -0.121483512f;
  r = r * f + 0.139814854f;
  r = r * f + -0.166846126f;
  r = r * f + 0.200120345f;
  r = r * f + -0.249996200f;
  r = r * f + 0.333331972f;
  r = r * f + -0.500000000f;
  return r * f * f + f;
}

// log of a normal positive number.
LATENT_INLINE float log_normal_f32(float x, float exponent_shift) {
  uint32_t e = (bits_of(x) - 0x3f2aaaabu) & 0xff800000u;
  float m = from_bits(bits_of(x) - e);  // in [2/3, 4/3]
  float exponent = (float)(int32_t)e * 1.19209290e-7f + exponent_shift;
  return exponent * 0.693147182f + log1p_polynomial(m - 1.0f);
}

LATENT_INLINE float log_f32(float x) {
  bool tiny = x < 1.17549435e-38f;
  float result = log_normal_f32(tiny ? x * 8388608.0f : x, tiny ? -23.0f : 0.0f);
  result = x < INFINITY ? result : x;  // infinity and NaN
  result = x == 0.0f ? -INFINITY : result;
  return x < 0.0f ? NAN : result;
}

LATENT_INLINE float log1p_f32(float x) {
  float u = x + 1.0f;
  uint32_t e = (bits_of(u) - 0x3f2aaaabu) & 0xff800000u;
  // x 2^-e + (2^-e - 1) keeps the bits of x that 1 + x drops; 4 * 2^-e is always normal.
  float scale = from_bits(0x40800000u - e);
  float f = x * scale * 0.25f + (scale * 0.25f - 1.0f);
  float result = (float)(int32_t)e * 1.19209290e-7f * 0.693147182f + log1p_polynomial(f);
  result = x < INFINITY ? result : x;
  result = x == 0.0f ? x : result;
  result = x == -1.0f ? -INFINITY : result;
  return x < -1.0f ? NAN : result;
}

// log(1 + e) for e in [0, 1].
LATENT_INLINE float log1p_unit(float e) {
  bool large = e > 0.333333343f;
  float f = large ? e * 0.5f - 0.5f : e;
  return log1p_polynomial(f) + (large ? 0.693147182f : 0.0f);
}

LATENT_INLINE float sigmoid_f32(float x) {
  float e = exp_nonpositive(-magnitude_f32(x), 0.0f);
  return (x < 0.0f ? e : 1.0f) / (1.0f + e);
}

LATENT_INLINE float softplus_f32(float x) {
  return (x > 0.0f ? x : 0.0f) + log1p_unit(exp_nonpositive(-magnitude_f32(x), 0.0f));
}

LATENT_INLINE float tanh_f32(float x) {
  float a = magnitude_f32(x);
  float t = expm1_f32(2.0f * (a > 10.0f ? 10.0f : a));
  return with_sign_of(t / (t + 2.0f), x);
}

// sin and cos of r in [-pi/4, pi/4].
LATENT_INLINE float sin_polynomial(float r) {
  float s = r * r;
  float p = 2.86567956e-6f;
  p = p * s + -1.98559923e-4f;
  p = p * s + 8.33338592e-3f;
  p = p * s + -1.66666672e-1f;
  return p * (r * s + 0.0f) + r;  // + 0 keeps the sign of -0
}

LATENT_INLINE float cos_polynomial(float r) {
  float s = r * r;
  float p = 2.44677067e-5f;
  p = p * s + -1.38877297e-3f;
  p = p * s + 4.16666567e-2f;
  p = p * s + -5.00000000e-1f;
  return p * s + 1.0f;
}

// sin of x + quarter * pi/2 for |x| <= 1e5. The reduction runs in double, whose 33-bit first
// piece of pi/2 makes count * piece exact.
LATENT_INLINE float sin_quarter_f32(float x, uint32_t quarter) {
  double wide = x;
  rounded_f32 n = round_to_count(x * 0.636619772f);
  double count = n.value;
  float r = (float)((wide - count * 0x1.921fb544p+0) - count * 0x1.0b4611a626331p-34);
  uint32_t q = n.count + quarter;
  float value = (q & 1u) ? cos_polynomial(r) : sin_polynomial(r);
  return from_bits(bits_of(value) ^ ((q & 2u) << 30));
}

static const float sin_limit = 1e5f;

LATENT_INLINE float erf_f32(float x) {
  float t = magnitude_f32(x), s = x * x;
  t = t > 4.0f ? 4.0f : t;
  float square = t * t;
  float r = -1.72853470e-5f * t + 3.83197126e-4f;
  float u = -3.88396438e-3f * t + 2.42546219e-2f;
  r = r * square + u;
  r = r * t + -1.06777877e-1f;
  r = r * t + -6.34846687e-1f;
  r = r * t + -1.28717512e-1f;
  r = r * t + -t;
  float outer = with_sign_of(1.0f - exp_nonpositive(r, 0.0f), x);
  float p = -5.96761703e-4f;
  p = p * s + 4.99119423e-3f;
  p = p * s + -2.67681349e-2f;
  p = p * s + 1.12819925e-1f;
  p = p * s + -3.76125336e-1f;
  p = p * s + 1.28379166e-1f;
  float inner = p * x + x;
  return t > 0.927734375f ? outer : inner;
}

// e^(a^2) erfc(a) for a >= 0.
LATENT_INLINE float scaled_erfc(float a) {
  float q = (a - 2.0f) / (a + 2.0f);
  float p = -4.01139259e-4f;
  p = p * q + -1.23075210e-3f;
  p = p * q + 1.31355342e-3f;
  p = p * q + 8.63227434e-3f;
  p = p * q + -8.05991981e-3f;
  p = p * q + -5.42046614e-2f;
  p = p * q + 1.64055392e-1f;
  p = p * q + -1.66031361e-1f;
  p = p * q + -9.27639827e-2f;
  p = p * q + 2.76978403e-1f;
  return (p + 1.0f) / (2.0f * a + 1.0f);
}

// e^(-scale x^2), scale a power of two: the square in two pieces, the first exact, because an
// error of one ulp in the exponent is x^2 ulp in the result.
LATENT_INLINE float exp_minus_square(float x, float scale) {
  float high = from_bits(bits_of(x) & 0xfffff000u);
  return exp_nonpositive(-(high * high) * scale, -((x - high) * (x + high)) * scale);
}

LATENT_INLINE float erfc_f32(float x) {
  float a = magnitude_f32(x);
  a = a > 10.5f ? 10.5f : a;
  float tail = scaled_erfc(a) * exp_minus_square(a, 1.0f);
  return x < 0.0f ? 2.0f - tail : tail;
}

typedef struct {
  float cumulative, density;
} normal_f32;

// The standard normal distribution, with relative accuracy in the lower tail.
LATENT_INLINE normal_f32 standard_normal_f32(float x) {
  float a = magnitude_f32(x);
  a = a > 14.9f ? 14.9f : a;
  float e = exp_minus_square(a, 0.5f);
  float tail = 0.5f * scaled_erfc(a * 0.707106781f) * e;
  normal_f32 result = {x < 0.0f ? tail : 1.0f - tail, e * 0.398942280f};
  return result;
}

// Beyond +-200 the clamp changes nothing but keeps infinity times zero from being NaN.
LATENT_INLINE float above_minus_200(float x) { return x < -200.0f ? -200.0f : x; }

LATENT_INLINE float gelu_f32(float x) {
  return above_minus_200(x) * standard_normal_f32(x).cumulative;
}

LATENT_INLINE float gelu_slope_f32(float x) {
  normal_f32 normal = standard_normal_f32(x);
  float y = x > 200.0f ? 200.0f : above_minus_200(x);
  return y * normal.density + normal.cumulative;
}

LATENT_INLINE float silu_f32(float x) { return above_minus_200(x) * sigmoid_f32(x); }

LATENT_INLINE float silu_slope_f32(float x) {
  float y = x > 200.0f ? 200.0f : above_minus_200(x);
  float e = exp_nonpositive(-magnitude_f32(y), 0.0f);
  float inverse = 1.0f / (1.0f + e);
  float up = y < 0.0f ? e * inverse : inverse;
  float down = y < 0.0f ? inverse : e * inverse;
  return up * (y * down + 1.0f);
}

#endif
