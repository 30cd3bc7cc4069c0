// Attention of one float type; attention.c includes this twice, with REAL, its number of lanes
// WIDTH in 64 bytes, and NAME(stem) defined.

// MARK: The product

// Vectors of 64, 32 and 16 bytes at any address.
typedef REAL NAME(full) __attribute__((vector_size(64), aligned(sizeof(REAL))));
typedef REAL NAME(half) __attribute__((vector_size(32), aligned(sizeof(REAL))));
typedef REAL NAME(quarter) __attribute__((vector_size(16), aligned(sizeof(REAL))));

// ROWS rows by COUNT vectors of C in registers.
#define TILE(name, type, lanes, ROWS, COUNT)                                                 \
  LATENT_INLINE void NAME(name)(int64_t begin, int64_t end, const REAL *a, int64_t a_row,    \
                                int64_t a_step, const REAL *b, int64_t b_row, REAL alpha,    \
                                REAL *c, int64_t c_row) {                                    \
    type sum[ROWS][COUNT] = {};                                                              \
    for (int64_t k = begin; k < end; ++k) {                                                  \
      const REAL *at = a + k * a_step;                                                       \
      const REAL *line = b + k * b_row;                                                      \
      type right[COUNT];                                                                     \
      for (int j = 0; j < COUNT; ++j) right[j] = *(const type *)(line + j * lanes);          \
      for (int i = 0; i < ROWS; ++i) {                                                       \
        for (int j = 0; j < COUNT; ++j) sum[i][j] += at[i * a_row] * right[j];               \
      }                                                                                      \
    }                                                                                        \
    for (int i = 0; i < ROWS; ++i) {                                                         \
      for (int j = 0; j < COUNT; ++j) {                                                      \
        *(type *)(c + i * c_row + j * lanes) = sum[i][j] * alpha;                            \
      }                                                                                      \
    }                                                                                        \
  }

TILE(tile_4x2, NAME(full), WIDTH, 4, 2)
TILE(tile_4x1, NAME(full), WIDTH, 4, 1)
TILE(tile_4xhalf, NAME(half), WIDTH / 2, 4, 1)
TILE(tile_4xquarter, NAME(quarter), WIDTH / 4, 4, 1)
TILE(tile_4xone, REAL, 1, 4, 1)
TILE(tile_1x2, NAME(full), WIDTH, 1, 2)
TILE(tile_1x1, NAME(full), WIDTH, 1, 1)
TILE(tile_1xhalf, NAME(half), WIDTH / 2, 1, 1)
TILE(tile_1xquarter, NAME(quarter), WIDTH / 4, 1, 1)
TILE(tile_1xone, REAL, 1, 1, 1)
#undef TILE

#define STRIP(rows)                                                                          \
  for (; j + 2 * WIDTH <= columns; j += 2 * WIDTH) {                                         \
    NAME(tile_##rows##x2)(begin, end, a, p->a_row, p->a_step, b + j, p->b_row, alpha, c + j, \
                          p->c_row);                                                         \
  }                                                                                          \
  for (; j + WIDTH <= columns; j += WIDTH) {                                                 \
    NAME(tile_##rows##x1)(begin, end, a, p->a_row, p->a_step, b + j, p->b_row, alpha, c + j, \
                          p->c_row);                                                         \
  }                                                                                          \
  for (; j + WIDTH / 2 <= columns; j += WIDTH / 2) {                                         \
    NAME(tile_##rows##xhalf)(begin, end, a, p->a_row, p->a_step, b + j, p->b_row, alpha,     \
                             c + j, p->c_row);                                               \
  }                                                                                          \
  for (; j + WIDTH / 4 <= columns; j += WIDTH / 4) {                                         \
    NAME(tile_##rows##xquarter)(begin, end, a, p->a_row, p->a_step, b + j, p->b_row, alpha,  \
                                c + j, p->c_row);                                            \
  }                                                                                          \
  for (; j < columns; ++j) {                                                                 \
    NAME(tile_##rows##xone)(begin, end, a, p->a_row, p->a_step, b + j, p->b_row, alpha,      \
                            c + j, p->c_row);                                                \
  }

