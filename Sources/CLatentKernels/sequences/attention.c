// Attention as one walk over (example, head): a task's products are some dozens of rows long, far
// too small for a matrix library's packing, and what lies between them stays in the L1 and L2
// caches. The four products of the backward pass run in the same task.
//
// All six products are one kernel, C = alpha A B: the elements of A are broadcast one by one, so
// that A may be read transposed, and the rows of B are vectors. Only q k^T and dout v^T need a
// transposed copy of their right side.

#include "runtime/internal.h"
#include "runtime/real_math.h"

#ifdef __clang__
#pragma clang fp contract(fast)
#endif

enum {
  CHUNKS = 32,           // of all (example, head) pairs; each has scratch of its own
  SERIAL_WORK = 65536,   // multiply-adds below which a pass stays on the calling thread
  PADDING = 16,          // rows of scores are whole vectors, so that no loop over them has a tail
  SOFTMAX_ROWS = 8,      // at once
  SUM_BLOCK = 1024,      // sums in the array's type; blocks are added in double
};

// Which part of a causal product is not zero, where row i belongs to diagonal i + offset.
typedef enum {
  EVERYTHING,
  COLUMNS_TO_DIAGONAL,   // C is of no use beyond it
  INNER_TO_DIAGONAL,     // A is zero beyond it
  INNER_FROM_DIAGONAL,   // A, read transposed, is zero before it
} band;

typedef struct {
  int64_t rows, columns, inner;
  const void *a;
  int64_t a_row, a_step;
  const void *b;
  int64_t b_row;
  void *c;
  int64_t c_row;
  double alpha;
  band band;
  int64_t offset;
} product;

typedef struct {
  const latent_attention_plan *plan;
  const void *q, *k, *v, *weights, *dout;
  void *saved, *out, *dq, *dk, *dv, *scratch;
  int64_t chunk, slot;
} attention_job;

typedef struct {
  int64_t heads, size, capacity, position, chunk;
  double scale;
  const void *qkv;
  void *keys, *values, *out, *scratch;
} step_job;

LATENT_INLINE int64_t padded(int64_t n) { return round_up(n, PADDING); }

// The keys that query i sees.
LATENT_INLINE int64_t visible(const latent_attention_plan *plan, int64_t i) {
  if (!plan->causal) return plan->keys;
  return larger(0, smaller(plan->keys, i + 1 + plan->keys - plan->queries));
}

#define REAL float
#define WIDTH 16
#define EXP(x) exp_nonpositive(x, 0.0f)
#define NAME(stem) stem##_f32
#include "attention_body.h"
#undef REAL
#undef WIDTH
#undef EXP
#undef NAME
#define REAL double
#define WIDTH 8
#define EXP(x) exp(x)
#define NAME(stem) stem##_f64
#include "attention_body.h"
#undef REAL
#undef WIDTH
#undef EXP
#undef NAME

static int64_t chunk_of(const latent_attention_plan *plan) {
  int64_t pairs = plan->batch * plan->heads;
  if (pairs * plan->queries * plan->keys * plan->size < SERIAL_WORK) return larger(pairs, 1);
  return larger(1, (pairs + CHUNKS - 1) / CHUNKS);
}

int64_t latent_attention_weights(const latent_attention_plan *plan) {
  return plan->batch * plan->heads * plan->queries * padded(plan->keys);
}

// A transposed factor and a matrix of scores.
static int64_t slot_of(const latent_attention_plan *plan) {
  return (plan->size + plan->queries) * padded(plan->keys);
}

int64_t latent_attention_scratch(const latent_attention_plan *plan) {
  int64_t chunk = chunk_of(plan), pairs = plan->batch * plan->heads;
  return (pairs + chunk - 1) / chunk * slot_of(plan);
}

void latent_attention(const latent_attention_plan *plan, const void *q, const void *k,
                      const void *v, void *weights, void *out, void *scratch) {
  attention_job job = {.plan = plan, .q = q, .k = k, .v = v, .saved = weights, .out = out,
                       .scratch = scratch, .chunk = chunk_of(plan), .slot = slot_of(plan)};
  parallel_chunks(plan->batch * plan->heads, job.chunk, &job,
                  plan->type == LATENT_F64 ? attention_pairs_f64 : attention_pairs_f32);
}

