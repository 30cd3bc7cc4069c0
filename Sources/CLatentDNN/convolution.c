// Plans of convolutions: descriptors and the primitive.

#include "latent_dnn_convolution.h"

#include "plan.h"

#ifdef LATENT_ONEDNN

#include <string.h>

// Axes of size one in front are left out, down to two spatial axes.
static int spatial_axes(const latent_dnn_convolution *s) {
  return s->in[0] == 1 && s->out[0] == 1 && s->kernel[0] == 1 && s->before[0] == 0 ? 2 : 3;
}

// Which image is read: the other one, or both for the gradient of the weights, are float32.
static bool reads_y(const latent_dnn_convolution *s) {
  return s->direction == LATENT_DNN_BACKWARD_DATA || s->direction == LATENT_DNN_TRANSPOSED;
}

static bool channels_last(const latent_dnn_library *dnn, dnnl_memory_desc_t *desc, int64_t batch,
                          int64_t channels, const int64_t size[3], int axes,
                          dnnl_data_type_t type) {
  dnnl_dims_t dims = {batch, channels};
  for (int i = 0; i < axes; ++i) dims[2 + i] = size[3 - axes + i];
  return dnn->memory_desc_init_by_tag(desc, 2 + axes, dims, type,
                                      axes == 2 ? dnnl_nhwc : dnnl_ndhwc) == dnnl_success;
}

// The weights' logical axes are [groups,] out, in, kernel... (in and out exchanged for a transposed
// convolution); `plain` is how we keep them.
static bool weights(const latent_dnn_library *dnn, const latent_dnn_convolution *s, int axes,
                    dnnl_memory_desc_t *plain, dnnl_memory_desc_t *any) {
  dnnl_dims_t dims, strides;
  int n = 0;
  const int64_t in = s->in_channels / s->groups, out = s->out_channels / s->groups;
  int64_t line = in;
  for (int i = 0; i < 3; ++i) line *= s->kernel[i];
  const int swap = s->direction == LATENT_DNN_TRANSPOSED;
  if (s->groups > 1) dims[n] = s->groups, strides[n++] = out * line;
  dims[n + swap] = out, strides[n + swap] = line;
  dims[n + 1 - swap] = in, strides[n + 1 - swap] = 1;
  n += 2;
  int64_t step = in;
  for (int i = axes - 1; i >= 0; --i) {
    dims[n + i] = s->kernel[3 - axes + i];
    strides[n + i] = step;
    step *= dims[n + i];
  }
  n += axes;
  const dnnl_data_type_t type = latent_dnn_weights_type(s->type);
  return dnn->memory_desc_init_by_strides(plain, n, dims, type, strides) == dnnl_success &&
         dnn->memory_desc_init_by_tag(any, n, dims, type, dnnl_format_tag_any) == dnnl_success;
}

static bool describe(const latent_dnn_library *dnn, latent_dnn_plan *plan,
                     dnnl_convolution_desc_t *desc) {
  const latent_dnn_convolution *s = &plan->key.convolution;
  const int axes = spatial_axes(s), skip = 3 - axes;
  dnnl_dims_t stride, dilation, before, after;
  for (int i = 0; i < axes; ++i) {
    stride[i] = s->stride[skip + i];
    dilation[i] = s->dilation[skip + i] - 1;
    before[i] = s->before[skip + i];
    after[i] = s->after[skip + i];
  }
  dnnl_memory_desc_t any;
  const bool transposed = s->direction == LATENT_DNN_TRANSPOSED;
  const dnnl_dims_t bias = {transposed ? s->in_channels : s->out_channels};
  const dnnl_data_type_t type = latent_dnn_data_type(s->type);
  const dnnl_data_type_t x = reads_y(s) ? dnnl_f32 : type, y = reads_y(s) ? type : dnnl_f32;
  if (!channels_last(dnn, &plan->x, s->batch, s->in_channels, s->in, axes, x) ||
      !channels_last(dnn, &plan->y, s->batch, s->out_channels, s->out, axes, y) ||
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
    case LATENT_DNN_TRANSPOSED:
      // The output padding of a stride counts as padding that is not cut off.
      for (int i = 0; i < axes; ++i) {
        const int64_t reach = (dilation[i] + 1) * (s->kernel[skip + i] - 1) + 1;
        after[i] = (s->out[skip + i] - 1) * stride[i] + reach - before[i] - s->in[skip + i];
      }
      status = dnn->dilated_deconvolution_forward_desc_init(
          desc, dnnl_forward_inference, dnnl_deconvolution_direct, &plan->y, &any,
          s->has_bias ? &plan->bias : NULL, &plan->x, stride, dilation, before, after);
      break;
    default:
      status = dnn->dilated_convolution_backward_weights_desc_init(
          desc, dnnl_convolution_direct, &plan->x, &any, NULL, &plan->y, stride, dilation, before,
          after);
  }
  return status == dnnl_success;
}

