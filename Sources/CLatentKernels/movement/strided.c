// The odometer under every broadcasting and copying kernel: a dense result walked in row-major
// order beside up to three strided operands, with adjacent axes merged where all strides agree.

#include "runtime/internal.h"

latent_nest latent_make_nest(int rank, const int64_t *shape, int operands,
                             const int64_t *const *strides) {
  latent_nest nest = {.rank = 0, .operands = operands, .total = 1};
  for (int axis = 0; axis < rank; ++axis) {
    nest.total *= shape[axis];
    if (shape[axis] == 1) continue;
    int last = nest.rank - 1;
    bool merges = nest.rank > 0;
    for (int k = 0; merges && k < operands; ++k) {
      merges = nest.stride[k][last] == strides[k][axis] * shape[axis];
    }
    if (merges) {
      nest.shape[last] *= shape[axis];
    } else {
      last = nest.rank++;
      nest.shape[last] = shape[axis];
    }
    for (int k = 0; k < operands; ++k) nest.stride[k][last] = strides[k][axis];
  }
  if (nest.rank == 0) {  // a single element, treated as dense
    nest.rank = 1;
    nest.shape[0] = 1;
    for (int k = 0; k < operands; ++k) nest.stride[k][0] = 1;
  }
  return nest;
}

latent_nest_position latent_nest_at(const latent_nest *nest, int64_t linear) {
  latent_nest_position position = {.offset = {0}};
  for (int axis = nest->rank - 1; axis >= 0; --axis) {
    int64_t index = linear % nest->shape[axis];
    linear /= nest->shape[axis];
    position.index[axis] = index;
    for (int k = 0; k < nest->operands; ++k) {
      position.offset[k] += index * nest->stride[k][axis];
    }
  }
  return position;
}

void latent_nest_advance(const latent_nest *nest, latent_nest_position *position, int64_t count) {
  for (int axis = nest->rank - 1; axis >= 0; --axis) {
    position->index[axis] += count;
    for (int k = 0; k < nest->operands; ++k) {
      position->offset[k] += count * nest->stride[k][axis];
    }
    if (position->index[axis] < nest->shape[axis]) return;
    int64_t span = position->index[axis];
    position->index[axis] = 0;
    for (int k = 0; k < nest->operands; ++k) position->offset[k] -= span * nest->stride[k][axis];
    count = 1;
  }
}

#define COPY_LINE(type)                                                       \
  do {                                                                        \
    const type *from = src;                                                   \
    type *to = dst;                                                           \
    if (stride == 0) {                                                        \
      type value = *from;                                                     \
      for (int64_t i = 0; i < count; ++i) to[i] = value;                      \
    } else {                                                                  \
      LATENT_SAME_INDEX for (int64_t i = 0; i < count; ++i) to[i] = from[i * stride]; \
    }                                                                         \
  } while (0)

void latent_copy_line(int item, int64_t count, const void *src, int64_t stride, void *dst) {
  if (count <= 0) return;
  if (stride == 1) {
    memcpy(dst, src, (size_t)(count * item));
  } else if (item == 4) {
    COPY_LINE(uint32_t);
  } else if (item == 8) {
    COPY_LINE(uint64_t);
  } else {
    COPY_LINE(uint8_t);
  }
}

void latent_nest_gather(const latent_nest *nest, int which, int item, int64_t linear,
                        int64_t count, const void *src, void *dst) {
  int inner = nest->rank - 1;
  int64_t length = nest->shape[inner], stride = nest->stride[which][inner];
  latent_nest_position position = latent_nest_at(nest, linear);
  char *to = dst;
  while (count > 0) {
    int64_t part = smaller(count, length - position.index[inner]);
    latent_copy_line(item, part, (const char *)src + position.offset[which] * item, stride, to);
    latent_nest_advance(nest, &position, part);
    to += part * item;
    count -= part;
  }
}
