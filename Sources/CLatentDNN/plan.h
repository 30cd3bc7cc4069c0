// What plans of every kind share: a primitive for one exact shape, the layout that its weights have,
// and the reorders between that layout and ours.

#ifndef LATENT_DNN_PLAN_H
#define LATENT_DNN_PLAN_H

#include "latent_dnn_convolution.h"
#include "latent_dnn_product.h"
#include "library.h"

#ifdef LATENT_ONEDNN

typedef enum { LATENT_DNN_CONVOLUTION, LATENT_DNN_PRODUCT } latent_dnn_kind;

// Compared byte by byte: cleared before it is filled.
typedef struct {
  latent_dnn_kind kind;
  int64_t scales;  // their number; 0 is none
  union {
    latent_dnn_convolution convolution;
    latent_dnn_product product;
  };
} latent_dnn_plan_key;

struct latent_dnn_plan {
  latent_dnn_plan_key key;
  uint64_t hash;
  int64_t number;  // never given twice
  dnnl_primitive_t primitive;
  dnnl_memory_desc_t x, y, bias;
  dnnl_memory_desc_t plain, packed;  // the weights, as we keep them and as the primitive wants them
  dnnl_primitive_t pack[LATENT_DNN_PACK_PARTS], unpack;  // none where the two are the same
  int pack_parts;
  int64_t layout;
  size_t scratch, pack_scratch;
  bool usable;
  latent_dnn_plan *next;
};

// What a plan is made of besides its key; either may be null.
typedef struct {
  const latent_dnn_plan *typical;  // a plan to agree with
  const latent_dnn_scales *scales;
} latent_dnn_wishes;

// Fills a plan whose key is set.
typedef bool latent_dnn_maker(const latent_dnn_library *dnn, latent_dnn_plan *plan,
                              const latent_dnn_wishes *wishes);

// The plan of `key`, made by `make` when first asked for; null where it cannot be made. Plans are
// kept in a table from which only those with scales are ever taken; finding one takes a mutex, so
// callers do it once for a whole operation, not once a piece.
const latent_dnn_plan *latent_dnn_find_plan(const latent_dnn_plan_key *key, latent_dnn_maker *make,
                                            const latent_dnn_wishes *wishes);

// The element types of the image that is read and of the weights.
dnnl_data_type_t latent_dnn_data_type(latent_dnn_type type);
dnnl_data_type_t latent_dnn_weights_type(latent_dnn_type type);

// Makes the primitive of a plan and notes the layout of its weights. False where oneDNN has none but
// those whose names contain one of `refused`.
bool latent_dnn_make_primitive(const latent_dnn_library *dnn, latent_dnn_plan *plan,
                               const void *desc, const latent_dnn_scales *scales, bool relu,
                               const char *const *refused, dnnl_query_t weights);
// Makes the reorders between `plain` and `packed`.
bool latent_dnn_make_reorders(const latent_dnn_library *dnn, latent_dnn_plan *plan);

// Runs a plan on x, `packed`, y, which have these roles in it, and `bias`, where it has one.
bool latent_dnn_repeat(const latent_dnn_plan *plan, const int roles[3], const void *x,
                       const void *packed, const float *bias, const void *y);

// Whether denormal numbers of the calling thread are numbers or zeros from here on; the mode before.
unsigned latent_dnn_set_denormals(bool are_numbers);
void latent_dnn_restore(unsigned mode);

// Gives back what the calling thread keeps.
void latent_dnn_end_calls(void);

// A memory object is some words on the heap; `latent_dnn_execute` destroys those it is given.
dnnl_memory_t latent_dnn_wrap(const latent_dnn_library *dnn, const dnnl_memory_desc_t *desc,
                              const void *data);
// Leaves room for one argument more: the scratch.
bool latent_dnn_execute(const latent_dnn_library *dnn, dnnl_primitive_t primitive,
                        dnnl_exec_arg_t *arguments, int count, size_t scratch_size);

#endif

#endif
