// Reductions of one float type; reduce.c includes this twice, with REAL, NAME(stem), KEY (the
// signed integer of the same size), KEY_MIN, KEY_MAX and the functions EXP and LOG defined.

// Order-preserving map of floats to integers: unlike a float maximum, an integer one may be
// reassociated, and NaN can be put where it wins.
LATENT_INLINE KEY NAME(key)(REAL x) {
  union { REAL value; KEY bits; } pun = {.value = x};
  return pun.bits ^ ((pun.bits >> (8 * sizeof(KEY) - 1)) & KEY_MAX);
}

LATENT_INLINE REAL NAME(from_key)(KEY key) {
  union { KEY bits; REAL value; } pun;
  pun.bits = key ^ ((key >> (8 * sizeof(KEY) - 1)) & KEY_MAX);
  return pun.value;
}

// MARK: Rows (inner == 1)

#define ROW_SUM(name, term)                                            \
  static LATENT_CLONES double NAME(name)(int64_t n, const REAL *x, REAL shift) { \
    double total = 0;                                                  \
    (void)shift;                                                       \
    for (int64_t begin = 0; begin < n; begin += 4096) {                \
      LATENT_REASSOCIATE                                               \
      int64_t end = smaller(begin + 4096, n);                          \
      REAL sum = 0;                                                    \
      for (int64_t i = begin; i < end; ++i) {                          \
        const REAL v = x[i];                                           \
        sum += term;                                                   \
      }                                                                \
      total += sum;                                                    \
    }                                                                  \
    return total;                                                      \
  }

ROW_SUM(row_sum, v)
ROW_SUM(row_sum_squares, v * v)
ROW_SUM(row_sum_exp, EXP(v - shift))

static LATENT_CLONES double NAME(row_product)(int64_t n, const REAL *x) {
  LATENT_REASSOCIATE
  double product = 1;
  for (int64_t i = 0; i < n; ++i) product *= x[i];
  return product;
}

LATENT_CLONES double NAME(latent_row_max)(int64_t n, const REAL *x) {
  KEY best = KEY_MIN;
  for (int64_t i = 0; i < n; ++i) {
    KEY key = x[i] != x[i] ? KEY_MAX : NAME(key)(x[i]);
    best = key > best ? key : best;
  }
  return n == 0 ? -INFINITY : NAME(from_key)(best);
}

static LATENT_CLONES double NAME(row_min)(int64_t n, const REAL *x) {
  KEY best = KEY_MAX;
  for (int64_t i = 0; i < n; ++i) {
    KEY key = x[i] != x[i] ? KEY_MIN : NAME(key)(x[i]);
    best = key < best ? key : best;
  }
  return n == 0 ? INFINITY : NAME(from_key)(best);
}

static double NAME(row_part)(latent_reduction op, int64_t n, const REAL *x, double shift) {
  switch (op) {
    case LATENT_SUM: return NAME(row_sum)(n, x, 0);
    case LATENT_SUM_SQUARES: return NAME(row_sum_squares)(n, x, 0);
    case LATENT_REDUCE_MAX: return NAME(latent_row_max)(n, x);
    case LATENT_REDUCE_MIN: return NAME(row_min)(n, x);
    case LATENT_PRODUCT: return NAME(row_product)(n, x);
    case LATENT_LOG_SUM_EXP: return NAME(row_sum_exp)(n, x, (REAL)shift);
  }
  __builtin_unreachable();
}

static void NAME(row_range)(void *context, int64_t begin, int64_t end) {
  const reduce_job *job = context;
  const REAL *x = job->x;
  REAL *y = job->y;
  for (int64_t row = begin; row < end; ++row) {
    const REAL *line = x + row * job->n;
    if (job->op == LATENT_LOG_SUM_EXP) {
      REAL top = (REAL)NAME(latent_row_max)(job->n, line);
      y[row] = isfinite(top) ? top + LOG((REAL)NAME(row_sum_exp)(job->n, line, top)) : top;
    } else {
      y[row] = (REAL)NAME(row_part)(job->op, job->n, line, 0);
    }
  }
}

static void NAME(piece_task)(void *context, int64_t index) {
  reduce_job *job = context;
  int64_t begin = index * job->piece;
  job->partial[index] = NAME(row_part)(job->op, smaller(job->piece, job->n - begin),
                                       (const REAL *)job->x + begin, job->shift);
}

// One long row in pieces: fixed places, combined in order.
static double NAME(long_row)(reduce_job *job) {
  int64_t pieces = (job->n + job->piece - 1) / job->piece;
  latent_parallel(pieces, job, NAME(piece_task));
  double result = job->partial[0];
  for (int64_t i = 1; i < pieces; ++i) result = combine(job->op, result, job->partial[i]);
  return result;
}

