// log of sums of normal densities, jointly and element by element, for every pair of a value and a component:
// the aggregate posterior of a batch and its marginals. Composed of passes over arrays it would write
// [elements, values, components] several times; here a pair's terms live in registers.
//
// Without marginals only the joint density is computed: an exponential for each pair, none for its elements.
//
// Forwards a task is some values, backwards some elements: sums over components, and over values, are taken in
// one order for any number of threads.

#include <math.h>

#include "runtime/internal.h"
#include "runtime/real_math.h"

#ifdef __clang__
#pragma clang fp contract(fast)
#endif

typedef struct {
  latent_normal_mixture mixture;
  void *densities, *marginals, *shares;
  const void *cotangent;
  void *dz, *dmean, *dlog_variance;
} mixture_job;

#define NORMAL_MIXTURE(suffix, real, exp_below_zero)                                              \
  static LATENT_CLONES real exp_sum_##suffix(int64_t n, real top, const real *x) {                \
    LATENT_REASSOCIATE                                                                            \
    real sum = 0;                                                                                 \
    for (int64_t i = 0; i < n; ++i) sum += exp_below_zero(x[i] - top);                            \
    return sum;                                                                                   \
  }                                                                                               \
  /* A logarithm of a sum of exponentials that goes on with n more terms. */                      \
  static void add_terms_##suffix(int64_t n, const real *x, real *top, real *sum) {                \
    const real higher = (real)latent_row_max_##suffix(n, x);                                      \
    if (higher > *top) {                                                                          \
      *sum *= exp_below_zero(*top - higher);                                                      \
      *top = higher;                                                                              \
    }                                                                                             \
    /* All terms are zero so far; one that is no number makes the sum one. */                     \
    if (*top == -(real)INFINITY && higher == higher) return;                                      \
    *sum += exp_sum_##suffix(n, *top, x);                                                         \
  }                                                                                               \
  /* log w_j N(z; j) of one element, also added to the joint exponents. */                        \
  static LATENT_CLONES void element_##suffix(int64_t n, real z, const real *mean,                 \
                                             const real *precision, const real *constant,         \
                                             const real *log_weights, real *joint, real *own) {   \
    LATENT_SAME_INDEX for (int64_t j = 0; j < n; ++j) {                                           \
      const real distance = z - mean[j];                                                          \
      const real term = (distance * distance * precision[j] + constant[j]) * (real)-0.5;          \
      joint[j] += term;                                                                           \
      own[j] = term + log_weights[j];                                                             \
    }                                                                                             \
  }                                                                                               \
  /* The same without the element's own exponents. */                                             \
  static LATENT_CLONES void joint_element_##suffix(int64_t n, real z, const real *mean,           \
                                                   const real *precision, const real *constant,   \
                                                   real *joint) {                                 \
    LATENT_SAME_INDEX for (int64_t j = 0; j < n; ++j) {                                           \
      const real distance = z - mean[j];                                                          \
      joint[j] += (distance * distance * precision[j] + constant[j]) * (real)-0.5;                \
    }                                                                                             \
  }                                                                                               \
  static LATENT_CLONES void share_##suffix(int64_t n, real total, real *joint) {                  \
    LATENT_SAME_INDEX for (int64_t j = 0; j < n; ++j) joint[j] = exp_below_zero(joint[j] - total); \
  }                                                                                               \
  static void values_##suffix(void *context, int64_t begin, int64_t end) {                        \
    const mixture_job *job = context;                                                             \
    const latent_normal_mixture *m = &job->mixture;                                               \
    LATENT_ALIGNED real own[LATENT_BLOCK];                                                        \
    for (int64_t i = begin; i < end; ++i) {                                                       \
      const real *weights = (const real *)m->log_weights + i * m->components;                     \
      real *joint = (real *)job->shares + i * m->components;                                      \
      memcpy(joint, weights, (size_t)m->components * sizeof(real));                               \
      double marginals = 0;                                                                       \
      for (int64_t l = 0; l < m->elements; ++l) {                                                 \
        const real z = ((const real *)m->z)[i * m->elements + l];                                 \
        if (!job->marginals) {                                                                    \
          const int64_t place = l * m->components;                                                \
          joint_element_##suffix(m->components, z, (const real *)m->mean + place,                 \
                                 (const real *)m->precision + place,                              \
                                 (const real *)m->constant + place, joint);                       \
          continue;                                                                               \
        }                                                                                         \
        real top = -(real)INFINITY, sum = 0;                                                      \
        for (int64_t from = 0; from < m->components; from += LATENT_BLOCK) {                      \
          const int64_t n = smaller(LATENT_BLOCK, m->components - from);                          \
          const int64_t place = l * m->components + from;                                         \
          element_##suffix(n, z, (const real *)m->mean + place,                                   \
                           (const real *)m->precision + place, (const real *)m->constant + place, \
                           weights + from, joint + from, own);                                    \
          add_terms_##suffix(n, own, &top, &sum);                                                 \
        }                                                                                         \
        const real marginal = top + log_##suffix(sum);                                            \
        ((real *)job->marginals)[i * m->elements + l] = marginal;                                 \
        marginals += marginal;                                                                    \
      }                                                                                           \
      real top = -(real)INFINITY, sum = 0;                                                        \
      for (int64_t from = 0; from < m->components; from += LATENT_BLOCK) {                        \
        add_terms_##suffix(smaller(LATENT_BLOCK, m->components - from), joint + from, &top, &sum); \
      }                                                                                           \
      const real total = top + log_##suffix(sum);                                                 \
      share_##suffix(m->components, total, joint);                                                \
      ((real *)job->densities)[i] = total;                                                        \
      if (job->marginals) ((real *)job->densities)[m->values + i] = (real)marginals;              \
    }                                                                                             \
  }                                                                                               \
  /* One value and element with all components; the sum of its derivatives by the components'     \
     means. */                                                                                    \
  static LATENT_CLONES real pull_##suffix(int64_t n, real z, real marginal, real by_joint,        \
                                          real by_marginal, const real *mean,                     \
                                          const real *precision, const real *constant,            \
                                          const real *log_weights, const real *share,             \
                                          real *dmean, real *dlog_variance) {                     \
    LATENT_REASSOCIATE                                                                            \
    real sum = 0;                                                                                 \
    LATENT_SAME_INDEX for (int64_t j = 0; j < n; ++j) {                                           \
      const real distance = z - mean[j], pulled = distance * precision[j];                        \
      const real squared = distance * pulled;                                                     \
      const real term = (squared + constant[j]) * (real)-0.5 + log_weights[j];                    \
      const real share_of_pair =                                                                  \
          by_joint * share[j] + by_marginal * exp_below_zero(term - marginal);                    \
      dmean[j] += share_of_pair * pulled;                                                         \
      dlog_variance[j] += share_of_pair * ((squared - 1) * (real)0.5);                            \
      sum += share_of_pair * pulled;                                                              \
    }                                                                                             \
    return sum;                                                                                   \
  }                                                                                               \
  /* The same where there are no marginals. */                                                    \
  static LATENT_CLONES real pull_joint_##suffix(int64_t n, real z, real by_joint,                 \
                                                const real *mean, const real *precision,          \
                                                const real *share, real *dmean,                   \
                                                real *dlog_variance) {                            \
    LATENT_REASSOCIATE                                                                            \
    real sum = 0;                                                                                 \
    LATENT_SAME_INDEX for (int64_t j = 0; j < n; ++j) {                                           \
      const real distance = z - mean[j], pulled = distance * precision[j];                        \
      const real share_of_pair = by_joint * share[j];                                             \
      dmean[j] += share_of_pair * pulled;                                                         \
      dlog_variance[j] += share_of_pair * ((distance * pulled - 1) * (real)0.5);                  \
      sum += share_of_pair * pulled;                                                              \
    }                                                                                             \
    return sum;                                                                                   \
  }                                                                                               \
  static void elements_##suffix(void *context, int64_t begin, int64_t end) {                      \
    const mixture_job *job = context;                                                             \
    const latent_normal_mixture *m = &job->mixture;                                               \
    const real *cotangent = job->cotangent;                                                       \
    for (int64_t l = begin; l < end; ++l) {                                                       \
      const int64_t place = l * m->components;                                                    \
      real *dmean = (real *)job->dmean + place;                                                   \
      real *dlog_variance = (real *)job->dlog_variance + place;                                   \
      memset(dmean, 0, (size_t)m->components * sizeof(real));                                     \
      memset(dlog_variance, 0, (size_t)m->components * sizeof(real));                             \
      for (int64_t i = 0; i < m->values; ++i) {                                                   \
        const int64_t element = i * m->elements + l;                                              \
        if (!job->marginals) {                                                                    \
          ((real *)job->dz)[l * m->values + i] = -pull_joint_##suffix(                            \
              m->components, ((const real *)m->z)[element], cotangent[i],                         \
              (const real *)m->mean + place, (const real *)m->precision + place,                  \
              (const real *)job->shares + i * m->components, dmean, dlog_variance);               \
          continue;                                                                               \
        }                                                                                         \
        ((real *)job->dz)[l * m->values + i] = -pull_##suffix(                                    \
            m->components, ((const real *)m->z)[element],                                         \
            ((const real *)job->marginals)[element], cotangent[i], cotangent[m->values + i],      \
            (const real *)m->mean + place, (const real *)m->precision + place,                    \
            (const real *)m->constant + place,                                                    \
            (const real *)m->log_weights + i * m->components,                                     \
            (const real *)job->shares + i * m->components, dmean, dlog_variance);                 \
      }                                                                                           \
    }                                                                                             \
  }

