// Vector kernels of Latent: run-time dispatch by CPU, one thread pool, no allocation.
//
// Every kernel splits its work at places that depend on the sizes alone, never on the number of
// threads (but row_product, where no result depends on the pieces), and combines partial results in
// a fixed order: the same bits for any thread count.
// Arrays are dense and row-major unless strides are given; strides count elements.
// In-place calls (output == input) are allowed for the elementwise kernels.

#ifndef LATENT_KERNELS_H
#define LATENT_KERNELS_H

#include <stdbool.h>
#include <stdint.h>

typedef enum {
  LATENT_F32 = 0,
  LATENT_F64 = 1,
  LATENT_I32 = 2,
  LATENT_U8 = 3,
} latent_dtype;

#define LATENT_MAX_RANK 8

// MARK: Thread pool (pool.c)

typedef void (*latent_task)(void *context, int64_t index);

// Number of threads that work on a parallel region, the caller included. 0 restores the default:
// the environment's LATENT_THREADS, else the CPUs this process may run on.
void latent_pool_set_threads(int threads);
int latent_pool_threads(void);
// 1, 2, ... on the pool's own threads, 0 on any other.
int latent_pool_thread_number(void);
// Runs task(context, i) for every i in 0..<count, each exactly once, and returns when all are done.
// The caller takes part. Nested calls, and calls while another thread owns the pool, run serially.
void latent_parallel(int64_t count, void *context, latent_task task);

// MARK: Denormal numbers (float_mode.c)

// From here on denormals count as zero on the calling thread; returns the mode to restore.
uint64_t latent_flush_denormals(void);
void latent_restore_float_mode(uint64_t mode);

// MARK: Elementwise (unary.c, binary.c)

typedef enum {
  LATENT_NEGATE, LATENT_ABS, LATENT_SIGN, LATENT_SQUARE, LATENT_RECIPROCAL,
  LATENT_SQRT, LATENT_RSQRT,
  LATENT_EXP, LATENT_EXPM1, LATENT_LOG, LATENT_LOG1P,
  LATENT_SIN, LATENT_COS, LATENT_TANH,
  LATENT_SIGMOID, LATENT_SOFTPLUS, LATENT_LOG_SIGMOID,
  LATENT_ERF, LATENT_ERFC, LATENT_LGAMMA, LATENT_DIGAMMA,
  LATENT_RELU, LATENT_ELU, LATENT_GELU, LATENT_SILU,
  LATENT_FLOOR, LATENT_ROUND,          // round half to even
  LATENT_IS_FINITE,                    // 1 or 0
} latent_unary_op;

// y[i] = op(x[i]); float32 and float64. GELU is the exact one (erf); ELU has alpha 1.
// softplus(x) = log(1 + e^x) without overflow; log_sigmoid(x) = -softplus(-x).
void latent_unary(latent_unary_op op, latent_dtype type, int64_t n, const void *x, void *y);

// y[i] = min(max(x[i], low), high); NaN stays NaN.
void latent_clamp(latent_dtype type, int64_t n, const void *x, double low, double high, void *y);

typedef enum {
  LATENT_ADD, LATENT_SUB, LATENT_MUL, LATENT_DIV, LATENT_POW, LATENT_MAX, LATENT_MIN,
  LATENT_EQ, LATENT_NE, LATENT_LT, LATENT_LE, LATENT_GT, LATENT_GE,   // 1 or 0
  // First-order derivatives in one pass: x is the cotangent, y the saved value named.
  LATENT_RELU_GRAD,      // x * (y > 0), y input or output
  LATENT_SIGMOID_GRAD,   // x * y * (1 - y), y output
  LATENT_TANH_GRAD,      // x * (1 - y * y), y output
  LATENT_SOFTPLUS_GRAD,  // x * sigmoid(y), y input
  LATENT_GELU_GRAD,      // x * gelu'(y), y input
  LATENT_SILU_GRAD,      // x * silu'(y), y input
  LATENT_ELU_GRAD,       // x * (y > 0 ? 1 : y + 1), y output
  LATENT_CLAMP_GRAD,     // x where y is 0, NaN where y is, else 0; y how far an element was moved
} latent_binary_op;

// out = op(x, y) with broadcasting: out is dense with `shape`; a stride of 0 repeats an element.
// F32, F64 and (ADD..GE except POW) I32. Adjacent axes are merged before looping; the common cases
// (same shape, scalar, row vector against matrix, column vector against matrix) are fast.
void latent_binary(latent_binary_op op, latent_dtype type, int rank, const int64_t *shape,
                   const void *x, const int64_t *x_strides,
                   const void *y, const int64_t *y_strides, void *out);

