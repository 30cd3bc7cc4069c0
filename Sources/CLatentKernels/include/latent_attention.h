// Scaled dot-product attention (Vaswani et al. 2017, equation 1) and rotary positions
// (Su et al. 2021). Included by latent_kernels.h.

#ifndef LATENT_ATTENTION_H
#define LATENT_ATTENTION_H

// Where the rows of a sequence lie: elements from one position to the next, and from one example
// to the next. The heads of a position lie side by side, so that a packed projection
// [batch, length, 3 * width] is read in place.
typedef struct {
  int64_t position, example;
} latent_rows;

// out = softmax(scale q k^T + mask) v for each example and head. A row whose every key is hidden
// gives zeros.
typedef struct {
  latent_dtype type;  // F32 or F64
  int64_t batch, heads, queries, keys, size;  // size: of one head
  double scale;
  // Query i sees the keys 0...i + keys - queries: the queries are the last positions.
  bool causal;
  latent_rows q, k, v, out;
  // Added to the scores, or null: keys adjacent, a stride of 0 repeats.
  const void *mask;
  int64_t mask_example, mask_head, mask_query;
} latent_attention_plan;

// Elements of `weights` and of scratch that the calls below want.
int64_t latent_attention_weights(const latent_attention_plan *plan);
int64_t latent_attention_scratch(const latent_attention_plan *plan);

// `weights`, the softmax, is what the derivative needs; null keeps none. Its rows are padded:
// [batch, heads, queries, keys rounded up to 16].
void latent_attention(const latent_attention_plan *plan, const void *q, const void *k,
                      const void *v, void *weights, void *out, void *scratch);
// dq, dk, dv lie as q, k, v do; every element of theirs is written.
void latent_attention_grad(const latent_attention_plan *plan, const void *q, const void *k,
                           const void *v, const void *weights, const void *dout, void *dq,
                           void *dk, void *dv, void *scratch);

// Generation, one position at a time. `keys` [batch, heads, size, latent_attention_capacity] is
// kept transposed, `values` is [batch, heads, capacity, size]; both start as zeros. A step writes
// the keys and values of `position` and gives what its query sees: qkv [batch, 3 * heads * size] to
// out [batch, heads * size].
int64_t latent_attention_capacity(int64_t positions);
int64_t latent_attention_step_scratch(int64_t batch, int64_t heads, int64_t size,
                                      int64_t capacity);
void latent_attention_step(latent_dtype type, int64_t batch, int64_t heads, int64_t size,
                           int64_t capacity, int64_t position, double scale, const void *qkv,
                           void *keys, void *values, void *out, void *scratch);

// Turns the pairs (2 i, 2 i + 1) of each head in the first `turned` of `columns` by the angles of
// the row's position and copies the other columns. x, y [rows, columns]; row r has position
// r % length; angles [length, size / 2, 2] hold cosine and sine. `inverse` turns back.
void latent_rotate_pairs(latent_dtype type, int64_t rows, int64_t length, int64_t columns,
                         int64_t turned, int64_t size, bool inverse, const void *angles,
                         const void *x, void *y);

#endif