static LATENT_CLONES void NAME(product)(const product *p) {
  const REAL alpha = (REAL)p->alpha;
  const REAL *b = p->b;
  for (int64_t i = 0; i < p->rows;) {
    const int64_t rows = p->rows - i >= 4 ? 4 : 1;
    const int64_t last = i + rows - 1 + p->offset;  // the diagonal of the last row
    int64_t columns = p->columns, begin = 0, end = p->inner, j = 0;
    if (p->band == COLUMNS_TO_DIAGONAL) columns = smaller(columns, padded(larger(last + 1, 0)));
    if (p->band == INNER_TO_DIAGONAL) end = smaller(end, larger(last + 1, 0));
    if (p->band == INNER_FROM_DIAGONAL) begin = smaller(end, larger(i - p->offset, 0));
    const REAL *a = (const REAL *)p->a + i * p->a_row;
    REAL *c = (REAL *)p->c + i * p->c_row;
    if (rows == 4) {
      STRIP(4)
    } else {
      STRIP(1)
    }
    i += rows;
  }
}
#undef STRIP

// to [columns, stride] = the transpose of `rows` rows of `from`.
static LATENT_CLONES void NAME(transpose)(int64_t rows, int64_t columns, const REAL *from,
                                          int64_t step, REAL *to, int64_t stride) {
  int64_t r = 0;
  for (; r + WIDTH <= rows; r += WIDTH) {
    for (int64_t c = 0; c < columns; ++c) {
      for (int64_t i = 0; i < WIDTH; ++i) to[c * stride + r + i] = from[(r + i) * step + c];
    }
  }
  for (; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) to[c * stride + r] = from[r * step + c];
  }
}

// Scores of one query, where a transposed copy would cost as much as the product.
static LATENT_CLONES void NAME(dots)(int64_t keys, int64_t size, REAL scale, const REAL *q,
                                     const REAL *k, int64_t step, REAL *scores) {
  LATENT_REASSOCIATE
  int64_t j = 0;
  for (; j + 4 <= keys; j += 4) {
    const REAL *k0 = k + j * step, *k1 = k0 + step, *k2 = k1 + step, *k3 = k2 + step;
    REAL s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    for (int64_t c = 0; c < size; ++c) {
      s0 += q[c] * k0[c];
      s1 += q[c] * k1[c];
      s2 += q[c] * k2[c];
      s3 += q[c] * k3[c];
    }
    scores[j] = s0 * scale;
    scores[j + 1] = s1 * scale;
    scores[j + 2] = s2 * scale;
    scores[j + 3] = s3 * scale;
  }
  for (; j < keys; ++j) {
    REAL sum = 0;
    for (int64_t c = 0; c < size; ++c) sum += q[c] * k[j * step + c];
    scores[j] = sum * scale;
  }
}

// MARK: Softmax of scores

// Scores to probabilities in place: `seen` of `keys`, the others become 0.
LATENT_INLINE void NAME(normalize)(int64_t seen, int64_t keys, const REAL *mask, REAL *s) {
  if (mask) {
    LATENT_SAME_INDEX for (int64_t j = 0; j < seen; ++j) s[j] += mask[j];
  }
  REAL top = -INFINITY;
  int64_t at = 0;
  if (seen >= WIDTH) {
    NAME(full) most = *(const NAME(full) *)s;
    for (at = WIDTH; at + WIDTH <= seen; at += WIDTH) {
      most = __builtin_elementwise_max(most, *(const NAME(full) *)(s + at));
    }
    for (int i = 0; i < WIDTH; ++i) top = most[i] > top ? most[i] : top;
  }
  for (; at < seen; ++at) top = s[at] > top ? s[at] : top;
  if (top == -INFINITY) top = 0;  // every key is hidden: all weights become 0 (or NaN stays)
  double total = 0;
  for (int64_t begin = 0; begin < seen; begin += SUM_BLOCK) {
    LATENT_REASSOCIATE
    int64_t end = smaller(begin + SUM_BLOCK, seen);
    REAL sum = 0;
    LATENT_SAME_INDEX for (int64_t j = begin; j < end; ++j) {
      const REAL e = NAME(exp)(s[j] - top);
      s[j] = e;
      sum += e;
    }
    total += sum;
  }
  const REAL scale = total == 0 ? 0 : (REAL)(1 / total);
  LATENT_SAME_INDEX for (int64_t j = 0; j < seen; ++j) s[j] *= scale;
  for (int64_t j = seen; j < keys; ++j) s[j] = 0;
}

