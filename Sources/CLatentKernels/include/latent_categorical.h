// The log-probability of classes from logits (categorical.c). Included by latent_kernels.h.

#ifndef LATENT_CATEGORICAL_H
#define LATENT_CATEGORICAL_H

// y[r] = logits[r, targets[r]] - log sum exp logits[r, :], -infinity where the target is no class.
// statistics [rows, 2] receives the row's largest logit and the logarithm of the sum of
// exp(logit - largest). F32 and F64.
void latent_categorical_log_prob(latent_dtype type, int64_t rows, int64_t classes,
                                 const void *logits, const int32_t *targets, void *y,
                                 void *statistics);
// dlogits = dy[r] ([class == target] - softmax); zero where the target is no class.
void latent_categorical_log_prob_grad(latent_dtype type, int64_t rows, int64_t classes,
                                      const void *logits, const int32_t *targets,
                                      const void *statistics, const void *dy, void *dlogits);

#endif
