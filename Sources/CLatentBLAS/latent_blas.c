// Loading OpenBLAS by hand buys three things. A process that needs no large product starts without
// it; it starts single-threaded, where a linked one would start threads that spin beside our pool;
// and kernels are chosen by what the CPU can do, where OpenBLAS goes by model numbers and falls
// back to those of the year 2004 on any model younger than itself (measured: 10 times slower).

#define _GNU_SOURCE
#include "latent_blas.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ROOM_MIB = 192 };  // the library and its buffer; 167 were measured

static latent_blas_float single;
static latent_blas_double twice;
static const char *kernels = "";
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void end_without_memory(const char *reason) {
  fprintf(stderr,
          "latent: out of memory: loading OpenBLAS: %s; close other programs or raise the limit "
          "(ulimit -v)\n", reason);
  _exit(71);
}

// OpenBLAS maps a large buffer at its first product, and tries for ever where it cannot: so the room is
// tried before the library is loaded, and the product follows at once.
static void require_room(void) {
  const size_t bytes = (size_t)ROOM_MIB << 20;
  void *room = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED) end_without_memory(strerror(errno));
  munmap(room, bytes);
}

static void *load(void) {
  require_room();
  errno = 0;
  static const char *const names[] = {"libopenblas.so.0", "libopenblas.so"};
  for (int i = 0; i < 2; ++i) {
    void *library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (library) return library;
  }
  const char *reason = dlerror();
  if (!reason) reason = "no reason is known";
  // A library that is there but finds no room is no library that is missing.
  if (errno == ENOMEM || strstr(reason, "failed to map") || strstr(reason, "llocate memory")) {
    end_without_memory(reason);
  }
  fprintf(stderr, "latent: cannot load OpenBLAS: %s (Debian: apt-get install libopenblas-dev)\n",
          reason);
  exit(69);
}

static void *find(void *library, const char *name) {
  void *symbol = dlsym(library, name);
  if (symbol) return symbol;
  fprintf(stderr, "latent: OpenBLAS has no %s; it was built without LAPACK\n", name);
  exit(69);
}

// The setting that names OpenBLAS's kernels for what this CPU can do, or null to let it choose.
static char *core_type(void) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
    return "OPENBLAS_CORETYPE=SkylakeX";
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    return "OPENBLAS_CORETYPE=Haswell";
  }
#endif
  return NULL;
}

// OpenBLAS reads its settings from the environment while it is loaded, at a first large product, when
// the process may have any number of threads. setenv would move the list of variables while others
// read it. So the process has another list during the loading, with the settings in front of its own
// variables, and then its own again. Where another thread has set a variable meanwhile, in a list that
// setenv made from ours, that one stays, settings included.
static void *load_with(char *const *settings, size_t count) {
  char **own = __atomic_load_n(&environ, __ATOMIC_ACQUIRE);
  size_t size = 0;
  while (own && own[size]) ++size;
  char **list = malloc((count + size + 1) * sizeof *list);  // never freed: it may be being read
  if (!list) return load();
  memcpy(list, settings, count * sizeof *list);
  if (size) memcpy(list + count, own, size * sizeof *list);
  list[count + size] = NULL;
  __atomic_store_n(&environ, list, __ATOMIC_RELEASE);
  void *library = load();
  __atomic_compare_exchange_n(&environ, &list, own, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
  return library;
}

static void start(void) {
  char *settings[] = {"OPENBLAS_NUM_THREADS=1", core_type()};
  const bool names_kernels = settings[1] && !getenv("OPENBLAS_CORETYPE");
  void *library = load_with(settings, names_kernels ? 2 : 1);
#define ROUTINES(table, p)                                  \
  *(void **)&table.gemm = find(library, "cblas_" #p "gemm"); \
  *(void **)&table.trsm = find(library, "cblas_" #p "trsm"); \
  *(void **)&table.potrf = find(library, #p "potrf_");      \
  *(void **)&table.getrf = find(library, #p "getrf_");      \
  *(void **)&table.getri = find(library, #p "getri_");      \
  *(void **)&table.geqrf = find(library, #p "geqrf_");      \
  *(void **)&table.orgqr = find(library, #p "orgqr_");      \
  *(void **)&table.syev = find(library, #p "syev_");
  ROUTINES(single, s)
  ROUTINES(twice, d)
  void (*set_threads)(int);
  char *(*core_name)(void);
  *(void **)&set_threads = find(library, "openblas_set_num_threads");
  *(void **)&core_name = find(library, "openblas_get_corename");
  set_threads(1);
  enum { SIDE = 128 };  // smaller products do without the buffer
  double *matrix = calloc(2 * SIDE * SIDE, sizeof *matrix);
  if (!matrix) end_without_memory(strerror(ENOMEM));
  twice.gemm(LATENT_ROW_MAJOR, LATENT_NO_TRANSPOSE, LATENT_NO_TRANSPOSE, SIDE, SIDE, SIDE, 1, matrix,
             SIDE, matrix, SIDE, 0, matrix + SIDE * SIDE, SIDE);
  free(matrix);
  kernels = core_name();
}

const latent_blas_float *latent_blas_f32(void) {
  pthread_once(&once, start);
  return &single;
}

const latent_blas_double *latent_blas_f64(void) {
  pthread_once(&once, start);
  return &twice;
}

const char *latent_blas_kernels(void) {
  pthread_once(&once, start);
  return kernels;
}
