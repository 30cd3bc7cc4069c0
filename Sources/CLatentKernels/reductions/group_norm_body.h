// Group norm of one float type; group_norm.c includes this twice, with REAL and NAME(stem) defined
// (and through NAME the functions of real_math.h).

// MARK: Moments

// sums over `rows` rows of x - center and of its square.
LATENT_INLINE void NAME(add_distances)(int64_t rows, int64_t stride, int64_t width, const REAL *x,
                                       const REAL *center, REAL *sum, REAL *square) {
  int64_t row = 0;
  for (; row + 4 <= rows; row += 4) {
    const REAL *p = x + row * stride, *q = p + stride, *r = q + stride, *s = r + stride;
    LATENT_SAME_INDEX for (int64_t c = 0; c < width; ++c) {
      const REAL at = center[c], i = p[c] - at, j = q[c] - at, k = r[c] - at, l = s[c] - at;
      sum[c] += (i + j) + (k + l);
      square[c] += (i * i + j * j) + (k * k + l * l);
    }
  }
  for (; row < rows; ++row) {
    const REAL *p = x + row * stride;
    LATENT_SAME_INDEX for (int64_t c = 0; c < width; ++c) {
      const REAL i = p[c] - center[c];
      sum[c] += i;
      square[c] += i * i;
    }
  }
}

// Mean and squared distances of each lane. Distances are taken from the mean of the rows before,
// for the first rows from their own (read twice, out of the cache): what the square of a difference
// of means takes from the digits of a block, it adds to the whole.
static LATENT_CLONES void NAME(lane_moments)(int64_t rows, int64_t stride, int64_t width,
                                             const REAL *x, double *mean, double *square) {
  LATENT_ALIGNED REAL center[NORM_TILE], sum[NORM_TILE], squares[NORM_TILE];
  const int64_t first = smaller(NORM_ROWS, rows);
  for (int64_t c = 0; c < width; ++c) sum[c] = 0;
  for (int64_t row = 0; row < first; ++row) {
    LATENT_SAME_INDEX for (int64_t c = 0; c < width; ++c) sum[c] += x[row * stride + c];
  }
  LATENT_SAME_INDEX for (int64_t c = 0; c < width; ++c) {
    mean[c] = (double)sum[c] / (double)first;
    square[c] = 0;
  }
  for (int64_t done = 0; done < rows; done += NORM_ROWS) {
    const int64_t n = smaller(NORM_ROWS, rows - done);
    for (int64_t c = 0; c < width; ++c) center[c] = (REAL)mean[c], sum[c] = 0, squares[c] = 0;
    NAME(add_distances)(n, stride, width, x + done * stride, center, sum, squares);
    const double inverse = 1 / (double)n, share = (double)n / (double)(done + n);
    const double between = (double)done * share;
    LATENT_SAME_INDEX for (int64_t c = 0; c < width; ++c) {
      const double d = (double)sum[c] * inverse, away = (double)center[c] + d - mean[c];
      const double own = (double)squares[c] - (double)sum[c] * d;
      // At the first rows `mean` is where distances were taken from, not yet a mean.
      mean[c] += away * share;
      square[c] += (own < 0 ? 0 : own) + away * away * between;
    }
  }
}

static void NAME(gather_moments)(const norm_job *job, int64_t example, int64_t piece) {
  const norm_rows rows = rows_of(job, example, piece);
  const int64_t channels = job->channels, stride = job->fold * channels;
  norm_moments *moments =
      (norm_moments *)job->scratch + (example * job->pieces + piece) * job->groups;
  for (int64_t group = 0; group < job->groups; ++group) moments[group] = (norm_moments){0, 0, 0};
  norm_lanes lanes[2];
  for (int64_t column = 0; column < channels; column += NORM_TILE) {
    const int64_t width = smaller(NORM_TILE, channels - column);
    const REAL *x = (const REAL *)job->x + rows.first * channels + column;
    lanes[0].copies = rows.wide_rows > 0 ? job->fold : 0, lanes[0].count = (double)rows.wide_rows;
    lanes[1].copies = rows.rest_rows > 0, lanes[1].count = (double)rows.rest_rows;
    if (rows.wide_rows > 0) {
      NAME(lane_moments)(rows.wide_rows, stride, job->fold * width, x, lanes[0].mean,
                         lanes[0].square);
    }
    if (rows.rest_rows > 0) {
      NAME(lane_moments)(rows.rest_rows, channels, width, x + rows.wide_rows * stride,
                         lanes[1].mean, lanes[1].square);
    }
    for (int64_t c = 0; c < width;) {
      const int64_t group = (column + c) / job->size;
      const int64_t end = smaller(width, (group + 1) * job->size - column);
      add_moments(moments + group, fold_lanes(lanes, width, c, end));
      c = end;
    }
  }
}

