// Attention of one float type; attention.c includes this twice, with REAL, its number of lanes
// WIDTH in 64 bytes, EXP(x) for x <= 0, and NAME(stem) defined.

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

// Four elements, at any address.
typedef REAL NAME(quad) __attribute__((vector_size(4 * sizeof(REAL)), aligned(sizeof(REAL))));

// to [columns, stride] = the transpose of `rows` rows of `from`; zeros fill its rows up to stride.
static LATENT_CLONES void NAME(transpose)(int64_t rows, int64_t columns, const REAL *from,
                                          int64_t step, REAL *to, int64_t stride) {
  int64_t r = 0;
  for (; r + 4 <= rows; r += 4) {
    const REAL *line = from + r * step;
    int64_t c = 0;
    for (; c + 4 <= columns; c += 4) {
      const NAME(quad) x0 = *(const NAME(quad) *)(line + c);
      const NAME(quad) x1 = *(const NAME(quad) *)(line + step + c);
      const NAME(quad) x2 = *(const NAME(quad) *)(line + 2 * step + c);
      const NAME(quad) x3 = *(const NAME(quad) *)(line + 3 * step + c);
      const NAME(quad) y0 = __builtin_shufflevector(x0, x1, 0, 4, 1, 5);
      const NAME(quad) y1 = __builtin_shufflevector(x2, x3, 0, 4, 1, 5);
      const NAME(quad) y2 = __builtin_shufflevector(x0, x1, 2, 6, 3, 7);
      const NAME(quad) y3 = __builtin_shufflevector(x2, x3, 2, 6, 3, 7);
      REAL *at = to + c * stride + r;
      *(NAME(quad) *)at = __builtin_shufflevector(y0, y1, 0, 1, 4, 5);
      *(NAME(quad) *)(at + stride) = __builtin_shufflevector(y0, y1, 2, 3, 6, 7);
      *(NAME(quad) *)(at + 2 * stride) = __builtin_shufflevector(y2, y3, 0, 1, 4, 5);
      *(NAME(quad) *)(at + 3 * stride) = __builtin_shufflevector(y2, y3, 2, 3, 6, 7);
    }
    for (; c < columns; ++c) {
      for (int64_t i = 0; i < 4; ++i) to[c * stride + r + i] = line[i * step + c];
    }
  }
  for (; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) to[c * stride + r] = from[r * step + c];
  }
  if (rows == stride) return;
  for (int64_t c = 0; c < columns; ++c) {
    for (r = rows; r < stride; ++r) to[c * stride + r] = 0;
  }
}

// MARK: Softmax of scores

// Halves of a vector against each other until one number is left.
LATENT_INLINE REAL NAME(largest)(NAME(full) x) {
  REAL lanes[WIDTH];
  memcpy(lanes, &x, sizeof x);
  for (int half = WIDTH / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) {
      lanes[i] = lanes[i + half] > lanes[i] ? lanes[i + half] : lanes[i];
    }
  }
  return lanes[0];
}

LATENT_INLINE REAL NAME(total)(REAL lanes[WIDTH]) {
  for (int half = WIDTH / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  }
  return lanes[0];
}

// Scores to weights in place: the first `seen` of a row of `stride`, a multiple of PADDING; the
// others become 0. In three steps, each done for several rows, so that one row's chain of dependent
// instructions hides behind another's.

// The largest score, or 0 where every key is hidden: all weights become 0 (NaN stays).
LATENT_INLINE REAL NAME(top_score)(int64_t seen, const REAL *mask, REAL *s) {
  if (mask) {
    LATENT_SAME_INDEX for (int64_t j = 0; j < seen; ++j) s[j] += mask[j];
  }
  const int64_t end = padded(seen);
  if (seen < end) {  // whole vectors are written, as they are read right away
    REAL *last = s + end - PADDING;
    const int32_t left = (int32_t)(PADDING - (end - seen));
    LATENT_SAME_INDEX for (int32_t i = 0; i < PADDING; ++i) {
      last[i] = i < left ? last[i] : -INFINITY;
    }
  }
  NAME(full) most = (NAME(full)){} - INFINITY;
  for (int64_t j = 0; j < end; j += WIDTH) {
    most = __builtin_elementwise_max(most, *(const NAME(full) *)(s + j));
  }
  const REAL top = NAME(largest)(most);
  return top == -INFINITY ? 0 : top;
}

