// Reading PNG through libpng. Samples come as they are stored, without gamma or colour management,
// as other tools of machine learning read them: 16 bits stay or are cut to their high byte, fewer
// than 8 are expanded, palettes become colours and transparency becomes alpha.

#include "latent_png.h"

#ifdef LATENT_PNG

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A chunk that is not pixels may not ask for more memory than this.
#define CHUNK_LIMIT (8u << 20)
#define DIMENSION_LIMIT 1000000u

typedef struct {
  const uint8_t *bytes;
  size_t count;
  size_t position;
  char *message;
} reader_state;

static void read_bytes(png_structp png, png_bytep into, size_t count) {
  reader_state *state = (reader_state *)png_get_io_ptr(png);
  if (count > state->count - state->position) png_error(png, "the file ends too early");
  memcpy(into, state->bytes + state->position, count);
  state->position += count;
}

static void fail(png_structp png, png_const_charp text) {
  reader_state *state = (reader_state *)png_get_error_ptr(png);
  snprintf(state->message, LATENT_PNG_MESSAGE_SIZE, "%s", text);
  longjmp(png_jmpbuf(png), 1);
}

static void ignore_warning(png_structp png, png_const_charp text) { (void)png, (void)text; }

static void prepare(png_structp png, png_infop info, reader_state *state, uint32_t bits) {
  png_set_read_fn(png, state, read_bytes);
  png_set_user_limits(png, DIMENSION_LIMIT, DIMENSION_LIMIT);
  png_set_chunk_malloc_max(png, CHUNK_LIMIT);
  png_read_info(png, info);
  png_set_expand(png);
  if (bits < 16) {
    png_set_strip_16(png);
  } else {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    png_set_swap(png);
#endif
  }
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
}

// `pixels` is NULL when only the header is wanted.
static latent_png_status read_image(const uint8_t *bytes, size_t count, latent_png_header *header,
                                    uint32_t bits, uint8_t *pixels, size_t size, char *message) {
  reader_state state = {bytes, count, 0, message};
  message[0] = 0;
  png_structp png =
      png_create_read_struct(PNG_LIBPNG_VER_STRING, &state, fail, ignore_warning);
  if (!png) {
    snprintf(message, LATENT_PNG_MESSAGE_SIZE, "libpng cannot start (versions differ?)");
    return LATENT_PNG_BAD;
  }
  png_infop info = png_create_info_struct(png);
  png_bytep *volatile rows = NULL;
  if (!info || setjmp(png_jmpbuf(png))) {
    free((void *)rows);
    png_destroy_read_struct(&png, info ? &info : NULL, NULL);
    if (!message[0]) snprintf(message, LATENT_PNG_MESSAGE_SIZE, "libpng failed");
    return LATENT_PNG_BAD;
  }
  prepare(png, info, &state, bits);
  size_t height = png_get_image_height(png, info), row_bytes = png_get_rowbytes(png, info);
  if (header) {
    header->width = png_get_image_width(png, info);
    header->height = (uint32_t)height;
    header->channels = png_get_channels(png, info);
    header->bits = png_get_bit_depth(png, info);
  }
  if (pixels) {
    if (row_bytes == 0 || size / row_bytes != height || size % row_bytes != 0)
      png_error(png, "the pixels do not have the promised size");
    rows = (png_bytep *)malloc(height * sizeof(png_bytep));
    if (!rows) png_error(png, "out of memory");
    for (size_t row = 0; row < height; row++) rows[row] = pixels + row * row_bytes;
    png_read_image(png, rows);
    png_read_end(png, NULL);
    free((void *)rows);
  }
  png_destroy_read_struct(&png, &info, NULL);
  return LATENT_PNG_OK;
}

latent_png_status latent_png_read_header(const uint8_t *bytes, size_t count,
                                         latent_png_header *header, char *message) {
  return read_image(bytes, count, header, 16, NULL, 0, message);
}

latent_png_status latent_png_read_pixels(const uint8_t *bytes, size_t count, uint32_t bits,
                                         uint8_t *pixels, size_t size, char *message) {
  return read_image(bytes, count, NULL, bits, pixels, size, message);
}

#else

static latent_png_status unavailable(char *message) {
  message[0] = 0;
  return LATENT_PNG_UNAVAILABLE;
}

latent_png_status latent_png_read_header(const uint8_t *bytes, size_t count,
                                         latent_png_header *header, char *message) {
  (void)bytes, (void)count, (void)header;
  return unavailable(message);
}

latent_png_status latent_png_read_pixels(const uint8_t *bytes, size_t count, uint32_t bits,
                                         uint8_t *pixels, size_t size, char *message) {
  (void)bytes, (void)count, (void)bits, (void)pixels, (void)size;
  return unavailable(message);
}

#endif
