// Philox4x32-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3",
// SC 2011): a block of four words is a pure function of counter and key, so every element can be
// computed on its own. Groups of GROUP blocks are computed whole, always by the same vector loop
// of fixed length, and partial ones copied out: an element has the same bits wherever a draw is
// split.

#include <math.h>

#include "runtime/internal.h"
#include "runtime/real_math.h"

#ifdef __clang__
#pragma clang fp contract(fast)
#endif

enum { GROUP = 64 };

static const uint32_t multiplier0 = 0xD2511F53u, multiplier1 = 0xCD9E8D57u;
static const uint32_t weyl0 = 0x9E3779B9u, weyl1 = 0xBB67AE85u;

// The words are kept in 64-bit lanes with garbage above bit 31: the widening product reads only
// the low halves.
typedef struct {
  uint64_t a, b, c, d;
} philox_words;

LATENT_INLINE philox_words philox_rounds(philox_words w, uint32_t key0, uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    uint64_t p0 = (w.a & 0xffffffffu) * multiplier0, p1 = (w.c & 0xffffffffu) * multiplier1;
    philox_words next = {(p1 >> 32) ^ w.b ^ key0, p1, (p0 >> 32) ^ w.d ^ key1, p0};
    w = next;
    key0 += weyl0;
    key1 += weyl1;
  }
  return w;
}

void latent_philox_block(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
  philox_words start = {counter[0], counter[1], counter[2], counter[3]};
  philox_words w = philox_rounds(start, key[0], key[1]);
  out[0] = (uint32_t)w.a;
  out[1] = (uint32_t)w.b;
  out[2] = (uint32_t)w.c;
  out[3] = (uint32_t)w.d;
}

typedef struct {
  uint64_t key, draw;
} stream;

// words[w][lane] is word w of block first + lane. No promise of independence here: it would cover
// the loop's own temporaries too, wherever a sanitizer keeps them in memory.
LATENT_INLINE void philox_group(stream from, uint64_t first, uint32_t words[4][GROUP]) {
  for (int lane = 0; lane < GROUP; ++lane) {
    uint64_t block = first + (uint64_t)lane;
    philox_words start = {block, block >> 32, from.draw, from.draw >> 32};
    philox_words w = philox_rounds(start, (uint32_t)from.key, (uint32_t)(from.key >> 32));
    words[0][lane] = (uint32_t)w.a;
    words[1][lane] = (uint32_t)w.b;
    words[2][lane] = (uint32_t)w.c;
    words[3][lane] = (uint32_t)w.d;
  }
}

// Two 32-bit results side by side are one 64-bit store: the interleaving costs two stores a block.
LATENT_INLINE void interleave(uint32_t words[4][GROUP], uint64_t *out) {
  LATENT_SAME_INDEX for (int lane = 0; lane < GROUP; ++lane) {
    out[2 * lane] = words[0][lane] | (uint64_t)words[1][lane] << 32;
    out[2 * lane + 1] = words[2][lane] | (uint64_t)words[3][lane] << 32;
  }
}

// (word >> 9 + 1/2) 2^-23, exactly: the bits of 1 + (word >> 9) 2^-23, less 1, plus 2^-24.
LATENT_INLINE float uniform_f32(uint32_t word) {
  return (from_bits(0x3f800000u | word >> 9) - 1.0f) + 0x1p-24f;
}

LATENT_INLINE double uniform_f64(uint32_t high, uint32_t low) {
  union { uint64_t bits; double value; } pun;
  pun.bits = UINT64_C(0x3ff0000000000000) | ((uint64_t)high << 32 | low) >> 12;
  return (pun.value - 1.0) + 0x1p-53;
}

// Box and Muller's transform of one pair. The angle is reduced in turns, where it is exact.
LATENT_INLINE void normal_pair(uint32_t *a, uint32_t *b) {
  float radius = square_root(-2.0f * log_normal_f32(uniform_f32(*a), 0.0f));
  rounded_f32 quarter = round_to_count(4.0f * uniform_f32(*b));
  float angle = (4.0f * uniform_f32(*b) - quarter.value) * 1.57079633f;
  float s = sin_polynomial(angle), c = cos_polynomial(angle);
  bool odd = quarter.count & 1u;
  float cosine = odd ? s : c, sine = odd ? c : s;
  uint32_t cosine_sign = ((quarter.count + 1u) & 2u) << 30, sine_sign = (quarter.count & 2u) << 30;
  *a = bits_of(radius * cosine) ^ cosine_sign;
  *b = bits_of(radius * sine) ^ sine_sign;
}

typedef void (*group_kernel)(stream from, uint64_t first, uint64_t *out);