// out = condition != 0 ? a : b, broadcasting as above. `condition` has the same type as a and b.
void latent_select(latent_dtype type, int rank, const int64_t *shape,
                   const void *condition, const int64_t *condition_strides,
                   const void *a, const int64_t *a_strides,
                   const void *b, const int64_t *b_strides, void *out);

// Conversion between any two types; float to integer truncates toward zero and saturates, NaN is 0.
void latent_convert(latent_dtype from, latent_dtype to, int64_t n, const void *x, void *y);
void latent_fill(latent_dtype type, int64_t n, double value, void *y);
// y[i] = scale * x[i] + shift, from uint8 (images on the way in).
void latent_u8_to_float(latent_dtype to, int64_t n, const uint8_t *x, double scale, double shift,
                        void *y);

// MARK: Reductions over the middle axis of [outer, n, inner] (reduce.c)

typedef enum {
  LATENT_SUM, LATENT_REDUCE_MAX, LATENT_REDUCE_MIN, LATENT_SUM_SQUARES, LATENT_LOG_SUM_EXP,
  LATENT_PRODUCT,
} latent_reduction;

// y is [outer, inner]. Sums of float32 are accumulated in blocks and the blocks in double.
// Max and min of something that holds NaN are NaN. LOG_SUM_EXP of all -inf is -inf, of any +inf
// is +inf. n == 0: sum 0, product 1, max and log-sum-exp -inf, min +inf.
void latent_reduce(latent_reduction op, latent_dtype type, int64_t outer, int64_t n, int64_t inner,
                   const void *x, void *y);
// Index (int32) of the first largest (largest = true) or smallest element.
void latent_arg_extreme(bool largest, latent_dtype type, int64_t outer, int64_t n, int64_t inner,
                        const void *x, int32_t *y);
// [outer, n]: softmax and log-softmax of each row. A row of all -inf gives NaN.
void latent_softmax(bool logarithm, latent_dtype type, int64_t outer, int64_t n, const void *x,
                    void *y);
// Derivatives from the output y: softmax dx = y (dy - sum(y dy)); log: dx = dy - e^y sum(dy).
void latent_softmax_grad(bool logarithm, latent_dtype type, int64_t outer, int64_t n,
                         const void *dy, const void *y, void *dx);
// Running sum along the middle axis; reverse sums from the end; exclusive leaves out the element.
void latent_cumulative_sum(latent_dtype type, int64_t outer, int64_t n, int64_t inner,
                           bool reverse, bool exclusive, const void *x, void *y);
// Number of elements that are NaN or infinite (0 for integer types).
int64_t latent_count_non_finite(latent_dtype type, int64_t n, const void *x);
// Sum of x[i] * y[i] and sum of x[i]^2, in double, in a fixed order.
double latent_dot(latent_dtype type, int64_t n, const void *x, const void *y);
double latent_sum_squares(latent_dtype type, int64_t n, const void *x);

// MARK: Moving data (copy.c). item is the element size in bytes: 1, 4 or 8.

// dst dense with `shape`, src strided (0 repeats, negative reverses).
void latent_gather_strided(int item, int rank, const int64_t *shape, const void *src,
                           const int64_t *strides, void *dst);
// src dense with `shape`, dst strided; overwrites.
void latent_scatter_strided(int item, int rank, const int64_t *shape, const void *src, void *dst,
                            const int64_t *strides);
// [outer, axis, inner] taken at `indices` along axis: dst [outer, count, inner].
// Returns -1, or the position in `indices` of the first one outside 0..<axis (nothing is written).
int64_t latent_take(int item, int64_t outer, int64_t axis, int64_t inner, int64_t count,
                    const int32_t *indices, const void *src, void *dst);
// dst[outer, indices[j], inner] += src[outer, j, inner], in the order of j.
int64_t latent_take_add(latent_dtype type, int64_t outer, int64_t axis, int64_t inner,
                        int64_t count, const int32_t *indices, const void *src, void *dst);
// One index per element: dst[o, j, i] = src[o, indices[o, j, i], i], and its transpose (adds).
int64_t latent_take_along(int item, int64_t outer, int64_t axis, int64_t inner, int64_t count,
                          const int32_t *indices, const void *src, void *dst);
int64_t latent_take_along_add(latent_dtype type, int64_t outer, int64_t axis, int64_t inner,
                              int64_t count, const int32_t *indices, const void *src, void *dst);

