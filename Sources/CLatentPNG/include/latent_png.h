// A narrow interface to libpng: a PNG in memory becomes gray or RGB, with or without alpha, of 8 bits
// a sample or, where the file has 16 and they are wanted, of 16.
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
  uint32_t bits;      // of a sample: 16, or 8 for 8 and less
} latent_png_header;

// Reads what stands before the pixels. `message` (LATENT_PNG_MESSAGE_SIZE bytes) says what is wrong.
latent_png_status latent_png_read_header(const uint8_t *bytes, size_t count,
                                         latent_png_header *header, char *message);

// Reads the pixels, rows from top to bottom, channels interleaved. `bits` is 8, which cuts 16-bit
// samples to their high byte, or the header's: 16-bit samples are then uint16_t of this machine. `size`
// must be width * height * channels * bits / 8.
latent_png_status latent_png_read_pixels(const uint8_t *bytes, size_t count, uint32_t bits,
                                         uint8_t *pixels, size_t size, char *message);

#endif
