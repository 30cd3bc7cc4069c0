// Plans of convolutions: descriptors, the primitive, and the reorders between our weights and the
// primitive's. Plans are found by shape in a table that only grows; finding one takes a mutex, and
// callers do it once for a whole convolution, not once a piece.

#define _GNU_SOURCE
#include "latent_dnn_convolution.h"

#include "library.h"

#ifdef LATENT_ONEDNN

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct latent_dnn_plan {
  latent_dnn_convolution shape;
  uint64_t hash;
  dnnl_primitive_t primitive, pack, unpack;  // null: none, or the weights stay as they are
  dnnl_memory_desc_t x, y, bias, packed, plain;
  size_t scratch, pack_scratch;
  bool usable;
  latent_dnn_plan *next;
};

enum { BUCKETS = 512 };
static latent_dnn_plan *table[BUCKETS];
static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;

static uint64_t hash_of(const latent_dnn_convolution *shape) {
  const unsigned char *bytes = (const unsigned char *)shape;
  uint64_t hash = UINT64_C(0xcbf29ce484222325);
  for (size_t i = 0; i < sizeof *shape; ++i) hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
  return hash;
}

// Scratch of the calling thread, kept for its next call.
static void *scratch(size_t bytes) {
  static _Thread_local void *block;
  static _Thread_local size_t capacity;
  if (bytes > capacity) {
    free(block);
    block = NULL;
    capacity = 0;
    if (posix_memalign(&block, 64, bytes) != 0) return NULL;
    capacity = bytes;
  }
  return block;
}

// Axes of size one in front are left out, down to two spatial axes.
static int spatial_axes(const latent_dnn_convolution *s) {
  return s->in[0] == 1 && s->out[0] == 1 && s->kernel[0] == 1 && s->before[0] == 0 ? 2 : 3;
}

static bool channels_last(const latent_dnn_library *dnn, dnnl_memory_desc_t *desc, int64_t batch,
                          int64_t channels, const int64_t size[3], int axes) {
  dnnl_dims_t dims = {batch, channels};
  for (int i = 0; i < axes; ++i) dims[2 + i] = size[3 - axes + i];
  return dnn->memory_desc_init_by_tag(desc, 2 + axes, dims, dnnl_f32,
                                      axes == 2 ? dnnl_nhwc : dnnl_ndhwc) == dnnl_success;
}

// The weights' logical axes are [groups,] out, in, kernel...; `plain` is how we keep them.
static bool weights(const latent_dnn_library *dnn, const latent_dnn_convolution *s, int axes,
                    dnnl_memory_desc_t *plain, dnnl_memory_desc_t *any) {
  dnnl_dims_t dims, strides;
  int n = 0;
  const int64_t in = s->in_channels / s->groups, out = s->out_channels / s->groups;
  int64_t line = in;
  for (int i = 0; i < 3; ++i) line *= s->kernel[i];
  if (s->groups > 1) dims[n] = s->groups, strides[n++] = out * line;
  dims[n] = out, strides[n++] = line;
  dims[n] = in, strides[n++] = 1;
  int64_t step = in;
  for (int i = axes - 1; i >= 0; --i) {
    dims[n + i] = s->kernel[3 - axes + i];
    strides[n + i] = step;
    step *= dims[n + i];
  }
  n += axes;
  return dnn->memory_desc_init_by_strides(plain, n, dims, dnnl_f32, strides) == dnnl_success &&
         dnn->memory_desc_init_by_tag(any, n, dims, dnnl_f32, dnnl_format_tag_any) == dnnl_success;
}

static bool describe(const latent_dnn_library *dnn, latent_dnn_plan *plan,
                     dnnl_convolution_desc_t *desc) {
  const latent_dnn_convolution *s = &plan->shape;
  const int axes = spatial_axes(s), skip = 3 - axes;
  dnnl_dims_t stride, dilation, before, after;
  for (int i = 0; i < axes; ++i) {
    stride[i] = s->stride[skip + i];
    dilation[i] = s->dilation[skip + i] - 1;
    before[i] = s->before[skip + i];
    after[i] = s->after[skip + i];
  }
  dnnl_memory_desc_t any;
  const dnnl_dims_t bias = {s->out_channels};
  if (!channels_last(dnn, &plan->x, s->batch, s->in_channels, s->in, axes) ||
      !channels_last(dnn, &plan->y, s->batch, s->out_channels, s->out, axes) ||
      !weights(dnn, s, axes, &plan->plain, &any) ||
      dnn->memory_desc_init_by_tag(&plan->bias, 1, bias, dnnl_f32, dnnl_x) != dnnl_success) {
    return false;
  }
  dnnl_status_t status;
  switch (s->direction) {
    case LATENT_DNN_FORWARD:
      status = dnn->dilated_convolution_forward_desc_init(
          desc, dnnl_forward_inference, dnnl_convolution_direct, &plan->x, &any,
          s->has_bias ? &plan->bias : NULL, &plan->y, stride, dilation, before, after);
      break;
    case LATENT_DNN_BACKWARD_DATA:
      status = dnn->dilated_convolution_backward_data_desc_init(
          desc, dnnl_convolution_direct, &plan->x, &any, &plan->y, stride, dilation, before, after);
      break;
    default:
      status = dnn->dilated_convolution_backward_weights_desc_init(
          desc, dnnl_convolution_direct, &plan->x, &any, NULL, &plan->y, stride, dilation, before,
          after);
  }
  return status == dnnl_success;
}