// MARK: Random numbers (philox.c)

// Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011): one block of four 32-bit words.
void latent_philox_block(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);
// Block b of a draw has the counter words (low b, high b, low draw, high draw).
// Word w of a draw is out[w % 4] of block w / 4. `first` skips elements: element i of the
// output is element first + i of the draw, whatever the split.
void latent_random_bits(uint64_t key, uint64_t draw, uint64_t first, int64_t n, uint32_t *y);
// Uniform in the open interval (0, 1). float32: ((word >> 9) + 0.5) * 2^-23, one word an element;
// float64: ((top 52 bits of the word pair) + 0.5) * 2^-52, two words an element (first is high).
void latent_random_uniform(latent_dtype type, uint64_t key, uint64_t draw, uint64_t first,
                           int64_t n, void *y);
// Box-Muller on consecutive pairs of those uniforms: elements 2j and 2j + 1 are
// r cos(2 pi u2), r sin(2 pi u2) with r = sqrt(-2 log u1); u1, u2 are uniforms 2j, 2j + 1.
void latent_random_normal(latent_dtype type, uint64_t key, uint64_t draw, uint64_t first,
                          int64_t n, void *y);

// MARK: Fused operations of variational autoencoders (fused.c); float32 and float64

typedef enum {
  LATENT_ACT_NONE, LATENT_ACT_RELU, LATENT_ACT_TANH, LATENT_ACT_SIGMOID, LATENT_ACT_GELU,
  LATENT_ACT_SILU, LATENT_ACT_SOFTPLUS, LATENT_ACT_ELU,
} latent_activation;

// y[r, c] = act(x[r, c] + bias[c]); bias may be null. Where pre is not null it receives
// x + bias (what the GELU and SILU derivatives need).
void latent_bias_activation(latent_activation act, latent_dtype type, int64_t rows,
                            int64_t columns, const void *x, const void *bias, void *y, void *pre);
// y = act(x) of n elements on the calling thread; y may be x.
void latent_activate(latent_activation act, latent_dtype type, int64_t n, const void *x, void *y);
// dx = dy * act'(.) and, where dbias is not null, dbias[c] = sum over rows of dx. `saved` is the
// output (NONE: ignored; RELU, TANH, SIGMOID, ELU) or the pre-activation (GELU, SILU, SOFTPLUS).
// dx may be null only for NONE (bias gradient alone).
void latent_bias_activation_grad(latent_activation act, latent_dtype type, int64_t rows,
                                 int64_t columns, const void *dy, const void *saved, void *dx,
                                 void *dbias);

// Sums over `count` scales C of exp(-d / C) or of C / (C + d), and their derivatives by d. F32 and F64.
typedef enum { LATENT_RBF, LATENT_IMQ } latent_radial_kernel;
void latent_radial_kernels(latent_dtype type, latent_radial_kernel kernel, int64_t n, int64_t count,
                           const double *scales, const void *distances, void *sum, void *slope);

// y = x where positive, slope x elsewhere. F32 and F64.
void latent_leaky_relu(latent_dtype type, int64_t n, double slope, const void *x, void *y);
void latent_leaky_relu_grad(latent_dtype type, int64_t n, double slope, const void *x,
                            const void *dy, void *dx);
// z = mean + exp(logvar / 2) noise (Kingma and Welling 2014, section 2.4), and of that
// dlogvar = dz noise exp(logvar / 2) / 2.
void latent_reparameterize(latent_dtype type, int64_t n, const void *mean, const void *logvar,
                           const void *noise, void *z);
void latent_reparameterize_grad(latent_dtype type, int64_t n, const void *logvar, const void *noise,
                                const void *dz, void *dlogvar);

// kl[r] = 1/2 sum over c (mean^2 + e^logvar - 1 - logvar) (ibid., appendix B), where e^logvar - 1 -
// logvar is computed without cancellation; dmean = dkl[r] mean, dlogvar = dkl[r] (e^logvar - 1) / 2.
void latent_standard_normal_kl(latent_dtype type, int64_t rows, int64_t columns, const void *mean,
                               const void *logvar, void *kl);
void latent_standard_normal_kl_grad(latent_dtype type, int64_t rows, int64_t columns,
                                    const void *mean, const void *logvar, const void *dkl,
                                    void *dmean, void *dlogvar);

// Bernoulli from logits: y[r] = sum over c of (x l - softplus(l)); x in [0, 1] (soft targets allowed).
void latent_bernoulli_log_prob(latent_dtype type, int64_t rows, int64_t columns, const void *logits,
                               const void *x, void *y);
