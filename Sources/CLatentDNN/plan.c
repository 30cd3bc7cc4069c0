// The table of plans, and what is made with each of them.

#define _GNU_SOURCE
#include "plan.h"

#ifdef LATENT_ONEDNN

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 512 };
static latent_dnn_plan *table[BUCKETS];
static int64_t plan_count;  // of all that were ever made
static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;

// Layouts seen so far: plans may share packed weights where both descriptors are equal.
typedef struct layout {
  dnnl_memory_desc_t plain, packed;
  int64_t number;
  struct layout *next;
} layout;
static layout *layouts;

static uint64_t hash_of(const latent_dnn_plan_key *key) {
  uint64_t words[sizeof *key / 8], hash = UINT64_C(0xcbf29ce484222325);
  _Static_assert(sizeof words == sizeof *key, "keys are whole words");
  memcpy(words, key, sizeof words);
  for (size_t i = 0; i < sizeof words / 8; ++i) {
    hash = (hash ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15);
    hash ^= hash >> 32;
  }
  return hash;
}

static void destroy_packing(const latent_dnn_library *dnn, latent_dnn_plan *plan) {
  for (int part = 0; part < LATENT_DNN_PACK_PARTS; ++part) {
    if (plan->pack[part]) dnn->primitive_destroy(plan->pack[part]);
    plan->pack[part] = NULL;
  }
}

static void destroy_primitives(const latent_dnn_library *dnn, latent_dnn_plan *plan) {
  destroy_packing(dnn, plan);
  if (plan->unpack) dnn->primitive_destroy(plan->unpack);
  if (plan->primitive) dnn->primitive_destroy(plan->primitive);
  plan->unpack = plan->primitive = NULL;
}

const latent_dnn_plan *latent_dnn_find_plan(const latent_dnn_plan_key *key, latent_dnn_maker *make,
                                            const latent_dnn_wishes *wishes) {
  const latent_dnn_library *dnn = latent_dnn();
  if (!dnn || !latent_dnn_stream()) return NULL;
  const uint64_t hash = hash_of(key);
  pthread_mutex_lock(&table_lock);
  latent_dnn_plan *plan = table[hash % BUCKETS];
  while (plan && (plan->hash != hash || memcmp(&plan->key, key, sizeof *key) != 0)) {
    plan = plan->next;
  }
  if (!plan && (plan = calloc(1, sizeof *plan))) {
    plan->key = *key;
    plan->hash = hash;
    plan->number = ++plan_count;
    // The slope of a ReLU is a denormal number, which must not be taken for 0 here.
    const unsigned mode = latent_dnn_set_denormals(true);
    plan->usable = make(dnn, plan, wishes);
    latent_dnn_restore(mode);
    if (!plan->usable) destroy_primitives(dnn, plan);
    plan->next = table[hash % BUCKETS];
    table[hash % BUCKETS] = plan;
  }
  pthread_mutex_unlock(&table_lock);
  return plan && plan->usable ? plan : NULL;
}

void latent_dnn_forget(int64_t number) {
  const latent_dnn_library *dnn = latent_dnn();
  if (!dnn) return;
  pthread_mutex_lock(&table_lock);
  for (int bucket = 0; bucket < BUCKETS; ++bucket) {
    for (latent_dnn_plan **link = &table[bucket]; *link;) {
      latent_dnn_plan *plan = *link;
      if (plan->key.scales == number) {
        *link = plan->next;
        destroy_primitives(dnn, plan);
        free(plan);
      } else {
        link = &plan->next;
      }
    }
  }
  pthread_mutex_unlock(&table_lock);
}

bool latent_dnn_computes(latent_dnn_type type) {
  const latent_dnn_library *dnn = latent_dnn();
  if (!dnn) return false;
  const unsigned isa = dnn->get_effective_cpu_isa();  // a set of bits
  const unsigned needed[] = {[LATENT_DNN_F32] = 0,
                             [LATENT_DNN_BF16] = dnnl_cpu_isa_avx512_core_bf16,
                             [LATENT_DNN_U8] = dnnl_cpu_isa_avx512_core_vnni,
                             [LATENT_DNN_S8] = dnnl_cpu_isa_avx512_core_vnni};
  return (isa & needed[type]) == needed[type];
}

dnnl_data_type_t latent_dnn_data_type(latent_dnn_type type) {
  const dnnl_data_type_t types[] = {[LATENT_DNN_F32] = dnnl_f32, [LATENT_DNN_BF16] = dnnl_bf16,
                                    [LATENT_DNN_U8] = dnnl_u8, [LATENT_DNN_S8] = dnnl_s8};
  return types[type];
}

