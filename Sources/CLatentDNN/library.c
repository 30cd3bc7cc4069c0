// SwiftPM compiles every C target whatever the traits say, so everything is guarded here. The
// library is loaded when first needed: a process that only encodes one example starts without it.

#define _GNU_SOURCE
#include "plan.h"

#include "latent_dnn.h"

#ifdef LATENT_ONEDNN

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

#define TEXT(x) #x
#define VERSIONED(major) "libdnnl.so." TEXT(major)

static latent_dnn_library library;
static bool is_there;
static void (*set_threads)(int);  // of the OpenMP runtime that oneDNN is linked with
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void start(void) {
  void *handle = dlopen(VERSIONED(DNNL_VERSION_MAJOR), RTLD_NOW | RTLD_LOCAL);
  if (!handle) return;
  bool complete = true;
#define FIND(name)                                               \
  *(void **)&library.name = dlsym(handle, "dnnl_" #name); \
  complete &= library.name != NULL;
  LATENT_DNN_FUNCTIONS(FIND)
#undef FIND
  *(void **)&set_threads = dlsym(handle, "omp_set_num_threads");
  is_there = complete && library.engine_create(&library.engine, dnnl_cpu, 0) == dnnl_success;
}

const latent_dnn_library *latent_dnn(void) {
  pthread_once(&once, start);
  return is_there ? &library : NULL;
}

static _Thread_local dnnl_stream_t stream;
static pthread_key_t thread_key;
static pthread_once_t thread_once = PTHREAD_ONCE_INIT;

static void end_thread(void *own) {
  latent_dnn_end_calls();
  library.stream_destroy(own);
  stream = NULL;
}

static void make_key(void) {
  // Without a key a thread that ends leaves its stream behind.
  if (pthread_key_create(&thread_key, end_thread) != 0) thread_key = (pthread_key_t)-1;
}

dnnl_stream_t latent_dnn_stream(void) {
  if (!stream && latent_dnn()) {
    // OpenMP's setting is one of the calling thread.
    if (set_threads) set_threads(1);
    if (library.stream_create(&stream, library.engine, dnnl_stream_default_flags) != dnnl_success) {
      stream = NULL;
    }
    pthread_once(&thread_once, make_key);
    if (stream) pthread_setspecific(thread_key, stream);
  }
  return stream;
}

bool latent_dnn_available(void) { return latent_dnn() != NULL; }

// sgemm computes with the stack pointer in blocks of the library's own on the heap, and a handler of
// the program, or of ours, that interrupts it would write into what lies below. So asynchronous
// signals wait until it is done, a call of the system before and one after. Primitives of
// convolutions, products and reorders stay on the thread's stack (decision 0022).
static sigset_t held;
static uint64_t held_word;
static pthread_once_t held_once = PTHREAD_ONCE_INIT;

// The kernel's signals are the first 64 bits of the set; glibc fills in no others.
static uint64_t word_of(const sigset_t *set) {
  uint64_t word;
  memcpy(&word, set, sizeof word);
  return word;
}

static void find_held(void) {
  static const int synchronous[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT};
  sigset_t own, real;
  sigfillset(&held);
  for (size_t i = 0; i < sizeof synchronous / sizeof *synchronous; ++i) {
    sigdelset(&held, synchronous[i]);
  }
  // Some cannot be held back: what remains is what a thread's mask is compared with.
  pthread_sigmask(SIG_BLOCK, &held, &own);
  pthread_sigmask(SIG_SETMASK, &own, &real);
  held_word = word_of(&held) & word_of(&real);
}

bool latent_dnn_sgemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                      float alpha, const float *a, int64_t lda, const float *b, int64_t ldb,
                      float beta, float *c, int64_t ldc) {
  if (!latent_dnn_stream()) return false;
  pthread_once(&held_once, find_held);
  sigset_t own;
  pthread_sigmask(SIG_BLOCK, &held, &own);
  const dnnl_status_t status = library.sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, n,
                                             k, alpha, a, lda, b, ldb, beta, c, ldc);
  // Threads of the pool hold everything back already.
  if ((word_of(&own) & held_word) != held_word) pthread_sigmask(SIG_SETMASK, &own, NULL);
  return status == dnnl_success;
}

#else

bool latent_dnn_available(void) { return false; }

bool latent_dnn_sgemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                      float alpha, const float *a, int64_t lda, const float *b, int64_t ldb,
                      float beta, float *c, int64_t ldc) {
  (void)transpose_a, (void)transpose_b, (void)m, (void)n, (void)k, (void)alpha, (void)a, (void)lda;
  (void)b, (void)ldb, (void)beta, (void)c, (void)ldc;
  return false;
}

#endif
