// The functions of oneDNN that this target calls, found when first needed, and what every call
// needs besides: an engine, and a stream for each thread.

#ifndef LATENT_DNN_LIBRARY_H
#define LATENT_DNN_LIBRARY_H

#ifdef LATENT_ONEDNN

#include <oneapi/dnnl/dnnl.h>
#include <stdbool.h>

#define LATENT_DNN_FUNCTIONS(F)                                                            \
  F(sgemm) F(engine_create) F(stream_create) F(stream_destroy) F(stream_wait)              \
  F(memory_desc_init_by_tag) F(memory_desc_init_by_strides) F(memory_desc_init_submemory) F(memory_desc_get_size)        \
  F(memory_desc_equal) F(memory_create) F(memory_destroy) F(memory_set_data_handle)        \
  F(primitive_attr_create) F(primitive_attr_destroy) F(primitive_attr_set_post_ops)        \
  F(primitive_attr_set_scratchpad_mode) F(primitive_attr_set_output_scales)                \
  F(primitive_attr_set_zero_points)                                                        \
  F(post_ops_create) F(post_ops_destroy) F(post_ops_append_eltwise) F(post_ops_append_sum) \
  F(primitive_desc_create) F(primitive_desc_destroy) F(primitive_desc_query_md)            \
  F(primitive_desc_query) F(reorder_primitive_desc_create)                                 \
  F(primitive_create) F(primitive_destroy) F(primitive_execute)                            \
  F(matmul_desc_init)                                                                      \
  F(get_effective_cpu_isa)                                                                 \
  F(dilated_convolution_forward_desc_init)                                                 \
  F(dilated_convolution_backward_data_desc_init)                                           \
  F(dilated_convolution_backward_weights_desc_init)                                        \
  F(dilated_deconvolution_forward_desc_init)

typedef struct {
#define LATENT_DNN_POINTER(name) __typeof__(&dnnl_##name) name;
  LATENT_DNN_FUNCTIONS(LATENT_DNN_POINTER)
#undef LATENT_DNN_POINTER
  dnnl_engine_t engine;
} latent_dnn_library;

// Null where the library is not on this machine, or too old to have one of the functions.
const latent_dnn_library *latent_dnn(void);

// Tells oneDNN to stay on the calling thread (the work is split by us) and gives that thread's
// stream; null where the library is not there. Primitives are to be made after this call too: they
// are planned for the number of threads of the moment.
dnnl_stream_t latent_dnn_stream(void);

#endif
#endif
