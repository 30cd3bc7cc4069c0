// The elementwise part of recurrent networks: between two matrix products each step is one walk
// over the batch.
//
// GRU, with x and h the projections of input and state:
//   r = sigmoid(x_r + h_r), u = sigmoid(x_u + h_u), n = tanh(x_n + r h_n), s' = n + u (s - n).
// LSTM:
//   i, f, o = sigmoid(x + h), g = tanh(x_g + h_g), c' = f c + i g, s' = o tanh(c').

#include "runtime/internal.h"
#include "runtime/real_math.h"

#ifdef __clang__
#pragma clang fp contract(fast)
#endif

typedef struct {
  int64_t size, row;
  const void *x, *h, *state, *gates_in, *dnext;
  void *gates, *next, *next_cell, *dx, *dh, *dstate;
} cell_job;

#define RECURRENT(suffix, real)                                                                   \
  static LATENT_CLONES void gru_rows_##suffix(void *context, int64_t begin, int64_t end) {        \
    const cell_job *job = context;                                                                \
    const int64_t n = job->size;                                                                  \
    for (int64_t b = begin; b < end; ++b) {                                                       \
      const real *x = (const real *)job->x + b * job->row;                                        \
      const real *h = (const real *)job->h + b * 3 * n;                                           \
      const real *state = (const real *)job->state + b * n;                                       \
      real *gates = (real *)job->gates + b * 4 * n, *next = (real *)job->next + b * n;            \
      LATENT_SAME_INDEX for (int64_t i = 0; i < n; ++i) {                                         \
        const real reset = sigmoid_##suffix(x[i] + h[i]);                                         \
        const real update = sigmoid_##suffix(x[n + i] + h[n + i]);                                \
        const real part = h[2 * n + i];                                                           \
        const real new_ = tanh_##suffix(x[2 * n + i] + reset * part);                             \
        gates[i] = reset;                                                                         \
        gates[n + i] = update;                                                                    \
        gates[2 * n + i] = new_;                                                                  \
        gates[3 * n + i] = part;                                                                  \
        next[i] = new_ + update * (state[i] - new_);                                              \
      }                                                                                           \
    }                                                                                             \
  }                                                                                               \
  static LATENT_CLONES void gru_grad_rows_##suffix(void *context, int64_t begin, int64_t end) {   \
    const cell_job *job = context;                                                                \
    const int64_t n = job->size;                                                                  \
    for (int64_t b = begin; b < end; ++b) {                                                       \
      const real *gates = (const real *)job->gates_in + b * 4 * n;                                \
      const real *state = (const real *)job->state + b * n;                                       \
      const real *dnext = (const real *)job->dnext + b * n;                                       \
      real *dx = (real *)job->dx + b * job->row, *dh = (real *)job->dh + b * 3 * n;               \
      real *dstate = (real *)job->dstate + b * n;                                                 \
      LATENT_SAME_INDEX for (int64_t i = 0; i < n; ++i) {                                         \
        const real reset = gates[i], update = gates[n + i], new_ = gates[2 * n + i];              \
        const real part = gates[3 * n + i], d = dnext[i];                                         \
        const real d_new = d * (1 - update) * (1 - new_ * new_);                                  \
        const real d_update = d * (state[i] - new_) * update * (1 - update);                      \
        const real d_reset = d_new * part * reset * (1 - reset);                                  \
        dx[i] = d_reset;                                                                          \
        dx[n + i] = d_update;                                                                     \
        dx[2 * n + i] = d_new;                                                                    \
        dh[i] = d_reset;                                                                          \
        dh[n + i] = d_update;                                                                     \
        dh[2 * n + i] = d_new * reset;                                                            \
        dstate[i] = d * update;                                                                   \
      }                                                                                           \
    }                                                                                             \
  }                                                                                               \
  static LATENT_CLONES void lstm_rows_##suffix(void *context, int64_t begin, int64_t end) {       \
    const cell_job *job = context;                                                                \
    const int64_t n = job->size;                                                                  \
    for (int64_t b = begin; b < end; ++b) {                                                       \
      const real *x = (const real *)job->x + b * job->row;                                        \
      const real *h = (const real *)job->h + b * 4 * n;                                           \
      const real *cell = (const real *)job->state + b * n;                                        \
      real *gates = (real *)job->gates + b * 5 * n, *next = (real *)job->next + b * n;            \
      real *next_cell = (real *)job->next_cell + b * n;                                           \
      LATENT_SAME_INDEX for (int64_t i = 0; i < n; ++i) {                                         \
        const real input = sigmoid_##suffix(x[i] + h[i]);                                         \
        const real forget = sigmoid_##suffix(x[n + i] + h[n + i]);                                \
        const real new_ = tanh_##suffix(x[2 * n + i] + h[2 * n + i]);                             \
        const real output = sigmoid_##suffix(x[3 * n + i] + h[3 * n + i]);                        \
        const real sum = forget * cell[i] + input * new_;                                         \
        const real squashed = tanh_##suffix(sum);                                                 \
        gates[i] = input;                                                                         \
        gates[n + i] = forget;                                                                    \
        gates[2 * n + i] = new_;                                                                  \
        gates[3 * n + i] = output;                                                                \
        gates[4 * n + i] = squashed;                                                              \
        next_cell[i] = sum;                                                                       \
        next[i] = output * squashed;                                                              \
      }                                                                                           \
    }                                                                                             \
  }                                                                                               \
  static LATENT_CLONES void lstm_grad_rows_##suffix(void *context, int64_t begin, int64_t end) {  \
    const cell_job *job = context;                                                                \
    const int64_t n = job->size;                                                                  \
    for (int64_t b = begin; b < end; ++b) {                                                       \
      const real *gates = (const real *)job->gates_in + b * 5 * n;                                \
      const real *cell = (const real *)job->state + b * n;                                        \
      const real *dnext = (const real *)job->dnext + b * n;                                       \
      real *dx = (real *)job->dx + b * job->row, *dh = (real *)job->dh + b * 4 * n;               \
      real *dcell = (real *)job->dstate + b * n;                                                  \
      LATENT_SAME_INDEX for (int64_t i = 0; i < n; ++i) {                                         \
        const real input = gates[i], forget = gates[n + i], new_ = gates[2 * n + i];              \
        const real output = gates[3 * n + i], squashed = gates[4 * n + i], d = dnext[i];          \
        const real along = dcell[i] + d * output * (1 - squashed * squashed);                     \
        const real d_input = along * new_ * input * (1 - input);                                  \
        const real d_forget = along * cell[i] * forget * (1 - forget);                            \
        const real d_new = along * input * (1 - new_ * new_);                                     \
        const real d_output = d * squashed * output * (1 - output);                               \
        dx[i] = d_input;                                                                          \
        dx[n + i] = d_forget;                                                                     \
        dx[2 * n + i] = d_new;                                                                    \
        dx[3 * n + i] = d_output;                                                                 \
        dh[i] = d_input;                                                                          \
        dh[n + i] = d_forget;                                                                     \
        dh[2 * n + i] = d_new;                                                                    \
        dh[3 * n + i] = d_output;                                                                 \
        dcell[i] = along * forget;                                                                \
      }                                                                                           \
    }                                                                                             \
  }