// ds = p (dp - <p, dp>) in place of dp.
LATENT_INLINE void NAME(normalize_grad)(int64_t seen, int64_t keys, const REAL *p, REAL *d) {
  double total = 0;
  for (int64_t begin = 0; begin < seen; begin += SUM_BLOCK) {
    LATENT_REASSOCIATE
    int64_t end = smaller(begin + SUM_BLOCK, seen);
    REAL sum = 0;
    for (int64_t j = begin; j < end; ++j) sum += p[j] * d[j];
    total += sum;
  }
  const REAL along = (REAL)total;
  LATENT_SAME_INDEX for (int64_t j = 0; j < seen; ++j) d[j] = p[j] * (d[j] - along);
  for (int64_t j = seen; j < keys; ++j) d[j] = 0;
}

static LATENT_CLONES void NAME(normalize_rows)(const latent_attention_plan *plan,
                                               const REAL *mask, REAL *scores) {
  for (int64_t i = 0; i < plan->queries; ++i) {
    NAME(normalize)(visible(plan, i), plan->keys, mask ? mask + i * plan->mask_query : NULL,
                    scores + i * plan->keys);
  }
}

static LATENT_CLONES void NAME(normalize_grad_rows)(const latent_attention_plan *plan,
                                                    const REAL *p, REAL *d) {
  for (int64_t i = 0; i < plan->queries; ++i) {
    NAME(normalize_grad)(visible(plan, i), plan->keys, p + i * plan->keys, d + i * plan->keys);
  }
}

// MARK: Pairs of example and head

// The rows of one pair.
LATENT_INLINE int64_t NAME(place)(latent_rows rows, const latent_attention_plan *plan,
                                  int64_t pair) {
  return pair / plan->heads * rows.example + pair % plan->heads * plan->size;
}

static void NAME(attention_pairs)(void *context, int64_t begin, int64_t end) {
  const attention_job *job = context;
  const latent_attention_plan *plan = job->plan;
  const int64_t keys = plan->keys, queries = plan->queries, size = plan->size;
  REAL *turned = (REAL *)job->scratch + begin / job->chunk * job->slot;
  REAL *own_scores = turned + padded(size * padded(keys));
  const uint64_t mode = latent_flush_denormals();
  for (int64_t pair = begin; pair < end; ++pair) {
    const REAL *q = (const REAL *)job->q + NAME(place)(plan->q, plan, pair);
    const REAL *k = (const REAL *)job->k + NAME(place)(plan->k, plan, pair);
    const REAL *v = (const REAL *)job->v + NAME(place)(plan->v, plan, pair);
    REAL *out = (REAL *)job->out + NAME(place)(plan->out, plan, pair);
    REAL *scores = job->saved ? (REAL *)job->saved + pair * queries * keys : own_scores;
    const REAL *mask = plan->mask;
    if (mask) {
      mask += pair / plan->heads * plan->mask_example + pair % plan->heads * plan->mask_head;
    }
    if (queries < FEW_QUERIES) {
      for (int64_t i = 0; i < queries; ++i) {
        NAME(dots)(visible(plan, i), size, (REAL)plan->scale, q + i * plan->q.position, k,
                   plan->k.position, scores + i * keys);
      }
    } else {
      NAME(transpose)(keys, size, k, plan->k.position, turned, padded(keys));
      product p = {.rows = queries, .columns = keys, .inner = size, .a = q,
                   .a_row = plan->q.position, .a_step = 1, .b = turned, .b_row = padded(keys),
                   .c = scores, .c_row = keys, .alpha = plan->scale,
                   .band = plan->causal ? COLUMNS_TO_DIAGONAL : EVERYTHING,
                   .offset = keys - queries};
      NAME(product)(&p);
    }
    NAME(normalize_rows)(plan, mask, scores);
    product p = {.rows = queries, .columns = size, .inner = keys, .a = scores, .a_row = keys,
                 .a_step = 1, .b = v, .b_row = plan->v.position, .c = out,
                 .c_row = plan->out.position, .alpha = 1,
                 .band = plan->causal ? INNER_TO_DIAGONAL : EVERYTHING, .offset = keys - queries};
    NAME(product)(&p);
  }
  latent_restore_float_mode(mode);
}

