#include "latent_features.h"

// C23's #embed: the compiler reads the file that lies beside this one.
#pragma clang diagnostic ignored "-Wc23-extensions"
static const unsigned char features_1[] = {
#embed "latent-features-1.h5"
};

const unsigned char *latent_features_1(void) { return features_1; }
size_t latent_features_1_size(void) { return sizeof features_1; }
