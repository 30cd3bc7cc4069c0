// Running plans: memory objects, scratch, and the calls that threads keep.

#include "plan.h"

#ifdef LATENT_ONEDNN

#include <stdlib.h>
#include <string.h>

// A call of a plan, kept by the calling thread for the next one with the same weights and bias: making
// its memory objects takes as long as a product of 16 x 64 x 64.
typedef struct {
  int64_t plan;
  const void *packed, *bias;
  int count;
  dnnl_exec_arg_t arguments[5];  // x, weights, y[, bias][, scratch]
} latent_dnn_call;

// What a thread keeps for its next calls.
enum { CALLS = 64 };
typedef struct {
  void *scratch;
  size_t scratch_bytes;
  latent_dnn_call calls[CALLS];  // each in the place that its hash says, or none
} thread_state;

static _Thread_local thread_state *state;

static void clear(latent_dnn_call *call) {
  for (int i = 0; i < call->count; ++i) {
    if (call->arguments[i].memory) latent_dnn()->memory_destroy(call->arguments[i].memory);
  }
  memset(call, 0, sizeof *call);
}

void latent_dnn_end_calls(void) {
  if (!state) return;
  for (int i = 0; i < CALLS; ++i) clear(&state->calls[i]);
  free(state->scratch);
  free(state);
  state = NULL;
}

// Scratch of the calling thread, kept for its next call.
static void *scratch(size_t bytes) {
  if (!state && !(state = calloc(1, sizeof *state))) return NULL;
  enum { LEAST = 4096 };
  if (bytes < LEAST) bytes = LEAST;
  if (bytes > state->scratch_bytes) {
    // Calls that are kept know the block that goes.
    for (int i = 0; i < CALLS; ++i) clear(&state->calls[i]);
    free(state->scratch);
    state->scratch_bytes = 0;
    if (posix_memalign(&state->scratch, 64, bytes) != 0) state->scratch = NULL;
    if (state->scratch) state->scratch_bytes = bytes;
  }
  return state->scratch;
}

#if defined(__x86_64__)
unsigned latent_dnn_set_denormals(bool are_numbers) {
  enum { RESULTS_AND_OPERANDS_ARE_ZERO = 0x8040 };
  const unsigned mode = __builtin_ia32_stmxcsr();
  __builtin_ia32_ldmxcsr(are_numbers ? mode & ~(unsigned)RESULTS_AND_OPERANDS_ARE_ZERO
                                     : mode | RESULTS_AND_OPERANDS_ARE_ZERO);
  return mode;
}
void latent_dnn_restore(unsigned mode) { __builtin_ia32_ldmxcsr(mode); }
#else
unsigned latent_dnn_set_denormals(bool are_numbers) {
  (void)are_numbers;
  return 0;
}
void latent_dnn_restore(unsigned mode) { (void)mode; }
#endif

dnnl_memory_t latent_dnn_wrap(const latent_dnn_library *dnn, const dnnl_memory_desc_t *desc,
                              const void *data) {
  dnnl_memory_t memory = NULL;
  if (dnn->memory_create(&memory, desc, dnn->engine, (void *)data) != dnnl_success) return NULL;
  return memory;
}

static dnnl_memory_t wrap_scratch(const latent_dnn_library *dnn, size_t bytes) {
  dnnl_memory_desc_t desc;
  const dnnl_dims_t dims = {(dnnl_dim_t)bytes};
  void *block = scratch(bytes);
  if (!block || dnn->memory_desc_init_by_tag(&desc, 1, dims, dnnl_u8, dnnl_x) != dnnl_success) {
    return NULL;
  }
  return latent_dnn_wrap(dnn, &desc, block);
}

bool latent_dnn_execute(const latent_dnn_library *dnn, dnnl_primitive_t primitive,
                        dnnl_exec_arg_t *arguments, int count, size_t scratch_size) {
  dnnl_stream_t stream = latent_dnn_stream();
  bool complete = stream != NULL;
  if (scratch_size) {
    arguments[count].arg = DNNL_ARG_SCRATCHPAD;
    arguments[count++].memory = wrap_scratch(dnn, scratch_size);
  }
  for (int i = 0; i < count; ++i) complete &= arguments[i].memory != NULL;
  complete = complete &&
             dnn->primitive_execute(primitive, stream, count, arguments) == dnnl_success &&
             dnn->stream_wait(stream) == dnnl_success;
  for (int i = 0; i < count; ++i) {
    if (arguments[i].memory) dnn->memory_destroy(arguments[i].memory);
  }
  return complete;
}

static dnnl_exec_arg_t argument(const latent_dnn_library *dnn, int role,
                                const dnnl_memory_desc_t *desc, const void *data) {
  return (dnnl_exec_arg_t){role, latent_dnn_wrap(dnn, desc, data)};
}

// The kept call of this plan with these weights, or a new one in its place.
static latent_dnn_call *kept_call(const latent_dnn_library *dnn, const latent_dnn_plan *plan,
                                  const int roles[3], const void *packed, const float *bias) {
  const uint64_t mixed =
      ((uint64_t)plan->number ^ (uint64_t)(uintptr_t)packed >> 6) * UINT64_C(0x9e3779b97f4a7c15);
  latent_dnn_call *call = &state->calls[mixed >> 58];
  _Static_assert(CALLS == 64, "six bits");
  if (call->plan == plan->number && call->packed == packed && call->bias == bias) return call;
  clear(call);
  dnnl_exec_arg_t *to = call->arguments;
  *to++ = argument(dnn, roles[0], &plan->x, NULL);
  *to++ = argument(dnn, roles[1], &plan->packed, packed);
  *to++ = argument(dnn, roles[2], &plan->y, NULL);
  if (bias) *to++ = argument(dnn, DNNL_ARG_BIAS, &plan->bias, bias);
  if (plan->scratch) *to++ = (dnnl_exec_arg_t){DNNL_ARG_SCRATCHPAD, wrap_scratch(dnn, plan->scratch)};
  call->count = (int)(to - call->arguments);
  bool complete = true;
  for (int i = 0; i < call->count; ++i) complete &= call->arguments[i].memory != NULL;
  if (!complete) {
    clear(call);
    return NULL;
  }
  call->plan = plan->number, call->packed = packed, call->bias = bias;
  return call;
}

bool latent_dnn_repeat(const latent_dnn_plan *plan, const int roles[3], const void *x,
                       const void *packed, const float *bias, const void *y) {
  const latent_dnn_library *dnn = latent_dnn();
  dnnl_stream_t stream = latent_dnn_stream();
  if (!stream || !scratch(plan->scratch)) return false;
  latent_dnn_call *call = kept_call(dnn, plan, roles, packed, bias);
  if (!call ||
      dnn->memory_set_data_handle(call->arguments[0].memory, (void *)x) != dnnl_success ||
      dnn->memory_set_data_handle(call->arguments[2].memory, (void *)y) != dnnl_success) {
    return false;
  }
  const unsigned mode = latent_dnn_set_denormals(false);
  const bool done = dnn->primitive_execute(plan->primitive, stream, call->count, call->arguments) ==
                        dnnl_success &&
                    dnn->stream_wait(stream) == dnnl_success;
  latent_dnn_restore(mode);
  return done;
}

#endif
