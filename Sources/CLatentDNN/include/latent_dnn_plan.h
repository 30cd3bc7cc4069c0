// Plans: primitives of oneDNN for exact shapes, made once and kept. They run on the calling thread
// alone: the caller cuts the work into pieces. Weights are brought into the layout that a plan wants.
// Without the OneDNN trait, or where oneDNN has only reference code, there is no plan.

#ifndef LATENT_DNN_PLAN_PUBLIC_H
#define LATENT_DNN_PLAN_PUBLIC_H

#include <stdbool.h>
#include <stdint.h>

typedef struct latent_dnn_plan latent_dnn_plan;

// Large weights are packed in up to so many parts, which may run at the same time.
enum { LATENT_DNN_PACK_PARTS = 4 };

// Bytes of the weights in the layout that the plan works on.
int64_t latent_dnn_weights_bytes(const latent_dnn_plan *plan);
// The layout, as a number: plans with the same one share packed weights. 0 is the plain layout.
int64_t latent_dnn_weights_layout(const latent_dnn_plan *plan);

// From our layout to the plan's, in parts 0..<count, and back.
int latent_dnn_pack_parts(const latent_dnn_plan *plan);
bool latent_dnn_pack(const latent_dnn_plan *plan, int part, const float *w, void *packed);
bool latent_dnn_unpack(const latent_dnn_plan *plan, const void *packed, float *w);

#endif
