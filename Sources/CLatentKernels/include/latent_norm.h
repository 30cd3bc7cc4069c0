// Normalisation over groups of channels, channels last (group_norm.c); float32 and float64.
//
// Group norm (Wu and He 2018) of [batch, positions, channels] takes mean and variance of each
// example over all positions and `channels / groups` neighbouring channels. Its relatives are the
// same pass: instance norm has groups == channels, batch norm also batch == 1 (all rows are
// positions).

#ifndef LATENT_NORM_H
#define LATENT_NORM_H

#include <stdbool.h>
#include <stdint.h>

#include "latent_kernels.h"

// The number of doubles that the two calls below need as scratch.
int64_t latent_group_norm_scratch(int64_t batch, int64_t positions, int64_t channels,
                                  int64_t groups);

// y = act((x - mean) / sqrt(variance + epsilon) * scale + shift); scale and shift are [channels].
// statistics [batch, groups, 3] holds mean, biased variance and 1 / sqrt(variance + epsilon) in
// double: written, or read where `fixed` (then epsilon and scratch are not used).
void latent_group_norm(latent_activation act, latent_dtype type, bool fixed, int64_t batch,
                       int64_t positions, int64_t channels, int64_t groups, double epsilon,
                       const void *x, const void *scale, const void *shift, double *statistics,
                       void *y, double *scratch);

// Derivatives from dy; the normalised value and the activation's argument are computed again from
// x. Where `fixed`, the statistics are constants.
void latent_group_norm_grad(latent_activation act, latent_dtype type, bool fixed, int64_t batch,
                            int64_t positions, int64_t channels, int64_t groups, const void *x,
                            const void *scale, const void *shift, const double *statistics,
                            const void *dy, void *dx, void *dscale, void *dshift, double *scratch);

#endif