// MARK: Forward

// What a pass needs for each lane of a tile: the argument of the activation is
// (x - mean) factor + offset. The mean is rounded; what it lacks goes into the offset.
typedef struct {
  LATENT_ALIGNED REAL mean[NORM_TILE], factor[NORM_TILE], offset[NORM_TILE];
} NAME(norm_tables);

LATENT_INLINE void NAME(repeat)(int64_t fold, int64_t width, REAL *table) {
  for (int64_t i = width; i < fold * width; ++i) table[i] = table[i - width];
}

static LATENT_CLONES void NAME(fill_tables)(const norm_job *job, int64_t example, int64_t column,
                                            int64_t width, NAME(norm_tables) *tables) {
  const REAL *scale = (const REAL *)job->scale + column;
  const REAL *shift = (const REAL *)job->shift + column;
  for (int64_t c = 0; c < width;) {
    const int64_t group = (column + c) / job->size;
    const int64_t end = smaller(width, (group + 1) * job->size - column);
    const double *statistics = job->statistics + 3 * (example * job->groups + group);
    const double inverse = statistics[2];
    const REAL mean = (REAL)statistics[0];
    const double lack = (statistics[0] - (double)mean) * inverse;
    for (; c < end; ++c) {
      tables->mean[c] = mean;
      tables->factor[c] = (REAL)((double)scale[c] * inverse);
      tables->offset[c] = (REAL)((double)shift[c] - lack * (double)scale[c]);
    }
  }
  NAME(repeat)(job->fold, width, tables->mean);
  NAME(repeat)(job->fold, width, tables->factor);
  NAME(repeat)(job->fold, width, tables->offset);
}

#define NORM_FORWARD(name, expression)                                                           \
  static LATENT_CLONES void NAME(norm_##name)(int64_t rows, int64_t stride, int64_t width,       \
                                              const NAME(norm_tables) *tables, const REAL *x,    \
                                              REAL *y) {                                         \
    const REAL *mean = tables->mean, *factor = tables->factor, *offset = tables->offset;         \
    for (int64_t row = 0; row < rows; ++row, x += stride, y += stride) {                         \
      LATENT_SAME_INDEX for (int64_t c = 0; c < width; ++c) {                                    \
        const REAL v = (x[c] - mean[c]) * factor[c] + offset[c];                                 \
        y[c] = expression;                                                                       \
      }                                                                                          \
    }                                                                                            \
  }

NORM_FORWARD(none, v)
NORM_FORWARD(relu, v < 0 ? 0 : v)
NORM_FORWARD(tanh, NAME(tanh)(v))
NORM_FORWARD(sigmoid, NAME(sigmoid)(v))
NORM_FORWARD(gelu, NAME(gelu)(v))
NORM_FORWARD(silu, NAME(silu)(v))
NORM_FORWARD(softplus, NAME(softplus)(v))
NORM_FORWARD(elu, v > 0 ? v : NAME(expm1)(v))
#undef NORM_FORWARD

static void NAME(norm_run)(latent_activation act, int64_t rows, int64_t stride, int64_t width,
                           const NAME(norm_tables) *tables, const REAL *x, REAL *y) {
  switch (act) {
    case LATENT_ACT_NONE: NAME(norm_none)(rows, stride, width, tables, x, y); break;
    case LATENT_ACT_RELU: NAME(norm_relu)(rows, stride, width, tables, x, y); break;
    case LATENT_ACT_TANH: NAME(norm_tanh)(rows, stride, width, tables, x, y); break;
    case LATENT_ACT_SIGMOID: NAME(norm_sigmoid)(rows, stride, width, tables, x, y); break;
    case LATENT_ACT_GELU: NAME(norm_gelu)(rows, stride, width, tables, x, y); break;
    case LATENT_ACT_SILU: NAME(norm_silu)(rows, stride, width, tables, x, y); break;
    case LATENT_ACT_SOFTPLUS: NAME(norm_softplus)(rows, stride, width, tables, x, y); break;
    case LATENT_ACT_ELU: NAME(norm_elu)(rows, stride, width, tables, x, y); break;
  }
}

