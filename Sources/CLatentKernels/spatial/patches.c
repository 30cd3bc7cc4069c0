// Patches of channels-last arrays (im2col) and their transpose. A patch's innermost run is
// contiguous in memory: all channels of neighbouring columns where the dilation is one.

#include <string.h>

#include "runtime/internal.h"

typedef struct {
  int64_t position[3];  // of the output
  int64_t start[3];     // of the patch in the input, padding included (may be negative)
} patch_place;

LATENT_INLINE patch_place place_of(const latent_convolution *s, int64_t position) {
  patch_place place;
  for (int axis = 2; axis >= 0; --axis) {
    place.position[axis] = position % s->out[axis];
    position /= s->out[axis];
    place.start[axis] = place.position[axis] * s->stride[axis] - s->before[axis];
  }
  return place;
}

LATENT_INLINE void next_place(const latent_convolution *s, patch_place *place) {
  for (int axis = 2; axis >= 0; --axis) {
    place->start[axis] += s->stride[axis];
    if (++place->position[axis] < s->out[axis]) return;
    place->position[axis] = 0;
    place->start[axis] = -s->before[axis];
  }
}

// Taps of one axis that fall inside the input: first..<end.
LATENT_INLINE void inside(int64_t start, int64_t step, int64_t kernel, int64_t size, int64_t *first,
                          int64_t *end) {
  *first = start < 0 ? (-start + step - 1) / step : 0;
  *end = start < size ? smaller(kernel, (size - start + step - 1) / step) : 0;
  if (*first > *end) *first = *end;
}

#define PATCHES(name, type)                                                                      \
  static LATENT_CLONES void name(const latent_convolution *s, int64_t begin, int64_t end,        \
                                 int64_t first_channel, int64_t channels, const type *x,         \
                                 type *dst) {                                                    \
    const int64_t wide = s->in_channels, line = s->kernel[2] * channels;                         \
    const bool is_run = s->dilation[2] == 1 && channels == wide;                                 \
    patch_place place = place_of(s, begin);                                                      \
    for (int64_t row = begin; row < end; ++row, next_place(s, &place)) {                         \
      int64_t first, last;                                                                       \
      inside(place.start[2], s->dilation[2], s->kernel[2], s->in[2], &first, &last);             \
      for (int64_t d = 0; d < s->kernel[0]; ++d) {                                               \
        const int64_t z = place.start[0] + d * s->dilation[0];                                   \
        for (int64_t h = 0; h < s->kernel[1]; ++h, dst += line) {                                \
          const int64_t y = place.start[1] + h * s->dilation[1];                                 \
          if (z < 0 || z >= s->in[0] || y < 0 || y >= s->in[1] || first == last) {               \
            for (int64_t i = 0; i < line; ++i) dst[i] = 0;                                       \
            continue;                                                                            \
          }                                                                                      \
          const type *src = x + ((z * s->in[1] + y) * s->in[2] + place.start[2]) * wide +        \
                            first_channel;                                                       \
          for (int64_t i = 0; i < first * channels; ++i) dst[i] = 0;                             \
          if (is_run) {                                                                          \
            for (int64_t i = first * channels; i < last * channels; ++i) dst[i] = src[i];        \
          } else {                                                                               \
            for (int64_t w = first; w < last; ++w) {                                             \
              const type *from = src + w * s->dilation[2] * wide;                                \
              for (int64_t c = 0; c < channels; ++c) dst[w * channels + c] = from[c];            \
            }                                                                                    \
          }                                                                                      \
          for (int64_t i = last * channels; i < line; ++i) dst[i] = 0;                           \
        }                                                                                        \
      }                                                                                          \
    }                                                                                            \
  }
PATCHES(patches_f32, float)
PATCHES(patches_f64, double)
PATCHES(patches_u8, uint8_t)

