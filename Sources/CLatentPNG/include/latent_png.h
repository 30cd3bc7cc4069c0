// A narrow interface to libpng: a PNG in memory becomes 8-bit gray or RGB, with or without alpha.
// Without LATENT_PNG (the package trait "PNG") every call returns LATENT_PNG_UNAVAILABLE.
#ifndef LATENT_PNG_H
#define LATENT_PNG_H

#include <stddef.h>
#include <stdint.h>

#define LATENT_PNG_MESSAGE_SIZE 160

typedef enum { LATENT_PNG_OK, LATENT_PNG_BAD, LATENT_PNG_UNAVAILABLE } latent_png_status;

typedef struct {
  uint32_t width;
  uint32_t height;
  uint32_t channels;  // 1 gray, 2 gray + alpha, 3 RGB, 4 RGB + alpha
} latent_png_header;

// Reads what stands before the pixels. `message` (LATENT_PNG_MESSAGE_SIZE bytes) says what is wrong.
latent_png_status latent_png_read_header(const uint8_t *bytes, size_t count,
                                         latent_png_header *header, char *message);

// Reads the pixels, rows from top to bottom, channels interleaved. `size` must be
// width * height * channels of the header.
latent_png_status latent_png_read_pixels(const uint8_t *bytes, size_t count, uint8_t *pixels,
                                         size_t size, char *message);

#endif