static void NAME(attention_grad_pairs)(void *context, int64_t begin, int64_t end) {
  const attention_job *job = context;
  const latent_attention_plan *plan = job->plan;
  const int64_t keys = plan->keys, queries = plan->queries, size = plan->size;
  const int64_t offset = keys - queries;
  REAL *turned = (REAL *)job->scratch + begin / job->chunk * job->slot;
  REAL *d = turned + padded(size * padded(keys));
  const band to_diagonal = plan->causal ? INNER_TO_DIAGONAL : EVERYTHING;
  const band from_diagonal = plan->causal ? INNER_FROM_DIAGONAL : EVERYTHING;
  const uint64_t mode = latent_flush_denormals();
  for (int64_t pair = begin; pair < end; ++pair) {
    const int64_t q_at = NAME(place)(plan->q, plan, pair), k_at = NAME(place)(plan->k, plan, pair);
    const int64_t v_at = NAME(place)(plan->v, plan, pair);
    const REAL *q = (const REAL *)job->q + q_at, *k = (const REAL *)job->k + k_at;
    const REAL *v = (const REAL *)job->v + v_at;
    const REAL *dout = (const REAL *)job->dout + NAME(place)(plan->out, plan, pair);
    const REAL *probabilities = (const REAL *)job->probabilities + pair * queries * keys;
    // dv = p^T dout
    product p = {.rows = keys, .columns = size, .inner = queries, .a = probabilities, .a_row = 1,
                 .a_step = keys, .b = dout, .b_row = plan->out.position,
                 .c = (REAL *)job->dv + v_at, .c_row = plan->v.position, .alpha = 1,
                 .band = from_diagonal, .offset = offset};
    NAME(product)(&p);
    // dp = dout v^T, then ds in its place
    NAME(transpose)(keys, size, v, plan->v.position, turned, padded(keys));
    p = (product){.rows = queries, .columns = keys, .inner = size, .a = dout,
                  .a_row = plan->out.position, .a_step = 1, .b = turned, .b_row = padded(keys),
                  .c = d, .c_row = keys, .alpha = 1,
                  .band = plan->causal ? COLUMNS_TO_DIAGONAL : EVERYTHING, .offset = offset};
    NAME(product)(&p);
    NAME(normalize_grad_rows)(plan, probabilities, d);
    // dq = scale ds k
    p = (product){.rows = queries, .columns = size, .inner = keys, .a = d, .a_row = keys,
                  .a_step = 1, .b = k, .b_row = plan->k.position, .c = (REAL *)job->dq + q_at,
                  .c_row = plan->q.position, .alpha = plan->scale, .band = to_diagonal,
                  .offset = offset};
    NAME(product)(&p);
    // dk = scale ds^T q
    p = (product){.rows = keys, .columns = size, .inner = queries, .a = d, .a_row = 1,
                  .a_step = keys, .b = q, .b_row = plan->q.position, .c = (REAL *)job->dk + k_at,
                  .c_row = plan->k.position, .alpha = plan->scale, .band = from_diagonal,
                  .offset = offset};
    NAME(product)(&p);
  }
  latent_restore_float_mode(mode);
}
