// Products of rows with rows, y = relu(x w^T + b): a linear layer whose weights change at every step.
// Libraries for large products turn w round and pack it first, which costs a tenth of the time when
// a batch has some hundred rows. Here x, the smaller factor, is turned into panels of up to 32 of its
// rows, one line for each inner index, and w is read where it stands: an element of it times a line
// of the panel adds to the results of 32 rows at once. Tiles of results are turned back in registers.
// A result is summed in the order of k whatever the sizes: its bits depend on its rows alone.

#include "movement/transpose_tile.h"

enum { PANEL = 2 * TILE };

// Each piece has a panel of its own, which stays in its processor's second-level cache.
int64_t latent_row_product_scratch(int64_t k, int pieces) { return pieces * PANEL * k; }

#if defined(__x86_64__) && defined(__clang__) && !defined(LATENT_NO_CLONES)

#pragma clang fp contract(fast)

enum {
  OUTPUTS = 8,           // rows of w at a time: 8 x 2 lines of sums stay in registers
  SMALL_WORK = 1 << 19,  // multiply-adds that are not worth a second thread
  FEW_BLOCKS = 8,        // of OUTPUTS in a piece
  AHEAD = 64,            // floats of a row that are fetched before their turn
};

typedef float floats __attribute__((vector_size(4 * TILE), aligned(4)));

typedef struct {
  int64_t m, n, k;
  const float *x, *w, *bias;
  bool relu;
  float *y, *panels;
  int64_t pieces;
  bool along_rows;  // or pieces are columns of y
} row_product;

bool latent_has_row_product(void) { return latent_has_avx512(); }

// Up to 16 rows of x, and zeros for the others, into lines of the panel that are `step` apart.
static LATENT_AVX512 void turn(int64_t rows, int64_t k, const float *x, float *panel, int64_t step) {
  static const uint32_t zeros[TILE];
  int64_t i = 0;
  for (; i + TILE <= k; i += TILE) {
    line tile[TILE];
    for (int r = 0; r < TILE; ++r) {
      tile[r] = *(const line *)(r < rows ? (const void *)(x + r * k + i) : zeros);
      __builtin_prefetch(x + r * k + i + AHEAD, 0, 3);
    }
    transpose_lines(tile);
    for (int j = 0; j < TILE; ++j) *(line *)(panel + (i + j) * step) = tile[j];
  }
  for (; i < k; ++i) {
    for (int r = 0; r < TILE; ++r) panel[i * step + r] = r < rows ? x[r * k + i] : 0;
  }
}

// Sums over k of panel [k, width, 16] with OUTPUTS rows of w: sums [OUTPUTS, 2, 16]. The next rows of
// w, which another processor may have written last, are fetched meanwhile.
#define PANEL_SUMS(name, width)                                                               \
  static LATENT_AVX512 void name(int64_t k, const float *panel, const float *const w[OUTPUTS],       \
                          floats *sums) {                                                     \
    floats s[OUTPUTS][width] = {0};                                                           \
    const float *w0 = w[0], *w1 = w[1], *w2 = w[2], *w3 = w[3];                               \
    const float *w4 = w[4], *w5 = w[5], *w6 = w[6], *w7 = w[7];                               \
    for (int64_t i = 0; i < k; ++i) {                                                         \
      __builtin_prefetch(w0 + (k + i) * OUTPUTS, 0, 2);                                       \
      const float factor[OUTPUTS] = {w0[i], w1[i], w2[i], w3[i], w4[i], w5[i], w6[i], w7[i]}; \
      _Pragma("clang loop unroll(full)") for (int h = 0; h < width; ++h) {                    \
        const floats x = *(const floats *)(panel + (i * width + h) * TILE);                   \
        _Pragma("clang loop unroll(full)") for (int j = 0; j < OUTPUTS; ++j) {                \
          s[j][h] += x * factor[j];                                                           \
        }                                                                                     \
      }                                                                                       \
    }                                                                                         \
    for (int j = 0; j < OUTPUTS; ++j) {                                                       \
      for (int h = 0; h < width; ++h) sums[2 * j + h] = s[j][h];                              \
    }                                                                                         \
  }
