// Update rules over flat buffers, one pass over memory each, with PyTorch's formulas. One region
// covers all parameters: chunks of fixed size of each. A thread's share of the region is its share of
// every parameter, because products are dealt out that way too: the weights, moments and gradients
// that a processor updates are those that it multiplied with or computed and has in its caches.
// Scalars are prepared in double; float32 buffers are updated in float32.

#include <math.h>

#include "runtime/internal.h"

#ifdef __clang__
#pragma clang fp contract(fast)
#endif

enum { UPDATE_CHUNK = 8192, MAX_PARTS = 16 };

typedef struct {
  double rate, beta1, beta2, epsilon, scale;  // beta1, beta2: also momentum, smoothing
  double decay;        // times p into the gradient
  double shrink;       // p is multiplied by it first (decoupled decay)
  double correction;   // Adam: 1 / sqrt(1 - beta2^t)
  double gain;         // SGD: weight of the gradient in the velocity,
  double own, ahead;   // and of the gradient and the velocity in the step
} update_scalars;

// Whether the results are finite.
typedef bool (*update_kernel)(const update_scalars *s, int64_t n, const void *gradient,
                              const void *old, void *new_, void *a, void *b, void *c);

typedef struct {
  update_scalars scalars;
  update_kernel kernel;
  int64_t item;
  int segments;
  const latent_segment *list;
  const char *old;
  char *new_, *a, *b, *c;
  int parts;                     // of each parameter, one after the other in the order of tasks
  int64_t before[MAX_PARTS + 1]; // tasks before each part
  bool others;                   // whether some result is not finite
} update_job;

static char *at_offset(char *array, int64_t bytes) { return array ? array + bytes : NULL; }

static bool update_piece(const update_job *job, const latent_segment *segment, int64_t begin,
                         int64_t end) {
  int64_t at = (segment->offset + begin) * job->item;
  return job->kernel(&job->scalars, end - begin,
                     (const char *)segment->gradient + begin * job->item, job->old + at,
                     job->new_ + at, at_offset(job->a, at), at_offset(job->b, at),
                     at_offset(job->c, at));
}

// The first of a segment's chunks that belongs to `part`.
static int64_t part_start(const update_job *job, const latent_segment *segment, int part) {
  return (segment->count + UPDATE_CHUNK - 1) / UPDATE_CHUNK * part / job->parts;
}

static void update_task(void *context, int64_t index) {
  update_job *job = context;
  int part = 0;
  while (index >= job->before[part + 1]) ++part;
  index -= job->before[part];
  const latent_segment *segment = job->list;
  int64_t first = part_start(job, segment, part), count;
  while (index >= (count = part_start(job, segment, part + 1) - first)) {
    index -= count;
    first = part_start(job, ++segment, part);
  }
  int64_t begin = (first + index) * UPDATE_CHUNK;
  uint64_t mode = latent_flush_denormals();
  if (!update_piece(job, segment, begin, smaller(begin + UPDATE_CHUNK, segment->count))) {
    __atomic_store_n(&job->others, true, __ATOMIC_RELAXED);
  }
  latent_restore_float_mode(mode);
}

static bool run_update(latent_dtype type, int segments, const latent_segment *list,
                       const update_scalars *scalars, update_kernel kernel, const void *old,
                       void *new_, void *a, void *b, void *c) {
  update_job job = {.scalars = *scalars, .kernel = kernel, .item = item_size(type),
                    .segments = segments, .list = list, .old = old, .new_ = new_, .a = a, .b = b,
                    .c = c, .parts = (int)smaller(latent_pool_threads(), MAX_PARTS)};
  int64_t total = 0;
  for (int i = 0; i < segments; ++i) total += list[i].count;
  for (int part = 0; part < job.parts; ++part) {
    int64_t tasks = 0;
    for (int i = 0; i < segments; ++i) {
      tasks += part_start(&job, &list[i], part + 1) - part_start(&job, &list[i], part);
    }
    job.before[part + 1] = job.before[part] + tasks;
  }
  const int64_t tasks = job.before[job.parts];
  if (total < 2 * UPDATE_CHUNK) {
    for (int64_t i = 0; i < tasks; ++i) update_task(&job, i);
  } else {
    latent_parallel(tasks, &job, update_task);
  }
  return !job.others;
}

