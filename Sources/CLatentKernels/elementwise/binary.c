// Elementwise functions of two or three arrays with broadcasting. Each operation has one kernel
// over dense x and a y that is dense or a single value; everything else is brought into that form:
// operands swapped where the operation allows it, repeated or strided operands copied into a block
// of scratch that stays in L1.

#include "runtime/internal.h"
#include "runtime/real_math.h"

#ifdef __clang__
#pragma clang fp contract(fast)
#endif

typedef void (*binary_kernel)(int64_t n, const void *x, const void *y, bool y_is_scalar,
                              void *out);

#define BINARY_LOOP(attributes, name, real, expression)                                        \
  static attributes void name(int64_t n, const void *x_, const void *y_, bool y_is_scalar,    \
                              void *out_) {                                                    \
    const real *xs = x_, *ys = y_;                                                             \
    real *out = out_;                                                                          \
    if (y_is_scalar) {                                                                         \
      const real y = *ys;                                                                      \
      LATENT_SAME_INDEX for (int64_t i = 0; i < n; ++i) {                                      \
        const real x = xs[i];                                                                  \
        out[i] = expression;                                                                   \
      }                                                                                        \
    } else {                                                                                   \
      LATENT_SAME_INDEX for (int64_t i = 0; i < n; ++i) {                                      \
        const real x = xs[i], y = ys[i];                                                       \
        out[i] = expression;                                                                   \
      }                                                                                        \
    }                                                                                          \
  }