// e^x of x from 0 down, to one unit in the last place, in a form that vectorises: libm's is called number by number, and
// this kernel is little else. x = k log 2 + r; the series of e^r to its 13th power, below 2^-57 beyond it.
LATENT_INLINE double exp_below_zero_f64(double x) {
  const double magic = 0x1.8p52;  // the last bits of a number plus this are the number, rounded
  const double shifted = x * 1.4426950408889634 + magic;
  const double k = shifted - magic;
  const double r = (x - k * 0x1.62e42feep-1) - k * 0x1.a39ef35793c76p-33;
  double series = 1.0 / 6227020800;
  series = series * r + 1.0 / 479001600;
  series = series * r + 1.0 / 39916800;
  series = series * r + 1.0 / 3628800;
  series = series * r + 1.0 / 362880;
  series = series * r + 1.0 / 40320;
  series = series * r + 1.0 / 5040;
  series = series * r + 1.0 / 720;
  series = series * r + 1.0 / 120;
  series = series * r + 1.0 / 24;
  series = series * r + 1.0 / 6;
  series = series * r + 0.5;
  series = (series * r + 1) * r + 1;
  union {
    double number;
    uint64_t bits;
  } count = {.number = shifted}, power;
  power.bits = (count.bits << 52) + 0x3ff0000000000000u;
  return x < -708.0 ? 0.0 : series * power.number;  // normal numbers only
}