static void NAME(normalize)(const norm_job *job, int64_t example, int64_t piece) {
  const norm_rows rows = rows_of(job, example, piece);
  const int64_t channels = job->channels, stride = job->fold * channels;
  const int64_t rest = rows.wide_rows * stride;
  NAME(norm_tables) tables;
  for (int64_t column = 0; column < channels; column += NORM_TILE) {
    const int64_t width = smaller(NORM_TILE, channels - column);
    const REAL *x = (const REAL *)job->x + rows.first * channels + column;
    REAL *y = (REAL *)job->out + rows.first * channels + column;
    NAME(fill_tables)(job, example, column, width, &tables);
    NAME(norm_run)(job->act, rows.wide_rows, stride, job->fold * width, &tables, x, y);
    NAME(norm_run)(job->act, rows.rest_rows, channels, width, &tables, x + rest, y + rest);
  }
}

// MARK: Backward
//
// With t = dy act'(.), n = normalised x and means over the group:
// dx = (t scale - mean(t scale) - n mean(t scale n)) / deviation, dshift = sum t, dscale = sum t n.

// The sums of t and of t (x - mean) over rows, and dx = t factor - level - (x - mean) tilt.
#define NORM_BACKWARD(name, slope)                                                               \
  static LATENT_CLONES void NAME(slopes_##name)(                                                 \
      int64_t rows, int64_t stride, int64_t width, const NAME(norm_tables) *tables,              \
      const REAL *x, const REAL *dy, double *total, double *along) {                             \
    const REAL *mean = tables->mean, *factor = tables->factor, *offset = tables->offset;         \
    for (int64_t c = 0; c < width; ++c) total[c] = along[c] = 0;                                 \
    for (int64_t begin = 0; begin < rows; begin += NORM_ROWS) {                                  \
      const int64_t end = smaller(begin + NORM_ROWS, rows);                                      \
      LATENT_ALIGNED REAL sum[NORM_TILE], product[NORM_TILE];                                    \
      for (int64_t c = 0; c < width; ++c) sum[c] = product[c] = 0;                               \
      for (int64_t row = begin; row < end; ++row, x += stride, dy += stride) {                   \
        LATENT_SAME_INDEX for (int64_t c = 0; c < width; ++c) {                                  \
          const REAL d = x[c] - mean[c], v = d * factor[c] + offset[c], g = dy[c];               \
          (void)v;                                                                               \
          const REAL t = slope;                                                                  \
          sum[c] += t;                                                                           \
          product[c] += t * d;                                                                   \
        }                                                                                        \
      }                                                                                          \
      LATENT_SAME_INDEX for (int64_t c = 0; c < width; ++c) {                                    \
        total[c] += sum[c];                                                                      \
        along[c] += product[c];                                                                  \
      }                                                                                          \
    }                                                                                            \
  }                                                                                              \
  static LATENT_CLONES void NAME(grad_norm_##name)(                                              \
      int64_t rows, int64_t stride, int64_t width, const NAME(norm_tables) *tables,              \
      const REAL *level, const REAL *tilt, const REAL *x, const REAL *dy, REAL *dx) {            \
    const REAL *mean = tables->mean, *factor = tables->factor, *offset = tables->offset;         \
    for (int64_t row = 0; row < rows; ++row, x += stride, dy += stride, dx += stride) {          \
      LATENT_SAME_INDEX for (int64_t c = 0; c < width; ++c) {                                    \
        const REAL d = x[c] - mean[c], v = d * factor[c] + offset[c], g = dy[c];                 \
        (void)v;                                                                                 \
        dx[c] = (slope) * factor[c] - level[c] - d * tilt[c];                                    \
      }                                                                                          \
    }                                                                                            \
  }

LATENT_INLINE REAL NAME(tanh_slope)(REAL v) {
  const REAL y = NAME(tanh)(v);
  return 1 - y * y;
}

LATENT_INLINE REAL NAME(sigmoid_slope)(REAL v) { return NAME(sigmoid)(v) * NAME(sigmoid)(-v); }