void latent_patches(latent_dtype type, const latent_convolution *shape, int64_t begin, int64_t end,
                    int64_t first_channel, int64_t channels, const void *x, void *dst) {
  if (type == LATENT_F32) {
    patches_f32(shape, begin, end, first_channel, channels, x, dst);
  } else if (type == LATENT_U8) {
    patches_u8(shape, begin, end, first_channel, channels, x, dst);
  } else {
    patches_f64(shape, begin, end, first_channel, channels, x, dst);
  }
}

#define PATCHES_ADD(name, type)                                                                  \
  static LATENT_CLONES void name(const latent_convolution *s, int64_t begin, int64_t end,        \
                                 int64_t first_channel, int64_t channels, int64_t first_row,     \
                                 int64_t end_row, const type *src, type *x) {                    \
    const int64_t wide = s->in_channels, line = s->kernel[2] * channels;                         \
    const bool is_run = s->dilation[2] == 1 && channels == wide;                                 \
    patch_place place = place_of(s, begin);                                                      \
    for (int64_t row = begin; row < end; ++row, next_place(s, &place)) {                         \
      int64_t first, last;                                                                       \
      inside(place.start[2], s->dilation[2], s->kernel[2], s->in[2], &first, &last);             \
      for (int64_t d = 0; d < s->kernel[0]; ++d) {                                               \
        const int64_t z = place.start[0] + d * s->dilation[0];                                   \
        for (int64_t h = 0; h < s->kernel[1]; ++h, src += line) {                                \
          const int64_t y = place.start[1] + h * s->dilation[1];                                 \
          if (z < 0 || z >= s->in[0] || y < first_row || y >= end_row) continue;                 \
          type *to = x + ((z * s->in[1] + y) * s->in[2] + place.start[2]) * wide + first_channel; \
          if (is_run) {                                                                          \
            LATENT_SAME_INDEX                                                                    \
            for (int64_t i = first * channels; i < last * channels; ++i) to[i] += src[i];        \
          } else {                                                                               \
            for (int64_t w = first; w < last; ++w) {                                             \
              type *target = to + w * s->dilation[2] * wide;                                     \
              const type *from = src + w * channels;                                             \
              LATENT_SAME_INDEX                                                                  \
              for (int64_t c = 0; c < channels; ++c) target[c] += from[c];                       \
            }                                                                                    \
          }                                                                                      \
        }                                                                                        \
      }                                                                                          \
    }                                                                                            \
  }
PATCHES_ADD(patches_add_f32, float)
PATCHES_ADD(patches_add_f64, double)

void latent_patches_add(latent_dtype type, const latent_convolution *shape, int64_t begin,
                        int64_t end, int64_t first_channel, int64_t channels, int64_t first_row,
                        int64_t end_row, const void *patches, void *x) {
  if (type == LATENT_F32) {
    patches_add_f32(shape, begin, end, first_channel, channels, first_row, end_row, patches, x);
  } else {
    patches_add_f64(shape, begin, end, first_channel, channels, first_row, end_row, patches, x);
  }
}

typedef struct {
  int64_t parts, n;
  const void *x;
  void *y;
} sum_job;

#define SUM_PARTS(name, type)                                                          \
  static LATENT_CLONES void name(void *context, int64_t begin, int64_t end) {          \
    const sum_job *job = context;                                                      \
    type *y = job->y;                                                                  \
    for (int64_t part = 0; part < job->parts; ++part) {                                \
      const type *x = (const type *)job->x + part * job->n;                            \
      if (part == 0) {                                                                 \
        memcpy(y + begin, x + begin, (size_t)(end - begin) * sizeof(type));            \
      } else {                                                                         \
        LATENT_SAME_INDEX                                                              \
        for (int64_t i = begin; i < end; ++i) y[i] += x[i];                            \
      }                                                                                \
    }                                                                                  \
  }
SUM_PARTS(sum_parts_f32, float)
SUM_PARTS(sum_parts_f64, double)

void latent_sum_parts(latent_dtype type, int64_t parts, int64_t n, const void *x, void *y) {
  sum_job job = {parts, n, x, y};
  parallel_elements(n, LATENT_CHEAP / larger(parts, 1) + 1, &job,
                    type == LATENT_F32 ? sum_parts_f32 : sum_parts_f64);
}