RECURRENT(f32, float)
RECURRENT(f64, double)

// Several transcendental functions an element forwards, arithmetic alone backwards.
static int64_t forward_threshold(latent_dtype type) {
  return type == LATENT_F64 ? LATENT_EXPENSIVE / 2 : LATENT_MODERATE / 4;
}

void latent_gru_step(latent_dtype type, int64_t batch, int64_t size, int64_t row, const void *x,
                     const void *h, const void *state, void *gates, void *next) {
  cell_job job = {.size = size, .row = row, .x = x, .h = h, .state = state, .gates = gates,
                  .next = next};
  parallel_rows(batch, size, forward_threshold(type), &job,
                type == LATENT_F64 ? gru_rows_f64 : gru_rows_f32);
}

void latent_gru_step_grad(latent_dtype type, int64_t batch, int64_t size, int64_t row,
                          const void *gates, const void *state, const void *dnext, void *dx,
                          void *dh, void *dstate) {
  cell_job job = {.size = size, .row = row, .gates_in = gates, .state = state, .dnext = dnext,
                  .dx = dx, .dh = dh, .dstate = dstate};
  parallel_rows(batch, size, LATENT_MODERATE, &job,
                type == LATENT_F64 ? gru_grad_rows_f64 : gru_grad_rows_f32);
}

void latent_lstm_step(latent_dtype type, int64_t batch, int64_t size, int64_t row, const void *x,
                      const void *h, const void *cell, void *gates, void *next_cell, void *next) {
  cell_job job = {.size = size, .row = row, .x = x, .h = h, .state = cell, .gates = gates,
                  .next_cell = next_cell, .next = next};
  parallel_rows(batch, size, forward_threshold(type), &job,
                type == LATENT_F64 ? lstm_rows_f64 : lstm_rows_f32);
}

void latent_lstm_step_grad(latent_dtype type, int64_t batch, int64_t size, int64_t row,
                           const void *gates, const void *cell, const void *dnext, void *dcell,
                           void *dx, void *dh) {
  cell_job job = {.size = size, .row = row, .gates_in = gates, .state = cell, .dnext = dnext,
                  .dx = dx, .dh = dh, .dstate = dcell};
  parallel_rows(batch, size, LATENT_MODERATE, &job,
                type == LATENT_F64 ? lstm_grad_rows_f64 : lstm_grad_rows_f32);
}