NORM_BACKWARD(none, g)
NORM_BACKWARD(relu, v > 0 ? g : v < 0 ? 0 : v)  // NaN stays
NORM_BACKWARD(tanh, g *NAME(tanh_slope)(v))
NORM_BACKWARD(sigmoid, g *NAME(sigmoid_slope)(v))
NORM_BACKWARD(gelu, g *NAME(gelu_slope)(v))
NORM_BACKWARD(silu, g *NAME(silu_slope)(v))
NORM_BACKWARD(softplus, g *NAME(sigmoid)(v))
NORM_BACKWARD(elu, g *(v > 0 ? 1 : NAME(exp)(v)))
#undef NORM_BACKWARD

typedef void (*NAME(slopes_kernel))(int64_t, int64_t, int64_t, const NAME(norm_tables) *,
                                    const REAL *, const REAL *, double *, double *);
typedef void (*NAME(grad_norm_kernel))(int64_t, int64_t, int64_t, const NAME(norm_tables) *,
                                       const REAL *, const REAL *, const REAL *, const REAL *,
                                       REAL *);

static NAME(slopes_kernel) NAME(slopes_for)(latent_activation act) {
  switch (act) {
    case LATENT_ACT_NONE: return NAME(slopes_none);
    case LATENT_ACT_RELU: return NAME(slopes_relu);
    case LATENT_ACT_TANH: return NAME(slopes_tanh);
    case LATENT_ACT_SIGMOID: return NAME(slopes_sigmoid);
    case LATENT_ACT_GELU: return NAME(slopes_gelu);
    case LATENT_ACT_SILU: return NAME(slopes_silu);
    case LATENT_ACT_SOFTPLUS: return NAME(slopes_softplus);
    case LATENT_ACT_ELU: return NAME(slopes_elu);
  }
  __builtin_unreachable();
}

static NAME(grad_norm_kernel) NAME(grad_norm_for)(latent_activation act) {
  switch (act) {
    case LATENT_ACT_NONE: return NAME(grad_norm_none);
    case LATENT_ACT_RELU: return NAME(grad_norm_relu);
    case LATENT_ACT_TANH: return NAME(grad_norm_tanh);
    case LATENT_ACT_SIGMOID: return NAME(grad_norm_sigmoid);
    case LATENT_ACT_GELU: return NAME(grad_norm_gelu);
    case LATENT_ACT_SILU: return NAME(grad_norm_silu);
    case LATENT_ACT_SOFTPLUS: return NAME(grad_norm_softplus);
    case LATENT_ACT_ELU: return NAME(grad_norm_elu);
  }
  __builtin_unreachable();
}

static void NAME(gather_slopes)(const norm_job *job, int64_t example, int64_t piece) {
  const norm_rows rows = rows_of(job, example, piece);
  const NAME(slopes_kernel) kernel = NAME(slopes_for)(job->act);
  const int64_t channels = job->channels, stride = job->fold * channels;
  const int64_t rest = rows.wide_rows * stride;
  double *sums = job->scratch + (example * job->pieces + piece) * 2 * channels;
  NAME(norm_tables) tables;
  LATENT_ALIGNED double total[NORM_TILE], along[NORM_TILE];
  for (int64_t column = 0; column < channels; column += NORM_TILE) {
    const int64_t width = smaller(NORM_TILE, channels - column);
    const REAL *x = (const REAL *)job->x + rows.first * channels + column;
    const REAL *dy = (const REAL *)job->dy + rows.first * channels + column;
    double *first = sums + column, *second = first + channels;
    NAME(fill_tables)(job, example, column, width, &tables);
    kernel(rows.rest_rows, channels, width, &tables, x + rest, dy + rest, first, second);
    kernel(rows.wide_rows, stride, job->fold * width, &tables, x, dy, total, along);
    for (int64_t copy = 0; copy < job->fold; ++copy) {
      for (int64_t c = 0; c < width; ++c) {
        first[c] += total[copy * width + c];
        second[c] += along[copy * width + c];
      }
    }
  }
}

