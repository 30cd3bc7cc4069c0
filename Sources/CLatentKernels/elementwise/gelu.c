// GELU and its slope. Where the processor looks sixteen numbers up in two registers by one
// instruction (AVX-512), polynomials of degree 6 on short intervals replace the formula and take half
// the time. Both keep relative accuracy in the lower tail.

#include "gelu.h"

#include "runtime/real_math.h"

#ifdef __clang__
#pragma clang fp contract(fast)
#endif

#define GELU_LOOPS(attributes, suffix, real)                                                      \
  static attributes void formula_##suffix(int64_t n, const real *x, const real *bias, real *y) {  \
    if (bias) {                                                                                   \
      LATENT_SAME_INDEX for (int64_t i = 0; i < n; ++i) y[i] = gelu_##suffix(x[i] + bias[i]);     \
    } else {                                                                                      \
      LATENT_SAME_INDEX for (int64_t i = 0; i < n; ++i) y[i] = gelu_##suffix(x[i]);               \
    }                                                                                             \
  }                                                                                               \
  static attributes void slope_formula_##suffix(int64_t n, const real *g, const real *x,          \
                                                real *dx) {                                       \
    LATENT_SAME_INDEX for (int64_t i = 0; i < n; ++i) dx[i] = g[i] * gelu_slope_##suffix(x[i]);   \
  }

GELU_LOOPS(LATENT_CLONES, f32, float)
GELU_LOOPS(, f64, double)

void latent_gelu_f64(int64_t n, const double *x, const double *bias, double *y) {
  formula_f64(n, x, bias, y);
}

void latent_gelu_slope_f64(int64_t n, const double *g, const double *x, double *dx) {
  slope_formula_f64(n, g, x, dx);
}

#if defined(__x86_64__) && defined(__clang__) && !defined(LATENT_NO_CLONES)

#include <immintrin.h>

#include "gelu_tables.h"

enum { LANES = 16 };

// From here on the tail is below half an ulp of x, and relative to itself needs the formula.
static const float table_end = 5.9f;

typedef struct {
  __m512 low[GELU_DEGREE + 1], high[GELU_DEGREE + 1];
} table;

LATENT_INLINE LATENT_AVX512 table load_table(const float rows[GELU_DEGREE + 1][GELU_INTERVALS]) {
  table t;
  for (int k = 0; k <= GELU_DEGREE; ++k) {
    t.low[k] = _mm512_loadu_ps(rows[k]);
    t.high[k] = _mm512_loadu_ps(rows[k] + LANES);
  }
  return t;
}

// The function of the table at min(a, table_end); NaN stays.
LATENT_INLINE LATENT_AVX512 __m512 look_up(const table *t, __m512 a) {
  a = _mm512_min_ps(_mm512_set1_ps(table_end), a);
  const __m512 shifted = a * (1 / gelu_width) + round_magic;
  const __m512i interval = (__m512i)shifted;  // in its low bits, all that is read
  const __m512 r = a - (shifted - round_magic) * gelu_width;
  __m512 sum = _mm512_permutex2var_ps(t->low[GELU_DEGREE], interval, t->high[GELU_DEGREE]);
  for (int k = GELU_DEGREE - 1; k >= 0; --k) {
    sum = sum * r + _mm512_permutex2var_ps(t->low[k], interval, t->high[k]);
  }
  return sum;
}

LATENT_INLINE LATENT_AVX512 __m512 tabled(const table *tail, __m512 x) {
  const __m512 a = _mm512_abs_ps(x), end = _mm512_set1_ps(table_end);
  // Where one is NaN, the second operand is the result.
  return _mm512_max_ps(_mm512_setzero_ps(), x) - _mm512_min_ps(end, a) * look_up(tail, a);
}

LATENT_INLINE LATENT_AVX512 __m512 slope_tabled(const table *fall, __m512 x) {
  const __m512 below = look_up(fall, _mm512_abs_ps(x));
  const __mmask16 positive = _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_GT_OQ);
  return _mm512_mask_sub_ps(below, positive, _mm512_set1_ps(1), below);
}

LATENT_INLINE LATENT_AVX512 __mmask16 far_below(__m512 x) {
  return _mm512_cmp_ps_mask(x, _mm512_set1_ps(-table_end), _CMP_LT_OQ);
}

LATENT_INLINE LATENT_AVX512 __mmask16 lanes(int64_t left) {
  return (__mmask16)(left < LANES ? (1u << left) - 1 : 0xffffu);
}

// The loop over whole vectors calls nothing, so that the table stays in registers. It stops before a
// number that is far below; such a vector and the last one are done with care.
#define BY_TABLE(name, rows, with_table, with_formula, input, factor)                            \
  static __attribute__((noinline)) LATENT_AVX512 int64_t run_##name(                             \
      int64_t i, int64_t n, const float *x, const float *second, float *y) {                     \
    const table t = load_table(rows);                                                            \
    for (; i + LANES <= n; i += LANES) {                                                         \
      const __mmask16 all = 0xffff;                                                              \
      const __m512 v = input;                                                                    \
      if (far_below(v)) break;                                                                   \
      _mm512_storeu_ps(y + i, factor with_table(&t, v));                                         \
    }                                                                                            \
    return i;                                                                                    \
  }                                                                                              \
                                                                                                 \
  static __attribute__((noinline)) LATENT_AVX512 void careful_##name(                            \
      int64_t i, int64_t n, const float *x, const float *second, float *y) {                     \
    const table t = load_table(rows);                                                            \
    const __mmask16 all = lanes(n - i);                                                          \
    const __m512 v = input;                                                                      \
    float each[LANES];                                                                           \
    _mm512_storeu_ps(each, v);                                                                   \
    for (int j = 0; j < LANES; ++j) each[j] = with_formula(each[j]);                             \
    const __m512 value =                                                                         \
        _mm512_mask_loadu_ps(with_table(&t, v), far_below(v), each);                             \
    _mm512_mask_storeu_ps(y + i, all, factor value);                                             \
  }                                                                                              \
                                                                                                 \
  static void name(int64_t n, const float *x, const float *second, float *y) {                   \
    for (int64_t i = 0; i < n;) {                                                                \
      i = run_##name(i, n, x, second, y);                                                        \
      if (i < n) careful_##name(i, n, x, second, y);                                             \
      i += LANES;                                                                                \
    }                                                                                            \
  }

#define AT(pointer) _mm512_maskz_loadu_ps(all, pointer + i)
BY_TABLE(gelu_by_table, gelu_tail, tabled, gelu_f32, AT(x), )
BY_TABLE(biased_by_table, gelu_tail, tabled, gelu_f32, AT(x) + AT(second), )
BY_TABLE(slope_by_table, gelu_fall, slope_tabled, gelu_slope_f32, AT(x), AT(second) *)
#undef AT
#undef BY_TABLE

void latent_gelu_f32(int64_t n, const float *x, const float *bias, float *y) {
  if (!latent_has_avx512()) return formula_f32(n, x, bias, y);
  (bias ? biased_by_table : gelu_by_table)(n, x, bias, y);
}

void latent_gelu_slope_f32(int64_t n, const float *g, const float *x, float *dx) {
  latent_has_avx512() ? slope_by_table(n, x, g, dx) : slope_formula_f32(n, g, x, dx);
}

#else

void latent_gelu_f32(int64_t n, const float *x, const float *bias, float *y) {
  formula_f32(n, x, bias, y);
}

void latent_gelu_slope_f32(int64_t n, const float *g, const float *x, float *dx) {
  slope_formula_f32(n, g, x, dx);
}

#endif
