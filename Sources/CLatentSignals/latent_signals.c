// In C, because a Swift closure in a handler may allocate or trap; this one stores a number.
//
// Where a handler runs matters. oneDNN computes some products with the stack pointer inside blocks of
// its own on the heap, and a handler that interrupts them writes its frame there. So the thread that
// trains holds signals back during a step (the pool's threads always do), and a thread that does
// nothing else lets them in. A handler all the same, instead of waiting with sigwait, because a
// program has other threads: where one of them lets the signal in, its default action would end the
// process.

#define _GNU_SOURCE
#include "latent_signals.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ENDING = 4, WATCHED = 6 };
// Those that end a run, and those that would end it because a file cannot be written.
static const int watched[WATCHED] = {SIGINT, SIGTERM, SIGHUP, SIGXCPU, SIGPIPE, SIGXFSZ};

static atomic_int pending;
static _Atomic int64_t noted;  // when, in nanoseconds

// The rest is changed under the lock.
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int watchers;
static struct sigaction before[WATCHED];
static sem_t end_of_watch;
static pthread_t watchman;
static pid_t watchman_process;  // 0: there is no such thread

static int64_t nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void note(int number) {
  // Programs such as `timeout` send a signal to a process and at once to its group.
  static const int64_t one_and_the_same = 30000000;
  const int saved = errno;
  const int64_t now = nanoseconds();
  if (atomic_load(&pending) == 0) atomic_store(&noted, now);
  int first = 0;
  if (!atomic_compare_exchange_strong(&pending, &first, number)) {
    const bool is_repeated = number == first && now - atomic_load(&noted) < one_and_the_same;
    if (number != SIGHUP && number != SIGXCPU && !is_repeated) _exit(128 + number);
  }
  errno = saved;
}

// Not SIG_IGN, which processes started meanwhile would inherit.
static void nothing(int number) { (void)number; }

static void all_asynchronous(sigset_t *set) {
  static const int synchronous[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT};
  sigfillset(set);
  for (size_t i = 0; i < sizeof synchronous / sizeof *synchronous; ++i) {
    sigdelset(set, synchronous[i]);
  }
}

static void *keep_watch(void *unused) {
  sigset_t ending;
  sigemptyset(&ending);
  for (int i = 0; i < ENDING; ++i) sigaddset(&ending, watched[i]);
  pthread_sigmask(SIG_UNBLOCK, &ending, NULL);
  while (sem_wait(&end_of_watch) != 0) {
  }
  return unused;
}

// Without the thread, for which the system may have no room, signals wait until the step is over.
static void start_watchman(void) {
  sigset_t held, own;
  pthread_attr_t attributes;
  if (sem_init(&end_of_watch, 0, 0) != 0 || pthread_attr_init(&attributes) != 0) return;
  pthread_attr_setstacksize(&attributes, 256 << 10);
  all_asynchronous(&held);
  pthread_sigmask(SIG_BLOCK, &held, &own);
  if (pthread_create(&watchman, &attributes, keep_watch, NULL) == 0) watchman_process = getpid();
  pthread_sigmask(SIG_SETMASK, &own, NULL);
  pthread_attr_destroy(&attributes);
}

static void end_watchman(void) {
  // The child of fork has not got the thread.
  if (watchman_process == getpid()) {
    sem_post(&end_of_watch);
    pthread_join(watchman, NULL);
    sem_destroy(&end_of_watch);
  }
  watchman_process = 0;
}

static void install(int index) {
  const int number = watched[index];
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = index < ENDING ? note : nothing;
  action.sa_flags = SA_RESTART | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  sigaction(number, NULL, &before[index]);
  const bool is_ignored = before[index].sa_handler == SIG_IGN;
  const bool is_default = before[index].sa_handler == SIG_DFL;
  if (number == SIGHUP || number == SIGXCPU ? is_ignored : index >= ENDING && !is_default) return;
  sigaction(number, &action, NULL);
}

void latent_signals_watch(void) {
  pthread_mutex_lock(&lock);
  if (watchers++ == 0) {
    atomic_store(&pending, 0);
    for (int i = 0; i < WATCHED; ++i) install(i);
    start_watchman();
  }
  pthread_mutex_unlock(&lock);
}

void latent_signals_unwatch(void) {
  pthread_mutex_lock(&lock);
  if (--watchers == 0) {
    end_watchman();
    for (int i = 0; i < WATCHED; ++i) sigaction(watched[i], &before[i], NULL);
  }
  pthread_mutex_unlock(&lock);
}

int latent_signals_pending(void) { return atomic_load(&pending); }

static _Thread_local int depth;
static _Thread_local sigset_t own;

void latent_signals_hold(void) {
  if (depth++ > 0) return;
  sigset_t held;
  all_asynchronous(&held);
  pthread_sigmask(SIG_BLOCK, &held, &own);
}

void latent_signals_release(void) {
  if (--depth == 0) pthread_sigmask(SIG_SETMASK, &own, NULL);
}
