// Moving elements: strided copies both ways (transposes in tiles that fit the cache), and
// gathering and adding by index. Additions follow the order of the indices: work is split along
// the other axes only, so the result does not depend on the number of threads.

#include <stdlib.h>

#include "movement/transpose_tile.h"

enum { COLUMN_TILE = 256 };

typedef struct {
  latent_nest nest;                   // operand 0 is the strided side
  int64_t dense[LATENT_MAX_RANK];     // strides of the dense side
  int item, unit_axis;                // the strided side's axis of step +-1, for tiles
  bool scatter;
  int64_t unit_tiles;
  const char *src;
  char *dst;
} move_job;

#define COPY_TILE(type)                                                                       \
  static LATENT_CLONES void copy_tile_##type(int64_t rows, int64_t columns, const type *src,  \
                                             int64_t src_row, int64_t src_column, type *dst,  \
                                             int64_t dst_row, int64_t dst_column) {           \
    for (int64_t r = 0; r < rows; ++r) {                                                      \
      const type *from = src + r * src_row;                                                   \
      type *to = dst + r * dst_row;                                                           \
      for (int64_t c = 0; c < columns; ++c) to[c * dst_column] = from[c * src_column];        \
    }                                                                                         \
  }
COPY_TILE(uint8_t)
COPY_TILE(uint32_t)
COPY_TILE(uint64_t)

static LATENT_CLONES void transpose_tile(const uint32_t *src, int64_t src_line, uint32_t *dst,
                                         int64_t dst_line) {
  line a[TILE];
  for (int i = 0; i < TILE; ++i) a[i] = *(const line *)(src + i * src_line);
  transpose_lines(a);
  for (int i = 0; i < TILE; ++i) *(line *)(dst + i * dst_line) = a[i];
}

static void copy_tile(int item, int64_t rows, int64_t columns, const void *src, int64_t src_row,
                      int64_t src_column, void *dst, int64_t dst_row, int64_t dst_column) {
  const bool whole = item == 4 && rows == TILE && columns == TILE;
  if (whole && src_row == 1 && dst_column == 1) {
    transpose_tile(src, src_column, dst, dst_row);
  } else if (whole && src_column == 1 && dst_row == 1) {
    transpose_tile(src, src_row, dst, dst_column);
  } else if (item == 4) {
    copy_tile_uint32_t(rows, columns, src, src_row, src_column, dst, dst_row, dst_column);
  } else if (item == 8) {
    copy_tile_uint64_t(rows, columns, src, src_row, src_column, dst, dst_row, dst_column);
  } else {
    copy_tile_uint8_t(rows, columns, src, src_row, src_column, dst, dst_row, dst_column);
  }
}

static void move_range(void *context, int64_t begin, int64_t end) {
  const move_job *job = context;
  const latent_nest *nest = &job->nest;
  int inner = nest->rank - 1, item = job->item;
  if (!job->scatter) {
    latent_nest_gather(nest, 0, item, begin, end - begin, job->src, job->dst + begin * item);
    return;
  }
  latent_nest_position position = latent_nest_at(nest, begin);
  for (int64_t at = begin; at < end;) {
    int64_t part = smaller(end - at, nest->shape[inner] - position.index[inner]);
    char *to = job->dst + position.offset[0] * item;
    if (nest->stride[0][inner] == 1) {
      memcpy(to, job->src + at * item, (size_t)(part * item));
    } else {
      copy_tile(item, 1, part, job->src + at * item, 0, 1, to, 0, nest->stride[0][inner]);
    }
    latent_nest_advance(nest, &position, part);
    at += part;
  }
}

// One unit: TILE lines along the strided side's contiguous axis, and the whole inner axis.
static void transpose_range(void *context, int64_t begin, int64_t end) {
  const move_job *job = context;
  const latent_nest *nest = &job->nest;
  int inner = nest->rank - 1, unit = job->unit_axis, item = job->item;
  for (int64_t task = begin; task < end; ++task) {
    int64_t first = task % job->unit_tiles * TILE, rest = task / job->unit_tiles;
    int64_t strided = first * nest->stride[0][unit], dense = first * job->dense[unit];
    for (int axis = inner - 1; axis >= 0; --axis) {
      if (axis == unit) continue;
      int64_t index = rest % nest->shape[axis];
      rest /= nest->shape[axis];
      strided += index * nest->stride[0][axis];
      dense += index * job->dense[axis];
    }
    int64_t rows = smaller(TILE, nest->shape[unit] - first);
    for (int64_t c = 0; c < nest->shape[inner]; c += TILE) {
      int64_t columns = smaller(TILE, nest->shape[inner] - c);
      int64_t strided_at = (strided + c * nest->stride[0][inner]) * item;
      int64_t dense_at = (dense + c) * item;
      if (job->scatter) {
        copy_tile(item, rows, columns, job->src + dense_at, job->dense[unit], 1,
                  job->dst + strided_at, nest->stride[0][unit], nest->stride[0][inner]);
      } else {
        copy_tile(item, rows, columns, job->src + strided_at, nest->stride[0][unit],
                  nest->stride[0][inner], job->dst + dense_at, job->dense[unit], 1);
      }
    }
  }
}