#define BINARY_FLOATS(name, expression)                     \
  BINARY_LOOP(LATENT_CLONES, name##_f32, float, expression) \
  BINARY_LOOP(LATENT_CLONES, name##_f64, double, expression)
#define BINARY_ALL(name, expression) \
  BINARY_FLOATS(name, expression)    \
  BINARY_LOOP(LATENT_CLONES, name##_i32, int32_t, expression)
#define BINARY_MATH(name, f32_expression, f64_expression)           \
  BINARY_LOOP(LATENT_CLONES, name##_f32, float, f32_expression)     \
  BINARY_LOOP(, name##_f64, double, f64_expression)

BINARY_FLOATS(add, x + y)
BINARY_FLOATS(subtract, x - y)
BINARY_FLOATS(multiply, x * y)
BINARY_FLOATS(divide, x / y)
// Integers wrap; division by zero gives 0, and the one overflow (INT32_MIN / -1) wraps too.
BINARY_LOOP(LATENT_CLONES, add_i32, int32_t, (int32_t)((uint32_t)x + (uint32_t)y))
BINARY_LOOP(LATENT_CLONES, subtract_i32, int32_t, (int32_t)((uint32_t)x - (uint32_t)y))
BINARY_LOOP(LATENT_CLONES, multiply_i32, int32_t, (int32_t)((uint32_t)x * (uint32_t)y))
BINARY_LOOP(, divide_i32, int32_t, y == 0 ? 0 : (int32_t)((int64_t)x / y))
BINARY_ALL(maximum, x > y || x != x ? x : y)  // NaN on either side is the result
BINARY_ALL(minimum, x < y || x != x ? x : y)
BINARY_ALL(equal, x == y)
BINARY_ALL(not_equal, x != y)
BINARY_ALL(less, x < y)
BINARY_ALL(less_equal, x <= y)
BINARY_ALL(greater, x > y)
BINARY_ALL(greater_equal, x >= y)
BINARY_LOOP(, power_f32, float, powf(x, y))
BINARY_LOOP(, power_f64, double, pow(x, y))
BINARY_FLOATS(relu_grad, y > 0 ? x : y < 0 ? 0 : y)  // NaN stays in both
BINARY_FLOATS(sigmoid_grad, x * (y * (1 - y)))
BINARY_FLOATS(tanh_grad, x * (1 - y * y))
BINARY_FLOATS(elu_grad, x * (y > 0 ? 1 : y + 1))
BINARY_FLOATS(clamp_grad, y == 0 ? x : y != y ? y : 0)
BINARY_MATH(softplus_grad, x * sigmoid_f32(y), x * sigmoid_f64(y))
BINARY_MATH(gelu_grad, x * gelu_slope_f32(y), x * gelu_slope_f64(y))
BINARY_MATH(silu_grad, x * silu_slope_f32(y), x * silu_slope_f64(y))

typedef struct {
  binary_kernel f32, f64, i32;
  int serial_below, wide_serial_below;
  int swapped;  // the operation with its operands exchanged, or -1
} binary_entry;

#define ENTRY_ALL(name, swapped) \
  {name##_f32, name##_f64, name##_i32, LATENT_CHEAP, LATENT_CHEAP, swapped}
#define ENTRY_FLOATS(name) {name##_f32, name##_f64, NULL, LATENT_CHEAP, LATENT_CHEAP, -1}
#define ENTRY_MATH(name) {name##_f32, name##_f64, NULL, LATENT_MODERATE, LATENT_EXPENSIVE, -1}

static const binary_entry *entry_for(latent_binary_op op) {
  switch (op) {
#define CASE(op, ...)                               \
  case op: {                                        \
    static const binary_entry entry = __VA_ARGS__;  \
    return &entry;                                  \
  }
    CASE(LATENT_ADD, ENTRY_ALL(add, LATENT_ADD))
    CASE(LATENT_SUB, ENTRY_ALL(subtract, -1))
    CASE(LATENT_MUL, ENTRY_ALL(multiply, LATENT_MUL))
    CASE(LATENT_DIV, ENTRY_ALL(divide, -1))
    CASE(LATENT_POW, {power_f32, power_f64, NULL, LATENT_EXPENSIVE, LATENT_EXPENSIVE, -1})
    CASE(LATENT_MAX, ENTRY_ALL(maximum, LATENT_MAX))
    CASE(LATENT_MIN, ENTRY_ALL(minimum, LATENT_MIN))
    CASE(LATENT_EQ, ENTRY_ALL(equal, LATENT_EQ))
    CASE(LATENT_NE, ENTRY_ALL(not_equal, LATENT_NE))
    CASE(LATENT_LT, ENTRY_ALL(less, LATENT_GT))
    CASE(LATENT_LE, ENTRY_ALL(less_equal, LATENT_GE))
    CASE(LATENT_GT, ENTRY_ALL(greater, LATENT_LT))
    CASE(LATENT_GE, ENTRY_ALL(greater_equal, LATENT_LE))
    CASE(LATENT_RELU_GRAD, ENTRY_FLOATS(relu_grad))
    CASE(LATENT_SIGMOID_GRAD, ENTRY_FLOATS(sigmoid_grad))
    CASE(LATENT_TANH_GRAD, ENTRY_FLOATS(tanh_grad))
    CASE(LATENT_SOFTPLUS_GRAD, ENTRY_MATH(softplus_grad))
    CASE(LATENT_GELU_GRAD, ENTRY_MATH(gelu_grad))
    CASE(LATENT_SILU_GRAD, ENTRY_MATH(silu_grad))
    CASE(LATENT_ELU_GRAD, ENTRY_FLOATS(elu_grad))
    CASE(LATENT_CLAMP_GRAD, ENTRY_FLOATS(clamp_grad))
#undef CASE
  }
  __builtin_unreachable();
}

static binary_kernel kernel_for(const binary_entry *entry, latent_dtype type) {
  return type == LATENT_F32 ? entry->f32 : type == LATENT_F64 ? entry->f64 : entry->i32;
}

// Rows shorter than this are gathered into blocks instead of walked one kernel call each.
enum { SHORT_ROW = 48 };

// How an operand reaches the kernel within one row.
typedef enum { OPERAND_DENSE, OPERAND_SCALAR, OPERAND_STRIDED } operand_kind;

static operand_kind kind_of(const latent_nest *nest, int which) {
  int64_t stride = nest->stride[which][nest->rank - 1];
  return stride == 1 ? OPERAND_DENSE : stride == 0 ? OPERAND_SCALAR : OPERAND_STRIDED;
}

typedef union {
  float f32[LATENT_BLOCK];
  double f64[LATENT_BLOCK];
} scratch_block;

typedef struct {
  latent_nest nest;
  binary_kernel kernel;
  int item;
  bool blocks;  // gather whole blocks: short rows
  const char *x, *y;
  char *out;
} binary_job;

static void binary_blocks(const binary_job *job, int64_t begin, int64_t end) {
  LATENT_ALIGNED scratch_block xs, ys;
  const latent_nest *nest = &job->nest;
  for (int64_t at = begin; at < end; at += LATENT_BLOCK) {
    int64_t count = smaller(LATENT_BLOCK, end - at);
    latent_nest_gather(nest, 0, job->item, at, count, job->x, &xs);
    latent_nest_gather(nest, 1, job->item, at, count, job->y, &ys);
    job->kernel(count, &xs, &ys, false, job->out + at * job->item);
  }
}

static void binary_rows(const binary_job *job, int64_t begin, int64_t end) {
  LATENT_ALIGNED scratch_block xs, ys;
  const latent_nest *nest = &job->nest;
  int inner = nest->rank - 1, item = job->item;
  operand_kind x_kind = kind_of(nest, 0), y_kind = kind_of(nest, 1);
  int64_t x_stride = nest->stride[0][inner], y_stride = nest->stride[1][inner];
  latent_nest_position position = latent_nest_at(nest, begin);
  for (int64_t at = begin; at < end;) {
    int64_t row = smaller(end - at, nest->shape[inner] - position.index[inner]);
    const char *x = job->x + position.offset[0] * item, *y = job->y + position.offset[1] * item;
    char *out = job->out + at * item;
    if (x_kind == OPERAND_DENSE && y_kind != OPERAND_STRIDED) {
      job->kernel(row, x, y, y_kind == OPERAND_SCALAR, out);
    } else {
      for (int64_t done = 0; done < row; done += LATENT_BLOCK) {
        int64_t count = smaller(LATENT_BLOCK, row - done);
        const void *x_part = x + done * x_stride * item, *y_part = y + done * y_stride * item;
        if (x_kind == OPERAND_STRIDED || (x_kind == OPERAND_SCALAR && done == 0)) {
          latent_copy_line(item, count, x_part, x_stride, &xs);
        }
        if (x_kind != OPERAND_DENSE) x_part = &xs;
        if (y_kind == OPERAND_STRIDED) {
          latent_copy_line(item, count, y_part, y_stride, &ys);
          y_part = &ys;
        }
        job->kernel(count, x_part, y_part, y_kind == OPERAND_SCALAR, out + done * item);
      }
    }
    latent_nest_advance(nest, &position, row);
    at += row;
  }
}

static void binary_range(void *context, int64_t begin, int64_t end) {
  const binary_job *job = context;
  if (job->blocks) {
    binary_blocks(job, begin, end);
  } else {
    binary_rows(job, begin, end);
  }
}

// x^2 and x^1 with one exponent for all elements are a single product; libm's pow is many times
// slower.
static binary_kernel power_shortcut(latent_dtype type, const latent_nest *nest, const void *y,
                                    const char **other) {
  for (int axis = 0; axis < nest->rank; ++axis) {
    if (nest->stride[1][axis] != 0 && nest->total != 1) return NULL;
  }
  double exponent = type == LATENT_F32 ? *(const float *)y : *(const double *)y;
  const binary_entry *multiply = entry_for(LATENT_MUL);
  if (exponent == 2) {
    *other = NULL;
    return kernel_for(multiply, type);
  }
  if (exponent == 1) return kernel_for(multiply, type);  // x * 1: y is its own factor
  return NULL;
}

void latent_binary(latent_binary_op op, latent_dtype type, int rank, const int64_t *shape,
                   const void *x, const int64_t *x_strides, const void *y,
                   const int64_t *y_strides, void *out) {
  latent_nest nest = latent_make_nest(rank, shape, 2, (const int64_t *[]){x_strides, y_strides});
  if (nest.total == 0) return;
  const binary_entry *entry = entry_for(op);
  binary_kernel kernel = kernel_for(entry, type);
  if (op == LATENT_POW) {
    const char *factor = y;
    binary_kernel shortcut = power_shortcut(type, &nest, y, &factor);
    if (shortcut) {
      kernel = shortcut;
      entry = entry_for(LATENT_MUL);
      if (!factor) {  // a square
        y = x;
        nest = latent_make_nest(rank, shape, 2, (const int64_t *[]){x_strides, x_strides});
      }
    }
  }
  if (kind_of(&nest, 0) == OPERAND_SCALAR && kind_of(&nest, 1) == OPERAND_DENSE &&
      entry->swapped >= 0) {
    entry = entry_for((latent_binary_op)entry->swapped);
    kernel = kernel_for(entry, type);
    nest = latent_make_nest(rank, shape, 2, (const int64_t *[]){y_strides, x_strides});
    const void *first = x;
    x = y;
    y = first;
  }
  binary_job job = {.kernel = kernel, .item = (int)item_size(type), .x = x, .y = y, .out = out};
  job.blocks = nest.rank > 1 && nest.shape[nest.rank - 1] < SHORT_ROW;
  job.nest = nest;
  int serial_below = type == LATENT_F64 ? entry->wide_serial_below : entry->serial_below;
  parallel_elements(nest.total, serial_below, &job, binary_range);
}

// MARK: Selection

typedef struct {
  latent_nest nest;
  latent_dtype type;
  const char *source[3];
  char *out;
} select_job;

#define SELECT(name, real)                                                                    \
  static LATENT_CLONES void name(int64_t n, const real *condition, const real *a,             \
                                 const real *b, real *out) {                                  \
    LATENT_SAME_INDEX for (int64_t i = 0; i < n; ++i) {                                       \
      const real yes = a[i], no = b[i];                                                       \
      out[i] = condition[i] != 0 ? yes : no;                                                  \
    }                                                                                         \
  }
SELECT(select_f32, float)
SELECT(select_f64, double)
SELECT(select_i32, int32_t)
SELECT(select_u8, uint8_t)

static void select_range(void *context, int64_t begin, int64_t end) {
  const select_job *job = context;
  int64_t item = item_size(job->type);
  LATENT_ALIGNED scratch_block scratch[3];
  bool dense = job->nest.rank == 1;
  for (int64_t at = begin; at < end; at += LATENT_BLOCK) {
    int64_t n = smaller(LATENT_BLOCK, end - at);
    const void *part[3];
    for (int k = 0; k < 3; ++k) {
      if (dense && job->nest.stride[k][0] == 1) {
        part[k] = job->source[k] + at * item;
      } else {
        part[k] = &scratch[k];
        latent_nest_gather(&job->nest, k, (int)item, at, n, job->source[k], &scratch[k]);
      }
    }
    void *out = job->out + at * item;
    switch (job->type) {
      case LATENT_F32: select_f32(n, part[0], part[1], part[2], out); break;
      case LATENT_F64: select_f64(n, part[0], part[1], part[2], out); break;
      case LATENT_I32: select_i32(n, part[0], part[1], part[2], out); break;
      case LATENT_U8: select_u8(n, part[0], part[1], part[2], out); break;
    }
  }
}

void latent_select(latent_dtype type, int rank, const int64_t *shape, const void *condition,
                   const int64_t *condition_strides, const void *a, const int64_t *a_strides,
                   const void *b, const int64_t *b_strides, void *out) {
  select_job job = {.type = type, .source = {condition, a, b}, .out = out};
  job.nest = latent_make_nest(
      rank, shape, 3, (const int64_t *[]){condition_strides, a_strides, b_strides});
  if (job.nest.total == 0) return;
  parallel_elements(job.nest.total, LATENT_CHEAP, &job, select_range);
}