// The scores become powers; what their sum is to be multiplied with to become 1.
LATENT_INLINE REAL NAME(raise)(int64_t end, REAL top, REAL *s) {
  double total = 0;
  for (int64_t begin = 0; begin < end; begin += SUM_BLOCK) {
    const int64_t stop = smaller(begin + SUM_BLOCK, end);
    REAL sums[WIDTH] = {};
    for (int64_t j = begin; j < stop; j += WIDTH) {
      LATENT_SAME_INDEX for (int64_t i = 0; i < WIDTH; ++i) {
        const REAL e = EXP(s[j + i] - top);
        s[j + i] = e;
        sums[i] += e;
      }
    }
    total += NAME(total)(sums);
  }
  return total == 0 ? 0 : (REAL)(1 / total);
}

LATENT_INLINE void NAME(rescale)(int64_t end, int64_t stride, REAL scale, REAL *s) {
  for (int64_t j = 0; j < end; j += WIDTH) *(NAME(full) *)(s + j) *= scale;
  for (int64_t j = end; j < stride; j += WIDTH) *(NAME(full) *)(s + j) = (NAME(full)){};
}

// ds = p (dp - <p, dp>) in place of dp.
LATENT_INLINE void NAME(normalize_grad)(int64_t seen, int64_t stride, const REAL *p, REAL *d) {
  const int64_t end = padded(seen);
  double total = 0;
  for (int64_t begin = 0; begin < end; begin += SUM_BLOCK) {
    LATENT_REASSOCIATE
    const int64_t stop = smaller(begin + SUM_BLOCK, end);
    REAL sum = 0;
    for (int64_t j = begin; j < stop; ++j) sum += p[j] * d[j];
    total += sum;
  }
  const REAL along = (REAL)total;
  LATENT_SAME_INDEX for (int64_t j = 0; j < end; ++j) d[j] = p[j] * (d[j] - along);
  for (int64_t j = end; j < stride; j += WIDTH) *(NAME(full) *)(d + j) = (NAME(full)){};
}

static LATENT_CLONES void NAME(normalize_rows)(const latent_attention_plan *plan,
                                               const REAL *mask, REAL *scores) {
  const int64_t stride = padded(plan->keys);
  for (int64_t begin = 0; begin < plan->queries; begin += SOFTMAX_ROWS) {
    const int64_t rows = smaller(SOFTMAX_ROWS, plan->queries - begin);
    REAL *s = scores + begin * stride, top[SOFTMAX_ROWS], scale[SOFTMAX_ROWS];
    int64_t seen[SOFTMAX_ROWS];
    for (int64_t i = 0; i < rows; ++i) {
      seen[i] = visible(plan, begin + i);
      const REAL *hidden = mask ? mask + (begin + i) * plan->mask_query : NULL;
      top[i] = NAME(top_score)(seen[i], hidden, s + i * stride);
    }
    for (int64_t i = 0; i < rows; ++i) {
      scale[i] = NAME(raise)(padded(seen[i]), top[i], s + i * stride);
    }
    for (int64_t i = 0; i < rows; ++i) {
      NAME(rescale)(padded(seen[i]), stride, scale[i], s + i * stride);
    }
  }
}