static void move_strided(bool scatter, int item, int rank, const int64_t *shape, const void *src,
                         void *dst, const int64_t *strides) {
  move_job job = {.item = item, .scatter = scatter, .unit_axis = -1, .src = src, .dst = dst};
  job.nest = latent_make_nest(rank, shape, 1, &strides);
  const latent_nest *nest = &job.nest;
  if (nest->total == 0) return;
  int inner = nest->rank - 1;
  bool overlaps = false;
  int64_t step = 1;
  for (int axis = inner; axis >= 0; --axis) {
    int64_t stride = nest->stride[0][axis];
    job.dense[axis] = step;
    step *= nest->shape[axis];
    overlaps |= stride == 0 && nest->shape[axis] > 1;
    if (axis != inner && llabs(stride) == 1 && nest->shape[axis] >= 8) job.unit_axis = axis;
  }
  int64_t inner_stride = llabs(nest->stride[0][inner]);
  bool transposes = job.unit_axis >= 0 && inner_stride > 1 && nest->shape[inner] >= 8;
  if (scatter && overlaps) {  // the last write wins: keep the order
    move_range(&job, 0, nest->total);
  } else if (transposes) {
    int64_t length = nest->shape[job.unit_axis];
    job.unit_tiles = (length + TILE - 1) / TILE;
    int64_t units = nest->total / length / nest->shape[inner] * job.unit_tiles;
    parallel_rows(units, TILE * nest->shape[inner], LATENT_MODERATE, &job, transpose_range);
  } else {
    int64_t threshold = inner_stride == 1 ? LATENT_CHEAP : LATENT_MODERATE;
    parallel_elements(nest->total, threshold, &job, move_range);
  }
}

void latent_gather_strided(int item, int rank, const int64_t *shape, const void *src,
                           const int64_t *strides, void *dst) {
  move_strided(false, item, rank, shape, src, dst, strides);
}

void latent_scatter_strided(int item, int rank, const int64_t *shape, const void *src, void *dst,
                            const int64_t *strides) {
  move_strided(true, item, rank, shape, src, dst, strides);
}

// MARK: By index

static LATENT_CLONES uint32_t any_outside(int64_t n, const int32_t *indices, uint32_t limit) {
  uint32_t any = 0;
  for (int64_t i = 0; i < n; ++i) any |= (uint32_t)indices[i] >= limit;
  return any;
}

static int64_t first_outside(int64_t n, const int32_t *indices, int64_t axis) {
  uint32_t limit = (uint32_t)smaller(axis, INT64_C(1) << 31);
  if (!any_outside(n, indices, limit)) return -1;
  int64_t i = 0;
  while ((uint32_t)indices[i] < limit) ++i;
  return i;
}

typedef struct {
  int64_t item, axis, inner, count, tiles;
  const int32_t *indices;
  const char *src;
  char *dst;
} take_job;

#define TAKE_LINE(name, type)                                                              \
  static LATENT_CLONES void name(int64_t n, const int32_t *indices, const type *src,       \
                                 int64_t step, int64_t column_step, type *dst) {           \
    for (int64_t i = 0; i < n; ++i) dst[i] = src[indices[i] * step + i * column_step];     \
  }
TAKE_LINE(take_line_1, uint8_t)
TAKE_LINE(take_line_4, uint32_t)
TAKE_LINE(take_line_8, uint64_t)

static void take_line(int64_t item, int64_t n, const int32_t *indices, const void *src,
                      int64_t step, int64_t column_step, void *dst) {
  if (item == 4) {
    take_line_4(n, indices, src, step, column_step, dst);
  } else if (item == 8) {
    take_line_8(n, indices, src, step, column_step, dst);
  } else {
    take_line_1(n, indices, src, step, column_step, dst);
  }
}

static void take_range(void *context, int64_t begin, int64_t end) {
  const take_job *job = context;
  int64_t row_bytes = job->inner * job->item;
  for (int64_t at = begin; at < end;) {
    int64_t outer = at / job->count, j = at % job->count;
    int64_t part = smaller(end - at, job->count - j);
    const char *src = job->src + outer * job->axis * row_bytes;
    char *dst = job->dst + at * row_bytes;
    if (job->inner == 1) {
      take_line(job->item, part, job->indices + j, src, 1, 0, dst);
    } else {
      for (int64_t k = 0; k < part; ++k) {
        memcpy(dst + k * row_bytes, src + job->indices[j + k] * row_bytes, (size_t)row_bytes);
      }
    }
    at += part;
  }
}

int64_t latent_take(int item, int64_t outer, int64_t axis, int64_t inner, int64_t count,
                    const int32_t *indices, const void *src, void *dst) {
  int64_t bad = first_outside(count, indices, axis);
  if (bad >= 0 || outer <= 0 || inner <= 0 || count <= 0) return bad;
  take_job job = {item, axis, inner, count, 0, indices, src, dst};
  parallel_rows(outer * count, inner, LATENT_CHEAP, &job, take_range);
  return -1;
}

