// Signals that end a run, as a flag that a training loop polls once per step.

#ifndef LATENT_SIGNALS_H
#define LATENT_SIGNALS_H

// From now on the first SIGINT, SIGTERM, SIGHUP or SIGXCPU only sets a flag, and another SIGINT or
// SIGTERM ends the process at once with 128 + its number, without running exit handlers. (The other
// two come more than once by themselves.) SIGHUP and SIGXCPU stay ignored where they were, as under
// nohup. SIGPIPE and SIGXFSZ do nothing, unless the program handles them: writing fails with an
// error number. Calls nest; `unwatch` undoes one, and the last one brings back what was there.
void latent_signals_watch(void);
void latent_signals_unwatch(void);

// The number of the signal that came since the outermost `watch`, or 0.
int latent_signals_pending(void);

// Holds asynchronous signals back on the calling thread while it computes: a thread of ours takes
// those that are watched, other threads of the program or this one afterwards the rest. Not for
// longer: processes that are started meanwhile would hold them back too. Calls nest.
void latent_signals_hold(void);
void latent_signals_release(void);

#endif