#define REAL float
#define BITS uint32_t
#define EXPONENT UINT32_C(0x7f800000)
#define NAME(stem) stem##_f32
#include "optimizers_body.h"
#undef REAL
#undef BITS
#undef EXPONENT
#undef NAME
#define REAL double
#define BITS uint64_t
#define EXPONENT UINT64_C(0x7ff0000000000000)
#define NAME(stem) stem##_f64
#include "optimizers_body.h"
#undef REAL
#undef NAME

static update_scalars adam_scalars(const latent_adam_options *options) {
  return (update_scalars){
      .rate = options->learning_rate / (1 - pow(options->beta1, (double)options->step)),
      .beta1 = options->beta1,
      .beta2 = options->beta2,
      .epsilon = options->epsilon,
      .scale = options->gradient_scale,
      .decay = options->decoupled ? 0 : options->weight_decay,
      .shrink = options->decoupled ? 1 - options->learning_rate * options->weight_decay : 1,
      .correction = 1 / sqrt(1 - pow(options->beta2, (double)options->step)),
  };
}

bool latent_adam(latent_dtype type, int segments, const latent_segment *list, const void *old,
                 void *new_, void *m, void *v, const latent_adam_options *options) {
  update_scalars scalars = adam_scalars(options);
  return run_update(type, segments, list, &scalars, type == LATENT_F64 ? adam_f64 : adam_f32, old,
                    new_, m, v, NULL);
}

bool latent_adamax(latent_dtype type, int segments, const latent_segment *list, const void *old,
                   void *new_, void *m, void *u, const latent_adam_options *options) {
  update_scalars scalars = adam_scalars(options);
  return run_update(type, segments, list, &scalars, type == LATENT_F64 ? adamax_f64 : adamax_f32,
                    old, new_, m, u, NULL);
}

bool latent_sgd(latent_dtype type, int segments, const latent_segment *list, const void *old,
                void *new_, void *velocity, const latent_sgd_options *options) {
  update_scalars scalars = {
      .rate = options->learning_rate,
      .beta1 = options->momentum,
      .scale = options->gradient_scale,
      .decay = options->weight_decay,
      .gain = 1 - options->dampening,
      .own = options->nesterov ? 1 : 0,
      .ahead = options->nesterov ? options->momentum : 1,
  };
  bool wide = type == LATENT_F64, first = options->step <= 1;
  update_kernel kernel = options->momentum == 0 ? (wide ? sgd_plain_f64 : sgd_plain_f32)
                         : first                ? (wide ? sgd_first_f64 : sgd_first_f32)
                                                : (wide ? sgd_momentum_f64 : sgd_momentum_f32);
  return run_update(type, segments, list, &scalars, kernel, old, new_, velocity, NULL, NULL);
}

bool latent_rmsprop(latent_dtype type, int segments, const latent_segment *list, const void *old,
                    void *new_, void *square, void *mean_gradient, void *velocity,
                    const latent_rmsprop_options *options) {
  update_scalars scalars = {
      .rate = options->learning_rate,
      .beta1 = options->smoothing,
      .beta2 = options->momentum,
      .epsilon = options->epsilon,
      .scale = options->gradient_scale,
      .decay = options->weight_decay,
  };
  static const update_kernel kernels[2][2][2] = {
      {{rmsprop_f32, rmsprop_momentum_f32}, {rmsprop_centered_f32, rmsprop_centered_momentum_f32}},
      {{rmsprop_f64, rmsprop_momentum_f64}, {rmsprop_centered_f64, rmsprop_centered_momentum_f64}},
  };
  return run_update(type, segments, list, &scalars,
                    kernels[type == LATENT_F64][options->centered][options->momentum > 0], old,
                    new_, square, mean_gradient, velocity);
}

// MARK: Exponential moving average

typedef struct {
  latent_dtype type;
  double rest;
  const void *value;
  void *average;
} ema_job;

static void ema_range(void *context, int64_t begin, int64_t end) {
  const ema_job *job = context;
  int64_t at = begin * item_size(job->type);
  (job->type == LATENT_F64 ? ema_f64 : ema_f32)(end - begin, job->rest,
                                                (const char *)job->value + at,
                                                (char *)job->average + at);
}

void latent_ema(latent_dtype type, int64_t n, double decay, const void *value, void *average) {
  ema_job job = {type, 1 - decay, value, average};
  parallel_elements(n, LATENT_CHEAP, &job, ema_range);
}