#define EXP_F32(x) exp_nonpositive(x, 0.0f)
NORMAL_MIXTURE(f32, float, EXP_F32)
NORMAL_MIXTURE(f64, double, exp_below_zero_f64)

void latent_normal_mixture_log_prob(latent_dtype type, const latent_normal_mixture *mixture,
                                    void *densities, void *marginals, void *shares) {
  mixture_job job = {.mixture = *mixture, .densities = densities, .marginals = marginals,
                     .shares = shares};
  bool wide = type == LATENT_F64;
  parallel_rows(mixture->values, mixture->components * mixture->elements,
                wide ? LATENT_EXPENSIVE : LATENT_MODERATE, &job, wide ? values_f64 : values_f32);
}

void latent_normal_mixture_log_prob_grad(latent_dtype type, const latent_normal_mixture *mixture,
                                         const void *marginals, const void *shares,
                                         const void *cotangent, void *dz, void *dmean,
                                         void *dlog_variance) {
  // Read only, like the mixture.
  mixture_job job = {.mixture = *mixture, .marginals = (void *)marginals,
                     .shares = (void *)shares, .cotangent = cotangent, .dz = dz, .dmean = dmean,
                     .dlog_variance = dlog_variance};
  bool wide = type == LATENT_F64;
  parallel_rows(mixture->elements, mixture->values * mixture->components,
                wide ? LATENT_EXPENSIVE : LATENT_MODERATE, &job,
                wide ? elements_f64 : elements_f32);
}
