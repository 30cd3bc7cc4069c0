// The thread pool. The tasks of a region are dealt out in contiguous shares, one for the caller and
// each worker, the same for every region of as many tasks: where one region after the other goes
// over the same arrays, a processor meets the part of them again that is in its caches. Whoever has
// done its share takes tasks from the ends of the others'.
//
// A share is one 64-bit word, (generation, begin, end): claiming a task is one compare-and-swap on
// it, so a worker that wakes late can never take a task of a region it has not seen. Whoever claims
// a task keeps its region alive until it reports the task done, which is why the region's plain
// fields may be read after the claim. Idle workers spin about 100 us on their own share and then
// sleep on a futex; the caller waits only for tasks that others have begun.
//
// Where other programs want the processors too, a worker preempted inside a task holds its region up
// for a slice of the scheduler, and so the next region, while fewer threads would be given processors
// of their own. So every 10 ms of regions the owner compares what its threads were given with what
// they wanted, and goes on with as many as there was room for; after a while it tries all again.

#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "runtime/internal.h"

enum { MAX_THREADS = 256, SPIN_NANOSECONDS = 100000, MAX_TASKS = 0xFFFF };
enum { WINDOW_NANOSECONDS = 10000000, LONGEST_RETREAT = 64 };  // in windows

static _Atomic int requested_threads;  // 0: not decided yet

// The owner of the pool is the one thread that may run a region or resize.
static atomic_flag owned = ATOMIC_FLAG_INIT;

static struct {
  // Written by the owner before it publishes the shares.
  latent_task task;
  void *context;
  int64_t first;  // the task that index 0 of the shares stands for
  uint32_t generation;
  pthread_t thread[MAX_THREADS];
  int workers;
  bool fork_handler;
} pool;

// Share 0 is the owner's, share i + 1 worker i's.
typedef struct {
  _Alignas(64) _Atomic uint64_t range;  // generation << 32 | begin << 16 | end
  _Atomic uint32_t wake_word;           // its worker sleeps on it
  _Atomic uint32_t is_asleep;
} share;
static share shares[MAX_THREADS + 1];
static _Alignas(64) _Atomic int share_count;      // of the region, or of an older one for a moment
static _Atomic int sleepers;
static _Atomic int worker_limit;                  // workers with index >= limit leave
static _Alignas(64) _Atomic uint32_t unfinished;  // the caller sleeps on it
static _Atomic uint32_t caller_sleeps;

// How much of the processors the threads are given. Owner only.
static struct {
  pthread_t owner;     // whose regions the window holds
  int workers;         // at its beginning; -1: there is no window
  int64_t began;
  int64_t in_regions;  // how long regions ran since
  int64_t processor;   // time that owner and workers had been given at its beginning
  int room;            // threads that take part in a retreat
  int64_t retreat;     // how long the last one was
  int64_t until;       // when it ends; 0: all threads take part
} crowd = {.workers = -1};

static _Thread_local bool inside_region;
static _Thread_local int own_number;  // 0: not a worker

