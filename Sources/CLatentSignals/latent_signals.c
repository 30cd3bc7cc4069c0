// In C, because a Swift closure in a handler may allocate or trap; this only stores a number.

#include "latent_signals.h"

#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

static atomic_int pending;
static atomic_int watchers;
static struct sigaction before_interrupt, before_terminate;

static void note(int number) {
  if (atomic_exchange(&pending, number) != 0) _exit(128 + number);
}

void latent_signals_watch(void) {
  if (atomic_fetch_add(&watchers, 1) > 0) return;
  atomic_store(&pending, 0);
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = note;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, &before_interrupt);
  sigaction(SIGTERM, &action, &before_terminate);
}

void latent_signals_unwatch(void) {
  if (atomic_fetch_sub(&watchers, 1) > 1) return;
  sigaction(SIGINT, &before_interrupt, NULL);
  sigaction(SIGTERM, &before_terminate, NULL);
}

int latent_signals_pending(void) { return atomic_load(&pending); }
