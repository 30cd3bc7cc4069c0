// The passes of a variational autoencoder's step that lie between the matrix products, each as one
// walk over memory: bias + activation and its derivative with the bias gradient, the diagonal normal's
// sample and divergence (Kingma and Welling 2014, appendix B), Bernoulli from logits.

#include <math.h>

#include "reductions/column_tiles.h"
#include "gelu.h"
#include "runtime/internal.h"
#include "runtime/real_math.h"

#ifdef __clang__
#pragma clang fp contract(fast)
#endif

enum { SUM_BLOCK = 256 };  // of a row, in the array's type; the blocks are added in double

typedef void (*bias_kernel)(int64_t rows, int64_t columns, const void *x, const void *bias,
                            void *y);
typedef void (*grad_kernel)(int64_t rows, int64_t stride, int64_t width, const void *dy,
                            const void *saved, void *dx, double *total);

typedef struct fused_job {
  void (*rows)(const struct fused_job *job, int64_t begin, int64_t end);
  int64_t columns;
  const void *a, *b, *c;
  void *out, *second_out;
  double slope;
  latent_radial_kernel radial;
} fused_job;

#define REAL float
#define NAME(stem) stem##_f32
#include "fused_body.h"
#undef REAL
#undef NAME
#define REAL double
#define NAME(stem) stem##_f64
#include "fused_body.h"
#undef REAL
#undef NAME

static int64_t threshold_for(latent_dtype type) {
  return type == LATENT_F64 ? LATENT_EXPENSIVE : LATENT_MODERATE;
}

// MARK: Bias and activation

typedef struct {
  latent_dtype type;
  int64_t columns, item;
  bias_kernel fused, add;      // with a bias
  latent_unary_kernel unary;   // without one, or after `pre` was written; null: none
  const char *x;
  const void *bias;
  char *y, *pre;
} bias_job;

static latent_unary_kernel activation_kernel(latent_activation act, latent_dtype type) {
  switch (act) {
    case LATENT_ACT_NONE: return NULL;
    case LATENT_ACT_RELU: return latent_unary_kernel_for(LATENT_RELU, type);
    case LATENT_ACT_TANH: return latent_unary_kernel_for(LATENT_TANH, type);
    case LATENT_ACT_SIGMOID: return latent_unary_kernel_for(LATENT_SIGMOID, type);
    case LATENT_ACT_GELU: return latent_unary_kernel_for(LATENT_GELU, type);
    case LATENT_ACT_SILU: return latent_unary_kernel_for(LATENT_SILU, type);
    case LATENT_ACT_SOFTPLUS: return latent_unary_kernel_for(LATENT_SOFTPLUS, type);
    case LATENT_ACT_ELU: return latent_unary_kernel_for(LATENT_ELU, type);
  }
  __builtin_unreachable();
}

static void apply(latent_unary_kernel kernel, int64_t n, int64_t item, const void *x, void *y) {
  if (kernel) {
    kernel(n, x, y);
  } else if (x != y) {
    memmove(y, x, (size_t)(n * item));
  }
}

static void bias_range(void *context, int64_t begin, int64_t end) {
  const bias_job *job = context;
  int64_t row_bytes = job->columns * job->item;
  if (job->bias && !job->pre) {
    job->fused(end - begin, job->columns, job->x + begin * row_bytes, job->bias,
               job->y + begin * row_bytes);
    return;
  }
  for (int64_t row = begin; row < end; ++row) {
    const char *x = job->x + row * row_bytes;
    if (job->pre) {
      char *pre = job->pre + row * row_bytes;
      if (job->bias) {
        job->add(1, job->columns, x, job->bias, pre);
      } else {
        apply(NULL, job->columns, job->item, x, pre);
      }
      x = pre;
    }
    apply(job->unary, job->columns, job->item, x, job->y + row * row_bytes);
  }
}

void latent_activate(latent_activation act, latent_dtype type, int64_t n, const void *x, void *y) {
  apply(activation_kernel(act, type), n, item_size(type), x, y);
}

void latent_bias_activation(latent_activation act, latent_dtype type, int64_t rows,
                            int64_t columns, const void *x, const void *bias, void *y, void *pre) {
  bool wide = type == LATENT_F64;
  bias_job job = {.type = type, .columns = columns, .item = item_size(type), .x = x, .bias = bias,
                  .y = y, .pre = pre};
  job.fused = wide ? bias_kernel_f64(act) : bias_kernel_f32(act);
  job.add = wide ? bias_none_f64 : bias_none_f32;
  job.unary = activation_kernel(act, type);
  bool cheap = act == LATENT_ACT_NONE || act == LATENT_ACT_RELU;
  parallel_rows(rows, columns, cheap ? LATENT_CHEAP : threshold_for(type), &job, bias_range);
}

typedef struct {
  grad_kernel kernel;
  int64_t columns, item;
  const char *dy, *saved;
  char *dx;
} grad_job;

static void grad_tile(void *context, int64_t row, int64_t rows, int64_t column, int64_t width,
                      double *total, double *second) {
  const grad_job *job = context;
  (void)second;
  int64_t at = (row * job->columns + column) * job->item;
  job->kernel(rows, job->columns, width, job->dy + at, job->saved + at, job->dx + at, total);
}

