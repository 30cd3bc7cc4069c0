// What every kernel file shares: run-time dispatch by CPU, and parallel ranges whose chunks depend
// on sizes alone, so that a result has the same bits for any number of threads (a vector loop and
// its scalar tail may round differently; fixed chunks keep every element on the same side).

#ifndef LATENT_INTERNAL_H
#define LATENT_INTERNAL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "latent_kernels.h"

// One binary carries AVX-512, AVX2 and baseline code; the loader picks (ifunc). Tools that cannot
// see through ifuncs (gcc's thread sanitizer) define LATENT_NO_CLONES.
#if defined(__x86_64__) && defined(__clang__) && !defined(LATENT_NO_CLONES)
#define LATENT_CLONES \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define LATENT_CLONES
#endif

// Kernels that are written for AVX-512 are only called where the processor has it.
#if defined(__x86_64__) && defined(__clang__) && !defined(LATENT_NO_CLONES)
#define LATENT_AVX512 __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl")))
static inline bool latent_has_avx512(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}
#endif

// A loop over the same index of every array is safe to vectorise even when output and input are
// one buffer; without the promise the in-place call fails the overlap test and runs scalar.
// The promise covers temporaries too: no arrays inside such a loop's body.
#ifdef __clang__
#define LATENT_SAME_INDEX _Pragma("clang loop vectorize(assume_safety)")
// The baseline clone may lack an instruction and stay scalar: right, only slower.
#pragma clang diagnostic ignored "-Wpass-failed"
#pragma clang diagnostic ignored "-Wpsabi"
#define LATENT_REASSOCIATE _Pragma("clang fp reassociate(on)")
#define square_root(x) __builtin_elementwise_sqrt(x)
#else
#define LATENT_SAME_INDEX
#define LATENT_REASSOCIATE
#define square_root(x) _Generic((x), float: __builtin_sqrtf, default: __builtin_sqrt)(x)
#endif

// Stack buffers of vector loops: a 64-byte access that straddles two cache lines costs double, and
// reading back what was just stored costs more.
#define LATENT_ALIGNED _Alignas(64)

#define LATENT_INLINE static inline __attribute__((always_inline, unused))

// Elements below which a pass stays on the calling thread, by the cost of one element. A woken
// worker costs several microseconds, a spinning one a few tenths.
enum {
  LATENT_CHEAP = 32768,     // bound by memory: add, relu
  LATENT_MODERATE = 8192,   // a vectorised polynomial: exp, sigmoid
  LATENT_EXPENSIVE = 1024,  // a scalar libm call
};

// Stack scratch of blocked kernels, in elements: small enough for L1, long enough to vectorise.
enum { LATENT_BLOCK = 1024 };

LATENT_INLINE int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
LATENT_INLINE int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }
LATENT_INLINE int64_t round_up(int64_t n, int64_t step) { return (n + step - 1) / step * step; }

LATENT_INLINE int64_t item_size(latent_dtype type) {
  return type == LATENT_F64 ? 8 : type == LATENT_U8 ? 1 : 4;
}

typedef void (*latent_range_body)(void *context, int64_t begin, int64_t end);

typedef struct {
  latent_range_body body;
  void *context;
  int64_t total, chunk;
} latent_range;

static inline void latent_run_range_chunk(void *context, int64_t index) {
  const latent_range *range = context;
  int64_t begin = index * range->chunk;
  range->body(range->context, begin, smaller(begin + range->chunk, range->total));
}

// body(begin, end) over 0..<n in chunks of `chunk`.
static inline void parallel_chunks(int64_t n, int64_t chunk, void *context,
                                   latent_range_body body) {
  if (n <= 0) return;
  if (n <= chunk) {
    body(context, 0, n);
    return;
  }
  latent_range range = {body, context, n, chunk};
  latent_parallel((n + chunk - 1) / chunk, &range, latent_run_range_chunk);
}

// Elements: at most about 64 chunks, each a multiple of 1024; small n stays on the caller.
static inline void parallel_elements(int64_t n, int64_t serial_below, void *context,
                                     latent_range_body body) {
  if (n < serial_below) {
    if (n > 0) body(context, 0, n);
    return;
  }
  int64_t chunk = round_up(larger(serial_below / 4, (n + 63) / 64), 1024);
  parallel_chunks(n, chunk, context, body);
}

// Rows of `cost` elements each: chunks of whole rows worth about serial_below / 4 elements.
static inline void parallel_rows(int64_t rows, int64_t cost, int64_t serial_below, void *context,
                                 latent_range_body body) {
  cost = larger(cost, 1);
  if (rows <= 0) return;
  if (rows == 1 || rows * cost < serial_below) {
    body(context, 0, rows);
    return;
  }
  int64_t chunk = larger(larger(serial_below / 4 / cost, 1), (rows + 63) / 64);
  parallel_chunks(rows, chunk, context, body);
}

// MARK: Strided loops (strided.c)

enum { LATENT_MAX_OPERANDS = 3 };

// A dense output of `shape` and up to three strided operands, adjacent axes merged where every
// operand allows it; rank >= 1, and the last axis is the inner loop.
typedef struct {
  int rank, operands;
  int64_t total;
  int64_t shape[LATENT_MAX_RANK];
  int64_t stride[LATENT_MAX_OPERANDS][LATENT_MAX_RANK];
} latent_nest;

typedef struct {
  int64_t index[LATENT_MAX_RANK];
  int64_t offset[LATENT_MAX_OPERANDS];
} latent_nest_position;

latent_nest latent_make_nest(int rank, const int64_t *shape, int operands,
                             const int64_t *const *strides);
latent_nest_position latent_nest_at(const latent_nest *nest, int64_t linear);
// Moves `count` elements on, where count does not leave the current inner row.
void latent_nest_advance(const latent_nest *nest, latent_nest_position *position, int64_t count);
// Copies `count` elements of operand `which` from the linear position on into dense dst.
void latent_nest_gather(const latent_nest *nest, int which, int item, int64_t linear,
                        int64_t count, const void *src, void *dst);
// Copies `count` strided elements into dense dst.
void latent_copy_line(int item, int64_t count, const void *src, int64_t stride, void *dst);

// MARK: Shared row kernels (reduce.c): the maximum, NaN if any is NaN, -inf of nothing.

double latent_row_max_f32(int64_t n, const float *x);
double latent_row_max_f64(int64_t n, const double *x);

// MARK: Unary ranges for the fused kernels (unary.c)

typedef void (*latent_unary_kernel)(int64_t n, const void *x, void *y);
latent_unary_kernel latent_unary_kernel_for(latent_unary_op op, latent_dtype type);

#endif
