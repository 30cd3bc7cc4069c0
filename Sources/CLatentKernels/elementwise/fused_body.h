// Fused passes of one float type; fused.c includes this twice, with REAL and NAME(stem) defined
// (and through NAME the functions of real_math.h).

// MARK: Bias and activation

#define BIAS_ROWS(name, attributes, ...)                                                       \
  static attributes void NAME(bias_##name)(int64_t rows, int64_t columns, const void *from,    \
                                           const void *bias_, void *to) {                      \
    const REAL *bias = bias_;                                                                  \
    for (int64_t row = 0; row < rows; ++row) {                                                 \
      const REAL *x = (const REAL *)from + row * columns;                                      \
      REAL *y = (REAL *)to + row * columns;                                                    \
      __VA_ARGS__                                                                              \
    }                                                                                          \
  }
#define BIAS_EACH(name, expression)                                                            \
  BIAS_ROWS(name, LATENT_CLONES, LATENT_SAME_INDEX for (int64_t c = 0; c < columns; ++c) {     \
    const REAL v = x[c] + bias[c];                                                             \
    y[c] = expression;                                                                         \
  })

BIAS_EACH(none, v)
BIAS_EACH(relu, v < 0 ? 0 : v)
BIAS_EACH(tanh, NAME(tanh)(v))
BIAS_EACH(sigmoid, NAME(sigmoid)(v))
BIAS_ROWS(gelu, , NAME(latent_gelu)(columns, x, bias, y);)
BIAS_EACH(silu, NAME(silu)(v))
BIAS_EACH(softplus, NAME(softplus)(v))
BIAS_EACH(elu, v > 0 ? v : NAME(expm1)(v))
#undef BIAS_EACH
#undef BIAS_ROWS

static bias_kernel NAME(bias_kernel)(latent_activation act) {
  switch (act) {
    case LATENT_ACT_NONE: return NAME(bias_none);
    case LATENT_ACT_RELU: return NAME(bias_relu);
    case LATENT_ACT_TANH: return NAME(bias_tanh);
    case LATENT_ACT_SIGMOID: return NAME(bias_sigmoid);
    case LATENT_ACT_GELU: return NAME(bias_gelu);
    case LATENT_ACT_SILU: return NAME(bias_silu);
    case LATENT_ACT_SOFTPLUS: return NAME(bias_softplus);
    case LATENT_ACT_ELU: return NAME(bias_elu);
  }
  __builtin_unreachable();
}

// sum += the sum of `rows` (at most 4) rows.
LATENT_INLINE void NAME(add_rows)(int64_t rows, int64_t stride, int64_t width, const REAL *x,
                                  REAL *sum) {
  if (rows == 4) {
    const REAL *a = x, *b = a + stride, *c = b + stride, *d = c + stride;
    LATENT_SAME_INDEX for (int64_t i = 0; i < width; ++i) sum[i] += (a[i] + b[i]) + (c[i] + d[i]);
    return;
  }
  for (int64_t row = 0; row < rows; ++row) {
    LATENT_SAME_INDEX for (int64_t i = 0; i < width; ++i) sum[i] += x[row * stride + i];
  }
}

// dx = g * slope(s) for one tile, and its sums over rows: in REAL over 64 rows, then in double.
// Four rows of dx are written and then summed out of L1; summing in the same loop puts the stores
// of the sums behind those of dx, which wait for L2, and takes twice the time.
#define GRAD_TILE(name, ...)                                                                     \
  static LATENT_CLONES void NAME(grad_##name)(int64_t rows, int64_t stride, int64_t width,       \
                                              const void *dy_, const void *saved_, void *dx_,    \
                                              double *total) {                                   \
    const REAL *dy = dy_, *saved = saved_;                                                       \
    REAL *dx = dx_;                                                                              \
    for (int64_t c = 0; c < width; ++c) total[c] = 0;                                            \
    for (int64_t begin = 0; begin < rows; begin += 64) {                                         \
      int64_t end = smaller(begin + 64, rows);                                                   \
      LATENT_ALIGNED REAL sum[COLUMN_TILE];                                                      \
      for (int64_t c = 0; c < width; ++c) sum[c] = 0;                                            \
      for (int64_t from = begin; from < end; from += 4) {                                        \
        int64_t to = smaller(from + 4, end);                                                     \
        for (int64_t row = from; row < to; ++row) {                                              \
          const REAL *dy_row = dy + row * stride, *saved_row = saved + row * stride;             \
          REAL *dx_row = dx + row * stride;                                                      \
          __VA_ARGS__                                                                            \
        }                                                                                        \
        NAME(add_rows)(to - from, stride, width, dx + from * stride, sum);                       \
      }                                                                                          \
      LATENT_SAME_INDEX for (int64_t c = 0; c < width; ++c) total[c] += sum[c];                  \
    }                                                                                            \
  }

