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
  union {
    latent_dnn_convolution convolution;
    latent_dnn_product product;
  };
} latent_dnn_plan_key;

struct latent_dnn_plan {
  latent_dnn_plan_key key;
  uint64_t hash;
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

// Fills a plan whose key is set; `typical` is a plan to agree with, or null.
typedef bool latent_dnn_maker(const latent_dnn_library *dnn, latent_dnn_plan *plan,
                              const latent_dnn_plan *typical);

// The plan of `key`, made by `make` when first asked for; null where it cannot be made. Plans are
// kept in a table that only grows; finding one takes a mutex, so callers do it once for a whole
// operation, not once a piece.
const latent_dnn_plan *latent_dnn_find_plan(const latent_dnn_plan_key *key, latent_dnn_maker *make,
                                            const latent_dnn_plan *typical);

// Makes the primitive of a plan and notes the layout of its weights. False where oneDNN has none but
// those whose names contain one of `refused`.
bool latent_dnn_make_primitive(const latent_dnn_library *dnn, latent_dnn_plan *plan,
                               const void *desc, bool relu, const char *const *refused,
                               dnnl_query_t weights);
// Makes the reorders between `plain` and `packed`.
bool latent_dnn_make_reorders(const latent_dnn_library *dnn, latent_dnn_plan *plan);

// A memory object is a few words on the heap; it lives for one call, which destroys it.
dnnl_memory_t latent_dnn_wrap(const latent_dnn_library *dnn, const dnnl_memory_desc_t *desc,
                              const void *data);
// Leaves room for one argument more: the scratch.
bool latent_dnn_execute(const latent_dnn_library *dnn, dnnl_primitive_t primitive,
                        dnnl_exec_arg_t *arguments, int count, size_t scratch_size);

#endif

#endif
