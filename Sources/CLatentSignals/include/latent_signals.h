// SIGINT and SIGTERM as a flag that a training loop polls once per step.

#ifndef LATENT_SIGNALS_H
#define LATENT_SIGNALS_H

// From now on the first of the two signals only sets a flag; the next one ends the process at once
// with 128 + its number, without running exit handlers. The calling thread lets the two signals
// in, even if it held them back before. Calls nest; each thread undoes its own.
void latent_signals_watch(void);
// Undoes one `watch`; the last one restores the handlers that were there before.
void latent_signals_unwatch(void);
// The number of the signal that came since the outermost `watch`, or 0.
int latent_signals_pending(void);

#endif