// Sums over an example, of t and of t n, and their means over the groups.
static LATENT_CLONES void NAME(combine_slopes)(const norm_job *job, int64_t example) {
  LATENT_REASSOCIATE
  const int64_t channels = job->channels;
  double *total = job->scratch + example * job->pieces * 2 * channels, *along = total + channels;
  for (int64_t piece = 1; piece < job->pieces; ++piece) {
    const double *part = total + piece * 2 * channels;
    LATENT_SAME_INDEX for (int64_t c = 0; c < 2 * channels; ++c) total[c] += part[c];
  }
  const REAL *scale = job->scale;
  const double count = (double)(job->positions * job->size);
  for (int64_t group = 0; group < job->groups; ++group) {
    const double *statistics = job->statistics + 3 * (example * job->groups + group);
    const double lack = statistics[0] - (double)(REAL)statistics[0], inverse = statistics[2];
    double mean = 0, product = 0;
    for (int64_t c = group * job->size; c < (group + 1) * job->size; ++c) {
      along[c] = (along[c] - lack * total[c]) * inverse;
      mean += (double)scale[c] * total[c];
      product += (double)scale[c] * along[c];
    }
    double *means = job->means + 2 * (example * job->groups + group);
    means[0] = job->fixed ? 0 : mean / count;
    means[1] = job->fixed ? 0 : product / count;
  }
}

static LATENT_CLONES void NAME(fill_slopes)(const norm_job *job, int64_t example, int64_t column,
                                            int64_t width, REAL *level, REAL *tilt) {
  for (int64_t c = 0; c < width;) {
    const int64_t group = (column + c) / job->size;
    const int64_t end = smaller(width, (group + 1) * job->size - column);
    const double *statistics = job->statistics + 3 * (example * job->groups + group);
    const double *means = job->means + 2 * (example * job->groups + group);
    const double lack = statistics[0] - (double)(REAL)statistics[0], inverse = statistics[2];
    const double slope = inverse * inverse * means[1];
    const REAL value = (REAL)(inverse * means[0] - lack * slope), along = (REAL)slope;
    for (; c < end; ++c) level[c] = value, tilt[c] = along;
  }
  NAME(repeat)(job->fold, width, level);
  NAME(repeat)(job->fold, width, tilt);
}

static void NAME(differentiate)(const norm_job *job, int64_t example, int64_t piece) {
  const norm_rows rows = rows_of(job, example, piece);
  const NAME(grad_norm_kernel) kernel = NAME(grad_norm_for)(job->act);
  const int64_t channels = job->channels, stride = job->fold * channels;
  const int64_t rest = rows.wide_rows * stride;
  NAME(norm_tables) tables;
  LATENT_ALIGNED REAL level[NORM_TILE], tilt[NORM_TILE];
  for (int64_t column = 0; column < channels; column += NORM_TILE) {
    const int64_t width = smaller(NORM_TILE, channels - column);
    const int64_t at = rows.first * channels + column;
    const REAL *x = (const REAL *)job->x + at, *dy = (const REAL *)job->dy + at;
    REAL *dx = (REAL *)job->out + at;
    NAME(fill_tables)(job, example, column, width, &tables);
    NAME(fill_slopes)(job, example, column, width, level, tilt);
    kernel(rows.wide_rows, stride, job->fold * width, &tables, level, tilt, x, dy, dx);
    kernel(rows.rest_rows, channels, width, &tables, level, tilt, x + rest, dy + rest, dx + rest);
  }
}

// dscale and dshift: the sums of the examples, in order.
static LATENT_CLONES void NAME(sum_examples)(const norm_job *job, REAL *dscale, REAL *dshift) {
  LATENT_ALIGNED double total[NORM_TILE], along[NORM_TILE];
  for (int64_t column = 0; column < job->channels; column += NORM_TILE) {
    const int64_t width = smaller(NORM_TILE, job->channels - column);
    for (int64_t c = 0; c < width; ++c) total[c] = along[c] = 0;
    for (int64_t example = 0; example < job->batch; ++example) {
      const double *first = job->scratch + example * job->pieces * 2 * job->channels + column;
      const double *second = first + job->channels;
      LATENT_SAME_INDEX for (int64_t c = 0; c < width; ++c) {
        total[c] += first[c];
        along[c] += second[c];
      }
    }
    for (int64_t c = 0; c < width; ++c) {
      dshift[column + c] = (REAL)total[c];
      dscale[column + c] = (REAL)along[c];
    }
  }
}
