// The update loops of one float type; optimizers.c includes this twice, with REAL, NAME(stem), BITS
// (the unsigned integer of the same size) and EXPONENT (the bits of an infinity) defined. Each loop
// reads p (the old parameter) and g (the gradient, scaled and with weight decay) and leaves the new
// parameter in p; a, b and c are the rule's state. A state by which steps are divided is left in
// `divisor` as well: an infinite one would stop its parameter for ever. The answer is whether both
// are finite everywhere, which costs nothing in a pass that waits for memory.

LATENT_INLINE BITS NAME(is_other)(REAL v) {
  union { REAL value; BITS bits; } pun = {.value = v};
  return (pun.bits & EXPONENT) == EXPONENT;
}

#define UPDATE(name, ...)                                                                     \
  static LATENT_CLONES bool NAME(name)(const update_scalars *s, int64_t n,                    \
                                       const void *gradient_, const void *old_, void *new_,   \
                                       void *a_, void *b_, void *c_) {                        \
    const REAL *gradient = gradient_, *old = old_;                                            \
    REAL *result = new_, *a = a_, *b = b_, *c = c_;                                           \
    const REAL scale = (REAL)s->scale, decay = (REAL)s->decay, rate = (REAL)s->rate;          \
    const REAL beta1 = (REAL)s->beta1, beta2 = (REAL)s->beta2, epsilon = (REAL)s->epsilon;    \
    const REAL rest1 = (REAL)(1 - s->beta1), rest2 = (REAL)(1 - s->beta2);                    \
    const REAL shrink = (REAL)s->shrink, correction = (REAL)s->correction;                    \
    const REAL gain = (REAL)s->gain, own = (REAL)s->own, ahead = (REAL)s->ahead;              \
    (void)a, (void)b, (void)c, (void)beta1, (void)beta2, (void)epsilon, (void)rest1;          \
    (void)rest2, (void)shrink, (void)correction, (void)gain, (void)own, (void)ahead;          \
    BITS others = 0;                                                                          \
    LATENT_SAME_INDEX for (int64_t i = 0; i < n; ++i) {                                       \
      REAL p = old[i], divisor = 0;                                                           \
      const REAL g = gradient[i] * scale + decay * p;                                         \
      __VA_ARGS__                                                                             \
      result[i] = p;                                                                          \
      others |= NAME(is_other)(p) | NAME(is_other)(divisor);                                  \
    }                                                                                         \
    return others == 0;                                                                       \
  }

UPDATE(adam, {
  const REAL m = a[i] + rest1 * (g - a[i]), v = beta2 * b[i] + rest2 * g * g;
  a[i] = m;
  b[i] = divisor = v;
  p = p * shrink - rate * (m / (square_root(v) * correction + epsilon));
})

UPDATE(adamax, {
  const REAL m = a[i] + rest1 * (g - a[i]), past = beta2 * b[i];
  const REAL now = (g < 0 ? -g : g) + epsilon;
  const REAL u = past > now || past != past ? past : now;  // NaN stays visible
  a[i] = m;
  b[i] = divisor = u;
  p = p * shrink - rate * (m / u);
})

UPDATE(sgd_plain, { p = p - rate * g; })

UPDATE(sgd_momentum, {
  const REAL velocity = beta1 * a[i] + gain * g;
  a[i] = velocity;
  p = p - rate * (own * g + ahead * velocity);
})

// The first step: the velocity is the gradient, whatever the buffer held.
UPDATE(sgd_first, {
  a[i] = g;
  p = p - rate * (own * g + ahead * g);
})

#define RMSPROP_SQUARE                                   \
  const REAL square = beta1 * a[i] + rest1 * g * g;      \
  a[i] = divisor = square;
// Rounding can take the variance below zero, where PyTorch would return NaN.
#define RMSPROP_CENTER                                   \
  const REAL mean = b[i] + rest1 * (g - b[i]);           \
  b[i] = mean;                                           \
  const REAL raw = square - mean * mean;                 \
  const REAL spread = raw < 0 ? 0 : raw;
#define RMSPROP_MOVE(step)                               \
  const REAL velocity = beta2 * c[i] + step;             \
  c[i] = velocity;                                       \
  p = p - rate * velocity;

UPDATE(rmsprop, {
  RMSPROP_SQUARE
  p = p - rate * (g / (square_root(square) + epsilon));
})
UPDATE(rmsprop_momentum, {
  RMSPROP_SQUARE
  RMSPROP_MOVE(g / (square_root(square) + epsilon))
})
UPDATE(rmsprop_centered, {
  RMSPROP_SQUARE
  RMSPROP_CENTER
  p = p - rate * (g / (square_root(spread) + epsilon));
})
UPDATE(rmsprop_centered_momentum, {
  RMSPROP_SQUARE
  RMSPROP_CENTER
  RMSPROP_MOVE(g / (square_root(spread) + epsilon))
})

static LATENT_CLONES void NAME(ema)(int64_t n, double rest_, const void *value_, void *average_) {
  const REAL *value = value_, rest = (REAL)rest_;
  REAL *average = average_;
  LATENT_SAME_INDEX for (int64_t i = 0; i < n; ++i) {
    average[i] += rest * (value[i] - average[i]);
  }
}

#undef UPDATE
#undef RMSPROP_SQUARE
#undef RMSPROP_CENTER
#undef RMSPROP_MOVE