// dlogits = dy[r] (x - sigmoid(l)).
void latent_bernoulli_log_prob_grad(latent_dtype type, int64_t rows, int64_t columns,
                                    const void *logits, const void *x, const void *dy,
                                    void *dlogits);

// Layer norm over the last axis: y = (x - mean) / sqrt(var + epsilon) * scale + shift, biased
// variance; statistics [rows, 2] receives mean and 1 / sqrt(var + epsilon).
void latent_layer_norm(latent_dtype type, int64_t rows, int64_t columns, double epsilon,
                       const void *x, const void *scale, const void *shift, void *y,
                       void *statistics);
void latent_layer_norm_grad(latent_dtype type, int64_t rows, int64_t columns, const void *x,
                            const void *scale, const void *statistics, const void *dy, void *dx,
                            void *dscale, void *dshift);

// MARK: Products of a few rows (small_product.c)

// y [m, n] = x [m, k] w^T, w [n, k], float32; meant for m of at most a few rows.
void latent_small_product(int64_t m, int64_t n, int64_t k, const float *x, const float *w,
                          float *y);

// MARK: Products of rows with rows (row_product.c)

// Whether this processor has the kernel below: AVX-512.
bool latent_has_row_product(void);
// Floats of scratch that it needs.
int64_t latent_row_product_scratch(int64_t k, int pieces);
// y [m, n] = x [m, k] w^T, w [n, k], plus bias [n] unless null, cut off at zero for `relu`, float32;
// meant for m of some dozens or hundreds. Denormals count as zero. Work is cut into `pieces`, as many
// as there are threads; the bits do not depend on them.
void latent_row_product(int64_t m, int64_t n, int64_t k, const float *x, const float *w,
                        const float *bias, bool relu, float *y, int pieces, float *scratch);

// MARK: Optimisers over one flat buffer (optimizers.c)

// A parameter's place in the flat buffers and its gradient. Parameters that are not listed stay.
typedef struct {
  const void *gradient;
  int64_t offset;
  int64_t count;
} latent_segment;

// new = old - ...; old and new may be the same buffer. m and v are updated in place. The result is
// whether all that was written is finite.
// Denormals count as zero. Every hyperparameter is a double; `gradient_scale` multiplies the gradient first (clipping).
typedef struct {
  double learning_rate, beta1, beta2, epsilon, weight_decay, gradient_scale;
  bool decoupled;    // AdamW (Loshchilov and Hutter 2019) instead of L2 in the gradient
  int64_t step;      // 1 at the first update; bias correction
} latent_adam_options;
// Adam (Kingma and Ba 2015): p -= lr m^ / (sqrt(v^) + epsilon).
bool latent_adam(latent_dtype type, int segments, const latent_segment *list, const void *old,
                 void *new_, void *m, void *v, const latent_adam_options *options);
// Adamax: u = max(beta2 u, |g| + epsilon), p -= lr / (1 - beta1^t) m / u  (as PyTorch).
bool latent_adamax(latent_dtype type, int segments, const latent_segment *list, const void *old,
                   void *new_, void *m, void *u, const latent_adam_options *options);
typedef struct {
  double learning_rate, momentum, dampening, weight_decay, gradient_scale;
  bool nesterov;
  int64_t step;      // 1 at the first update: the velocity starts as the gradient (as PyTorch)
} latent_sgd_options;
bool latent_sgd(latent_dtype type, int segments, const latent_segment *list, const void *old,
                void *new_, void *velocity, const latent_sgd_options *options);
typedef struct {
  double learning_rate, smoothing, epsilon, momentum, weight_decay, gradient_scale;
  bool centered;
} latent_rmsprop_options;
// As PyTorch's RMSprop; mean_gradient is used when centered, velocity when momentum > 0.
bool latent_rmsprop(latent_dtype type, int segments, const latent_segment *list, const void *old,
                    void *new_, void *square, void *mean_gradient, void *velocity,
                    const latent_rmsprop_options *options);
// average += (1 - decay) (value - average).
void latent_ema(latent_dtype type, int64_t n, double decay, const void *value, void *average);

#include "latent_attention.h"
#include "latent_categorical.h"
#include "latent_normal_mixture.h"
#include "latent_convolution.h"
#include "latent_low_precision.h"
#include "latent_norm.h"
#include "latent_recurrent.h"
#include "latent_spatial.h"
#include "latent_sparse.h"

#endif