dnnl_data_type_t latent_dnn_weights_type(latent_dnn_type type) {
  return type == LATENT_DNN_U8 ? dnnl_s8 : latent_dnn_data_type(type);
}

// oneDNN computes a ReLU of slope 0 as max(x, 0), which makes 0 of NaN; one of another slope, by a
// comparison and a product, keeps it. Plans run with denormal numbers as zeros (decision 0009), to
// which this slope is 0 as well: numbers become what they should, NaN stays, and -infinity, the sum
// of a product that has overflowed, becomes NaN (decision 0024).
static const float negative_slope = -0x1p-149f;

bool latent_dnn_fuses_relu(void) {
#if defined(__x86_64__)
  return true;
#else
  return false;
#endif
}

static dnnl_primitive_attr_t attributes(const latent_dnn_library *dnn,
                                        const latent_dnn_scales *scales, bool relu) {
  dnnl_primitive_attr_t attr = NULL;
  if (dnn->primitive_attr_create(&attr) != dnnl_success) return NULL;
  dnn->primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user);
  enum { EACH_CHANNEL = 1 << 1 };  // the second axis of every result
  if (scales) {
    dnn->primitive_attr_set_output_scales(attr, scales->count, EACH_CHANNEL, scales->values);
  }
  dnnl_post_ops_t after;
  if (relu && dnn->post_ops_create(&after) == dnnl_success) {
    dnn->post_ops_append_eltwise(after, 1, dnnl_eltwise_relu, negative_slope, 0);
    dnn->primitive_attr_set_post_ops(attr, after);
    dnn->post_ops_destroy(after);
  }
  return attr;
}

static size_t scratch_bytes(const latent_dnn_library *dnn, dnnl_primitive_desc_t desc) {
  const dnnl_memory_desc_t *md = dnn->primitive_desc_query_md(desc, dnnl_query_scratchpad_md, 0);
  return md ? dnn->memory_desc_get_size(md) : 0;
}

bool latent_dnn_make_primitive(const latent_dnn_library *dnn, latent_dnn_plan *plan,
                               const void *desc, const latent_dnn_scales *scales, bool relu,
                               const char *const *refused, dnnl_query_t weights) {
  dnnl_primitive_desc_t primitive_desc;
  dnnl_primitive_attr_t attr = attributes(dnn, scales, relu);
  dnnl_status_t status = dnn->primitive_desc_create(&primitive_desc, desc, attr, dnn->engine, NULL);
  dnn->primitive_attr_destroy(attr);
  if (status != dnnl_success) return false;
  const char *name = "";
  dnn->primitive_desc_query(primitive_desc, dnnl_query_impl_info_str, 0, &name);
  const dnnl_memory_desc_t *packed = dnn->primitive_desc_query_md(primitive_desc, weights, 0);
  bool made = packed != NULL;
  for (; *refused; ++refused) made &= !strstr(name, *refused);
  if (made) {
    plan->packed = *packed;
    plan->scratch = scratch_bytes(dnn, primitive_desc);
    made = dnn->primitive_create(&plan->primitive, primitive_desc) == dnnl_success;
  }
  dnn->primitive_desc_destroy(primitive_desc);
  return made;
}