#define GRAD_EACH(name, expression)                                                              \
  GRAD_TILE(name, LATENT_SAME_INDEX for (int64_t c = 0; c < width; ++c) {                        \
    const REAL g = dy_row[c], s = saved_row[c];                                                  \
    dx_row[c] = expression;                                                                      \
  })

GRAD_EACH(relu, s > 0 ? g : s)  // an output that is not positive is 0 or NaN
GRAD_EACH(tanh, g *(1 - s * s))
GRAD_EACH(sigmoid, g *(s * (1 - s)))
GRAD_TILE(gelu, NAME(latent_gelu_slope)(width, dy_row, saved_row, dx_row);)
GRAD_EACH(silu, g *NAME(silu_slope)(s))
GRAD_EACH(softplus, g *NAME(sigmoid)(s))
GRAD_EACH(elu, g *(s > 0 ? 1 : s + 1))
#undef GRAD_EACH
#undef GRAD_TILE

static grad_kernel NAME(grad_kernel)(latent_activation act) {
  switch (act) {
    case LATENT_ACT_RELU: return NAME(grad_relu);
    case LATENT_ACT_TANH: return NAME(grad_tanh);
    case LATENT_ACT_SIGMOID: return NAME(grad_sigmoid);
    case LATENT_ACT_GELU: return NAME(grad_gelu);
    case LATENT_ACT_SILU: return NAME(grad_silu);
    case LATENT_ACT_SOFTPLUS: return NAME(grad_softplus);
    case LATENT_ACT_ELU: return NAME(grad_elu);
    case LATENT_ACT_NONE: break;
  }
  __builtin_unreachable();
}

// MARK: Leaky ReLU

static LATENT_CLONES void NAME(leaky_range)(const fused_job *job, int64_t begin, int64_t end) {
  const REAL *x = job->a, slope = (REAL)job->slope;
  REAL *y = job->out;
  LATENT_SAME_INDEX for (int64_t i = begin; i < end; ++i) y[i] = x[i] > 0 ? x[i] : slope * x[i];
}

static LATENT_CLONES void NAME(leaky_grad_range)(const fused_job *job, int64_t begin,
                                                 int64_t end) {
  const REAL *x = job->a, *dy = job->b, slope = (REAL)job->slope;
  REAL *dx = job->out;
  LATENT_SAME_INDEX for (int64_t i = begin; i < end; ++i) {
    dx[i] = dy[i] * (x[i] > 0 ? 1 : x[i] <= 0 ? slope : x[i]);  // NaN stays NaN
  }
}

// MARK: Sums of radial kernels

static LATENT_CLONES void NAME(add_imq)(int64_t n, REAL scale, const REAL *x, REAL *sum,
                                        REAL *slope) {
  const REAL inverse = 1 / scale;
  LATENT_SAME_INDEX for (int64_t i = 0; i < n; ++i) {
    const REAL k = scale / (scale + x[i]);
    sum[i] += k;
    slope[i] -= k * k * inverse;
  }
}

static LATENT_CLONES void NAME(add_rbf)(int64_t n, REAL scale, const REAL *x, REAL *sum,
                                        REAL *slope) {
  const REAL inverse = 1 / scale;
  LATENT_SAME_INDEX for (int64_t i = 0; i < n; ++i) {
    const REAL k = NAME(exp)(-x[i] * inverse);
    sum[i] += k;
    slope[i] -= k * inverse;
  }
}

static void NAME(radial_range)(const fused_job *job, int64_t begin, int64_t end) {
  const double *scales = job->b;
  for (int64_t from = begin; from < end; from += LATENT_BLOCK) {
    const int64_t n = smaller(LATENT_BLOCK, end - from);
    const REAL *x = (const REAL *)job->a + from;
    REAL *sum = (REAL *)job->out + from, *slope = (REAL *)job->second_out + from;
    memset(sum, 0, (size_t)n * sizeof(REAL));
    memset(slope, 0, (size_t)n * sizeof(REAL));
    for (int64_t s = 0; s < job->columns; ++s) {
      (job->radial == LATENT_RBF ? NAME(add_rbf) : NAME(add_imq))(n, (REAL)scales[s], x, sum, slope);
    }
  }
}

