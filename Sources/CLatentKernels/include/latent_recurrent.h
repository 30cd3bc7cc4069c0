// One step of gated recurrent networks, and its derivative (recurrent.c); F32 and F64. Included by
// latent_kernels.h. Gates lie side by side in PyTorch's order. `row` is the distance of two
// examples in the projected inputs, whose other positions lie between them.

#ifndef LATENT_RECURRENT_H
#define LATENT_RECURRENT_H

// GRU (Cho et al. 2014): x [batch, 3 size] the projected input (reset, update, new), h [batch, 3
// size] that of the state. gates [batch, 4 size] keeps reset, update, new and the state's part of
// new.
void latent_gru_step(latent_dtype type, int64_t batch, int64_t size, int64_t row, const void *x,
                     const void *h, const void *state, void *gates, void *next);
// dx at rows `row` apart; dh [batch, 3 size]; dstate [batch, size] receives what passes directly.
void latent_gru_step_grad(latent_dtype type, int64_t batch, int64_t size, int64_t row,
                          const void *gates, const void *state, const void *dnext, void *dx,
                          void *dh, void *dstate);

// LSTM (Hochreiter and Schmidhuber 1997; Gers et al. 2000): x and h [batch, 4 size] (input, forget,
// cell, output). gates [batch, 5 size] keeps these after their activations and tanh of the new
// cell.
void latent_lstm_step(latent_dtype type, int64_t batch, int64_t size, int64_t row, const void *x,
                      const void *h, const void *cell, void *gates, void *next_cell, void *next);
// dcell [batch, size]: on entry the derivative of the new cell, on return of the old one. da
// [batch, 4 size], of the gates before their activations, is written to dx and to dh.
void latent_lstm_step_grad(latent_dtype type, int64_t batch, int64_t size, int64_t row,
                           const void *gates, const void *cell, const void *dnext, void *dcell,
                           void *dx, void *dh);

#endif