void latent_attention_grad(const latent_attention_plan *plan, const void *q, const void *k,
                           const void *v, const void *weights, const void *dout, void *dq,
                           void *dk, void *dv, void *scratch) {
  attention_job job = {.plan = plan, .q = q, .k = k, .v = v, .weights = weights, .dout = dout,
                       .dq = dq, .dk = dk, .dv = dv, .scratch = scratch,
                       .chunk = chunk_of(plan), .slot = slot_of(plan)};
  parallel_chunks(plan->batch * plan->heads, job.chunk, &job,
                  plan->type == LATENT_F64 ? attention_grad_pairs_f64 : attention_grad_pairs_f32);
}

// MARK: Generation

int64_t latent_attention_capacity(int64_t positions) { return padded(positions); }

static int64_t step_chunk(int64_t pairs, int64_t size, int64_t positions) {
  if (pairs * size * positions < SERIAL_WORK) return larger(pairs, 1);
  return larger(1, (pairs + CHUNKS - 1) / CHUNKS);
}

int64_t latent_attention_step_scratch(int64_t batch, int64_t heads, int64_t size,
                                      int64_t capacity) {
  int64_t pairs = batch * heads, chunk = step_chunk(pairs, size, 1);
  chunk = smaller(chunk, step_chunk(pairs, size, capacity));
  return (pairs + chunk - 1) / chunk * padded(capacity);
}

void latent_attention_step(latent_dtype type, int64_t batch, int64_t heads, int64_t size,
                           int64_t capacity, int64_t position, double scale, const void *qkv,
                           void *keys, void *values, void *out, void *scratch) {
  step_job job = {heads, size, capacity, position, step_chunk(batch * heads, size, position + 1),
                  scale, qkv, keys, values, out, scratch};
  parallel_chunks(batch * heads, job.chunk, &job,
                  type == LATENT_F64 ? step_pairs_f64 : step_pairs_f32);
}

// MARK: Rotary positions

typedef struct {
  int64_t length, columns, turned, size;
  bool inverse;
  const void *angles, *x;
  void *y;
} rotation_job;

#define ROTATE(suffix, real)                                                                   \
  static LATENT_CLONES void rotate_rows_##suffix(void *context, int64_t begin, int64_t end) {  \
    const rotation_job *job = context;                                                         \
    const real direction = job->inverse ? -1 : 1;                                              \
    for (int64_t row = begin; row < end; ++row) {                                              \
      const real *x = (const real *)job->x + row * job->columns;                               \
      const real *angles = (const real *)job->angles + row % job->length * job->size;          \
      real *y = (real *)job->y + row * job->columns;                                           \
      for (int64_t head = 0; head < job->turned; head += job->size) {                          \
        const real *from = x + head;                                                           \
        real *to = y + head;                                                                   \
        LATENT_SAME_INDEX for (int64_t c = 0; c < job->size; c += 2) {                         \
          const real cosine = angles[c], sine = angles[c + 1] * direction;                     \
          const real even = from[c], odd = from[c + 1];                                        \
          to[c] = even * cosine - odd * sine;                                                  \
          to[c + 1] = even * sine + odd * cosine;                                              \
        }                                                                                      \
      }                                                                                        \
      memcpy(y + job->turned, x + job->turned,                                                 \
             (size_t)(job->columns - job->turned) * sizeof(real));                             \
    }                                                                                          \
  }

ROTATE(f32, float)
ROTATE(f64, double)

void latent_rotate_pairs(latent_dtype type, int64_t rows, int64_t length, int64_t columns,
                         int64_t turned, int64_t size, bool inverse, const void *angles,
                         const void *x, void *y) {
  rotation_job job = {length, columns, turned, size, inverse, angles, x, y};
  parallel_rows(rows, columns, LATENT_CHEAP, &job,
                type == LATENT_F64 ? rotate_rows_f64 : rotate_rows_f32);
}