static void take_along_range(void *context, int64_t begin, int64_t end) {
  const take_job *job = context;
  for (int64_t row = begin; row < end; ++row) {
    int64_t outer = row / job->count, at = row * job->inner;
    take_line(job->item, job->inner, job->indices + at,
              job->src + outer * job->axis * job->inner * job->item, job->inner, 1,
              job->dst + at * job->item);
  }
}

int64_t latent_take_along(int item, int64_t outer, int64_t axis, int64_t inner, int64_t count,
                          const int32_t *indices, const void *src, void *dst) {
  int64_t bad = first_outside(outer * count * inner, indices, axis);
  if (bad >= 0 || outer <= 0 || inner <= 0 || count <= 0) return bad;
  take_job job = {item, axis, inner, count, 0, indices, src, dst};
  parallel_rows(outer * count, inner, LATENT_MODERATE, &job, take_along_range);
  return -1;
}

// A task is one outer index and a tile of columns; it walks every j in order.
#define ADD_BY_INDEX(suffix, real)                                                           \
  static LATENT_CLONES void add_line_##suffix(int64_t n, const real *src, real *dst) {       \
    LATENT_SAME_INDEX for (int64_t i = 0; i < n; ++i) dst[i] += src[i];                      \
  }                                                                                          \
  static void take_add_range_##suffix(void *context, int64_t begin, int64_t end) {           \
    const take_job *job = context;                                                           \
    for (int64_t task = begin; task < end; ++task) {                                         \
      int64_t outer = task / job->tiles, column = task % job->tiles * COLUMN_TILE;           \
      int64_t width = smaller(COLUMN_TILE, job->inner - column);                             \
      const real *src = (const real *)job->src + outer * job->count * job->inner + column;   \
      real *dst = (real *)job->dst + outer * job->axis * job->inner + column;                \
      for (int64_t j = 0; j < job->count; ++j) {                                             \
        real *to = dst + job->indices[j] * job->inner;                                       \
        if (width == 1) {                                                                    \
          *to += src[j * job->inner];                                                        \
        } else {                                                                             \
          add_line_##suffix(width, src + j * job->inner, to);                                \
        }                                                                                    \
      }                                                                                      \
    }                                                                                        \
  }                                                                                          \
  static void take_along_add_range_##suffix(void *context, int64_t begin, int64_t end) {     \
    const take_job *job = context;                                                           \
    for (int64_t task = begin; task < end; ++task) {                                         \
      int64_t outer = task / job->tiles, column = task % job->tiles * COLUMN_TILE;           \
      int64_t width = smaller(COLUMN_TILE, job->inner - column);                             \
      int64_t at = outer * job->count * job->inner + column;                                 \
      const real *src = (const real *)job->src + at;                                         \
      const int32_t *indices = job->indices + at;                                            \
      real *dst = (real *)job->dst + outer * job->axis * job->inner + column;                \
      for (int64_t j = 0; j < job->count; ++j) {                                             \
        for (int64_t i = 0; i < width; ++i) {                                                \
          int64_t from = j * job->inner + i;                                                 \
          dst[indices[from] * job->inner + i] += src[from];                                  \
        }                                                                                    \
      }                                                                                      \
    }                                                                                        \
  }

ADD_BY_INDEX(f32, float)
ADD_BY_INDEX(f64, double)
ADD_BY_INDEX(i32, uint32_t)  // wraps

static void add_by_index(bool along, latent_dtype type, int64_t outer, take_job *job) {
  if (outer <= 0 || job->inner <= 0 || job->count <= 0) return;
  job->tiles = (job->inner + COLUMN_TILE - 1) / COLUMN_TILE;
  latent_range_body body =
      type == LATENT_F32   ? (along ? take_along_add_range_f32 : take_add_range_f32)
      : type == LATENT_F64 ? (along ? take_along_add_range_f64 : take_add_range_f64)
                           : (along ? take_along_add_range_i32 : take_add_range_i32);
  parallel_rows(outer * job->tiles, job->count * smaller(COLUMN_TILE, job->inner),
                LATENT_MODERATE, job, body);
}

int64_t latent_take_add(latent_dtype type, int64_t outer, int64_t axis, int64_t inner,
                        int64_t count, const int32_t *indices, const void *src, void *dst) {
  int64_t bad = first_outside(count, indices, axis);
  if (bad >= 0) return bad;
  take_job job = {item_size(type), axis, inner, count, 0, indices, src, dst};
  add_by_index(false, type, outer, &job);
  return -1;
}

int64_t latent_take_along_add(latent_dtype type, int64_t outer, int64_t axis, int64_t inner,
                              int64_t count, const int32_t *indices, const void *src, void *dst) {
  int64_t bad = first_outside(outer * count * inner, indices, axis);
  if (bad >= 0) return bad;
  take_job job = {item_size(type), axis, inner, count, 0, indices, src, dst};
  add_by_index(true, type, outer, &job);
  return -1;
}