void latent_bias_activation_grad(latent_activation act, latent_dtype type, int64_t rows,
                                 int64_t columns, const void *dy, const void *saved, void *dx,
                                 void *dbias) {
  if (act == LATENT_ACT_NONE) {
    if (dx && dx != dy) latent_convert(type, type, rows * columns, dy, dx);
    if (dbias) latent_reduce(LATENT_SUM, type, 1, rows, columns, dy, dbias);
    return;
  }
  bool wide = type == LATENT_F64;
  grad_job job = {wide ? grad_kernel_f64(act) : grad_kernel_f32(act), columns, item_size(type), dy,
                  saved, dx};
  bool cheap = act == LATENT_ACT_RELU || act == LATENT_ACT_TANH || act == LATENT_ACT_SIGMOID ||
               act == LATENT_ACT_ELU;
  latent_column_tiles(type, rows, columns, 1, dbias, NULL,
                      cheap ? LATENT_CHEAP : threshold_for(type), &job, grad_tile);
}

// MARK: Heads and likelihoods, by rows

static void fused_range(void *context, int64_t begin, int64_t end) {
  const fused_job *job = context;
  job->rows(job, begin, end);
}

static void run_rows(latent_dtype type, int64_t rows, fused_job *job) {
  parallel_rows(rows, job->columns, threshold_for(type), job, fused_range);
}

static void run_elements(latent_dtype type, int64_t n, fused_job *job) {
  parallel_elements(n, threshold_for(type), job, fused_range);
}

void latent_radial_kernels(latent_dtype type, latent_radial_kernel kernel, int64_t n, int64_t count,
                           const double *scales, const void *distances, void *sum, void *slope) {
  fused_job job = {.rows = type == LATENT_F64 ? radial_range_f64 : radial_range_f32,
                   .columns = count, .a = distances, .b = scales, .out = sum,
                   .second_out = slope, .radial = kernel};
  parallel_elements(n, threshold_for(type) / count + 1, &job, fused_range);
}

void latent_leaky_relu(latent_dtype type, int64_t n, double slope, const void *x, void *y) {
  fused_job job = {.rows = type == LATENT_F64 ? leaky_range_f64 : leaky_range_f32, .a = x,
                   .out = y, .slope = slope};
  parallel_elements(n, LATENT_CHEAP, &job, fused_range);
}

void latent_leaky_relu_grad(latent_dtype type, int64_t n, double slope, const void *x,
                            const void *dy, void *dx) {
  fused_job job = {.rows = type == LATENT_F64 ? leaky_grad_range_f64 : leaky_grad_range_f32,
                   .a = x, .b = dy, .out = dx, .slope = slope};
  parallel_elements(n, LATENT_CHEAP, &job, fused_range);
}

void latent_reparameterize(latent_dtype type, int64_t n, const void *mean, const void *logvar,
                           const void *noise, void *z) {
  fused_job job = {.rows = type == LATENT_F64 ? sample_range_f64 : sample_range_f32, .a = mean,
                   .b = logvar, .c = noise, .out = z};
  run_elements(type, n, &job);
}

void latent_reparameterize_grad(latent_dtype type, int64_t n, const void *logvar, const void *noise,
                                const void *dz, void *dlogvar) {
  fused_job job = {.rows = type == LATENT_F64 ? sample_grad_range_f64 : sample_grad_range_f32,
                   .a = logvar, .b = noise, .c = dz, .out = dlogvar};
  run_elements(type, n, &job);
}

void latent_standard_normal_kl(latent_dtype type, int64_t rows, int64_t columns, const void *mean,
                               const void *logvar, void *kl) {
  fused_job job = {.rows = type == LATENT_F64 ? kl_rows_f64 : kl_rows_f32, .columns = columns,
                   .a = mean, .b = logvar, .out = kl};
  run_rows(type, rows, &job);
}

void latent_standard_normal_kl_grad(latent_dtype type, int64_t rows, int64_t columns,
                                    const void *mean, const void *logvar, const void *dkl,
                                    void *dmean, void *dlogvar) {
  fused_job job = {.rows = type == LATENT_F64 ? kl_grad_rows_f64 : kl_grad_rows_f32,
                   .columns = columns, .a = mean, .b = logvar, .c = dkl, .out = dmean,
                   .second_out = dlogvar};
  run_rows(type, rows, &job);
}

void latent_bernoulli_log_prob(latent_dtype type, int64_t rows, int64_t columns,
                               const void *logits, const void *x, void *y) {
  fused_job job = {.rows = type == LATENT_F64 ? bernoulli_rows_f64 : bernoulli_rows_f32,
                   .columns = columns, .a = logits, .b = x, .out = y};
  run_rows(type, rows, &job);
}

void latent_bernoulli_log_prob_grad(latent_dtype type, int64_t rows, int64_t columns,
                                    const void *logits, const void *x, const void *dy,
                                    void *dlogits) {
  fused_job job = {.rows = type == LATENT_F64 ? bernoulli_grad_rows_f64 : bernoulli_grad_rows_f32,
                   .columns = columns, .a = logits, .b = x, .c = dy, .out = dlogits};
  run_rows(type, rows, &job);
}