static LATENT_CLONES void bits_group(stream from, uint64_t first, uint64_t *out) {
  LATENT_ALIGNED uint32_t words[4][GROUP];
  philox_group(from, first, words);
  interleave(words, out);
}

static LATENT_CLONES void uniform_f32_group(stream from, uint64_t first, uint64_t *out) {
  LATENT_ALIGNED uint32_t words[4][GROUP];
  philox_group(from, first, words);
  for (int w = 0; w < 4; ++w) {
    for (int lane = 0; lane < GROUP; ++lane) words[w][lane] = bits_of(uniform_f32(words[w][lane]));
  }
  interleave(words, out);
}

static LATENT_CLONES void normal_f32_group(stream from, uint64_t first, uint64_t *out) {
  LATENT_ALIGNED uint32_t words[4][GROUP];
  philox_group(from, first, words);
  LATENT_SAME_INDEX for (int lane = 0; lane < GROUP; ++lane) {
    normal_pair(&words[0][lane], &words[1][lane]);
  }
  LATENT_SAME_INDEX for (int lane = 0; lane < GROUP; ++lane) {
    normal_pair(&words[2][lane], &words[3][lane]);
  }
  interleave(words, out);
}

static LATENT_CLONES void uniform_f64_group(stream from, uint64_t first, uint64_t *out_) {
  LATENT_ALIGNED uint32_t words[4][GROUP];
  double *out = (double *)out_;
  philox_group(from, first, words);
  LATENT_SAME_INDEX for (int lane = 0; lane < GROUP; ++lane) {
    out[2 * lane] = uniform_f64(words[0][lane], words[1][lane]);
    out[2 * lane + 1] = uniform_f64(words[2][lane], words[3][lane]);
  }
}

static void normal_f64_group(stream from, uint64_t first, uint64_t *out_) {
  double *out = (double *)out_;
  uniform_f64_group(from, first, out_);
  for (int lane = 0; lane < GROUP; ++lane) {
    double radius = sqrt(-2.0 * log(out[2 * lane]));
    // In quarter turns: 4 u and its distance to an integer are exact.
    double quarters = 4.0 * out[2 * lane + 1], nearest = nearbyint(quarters);
    double angle = (quarters - nearest) * 1.57079632679489661923;
    double s = sin(angle), c = cos(angle);
    int q = (int)nearest & 3;
    out[2 * lane] = radius * (q == 0 ? c : q == 1 ? -s : q == 2 ? -c : s);
    out[2 * lane + 1] = radius * (q == 0 ? s : q == 1 ? c : q == 2 ? -s : -c);
  }
}

typedef struct {
  stream from;
  group_kernel kernel;
  uint64_t first;  // element of the draw
  int64_t item;
  char *y;
} draw_job;

static void draw_range(void *context, int64_t begin, int64_t end) {
  const draw_job *job = context;
  LATENT_ALIGNED uint64_t group[2 * GROUP];
  int64_t per_block = 16 / job->item;  // a block has 16 bytes of results
  char *y = job->y + begin * job->item;
  uint64_t at = job->first + (uint64_t)begin;
  for (int64_t left = end - begin; left > 0;) {
    int64_t skip = (int64_t)(at % (uint64_t)per_block);
    int64_t count = smaller(left, per_block * GROUP - skip);
    job->kernel(job->from, at / (uint64_t)per_block, group);
    memcpy(y, (const char *)group + skip * job->item, (size_t)(count * job->item));
    y += count * job->item;
    at += (uint64_t)count;
    left -= count;
  }
}

static void draw(group_kernel kernel, int64_t item, uint64_t key, uint64_t draw, uint64_t first,
                 int64_t n, void *y) {
  draw_job job = {{key, draw}, kernel, first, item, y};
  parallel_elements(n, LATENT_MODERATE, &job, draw_range);
}

void latent_random_bits(uint64_t key, uint64_t draw_number, uint64_t first, int64_t n,
                        uint32_t *y) {
  draw(bits_group, 4, key, draw_number, first, n, y);
}

void latent_random_uniform(latent_dtype type, uint64_t key, uint64_t draw_number, uint64_t first,
                           int64_t n, void *y) {
  bool wide = type == LATENT_F64;
  draw(wide ? uniform_f64_group : uniform_f32_group, wide ? 8 : 4, key, draw_number, first, n, y);
}

void latent_random_normal(latent_dtype type, uint64_t key, uint64_t draw_number, uint64_t first,
                          int64_t n, void *y) {
  bool wide = type == LATENT_F64;
  draw(wide ? normal_f64_group : normal_f32_group, wide ? 8 : 4, key, draw_number, first, n, y);
}