static bool make_reorder(const latent_dnn_library *dnn, const dnnl_memory_desc_t *from,
                         const dnnl_memory_desc_t *to, dnnl_primitive_t *primitive, size_t *bytes) {
  dnnl_primitive_desc_t desc;
  dnnl_primitive_attr_t attr = attributes(dnn, NULL, false);
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

// The number of a layout; called with the table locked.
static int64_t layout_number(const latent_dnn_library *dnn, const latent_dnn_plan *plan) {
  if (dnn->memory_desc_equal(&plan->packed, &plan->plain)) return 0;
  for (layout *known = layouts; known; known = known->next) {
    if (dnn->memory_desc_equal(&known->plain, &plan->plain) &&
        dnn->memory_desc_equal(&known->packed, &plan->packed)) {
      return known->number;
    }
  }
  layout *new = malloc(sizeof *new);
  if (!new) return -1;
  *new = (layout){plan->plain, plan->packed, layouts ? layouts->number + 1 : 1, layouts};
  layouts = new;
  return new->number;
}

// Weights from this size on are packed in parts.
static const size_t worth_parts = 256 << 10;

// One reorder for each part of the columns of a product's weights; false where they cannot be cut.
static bool make_parts(const latent_dnn_library *dnn, latent_dnn_plan *plan) {
  enum { BLOCK = 64 };  // columns of a part are a multiple of every block that oneDNN uses
  const int64_t columns = plan->key.product.columns, inner = plan->key.product.inner;
  const int64_t blocks = (columns + BLOCK - 1) / BLOCK;
  // Packed int8 weights carry sums of columns behind them, which belong to the whole.
  const bool has_sums = plan->plain.data_type == dnnl_s8;
  if (plan->key.kind != LATENT_DNN_PRODUCT || has_sums || blocks < LATENT_DNN_PACK_PARTS ||
      dnn->memory_desc_get_size(&plan->packed) < worth_parts) {
    return false;
  }
  for (int part = 0; part < LATENT_DNN_PACK_PARTS; ++part) {
    const int64_t first = part * blocks / LATENT_DNN_PACK_PARTS * BLOCK;
    int64_t end = (part + 1) * blocks / LATENT_DNN_PACK_PARTS * BLOCK;
    if (end > columns) end = columns;
    const dnnl_dims_t offsets = {0, first}, dims = {inner, end - first};
    dnnl_memory_desc_t from, to;
    if (dnn->memory_desc_init_submemory(&from, &plan->plain, dims, offsets) != dnnl_success ||
        dnn->memory_desc_init_submemory(&to, &plan->packed, dims, offsets) != dnnl_success ||
        !make_reorder(dnn, &from, &to, &plan->pack[part], &plan->pack_scratch)) {
      destroy_packing(dnn, plan);
      return false;
    }
  }
  plan->pack_parts = LATENT_DNN_PACK_PARTS;
  return true;
}

bool latent_dnn_make_reorders(const latent_dnn_library *dnn, latent_dnn_plan *plan) {
  plan->layout = layout_number(dnn, plan);
  if (plan->layout <= 0) return plan->layout == 0;
  if (make_parts(dnn, plan)) return true;
  plan->pack_parts = 1;
  // Only gradients of weights are ever unpacked.
  const bool unpacks = plan->plain.data_type == dnnl_f32;
  return make_reorder(dnn, &plan->plain, &plan->packed, &plan->pack[0], &plan->pack_scratch) &&
         (!unpacks ||
          make_reorder(dnn, &plan->packed, &plan->plain, &plan->unpack, &plan->pack_scratch));
}

int64_t latent_dnn_weights_bytes(const latent_dnn_plan *plan) {
  return (int64_t)latent_dnn()->memory_desc_get_size(&plan->packed);
}

int64_t latent_dnn_weights_layout(const latent_dnn_plan *plan) { return plan->layout; }

static bool reorder(const latent_dnn_plan *plan, dnnl_primitive_t primitive,
                    const dnnl_memory_desc_t *from, const void *src, const dnnl_memory_desc_t *to,
                    void *dst) {
  const latent_dnn_library *dnn = latent_dnn();
  dnnl_exec_arg_t arguments[3] = {{DNNL_ARG_FROM, latent_dnn_wrap(dnn, from, src)},
                                  {DNNL_ARG_TO, latent_dnn_wrap(dnn, to, dst)}};
  return latent_dnn_execute(dnn, primitive, arguments, 2, plan->pack_scratch);
}

int latent_dnn_pack_parts(const latent_dnn_plan *plan) { return plan->pack_parts; }

bool latent_dnn_pack(const latent_dnn_plan *plan, int part, const void *w, void *packed) {
  return reorder(plan, plan->pack[part], &plan->plain, w, &plan->packed, packed);
}

bool latent_dnn_unpack(const latent_dnn_plan *plan, const void *packed, float *w) {
  if (!plan->unpack) {
    memcpy(w, packed, latent_dnn()->memory_desc_get_size(&plan->plain));
    return true;
  }
  return reorder(plan, plan->unpack, &plan->packed, packed, &plan->plain, w);
}

#else

// Without plans nobody has one to pass.
int64_t latent_dnn_weights_bytes(const latent_dnn_plan *plan) { return plan ? -1 : 0; }
int64_t latent_dnn_weights_layout(const latent_dnn_plan *plan) { return plan ? -1 : 0; }
int latent_dnn_pack_parts(const latent_dnn_plan *plan) { return plan ? -1 : 0; }

bool latent_dnn_pack(const latent_dnn_plan *plan, int part, const void *w, void *packed) {
  (void)plan, (void)part, (void)w, (void)packed;
  return false;
}

bool latent_dnn_unpack(const latent_dnn_plan *plan, const void *packed, float *w) {
  (void)plan, (void)packed, (void)w;
  return false;
}

bool latent_dnn_computes(latent_dnn_type type) {
  (void)type;
  return false;
}

void latent_dnn_forget(int64_t number) { (void)number; }

bool latent_dnn_fuses_relu(void) { return false; }

#endif