static LATENT_CLONES void NAME(normalize_grad_rows)(const latent_attention_plan *plan,
                                                    const REAL *p, REAL *d) {
  const int64_t stride = padded(plan->keys);
  for (int64_t i = 0; i < plan->queries; ++i) {
    NAME(normalize_grad)(visible(plan, i), stride, p + i * stride, d + i * stride);
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
  const int64_t stride = padded(keys), offset = keys - queries;
  REAL *turned = (REAL *)job->scratch + begin / job->chunk * job->slot;
  REAL *own_scores = turned + size * stride;
  const uint64_t mode = latent_flush_denormals();
  for (int64_t pair = begin; pair < end; ++pair) {
    const REAL *q = (const REAL *)job->q + NAME(place)(plan->q, plan, pair);
    const REAL *k = (const REAL *)job->k + NAME(place)(plan->k, plan, pair);
    const REAL *v = (const REAL *)job->v + NAME(place)(plan->v, plan, pair);
    REAL *out = (REAL *)job->out + NAME(place)(plan->out, plan, pair);
    REAL *scores = job->saved ? (REAL *)job->saved + pair * queries * stride : own_scores;
    const REAL *mask = plan->mask;
    if (mask) {
      mask += pair / plan->heads * plan->mask_example + pair % plan->heads * plan->mask_head;
    }
    NAME(transpose)(keys, size, k, plan->k.position, turned, stride);
    product p = {.rows = queries, .columns = stride, .inner = size, .a = q,
                 .a_row = plan->q.position, .a_step = 1, .b = turned, .b_row = stride,
                 .c = scores, .c_row = stride, .alpha = plan->scale,
                 .band = plan->causal ? COLUMNS_TO_DIAGONAL : EVERYTHING, .offset = offset};
    NAME(product)(&p);
    NAME(normalize_rows)(plan, mask, scores);
    p = (product){.rows = queries, .columns = size, .inner = keys, .a = scores, .a_row = stride,
                  .a_step = 1, .b = v, .b_row = plan->v.position, .c = out,
                  .c_row = plan->out.position, .alpha = 1,
                  .band = plan->causal ? INNER_TO_DIAGONAL : EVERYTHING, .offset = offset};
    NAME(product)(&p);
  }
  latent_restore_float_mode(mode);
}

static void NAME(attention_grad_pairs)(void *context, int64_t begin, int64_t end) {
  const attention_job *job = context;
  const latent_attention_plan *plan = job->plan;
  const int64_t keys = plan->keys, queries = plan->queries, size = plan->size;
  const int64_t stride = padded(keys), offset = keys - queries;
  REAL *turned = (REAL *)job->scratch + begin / job->chunk * job->slot;
  REAL *d = turned + size * stride;
  const band to_diagonal = plan->causal ? INNER_TO_DIAGONAL : EVERYTHING;
  const band from_diagonal = plan->causal ? INNER_FROM_DIAGONAL : EVERYTHING;
  const uint64_t mode = latent_flush_denormals();
  for (int64_t pair = begin; pair < end; ++pair) {
    const int64_t q_at = NAME(place)(plan->q, plan, pair), k_at = NAME(place)(plan->k, plan, pair);
    const int64_t v_at = NAME(place)(plan->v, plan, pair);
    const REAL *q = (const REAL *)job->q + q_at, *k = (const REAL *)job->k + k_at;
    const REAL *v = (const REAL *)job->v + v_at;
    const REAL *dout = (const REAL *)job->dout + NAME(place)(plan->out, plan, pair);
    const REAL *weights = (const REAL *)job->weights + pair * queries * stride;
    // dv = p^T dout
    product p = {.rows = keys, .columns = size, .inner = queries, .a = weights, .a_row = 1,
                 .a_step = stride, .b = dout, .b_row = plan->out.position,
                 .c = (REAL *)job->dv + v_at, .c_row = plan->v.position, .alpha = 1,
                 .band = from_diagonal, .offset = offset};
    NAME(product)(&p);
    // dp = dout v^T, then ds in its place
    NAME(transpose)(keys, size, v, plan->v.position, turned, stride);
    p = (product){.rows = queries, .columns = stride, .inner = size, .a = dout,
                  .a_row = plan->out.position, .a_step = 1, .b = turned, .b_row = stride,
                  .c = d, .c_row = stride, .alpha = 1,
                  .band = plan->causal ? COLUMNS_TO_DIAGONAL : EVERYTHING, .offset = offset};
    NAME(product)(&p);
    NAME(normalize_grad_rows)(plan, weights, d);
    // dq = scale ds k
    p = (product){.rows = queries, .columns = size, .inner = keys, .a = d, .a_row = stride,
                  .a_step = 1, .b = k, .b_row = plan->k.position, .c = (REAL *)job->dq + q_at,
                  .c_row = plan->q.position, .alpha = plan->scale, .band = to_diagonal,
                  .offset = offset};
    NAME(product)(&p);
    // dk = scale ds^T q
    p = (product){.rows = keys, .columns = size, .inner = queries, .a = d, .a_row = 1,
                  .a_step = stride, .b = q, .b_row = plan->q.position,
                  .c = (REAL *)job->dk + k_at, .c_row = plan->k.position, .alpha = plan->scale,
                  .band = from_diagonal, .offset = offset};
    NAME(product)(&p);
  }
  latent_restore_float_mode(mode);
}

// MARK: One more position

// out [size] = sum of p[j] v[j]: four partial sums, so that products do not wait for one another.
LATENT_INLINE void NAME(blend)(int64_t keys, int64_t size, const REAL *p, const REAL *v,
                               REAL *out) {
  int64_t c = 0;
  for (; c + WIDTH <= size; c += WIDTH) {
    NAME(full) sum[4] = {};
    int64_t j = 0;
    for (; j + 4 <= keys; j += 4) {
      const REAL *at = v + j * size + c;
      for (int i = 0; i < 4; ++i) sum[i] += p[j + i] * *(const NAME(full) *)(at + i * size);
    }
    for (; j < keys; ++j) sum[0] += p[j] * *(const NAME(full) *)(v + j * size + c);
    *(NAME(full) *)(out + c) = (sum[0] + sum[1]) + (sum[2] + sum[3]);
  }
  for (; c < size; ++c) {
    REAL sum = 0;
    for (int64_t j = 0; j < keys; ++j) sum += p[j] * v[j * size + c];
    out[c] = sum;
  }
}

// scores [stride] = scale q k^T, where k is kept transposed, [size, stride of the cache].
LATENT_INLINE void NAME(score)(int64_t keys, int64_t size, REAL scale, const REAL *q,
                               const REAL *k, int64_t k_row, REAL *scores) {
  int64_t j = 0;
  for (; j + 2 * WIDTH <= padded(keys); j += 2 * WIDTH) {
    NAME(full) even[2] = {}, odd[2] = {};
    int64_t c = 0;
    for (; c + 2 <= size; c += 2) {
      const REAL *at = k + c * k_row + j;
      even[0] += q[c] * *(const NAME(full) *)at;
      even[1] += q[c] * *(const NAME(full) *)(at + WIDTH);
      odd[0] += q[c + 1] * *(const NAME(full) *)(at + k_row);
      odd[1] += q[c + 1] * *(const NAME(full) *)(at + k_row + WIDTH);
    }
    if (c < size) {
      even[0] += q[c] * *(const NAME(full) *)(k + c * k_row + j);
      even[1] += q[c] * *(const NAME(full) *)(k + c * k_row + j + WIDTH);
    }
    *(NAME(full) *)(scores + j) = (even[0] + odd[0]) * scale;
    *(NAME(full) *)(scores + j + WIDTH) = (even[1] + odd[1]) * scale;
  }
  for (; j < padded(keys); j += WIDTH) {
    NAME(full) sum = {};
    for (int64_t c = 0; c < size; ++c) sum += q[c] * *(const NAME(full) *)(k + c * k_row + j);
    *(NAME(full) *)(scores + j) = sum * scale;
  }
}

static LATENT_CLONES void NAME(step_pairs)(void *context, int64_t begin, int64_t end) {
  const step_job *job = context;
  const int64_t size = job->size, stride = padded(job->capacity), width = job->heads * size;
  const int64_t keys = job->position + 1;
  REAL *scores = (REAL *)job->scratch + begin / job->chunk * stride;
  const uint64_t mode = latent_flush_denormals();
  for (int64_t pair = begin; pair < end; ++pair) {
    const int64_t example = pair / job->heads, head = pair % job->heads;
    const REAL *q = (const REAL *)job->qkv + example * 3 * width + head * size;
    REAL *k = (REAL *)job->keys + pair * size * stride;
    REAL *v = (REAL *)job->values + pair * job->capacity * size;
    for (int64_t c = 0; c < size; ++c) k[c * stride + job->position] = q[width + c];
    memcpy(v + job->position * size, q + 2 * width, (size_t)size * sizeof(REAL));
    NAME(score)(keys, size, (REAL)job->scale, q, k, stride, scores);
    const REAL scale = NAME(raise)(padded(keys), NAME(top_score)(keys, NULL, scores), scores);
    NAME(rescale)(padded(keys), padded(keys), scale, scores);
    NAME(blend)(keys, size, scores, v, (REAL *)job->out + example * width + head * size);
  }
  latent_restore_float_mode(mode);
}