static void futex_wait(_Atomic uint32_t *word, uint32_t value) {
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void futex_wake(_Atomic uint32_t *word, int count) {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

static inline void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb" ::: "memory");
#endif
}

static int64_t read_clock(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static int64_t nanoseconds(void) { return read_clock(CLOCK_MONOTONIC); }

static inline uint32_t range_begin(uint64_t range) { return (uint32_t)range >> 16; }
static inline uint32_t range_end(uint64_t range) { return (uint32_t)range & 0xFFFF; }
static inline bool is_empty(uint64_t range) { return range_begin(range) >= range_end(range); }

// Runs the tasks of a share from one of its ends until none is left; returns how many it ran.
static uint32_t run_share(share *share, bool from_front) {
  uint32_t done = 0;
  uint64_t seen = atomic_load_explicit(&share->range, memory_order_acquire);
  while (!is_empty(seen)) {
    uint64_t rest = from_front ? seen + (1 << 16) : seen - 1;
    if (!atomic_compare_exchange_weak_explicit(&share->range, &seen, rest, memory_order_acq_rel,
                                               memory_order_acquire)) {
      continue;
    }
    pool.task(pool.context, pool.first + (from_front ? range_begin(seen) : range_end(rest)));
    ++done;
    seen = atomic_load_explicit(&share->range, memory_order_acquire);
  }
  return done;
}

static uint32_t run_tasks(int own) {
  uint32_t done = run_share(&shares[own], true);
  int count = atomic_load_explicit(&share_count, memory_order_relaxed);
  for (int i = own + 1; i < count; ++i) done += run_share(&shares[i], false);
  for (int i = 0; i < own && i < count; ++i) done += run_share(&shares[i], false);
  return done;
}

static inline bool has_work(const share *own) { return !is_empty(atomic_load(&own->range)); }

static void wait_for_work(int index, share *own) {
  int64_t start = 0;
  for (uint32_t round = 1;; ++round) {
    if (has_work(own)) return;
    if (index >= atomic_load_explicit(&worker_limit, memory_order_relaxed)) return;
    relax();
    if (round % 32 == 0) {
      int64_t now = nanoseconds();
      if (start == 0) start = now;
      if (now - start > SPIN_NANOSECONDS) break;
    }
  }
  uint32_t word = atomic_load(&own->wake_word);
  atomic_store(&own->is_asleep, 1);
  atomic_fetch_add(&sleepers, 1);
  // The publisher stores the share and then reads `sleepers`; one of the two must see the other.
  if (!has_work(own) && index < atomic_load(&worker_limit)) futex_wait(&own->wake_word, word);
  atomic_fetch_sub(&sleepers, 1);
  atomic_store(&own->is_asleep, 0);
}

static void *worker_main(void *argument) {
  int index = (int)(intptr_t)argument;
  share *own = &shares[index + 1];
  inside_region = true;
  own_number = index + 1;
  while (index < atomic_load(&worker_limit)) {
    wait_for_work(index, own);
    if (!has_work(own)) continue;
    uint32_t done = run_tasks(index + 1);
    if (done != 0 && atomic_fetch_sub(&unfinished, done) == done && atomic_load(&caller_sleeps)) {
      futex_wake(&unfinished, 1);
    }
  }
  return NULL;
}

static void wake(share *share) {
  atomic_fetch_add(&share->wake_word, 1);
  futex_wake(&share->wake_word, 1);
}

// The child of fork has one thread, whatever the parent was doing.
static void reset_after_fork(void) {
  pool.workers = 0;
  crowd.workers = -1;
  atomic_store(&worker_limit, 0);
  atomic_store(&sleepers, 0);
  atomic_store(&unfinished, 0);
  atomic_store(&caller_sleeps, 0);
  for (int i = 0; i <= MAX_THREADS; ++i) {
    atomic_store(&shares[i].range, 0);
    atomic_store(&shares[i].is_asleep, 0);
  }
  inside_region = false;
  atomic_flag_clear(&owned);
}

// Owner only. Workers are made when wanted and joined when the limit sinks.
static void resize(int workers, int limit) {
  if (pool.workers > limit) {
    atomic_store(&worker_limit, limit);
    for (int i = limit; i < pool.workers; ++i) wake(&shares[i + 1]);
    while (pool.workers > limit) pthread_join(pool.thread[--pool.workers], NULL);
  }
  if (pool.workers >= workers) return;
  if (!pool.fork_handler) {
    pool.fork_handler = true;
    pthread_atfork(NULL, NULL, reset_after_fork);
  }
  // Inherited: signals stay with the program, but for those that a fault of the thread itself raises.
  static const int own_faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT};
  sigset_t all, before;
  sigfillset(&all);
  for (size_t i = 0; i < sizeof own_faults / sizeof *own_faults; ++i) sigdelset(&all, own_faults[i]);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  while (pool.workers < workers) {
    atomic_store(&worker_limit, pool.workers + 1);
    if (pthread_create(&pool.thread[pool.workers], NULL, worker_main,
                       (void *)(intptr_t)pool.workers) != 0) {
      atomic_store(&worker_limit, pool.workers);
      break;
    }
    ++pool.workers;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

// Said once, and on no stream of the program's: a library has no better place.
static void say_unfit(const char *text) {
  static atomic_flag is_said = ATOMIC_FLAG_INIT;
  if (atomic_flag_test_and_set(&is_said)) return;
  struct pollfd errors = {STDERR_FILENO, POLLOUT, 0};
  if (poll(&errors, 1, 0) != 1 || !(errors.revents & POLLOUT)) return;
  dprintf(STDERR_FILENO,
          "latent: LATENT_THREADS is '%.40s', expected a number of threads from 1 to %d: every CPU "
          "is taken\n", text, MAX_THREADS);
}

static int default_threads(void) {
  const char *text = getenv("LATENT_THREADS");
  if (text && *text) {
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno == 0 && end != text && *end == 0 && value > 0 && value <= MAX_THREADS) {
      return (int)value;
    }
    say_unfit(text);
  }
  cpu_set_t set;
  long count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set)
                                                           : sysconf(_SC_NPROCESSORS_ONLN);
  return (int)smaller(larger(count, 1), MAX_THREADS);
}

int latent_pool_thread_number(void) { return own_number; }

int latent_pool_threads(void) {
  int threads = atomic_load_explicit(&requested_threads, memory_order_relaxed);
  if (threads == 0) {
    int undecided = 0;
    threads = default_threads();
    if (!atomic_compare_exchange_strong(&requested_threads, &undecided, threads)) {
      threads = undecided;
    }
  }
  return threads;
}

void latent_pool_set_threads(int threads) {
  threads = threads > 0 ? (int)smaller(threads, MAX_THREADS) : default_threads();
  atomic_store(&requested_threads, threads);
  // Surplus workers leave now if the pool is free, else at the next region.
  if (!inside_region && !atomic_flag_test_and_set_explicit(&owned, memory_order_acquire)) {
    resize(0, threads - 1);
    atomic_flag_clear_explicit(&owned, memory_order_release);
  }
}

static void wait_until_finished(void) {
  int64_t start = 0;
  for (uint32_t round = 1; atomic_load_explicit(&unfinished, memory_order_acquire) != 0; ++round) {
    relax();
    if (round % 32 != 0) continue;
    int64_t now = nanoseconds();
    if (start == 0) start = now;
    if (now - start <= SPIN_NANOSECONDS) continue;
    atomic_store(&caller_sleeps, 1);
    uint32_t left;
    while ((left = atomic_load(&unfinished)) != 0) futex_wait(&unfinished, left);
    atomic_store(&caller_sleeps, 0);
  }
}

static void run_region(int64_t first, int64_t count, int participants, void *context,
                       latent_task task) {
  pool.task = task;
  pool.context = context;
  pool.first = first;
  const uint64_t generation = (uint64_t)++pool.generation << 32;
  atomic_store_explicit(&unfinished, (uint32_t)count, memory_order_relaxed);
  atomic_store_explicit(&share_count, participants, memory_order_relaxed);
  for (int i = participants - 1; i >= 0; --i) {
    uint64_t begin = (uint64_t)(count * i / participants);
    uint64_t end = (uint64_t)(count * (i + 1) / participants);
    atomic_store_explicit(&shares[i].range, generation | begin << 16 | end, memory_order_release);
  }
  atomic_thread_fence(memory_order_seq_cst);
  if (atomic_load_explicit(&sleepers, memory_order_relaxed) != 0) {
    for (int i = 1; i < participants; ++i) {
      if (atomic_load(&shares[i].is_asleep)) wake(&shares[i]);
    }
  }
  uint32_t done = run_tasks(0);
  atomic_fetch_sub_explicit(&unfinished, done, memory_order_acq_rel);
  wait_until_finished();
}

static int64_t processor_time(void) {
  int64_t sum = read_clock(CLOCK_THREAD_CPUTIME_ID);
  for (int i = 0; i < pool.workers; ++i) {
    clockid_t clock;
    if (pthread_getcpuclockid(pool.thread[i], &clock) == 0) sum += read_clock(clock);
  }
  return sum;
}

static void begin_window(int64_t now) {
  crowd.owner = pthread_self();
  crowd.workers = pool.workers;
  crowd.began = now;
  crowd.in_regions = 0;
  crowd.processor = processor_time();
}

// Threads that take part in a region that begins now.
static int threads_with_room(int threads, int64_t now) {
  if (crowd.until != 0 && now >= crowd.until) {
    crowd.until = 0;
    crowd.workers = -1;
  }
  return crowd.until == 0 ? threads : (int)smaller(threads, crowd.room);
}

// Takes note of a region in which all threads took part. Outside regions the owner is held to have
// computed: a window that is not mostly regions tells nothing.
static void observe(int threads, int64_t began) {
  int64_t now = nanoseconds();
  if (crowd.workers != pool.workers || !pthread_equal(crowd.owner, pthread_self())) {
    begin_window(now);
    return;
  }
  crowd.in_regions += now - began;
  int64_t length = now - crowd.began;
  if (length < WINDOW_NANOSECONDS) return;
  double inside = (double)crowd.in_regions;
  double given = (double)(processor_time() - crowd.processor - (length - crowd.in_regions)) / inside;
  bool is_crowded = inside >= 0.67 * (double)length && given < 0.625 * threads;
  if (is_crowded) {
    crowd.room = (int)larger((int64_t)(given + 0.5), 1);
    crowd.retreat = smaller(2 * crowd.retreat + WINDOW_NANOSECONDS,
                            (int64_t)LONGEST_RETREAT * WINDOW_NANOSECONDS);
    crowd.until = now + crowd.retreat;
  } else {
    crowd.retreat = 0;
  }
  begin_window(now);
}

void latent_parallel(int64_t count, void *context, latent_task task) {
  if (count <= 0) return;
  int threads = latent_pool_threads();
  if (count == 1 || threads == 1 || inside_region ||
      atomic_flag_test_and_set_explicit(&owned, memory_order_acquire)) {
    for (int64_t i = 0; i < count; ++i) task(context, i);
    return;
  }
  inside_region = true;
  int wanted = (int)smaller(count, threads) - 1;
  if (pool.workers < wanted || pool.workers > threads - 1) resize(wanted, threads - 1);
  const int64_t began = nanoseconds();
  const int participants = threads_with_room(pool.workers + 1, began);
  for (int64_t first = 0; first < count; first += MAX_TASKS) {
    int64_t part = smaller(count - first, MAX_TASKS);
    run_region(first, part, (int)smaller(part, participants), context, task);
  }
  if (participants > 1 && crowd.until == 0) observe(participants, began);
  inside_region = false;
  atomic_flag_clear_explicit(&owned, memory_order_release);
}