static void NAME(reduce_rows)(reduce_job *job, int64_t outer) {
  if (job->n < LONG_ROW) {
    bool exponentials = job->op == LATENT_LOG_SUM_EXP;
    parallel_rows(outer, job->n, exponentials ? LATENT_MODERATE : LATENT_CHEAP, job,
                  NAME(row_range));
    return;
  }
  double partial[MAX_PIECES];
  reduce_job part = *job;
  part.partial = partial;
  part.piece = round_up(larger(16384, (job->n + MAX_PIECES - 1) / MAX_PIECES), 4096);
  for (int64_t row = 0; row < outer; ++row) {
    part.x = (const REAL *)job->x + row * job->n;
    REAL *y = (REAL *)job->y + row;
    if (job->op != LATENT_LOG_SUM_EXP) {
      *y = (REAL)NAME(long_row)(&part);
      continue;
    }
    part.op = LATENT_REDUCE_MAX;
    part.shift = NAME(long_row)(&part);
    part.op = LATENT_LOG_SUM_EXP;
    *y = (REAL)(isfinite(part.shift) ? part.shift + log(NAME(long_row)(&part)) : part.shift);
  }
}

// MARK: Columns (inner > 1), in tiles of up to TILE columns

#define COLUMN_SUM(name, term)                                                              \
  static LATENT_CLONES void NAME(name)(int64_t rows, int64_t stride, int64_t width,         \
                                       const REAL *x, const REAL *shift, double *total) {   \
    (void)shift;                                                                            \
    for (int64_t c = 0; c < width; ++c) total[c] = 0;                                       \
    for (int64_t begin = 0; begin < rows; begin += 64) {                                    \
      int64_t end = smaller(begin + 64, rows), row = begin;                                 \
      LATENT_ALIGNED REAL sum[TILE];                                                        \
      for (int64_t c = 0; c < width; ++c) sum[c] = 0;                                       \
      for (; row + 4 <= end; row += 4) {                                                    \
        const REAL *a = x + row * stride, *b = a + stride, *d = b + stride, *e = d + stride; \
        LATENT_SAME_INDEX for (int64_t c = 0; c < width; ++c) {                             \
          sum[c] += (term(a[c], c) + term(b[c], c)) + (term(d[c], c) + term(e[c], c));      \
        }                                                                                   \
      }                                                                                     \
      for (; row < end; ++row) {                                                            \
        const REAL *a = x + row * stride;                                                   \
        LATENT_SAME_INDEX for (int64_t c = 0; c < width; ++c) sum[c] += term(a[c], c);      \
      }                                                                                     \
      LATENT_SAME_INDEX for (int64_t c = 0; c < width; ++c) total[c] += sum[c];             \
    }                                                                                       \
  }

#define IDENTITY_TERM(v, c) (v)
#define SQUARE_TERM(v, c) ((v) * (v))
#define EXP_TERM(v, c) EXP((v) - shift[c])
COLUMN_SUM(column_sum, IDENTITY_TERM)
COLUMN_SUM(column_sum_squares, SQUARE_TERM)
COLUMN_SUM(column_sum_exp, EXP_TERM)
#undef IDENTITY_TERM
#undef SQUARE_TERM
#undef EXP_TERM

#define COLUMN_FOLD(name, type, start, expression)                                            \
  static LATENT_CLONES void NAME(name)(int64_t rows, int64_t stride, int64_t width,           \
                                       const REAL *x, double *total) {                        \
    LATENT_ALIGNED type best[TILE];                                                           \
    for (int64_t c = 0; c < width; ++c) best[c] = start;                                      \
    for (int64_t row = 0; row < rows; ++row) {                                                \
      const REAL *line = x + row * stride;                                                    \
      LATENT_SAME_INDEX for (int64_t c = 0; c < width; ++c) {                                 \
        const type v = line[c], b = best[c];                                                  \
        best[c] = expression;                                                                 \
      }                                                                                       \
    }                                                                                         \
    for (int64_t c = 0; c < width; ++c) total[c] = best[c];                                   \
  }

COLUMN_FOLD(column_max, REAL, -INFINITY, v > b || v != v ? v : b)  // a NaN in b stays
COLUMN_FOLD(column_min, REAL, INFINITY, v < b || v != v ? v : b)
COLUMN_FOLD(column_product, double, 1, v *b)

static void NAME(columns_direct)(latent_reduction op, int64_t rows, int64_t stride, int64_t width,
                                 const REAL *x, const REAL *shift, double *total) {
  switch (op) {
    case LATENT_SUM: NAME(column_sum)(rows, stride, width, x, shift, total); break;
    case LATENT_SUM_SQUARES: NAME(column_sum_squares)(rows, stride, width, x, shift, total); break;
    case LATENT_LOG_SUM_EXP: NAME(column_sum_exp)(rows, stride, width, x, shift, total); break;
    case LATENT_REDUCE_MAX: NAME(column_max)(rows, stride, width, x, total); break;
    case LATENT_REDUCE_MIN: NAME(column_min)(rows, stride, width, x, total); break;
    case LATENT_PRODUCT: NAME(column_product)(rows, stride, width, x, total); break;
  }
}