static dnnl_primitive_attr_t attributes(const latent_dnn_library *dnn, bool relu) {
  dnnl_primitive_attr_t attr = NULL;
  if (dnn->primitive_attr_create(&attr) != dnnl_success) return NULL;
  dnn->primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user);
  dnnl_post_ops_t after;
  if (relu && dnn->post_ops_create(&after) == dnnl_success) {
    dnn->post_ops_append_eltwise(after, 1, dnnl_eltwise_relu, 0, 0);
    dnn->primitive_attr_set_post_ops(attr, after);
    dnn->post_ops_destroy(after);
  }
  return attr;
}

static size_t scratch_bytes(const latent_dnn_library *dnn, dnnl_primitive_desc_t desc) {
  const dnnl_memory_desc_t *md = dnn->primitive_desc_query_md(desc, dnnl_query_scratchpad_md, 0);
  return md ? dnn->memory_desc_get_size(md) : 0;
}

static bool make_reorder(const latent_dnn_library *dnn, const dnnl_memory_desc_t *from,
                         const dnnl_memory_desc_t *to, dnnl_primitive_t *primitive, size_t *bytes) {
  dnnl_primitive_desc_t desc;
  dnnl_primitive_attr_t attr = attributes(dnn, false);
  bool made = dnn->reorder_primitive_desc_create(&desc, from, dnn->engine, to, dnn->engine, attr) ==
              dnnl_success;
  dnn->primitive_attr_destroy(attr);
  if (!made) return false;
  size_t wanted = scratch_bytes(dnn, desc);
  if (wanted > *bytes) *bytes = wanted;
  made = dnn->primitive_create(primitive, desc) == dnnl_success;
  dnn->primitive_desc_destroy(desc);
  return made;
}

static bool make(const latent_dnn_library *dnn, latent_dnn_plan *plan) {
  dnnl_convolution_desc_t desc;
  if (!describe(dnn, plan, &desc)) return false;
  dnnl_primitive_desc_t primitive_desc;
  dnnl_primitive_attr_t attr = attributes(dnn, plan->shape.relu);
  dnnl_status_t status =
      dnn->primitive_desc_create(&primitive_desc, &desc, attr, dnn->engine, NULL);
  dnn->primitive_attr_destroy(attr);
  if (status != dnnl_success) return false;
  const char *name = "";
  dnn->primitive_desc_query(primitive_desc, dnnl_query_impl_info_str, 0, &name);
  const dnnl_memory_desc_t *packed = dnn->primitive_desc_query_md(
      primitive_desc,
      plan->shape.direction == LATENT_DNN_BACKWARD_WEIGHTS ? dnnl_query_diff_weights_md
                                                           : dnnl_query_weights_md,
      0);
  // Reference code is a hundred times slower than patches and a product, and oneDNN's own patches
  // and product (gemm) no faster than ours.
  bool made = packed && !strstr(name, "ref") && !strstr(name, "gemm:");
  if (made) {
    plan->packed = *packed;
    plan->scratch = scratch_bytes(dnn, primitive_desc);
    made = dnn->primitive_create(&plan->primitive, primitive_desc) == dnnl_success;
  }
  dnn->primitive_desc_destroy(primitive_desc);
  if (!made || dnn->memory_desc_equal(&plan->packed, &plan->plain)) return made;
  return make_reorder(dnn, &plan->plain, &plan->packed, &plan->pack, &plan->pack_scratch) &&
         make_reorder(dnn, &plan->packed, &plan->plain, &plan->unpack, &plan->pack_scratch);
}

