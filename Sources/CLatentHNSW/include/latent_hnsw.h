// A narrow interface to hnswlib (Malkov and Yashunin 2018): vectors in a graph of several layers, in which a walk
// from neighbour to nearer neighbour finds those that are nearest to another vector, nearly always.
// Without LATENT_HNSW (the package trait "HNSW") there is no graph: latent_hnsw_available is false.
#ifndef LATENT_HNSW_H
#define LATENT_HNSW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

bool latent_hnsw_available(void);

// A graph over `count` vectors of `size` floats, which are copied. Each is linked to `connections` others, the best
// of `width` that are looked at. The same arguments make the same graph. NULL where memory does not suffice.
void *latent_hnsw_create(const float *vectors, size_t count, size_t size, size_t connections,
                         size_t width, size_t seed);

// Numbers of the `wanted` <= count vectors that a walk with `width` candidates finds nearest to `query`, in any order.
// Several threads may search one graph. False where memory does not suffice or fewer are found.
bool latent_hnsw_search(const void *graph, const float *query, size_t wanted, size_t width,
                        int32_t *found);

void latent_hnsw_destroy(void *graph);

#ifdef __cplusplus
}
#endif

#endif