PANEL_SUMS(sums_of_16, 1)
PANEL_SUMS(sums_of_32, 2)

// Results of up to 16 rows and outputs from their sums, which are turned back.
static LATENT_AVX512 void finish(const row_product *p, int64_t row, int64_t rows, int64_t output,
                          int64_t outputs, const floats *sums) {
  line tile[TILE] = {0};
  for (int j = 0; j < outputs; ++j) {
    const floats sum = p->bias ? sums[2 * j] + p->bias[output + j] : sums[2 * j];
    const line cut_off = p->relu ? (line)(sum < 0) : (line){0};  // NaN stays
    tile[j] = (line)sum & ~cut_off;
  }
  transpose_lines(tile);
  for (int64_t r = 0; r < rows && r < TILE; ++r) {
    float *y = p->y + (row + r) * p->n + output;
    if (outputs == TILE) {
      *(line *)y = tile[r];
    } else {
      memcpy(y, &tile[r], (size_t)outputs * sizeof(float));
    }
  }
}

// Up to 32 rows from `row` on, and outputs in `begin..<end`.
static LATENT_AVX512 void multiply_panel(const row_product *p, float *panel, int64_t row, int64_t rows,
                                  int64_t begin, int64_t end) {
  const bool wide = rows > TILE;
  const int64_t k = p->k, width = wide ? PANEL : TILE;
  turn(rows, k, p->x + row * k, panel, width);
  if (wide) turn(rows - TILE, k, p->x + (row + TILE) * k, panel + TILE, width);
  for (int64_t output = begin; output < end; output += TILE) {
    const int64_t outputs = smaller(TILE, end - output);
    const float *w[TILE];
    for (int j = 0; j < TILE; ++j) w[j] = p->w + (output + smaller(j, outputs - 1)) * k;
    floats sums[PANEL];
    for (int j = 0; j < outputs; j += OUTPUTS) {
      (wide ? sums_of_32 : sums_of_16)(k, panel, w + j, sums + 2 * j);
    }
    finish(p, row, rows, output, outputs, sums);
    if (wide) finish(p, row + TILE, rows - TILE, output, outputs, sums + 1);
  }
}

// Border `index` of the pieces of 0..<length, at multiples of `unit`.
static int64_t border(const row_product *p, int64_t index, int64_t length, int64_t unit) {
  return smaller((length + unit - 1) / unit * index / p->pieces * unit, length);
}

static void piece(void *context, int64_t index) {
  const row_product *p = context;
  int64_t row = 0, last = p->m, begin = 0, end = p->n;
  if (p->along_rows) {
    row = border(p, index, p->m, TILE), last = border(p, index + 1, p->m, TILE);
  } else {
    begin = border(p, index, p->n, OUTPUTS), end = border(p, index + 1, p->n, OUTPUTS);
  }
  const uint64_t mode = latent_flush_denormals();
  for (; row < last; row += PANEL) {
    multiply_panel(p, p->panels + index * PANEL * p->k, row, smaller(PANEL, last - row), begin, end);
  }
  latent_restore_float_mode(mode);
}

void latent_row_product(int64_t m, int64_t n, int64_t k, const float *x, const float *w,
                        const float *bias, bool relu, float *y, int pieces, float *scratch) {
  if (m * n * k < SMALL_WORK) pieces = 1;
  // Few columns would leave uneven shares; many are cut, so that a weight is read by one processor.
  const bool along_rows = n < FEW_BLOCKS * OUTPUTS * pieces;
  row_product job = {m, n, k, x, w, bias, relu, y, scratch, pieces, along_rows};
  latent_parallel(pieces, &job, piece);
}

#else

bool latent_has_row_product(void) { return false; }

void latent_row_product(int64_t m, int64_t n, int64_t k, const float *x, const float *w,
                        const float *bias, bool relu, float *y, int pieces, float *scratch) {
  (void)m, (void)n, (void)k, (void)x, (void)w, (void)bias, (void)relu, (void)y;
  (void)pieces, (void)scratch;
  __builtin_trap();
}

#endif