const latent_dnn_plan *latent_dnn_convolution_plan(const latent_dnn_convolution *shape) {
  const latent_dnn_library *dnn = latent_dnn();
  if (!dnn || !latent_dnn_stream()) return NULL;
  latent_dnn_convolution key;
  memset(&key, 0, sizeof key);  // padding takes part in the hash
  key.batch = shape->batch, key.in_channels = shape->in_channels;
  key.out_channels = shape->out_channels, key.groups = shape->groups;
  for (int i = 0; i < 3; ++i) {
    key.in[i] = shape->in[i], key.out[i] = shape->out[i], key.kernel[i] = shape->kernel[i];
    key.stride[i] = shape->stride[i], key.dilation[i] = shape->dilation[i];
    key.before[i] = shape->before[i], key.after[i] = shape->after[i];
  }
  key.direction = shape->direction, key.has_bias = shape->has_bias, key.relu = shape->relu;
  const uint64_t hash = hash_of(&key);
  pthread_mutex_lock(&table_lock);
  latent_dnn_plan *plan = table[hash % BUCKETS];
  while (plan && (plan->hash != hash || memcmp(&plan->shape, &key, sizeof key) != 0)) {
    plan = plan->next;
  }
  if (!plan && (plan = calloc(1, sizeof *plan))) {
    plan->shape = key;
    plan->hash = hash;
    plan->usable = make(dnn, plan);
    plan->next = table[hash % BUCKETS];
    table[hash % BUCKETS] = plan;
  }
  pthread_mutex_unlock(&table_lock);
  return plan && plan->usable ? plan : NULL;
}

int64_t latent_dnn_weights_bytes(const latent_dnn_plan *plan) {
  return (int64_t)latent_dnn()->memory_desc_get_size(&plan->packed);
}

bool latent_dnn_same_weights(const latent_dnn_plan *a, const latent_dnn_plan *b) {
  return latent_dnn()->memory_desc_equal(&a->packed, &b->packed);
}

// A memory object is a few words on the heap; it lives for one call.
static dnnl_memory_t wrap(const latent_dnn_library *dnn, const dnnl_memory_desc_t *desc,
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
  return wrap(dnn, &desc, block);
}

static bool execute(const latent_dnn_library *dnn, dnnl_primitive_t primitive,
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

static bool reorder(const latent_dnn_plan *plan, dnnl_primitive_t primitive,
                    const dnnl_memory_desc_t *from, const void *src, const dnnl_memory_desc_t *to,
                    void *dst) {
  const latent_dnn_library *dnn = latent_dnn();
  if (!primitive) {
    memcpy(dst, src, dnn->memory_desc_get_size(from));
    return true;
  }
  dnnl_exec_arg_t arguments[3] = {{DNNL_ARG_FROM, wrap(dnn, from, src)},
                                  {DNNL_ARG_TO, wrap(dnn, to, dst)}};
  return execute(dnn, primitive, arguments, 2, plan->pack_scratch);
}

bool latent_dnn_pack(const latent_dnn_plan *plan, const float *w, void *packed) {
  return reorder(plan, plan->pack, &plan->plain, w, &plan->packed, packed);
}

bool latent_dnn_unpack(const latent_dnn_plan *plan, const void *packed, float *w) {
  return reorder(plan, plan->unpack, &plan->packed, packed, &plan->plain, w);
}

bool latent_dnn_run(const latent_dnn_plan *plan, const float *x, const void *packed,
                    const float *bias, const float *y) {
  static const int roles[3][3] = {
      {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST},
      {DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_DST},
      {DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST},
  };
  const latent_dnn_library *dnn = latent_dnn();
  const int *role = roles[plan->shape.direction];
  dnnl_exec_arg_t arguments[5] = {{role[0], wrap(dnn, &plan->x, x)},
                                  {role[1], wrap(dnn, &plan->packed, packed)},
                                  {role[2], wrap(dnn, &plan->y, y)}};
  int count = 3;
  if (plan->shape.has_bias) {
    arguments[count].arg = DNNL_ARG_BIAS;
    arguments[count++].memory = wrap(dnn, &plan->bias, bias);
  }
  return execute(dnn, plan->primitive, arguments, count, plan->scratch);
}

#else

const latent_dnn_plan *latent_dnn_convolution_plan(const latent_dnn_convolution *shape) {
  (void)shape;
  return 0;
}

// Without plans nobody has one to pass.
int64_t latent_dnn_weights_bytes(const latent_dnn_plan *plan) { return plan ? -1 : 0; }
bool latent_dnn_same_weights(const latent_dnn_plan *a, const latent_dnn_plan *b) { return a == b; }

bool latent_dnn_pack(const latent_dnn_plan *plan, const float *w, void *packed) {
  (void)plan, (void)w, (void)packed;
  return false;
}

bool latent_dnn_unpack(const latent_dnn_plan *plan, const void *packed, float *w) {
  (void)plan, (void)packed, (void)w;
  return false;
}

bool latent_dnn_run(const latent_dnn_plan *plan, const float *x, const void *packed,
                    const float *bias, const float *y) {
  (void)plan, (void)x, (void)packed, (void)bias, (void)y;
  return false;
}

#endif