// A few columns side by side in memory fill a vector badly, so several rows are read as one wide
// row and folded at the end.
static void NAME(columns)(latent_reduction op, int64_t rows, int64_t stride, int64_t width,
                          const REAL *x, const REAL *shift, double *total) {
  int64_t fold = TILE / width;
  if (stride != width || fold < 4 || rows < 2 * fold) {
    NAME(columns_direct)(op, rows, stride, width, x, shift, total);
    return;
  }
  LATENT_ALIGNED double wide[TILE];
  LATENT_ALIGNED REAL wide_shift[TILE];
  for (int64_t c = 0; shift && c < fold * width; ++c) wide_shift[c] = shift[c % width];
  int64_t wide_rows = rows / fold, rest = rows % fold;
  NAME(columns_direct)(op, wide_rows, fold * width, fold * width, x, wide_shift, wide);
  NAME(columns_direct)(op, rest, width, width, x + (rows - rest) * width, shift, total);
  for (int64_t k = 0; k < fold; ++k) {
    for (int64_t c = 0; c < width; ++c) total[c] = combine(op, total[c], wide[k * width + c]);
  }
}

static LATENT_CLONES void NAME(finish_columns)(latent_reduction op, int64_t width,
                                               const double *total, const REAL *shift, REAL *y) {
  if (op == LATENT_LOG_SUM_EXP) {
    for (int64_t c = 0; c < width; ++c) y[c] = shift[c] + LOG((REAL)total[c]);
  } else {
    for (int64_t c = 0; c < width; ++c) y[c] = (REAL)total[c];
  }
}

// Log-sum-exp shifts by the maximum; one that is infinite or NaN is the answer itself, which the
// sum of e^0 .. cannot change once it is put back.
static void NAME(tile_shift)(const REAL *x, int64_t n, int64_t inner, int64_t width, REAL *shift,
                             double *top) {
  NAME(columns)(LATENT_REDUCE_MAX, n, inner, width, x, NULL, top);
  for (int64_t c = 0; c < width; ++c) shift[c] = isfinite(top[c]) ? (REAL)top[c] : 0;
}

static void NAME(tile_task)(void *context, int64_t index) {
  const reduce_job *job = context;
  int64_t outer = index / job->tiles, begin = index % job->tiles * TILE;
  int64_t width = smaller(TILE, job->inner - begin);
  const REAL *x = (const REAL *)job->x + outer * job->n * job->inner + begin;
  REAL *y = (REAL *)job->y + outer * job->inner + begin;
  LATENT_ALIGNED double total[TILE], top[TILE];
  LATENT_ALIGNED REAL shift[TILE];
  bool exponentials = job->op == LATENT_LOG_SUM_EXP;
  if (exponentials) NAME(tile_shift)(x, job->n, job->inner, width, shift, top);
  NAME(columns)(job->op, job->n, job->inner, width, x, exponentials ? shift : NULL, total);
  NAME(finish_columns)(job->op, width, total, shift, y);
  for (int64_t c = 0; exponentials && c < width; ++c) {
    if (!isfinite(top[c])) y[c] = (REAL)top[c];
  }
}

// Few columns and many rows: blocks of rows are summed apart and combined in order.
static void NAME(block_task)(void *context, int64_t index) {
  const reduce_job *job = context;
  int64_t block = index / job->tiles, begin = index % job->tiles * TILE;
  int64_t row = block * job->piece, rows = smaller(job->piece, job->n - row);
  NAME(columns)(job->op, rows, job->inner, smaller(TILE, job->inner - begin),
                (const REAL *)job->x + row * job->inner + begin, NULL,
                job->partial + block * job->inner + begin);
}

static void NAME(reduce_columns)(reduce_job *job, int64_t outer) {
  int64_t elements = job->n * job->inner, tasks = outer * job->tiles;
  int64_t blocks = smaller(elements / 32768, MAX_PARTIALS / job->inner);
  if (tasks >= 16 || blocks < 2 || job->op == LATENT_LOG_SUM_EXP) {
    int64_t threshold = job->op == LATENT_LOG_SUM_EXP ? LATENT_MODERATE : LATENT_CHEAP;
    run_tasks(tasks, outer * elements, threshold, job, NAME(tile_task));
    return;
  }
  LATENT_ALIGNED double partial[MAX_PARTIALS];
  reduce_job part = *job;
  part.partial = partial;
  part.piece = (job->n + blocks - 1) / blocks;
  blocks = (job->n + part.piece - 1) / part.piece;
  for (int64_t o = 0; o < outer; ++o) {
    part.x = (const REAL *)job->x + o * elements;
    latent_parallel(blocks * job->tiles, &part, NAME(block_task));
    for (int64_t b = 1; b < blocks; ++b) {
      combine_lines(job->op, job->inner, partial + b * job->inner, partial);
    }
    NAME(finish_columns)(job->op, job->inner, partial, NULL, (REAL *)job->y + o * job->inner);
  }
}

#undef ROW_SUM
#undef COLUMN_SUM
#undef COLUMN_FOLD
