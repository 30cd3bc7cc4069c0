// Plans: primitives of oneDNN for exact shapes, made once and kept. They run on the calling thread
// alone: the caller cuts the work into pieces. Weights are brought into the layout that a plan wants.
// Without the OneDNN trait, or where oneDNN has only reference code, there is no plan.

#ifndef LATENT_DNN_PLAN_PUBLIC_H
#define LATENT_DNN_PLAN_PUBLIC_H

#include <stdbool.h>
#include <stdint.h>

typedef struct latent_dnn_plan latent_dnn_plan;

// What a plan reads as its rows or its image. The weights are float32, bfloat16, int8 and int8; results
// are float32.
typedef enum { LATENT_DNN_F32, LATENT_DNN_BF16, LATENT_DNN_U8, LATENT_DNN_S8 } latent_dnn_type;

// Whether this machine has the instructions for a type. Without them oneDNN has other code, which is
// slow (bfloat16) or saturates sums of two products at 16 bits (uint8 by int8).
bool latent_dnn_computes(latent_dnn_type type);

// Whether the relu of a plan keeps NaN, so that it may be asked for.
bool latent_dnn_fuses_relu(void);

// A factor for each output channel of one weight. Plans are compiled with them and found by their
// number, which is not 0; to be forgotten with the weight.
typedef struct {
  int64_t number, count;
  const float *values;
} latent_dnn_scales;
void latent_dnn_forget(int64_t number);

// Large weights are packed in up to so many parts, which may run at the same time.
enum { LATENT_DNN_PACK_PARTS = 4 };

// Bytes of the weights in the layout that the plan works on.
int64_t latent_dnn_weights_bytes(const latent_dnn_plan *plan);
// The layout, as a number: plans with the same one share packed weights. 0 is the plain layout.
int64_t latent_dnn_weights_layout(const latent_dnn_plan *plan);

// From our layout to the plan's, in parts 0..<count, and back.
int latent_dnn_pack_parts(const latent_dnn_plan *plan);
bool latent_dnn_pack(const latent_dnn_plan *plan, int part, const void *w, void *packed);
bool latent_dnn_unpack(const latent_dnn_plan *plan, const void *packed, float *w);

#endif
