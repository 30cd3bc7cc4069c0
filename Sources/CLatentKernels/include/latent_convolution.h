// Convolution as a product: patches of a channels-last array as the rows of a matrix, and back.
// Included by latent_kernels.h.

#ifndef LATENT_CONVOLUTION_H
#define LATENT_CONVOLUTION_H

// One convolution from [batch, in..., in_channels] to [batch, out..., out_channels] with weights
// [out_channels, kernel..., in_channels / groups]. Always three spatial axes (depth, height,
// width): missing ones have size 1. `before` and `after` are zeros around the input; `after` only
// completes the description, out follows from the rest.
typedef struct {
  int64_t batch, in_channels, out_channels, groups;
  int64_t in[3], out[3], kernel[3], stride[3], dilation[3], before[3], after[3];
} latent_convolution;

// Rows of patches for output positions begin..<end of one example (positions in row-major order of
// out): dst [end - begin, kernel..., channels] from channels first_channel..<first_channel +
// channels of x [in..., in_channels]. Zeros where a patch leaves the input. Serial.
void latent_patches(latent_dtype type, const latent_convolution *shape, int64_t begin, int64_t end,
                    int64_t first_channel, int64_t channels, const void *x, void *dst);

// The transpose: adds rows of patches into x, leaving alone rows of the height axis outside
// first_row..<end_row (so that pieces of one example can be made apart). Serial.
void latent_patches_add(latent_dtype type, const latent_convolution *shape, int64_t begin,
                        int64_t end, int64_t first_channel, int64_t channels, int64_t first_row,
                        int64_t end_row, const void *patches, void *x);

// y[i] = sum over the `parts` arrays of n elements that follow one another in x, in their order.
void latent_sum_parts(latent_dtype type, int64_t parts, int64_t n, const void *x, void *y);

#endif
