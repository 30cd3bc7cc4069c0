// Densities of normal mixtures at many values (normal_mixture.c). Included by latent_kernels.h.

#ifndef LATENT_NORMAL_MIXTURE_H
#define LATENT_NORMAL_MIXTURE_H

typedef struct {
  // Values, components, and independent elements of each.
  int64_t values, components, elements;
  // [values, elements], and [elements, components]: mean, 1 / variance, log(2 pi variance).
  const void *z, *mean, *precision, *constant;
  // log of the weight of each component for each value, [values, components].
  const void *log_weights;
} latent_normal_mixture;

// densities [2, values]: log sum_j w_ij N(z_i; j), and the sum over elements of the same of each element.
// What the derivative needs: marginals [values, elements], those of each element, and shares
// [values, components], of the components in the first density. Where marginals is NULL, only the first is
// computed, and densities is [values]. F32 and F64.
void latent_normal_mixture_log_prob(latent_dtype type, const latent_normal_mixture *mixture,
                                    void *densities, void *marginals, void *shares);
// From the cotangent of the densities: dz [elements, values], and of mean and log-variance
// [elements, components]. Marginals are NULL where they were not computed.
void latent_normal_mixture_log_prob_grad(latent_dtype type, const latent_normal_mixture *mixture,
                                         const void *marginals, const void *shares,
                                         const void *cotangent, void *dz, void *dmean,
                                         void *dlog_variance);

#endif