// MARK: Diagonal normal

static LATENT_CLONES void NAME(sample_range)(const fused_job *job, int64_t begin, int64_t end) {
  const REAL *mean = job->a, *log_variance = job->b, *noise = job->c;
  REAL *z = job->out;
  LATENT_SAME_INDEX for (int64_t i = begin; i < end; ++i) {
    z[i] = mean[i] + NAME(exp)(log_variance[i] / 2) * noise[i];
  }
}

static LATENT_CLONES void NAME(sample_grad_range)(const fused_job *job, int64_t begin,
                                                  int64_t end) {
  const REAL *log_variance = job->a, *noise = job->b, *dz = job->c;
  REAL *dlog_variance = job->out;
  LATENT_SAME_INDEX for (int64_t i = begin; i < end; ++i) {
    dlog_variance[i] = dz[i] * noise[i] * NAME(exp)(log_variance[i] / 2) / 2;
  }
}

static LATENT_CLONES void NAME(kl_rows)(const fused_job *job, int64_t begin, int64_t end) {
  const int64_t columns = job->columns;
  for (int64_t row = begin; row < end; ++row) {
    const REAL *mean = (const REAL *)job->a + row * columns;
    const REAL *log_variance = (const REAL *)job->b + row * columns;
    double total = 0;
    for (int64_t from = 0; from < columns; from += SUM_BLOCK) {
      LATENT_REASSOCIATE
      int64_t to = smaller(from + SUM_BLOCK, columns);
      REAL sum = 0;
      LATENT_SAME_INDEX for (int64_t c = from; c < to; ++c) {
        const REAL m = mean[c], v = log_variance[c];
        sum += m * m + NAME(expm1_minus)(v, NAME(exp)(v / 2));
      }
      total += sum;
    }
    ((REAL *)job->out)[row] = (REAL)(total / 2);
  }
}

static LATENT_CLONES void NAME(kl_grad_rows)(const fused_job *job, int64_t begin, int64_t end) {
  const int64_t columns = job->columns;
  for (int64_t row = begin; row < end; ++row) {
    const REAL *mean = (const REAL *)job->a + row * columns;
    const REAL *log_variance = (const REAL *)job->b + row * columns;
    const REAL dkl = ((const REAL *)job->c)[row];
    REAL *dmean = (REAL *)job->out + row * columns;
    REAL *dlog_variance = (REAL *)job->second_out + row * columns;
    LATENT_SAME_INDEX for (int64_t c = 0; c < columns; ++c) {
      dmean[c] = dkl * mean[c];
      dlog_variance[c] = dkl * NAME(expm1)(log_variance[c]) / 2;
    }
  }
}

// MARK: Bernoulli from logits

static LATENT_CLONES void NAME(bernoulli_rows)(const fused_job *job, int64_t begin, int64_t end) {
  const int64_t columns = job->columns;
  for (int64_t row = begin; row < end; ++row) {
    const REAL *logits = (const REAL *)job->a + row * columns;
    const REAL *x = (const REAL *)job->b + row * columns;
    double total = 0;
    for (int64_t from = 0; from < columns; from += SUM_BLOCK) {
      LATENT_REASSOCIATE
      int64_t to = smaller(from + SUM_BLOCK, columns);
      REAL sum = 0;
      for (int64_t c = from; c < to; ++c) {
        // x l - max(l, 0) as one product: nothing cancels where x is 1 and l is large.
        const REAL l = logits[c], weight = l > 0 ? x[c] - 1 : x[c];
        sum += weight * l - NAME(softplus_tail)(l);
      }
      total += sum;
    }
    ((REAL *)job->out)[row] = (REAL)total;
  }
}

static LATENT_CLONES void NAME(bernoulli_grad_rows)(const fused_job *job, int64_t begin,
                                                    int64_t end) {
  const int64_t columns = job->columns;
  for (int64_t row = begin; row < end; ++row) {
    const REAL *logits = (const REAL *)job->a + row * columns;
    const REAL *x = (const REAL *)job->b + row * columns;
    const REAL dy = ((const REAL *)job->c)[row];
    REAL *dlogits = (REAL *)job->out + row * columns;
    LATENT_SAME_INDEX for (int64_t c = 0; c < columns; ++c) {
      dlogits[c] = dy * (x[c] - NAME(sigmoid)(logits[c]));
    }
  }
}
