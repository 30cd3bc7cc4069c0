#include "latent_png.h"
