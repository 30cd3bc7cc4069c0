// Plans of products by oneDNN's matmul.

#include "plan.h"

#ifdef LATENT_ONEDNN

#include <string.h>

static bool make(const latent_dnn_library *dnn, latent_dnn_plan *plan,
                 const latent_dnn_wishes *wishes) {
  const latent_dnn_product *s = &plan->key.product;
  const dnnl_dims_t x = {s->rows, s->inner}, y = {s->rows, s->columns};
  const dnnl_dims_t w = {s->inner, s->columns}, bias = {1, s->columns};
  const dnnl_dims_t strides = {s->transposed ? 1 : s->columns, s->transposed ? s->inner : 1};
  const dnnl_data_type_t type = latent_dnn_weights_type(s->type);
  dnnl_memory_desc_t weights;
  dnnl_matmul_desc_t desc;
  if (dnn->memory_desc_init_by_tag(&plan->x, 2, x, latent_dnn_data_type(s->type), dnnl_ab) != dnnl_success ||
      dnn->memory_desc_init_by_tag(&plan->y, 2, y, dnnl_f32, dnnl_ab) != dnnl_success ||
      dnn->memory_desc_init_by_tag(&plan->bias, 2, bias, dnnl_f32, dnnl_ab) != dnnl_success ||
      dnn->memory_desc_init_by_strides(&plan->plain, 2, w, type, strides) != dnnl_success ||
      dnn->memory_desc_init_by_tag(&weights, 2, w, type, dnnl_format_tag_any) != dnnl_success) {
    return false;
  }
  if (wishes->typical) weights = wishes->typical->packed;
  static const char *const refused[] = {"ref", "gemm", NULL};
  return dnn->matmul_desc_init(&desc, &plan->x, &weights, s->has_bias ? &plan->bias : NULL,
                               &plan->y) == dnnl_success &&
         latent_dnn_make_primitive(dnn, plan, &desc, wishes->scales, s->relu, refused,
                                   dnnl_query_weights_md) &&
         latent_dnn_make_reorders(dnn, plan);
}

// The layout of packed weights is the one that this many rows prefer.
static const int64_t typical_rows = 64;

const latent_dnn_plan *latent_dnn_product_plan(const latent_dnn_product *shape,
                                               const latent_dnn_scales *scales) {
  if (!latent_dnn_computes(shape->type)) return NULL;
  latent_dnn_plan_key key;
  memset(&key, 0, sizeof key);
  latent_dnn_product *own = &key.product;
  key.kind = LATENT_DNN_PRODUCT;
  key.scales = scales ? scales->number : 0;
  own->columns = shape->columns, own->inner = shape->inner, own->transposed = shape->transposed;
  own->has_bias = shape->has_bias, own->relu = shape->relu, own->type = shape->type;
  own->rows = typical_rows;
  const latent_dnn_plan *typical = latent_dnn_find_plan(&key, make, &(latent_dnn_wishes){NULL, scales});
  if (!typical || shape->rows == typical_rows) return typical;
  own->rows = shape->rows;
  return latent_dnn_find_plan(&key, make, &(latent_dnn_wishes){typical, scales});
}

bool latent_dnn_multiply(const latent_dnn_plan *plan, const void *x, const void *packed,
                         const float *bias, float *y) {
  static const int roles[3] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST};
  return latent_dnn_repeat(plan, roles, x, packed, plan->key.product.has_bias ? bias : NULL, y);
}

#else

const latent_dnn_plan *latent_dnn_product_plan(const latent_dnn_product *shape,
                                               const latent_dnn_scales *scales) {
  (void)shape, (void)scales;
  return 0;
}

bool latent_dnn_multiply(const latent_dnn_plan *plan, const void *x, const void *packed,
                         const float *bias, float *y) {
  (void)plan, (void)x, (void)packed, (void)bias, (void)y;
  return false;
}

#endif