static bool make(const latent_dnn_library *dnn, latent_dnn_plan *plan,
                 const latent_dnn_wishes *wishes) {
  dnnl_convolution_desc_t desc;
  const latent_dnn_convolution *s = &plan->key.convolution;
  // Reference code is a hundred times slower than patches and a product, and oneDNN's own patches
  // and product (gemm) no faster than ours.
  static const char *const refused[] = {"ref", "gemm:", NULL};
  return describe(dnn, plan, &desc) &&
         latent_dnn_make_primitive(dnn, plan, &desc, wishes->scales, s->relu, refused,
                                   s->direction == LATENT_DNN_BACKWARD_WEIGHTS
                                       ? dnnl_query_diff_weights_md
                                       : dnnl_query_weights_md) &&
         latent_dnn_make_reorders(dnn, plan);
}

const latent_dnn_plan *latent_dnn_convolution_plan(const latent_dnn_convolution *shape,
                                                   const latent_dnn_scales *scales) {
  if (!latent_dnn_computes(shape->type)) return NULL;
  latent_dnn_plan_key key;
  memset(&key, 0, sizeof key);  // padding takes part in the hash
  latent_dnn_convolution *own = &key.convolution;
  own->batch = shape->batch, own->in_channels = shape->in_channels;
  own->out_channels = shape->out_channels, own->groups = shape->groups;
  for (int i = 0; i < 3; ++i) {
    own->in[i] = shape->in[i], own->out[i] = shape->out[i], own->kernel[i] = shape->kernel[i];
    own->stride[i] = shape->stride[i], own->dilation[i] = shape->dilation[i];
    own->before[i] = shape->before[i], own->after[i] = shape->after[i];
  }
  own->direction = shape->direction, own->has_bias = shape->has_bias, own->relu = shape->relu;
  own->type = shape->type;
  key.kind = LATENT_DNN_CONVOLUTION;
  key.scales = scales ? scales->number : 0;
  return latent_dnn_find_plan(&key, make, &(latent_dnn_wishes){NULL, scales});
}

bool latent_dnn_run(const latent_dnn_plan *plan, const void *x, const void *packed,
                    const float *bias, const void *y) {
  static const int roles[4][3] = {
      {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST},
      {DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_DST},
      {DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST},
      {DNNL_ARG_DST, DNNL_ARG_WEIGHTS, DNNL_ARG_SRC},
  };
  const int *role = roles[plan->key.convolution.direction];
  if (plan->key.convolution.direction != LATENT_DNN_BACKWARD_WEIGHTS) {
    return latent_dnn_repeat(plan, role, x, packed, plan->key.convolution.has_bias ? bias : NULL, y);
  }
  // The gradient of the weights is somewhere else every time.
  const latent_dnn_library *dnn = latent_dnn();
  dnnl_exec_arg_t arguments[4] = {{role[0], latent_dnn_wrap(dnn, &plan->x, x)},
                                  {role[1], latent_dnn_wrap(dnn, &plan->packed, packed)},
                                  {role[2], latent_dnn_wrap(dnn, &plan->y, y)}};
  return latent_dnn_execute(dnn, plan->primitive, arguments, 3, plan->scratch);
}

#else

const latent_dnn_plan *latent_dnn_convolution_plan(const latent_dnn_convolution *shape,
                                                   const latent_dnn_scales *scales) {
  (void)shape, (void)scales;
  return 0;
}

bool latent_dnn_run(const latent_dnn_plan *plan, const void *x, const void *packed,
                    const float *bias, const void *y) {
  (void)plan, (void)x, (void)packed, (void)bias, (void)y;
  return false;
}

#endif
