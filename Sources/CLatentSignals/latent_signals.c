// In C, because a Swift closure in a handler may allocate or trap; this only stores a number.

#include "latent_signals.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

static atomic_int pending;
static atomic_int watchers;
static struct sigaction before_interrupt, before_terminate;
static _Thread_local int depth;
static _Thread_local sigset_t before_mask;

static void note(int number) {
  if (atomic_exchange(&pending, number) != 0) _exit(128 + number);
}

// Worker threads of Dispatch hold signals back, and so do the processes they start: without this
// nobody could stop a trainer that another Swift program started.
static void unblock(void) {
  if (depth++ > 0) return;
  sigset_t both;
  sigemptyset(&both);
  sigaddset(&both, SIGINT);
  sigaddset(&both, SIGTERM);
  pthread_sigmask(SIG_UNBLOCK, &both, &before_mask);
}

void latent_signals_watch(void) {
  if (atomic_fetch_add(&watchers, 1) == 0) {
    atomic_store(&pending, 0);
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = note;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, &before_interrupt);
    sigaction(SIGTERM, &action, &before_terminate);
  }
  unblock();
}

void latent_signals_unwatch(void) {
  if (--depth == 0) pthread_sigmask(SIG_SETMASK, &before_mask, NULL);
  if (atomic_fetch_sub(&watchers, 1) > 1) return;
  sigaction(SIGINT, &before_interrupt, NULL);
  sigaction(SIGTERM, &before_terminate, NULL);
}

int latent_signals_pending(void) { return atomic_load(&pending); }
