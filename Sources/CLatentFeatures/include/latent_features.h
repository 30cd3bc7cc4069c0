// The files of feature networks as bytes of the program: they are there wherever the program is, as a resource beside
// it would not be.

#ifndef LATENT_FEATURES_H
#define LATENT_FEATURES_H

#include <stddef.h>

// The checkpoint `latent-features-1.h5`, byte for byte.
const unsigned char *latent_features_1(void);
size_t latent_features_1_size(void);

#endif
