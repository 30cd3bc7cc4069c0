// Normalisation over groups of channels (Wu and He 2018), channels last. Memory decides the time, so
// each direction is one pass that gathers sums and one that writes the result; the normalised value
// and the activation's slope are computed twice rather than stored.
//
// Lanes are channels: sums are kept for each channel and folded into groups at the end, however few
// channels a group has. Rows of few channels are read several at a time as one wide row. An example
// is cut into pieces by its size alone. Where there are many examples that fit into a cache, one task
// takes both passes of an example, so that the second finds it there.

#include <math.h>

#include "runtime/internal.h"
#include "runtime/real_math.h"

#ifdef __clang__
#pragma clang fp contract(fast)
#endif

enum {
  NORM_TILE = 512,        // lanes of one pass
  NORM_WIDE = 128,        // lanes that narrow rows are joined to
  NORM_ROWS = 64,         // rows whose sums are kept in the arrays' own type
  NORM_PIECE = 16384,     // elements of a piece, at least
  NORM_PIECES = 64,       // of one example, at most
  NORM_EXAMPLES = 8,      // from here on examples are tasks ...
  NORM_CACHED = 1 << 18,  // ... unless they have more elements than this
};

typedef struct {
  double count, mean, square;  // square: the sum of squared distances from the mean
} norm_moments;

typedef struct norm_job norm_job;
typedef void (*norm_piece)(const norm_job *job, int64_t example, int64_t piece);

struct norm_job {
  int64_t batch, positions, channels, groups, size, fold, pieces, piece_rows;
  latent_activation act;
  bool fixed;
  double epsilon;
  const void *x, *scale, *shift, *dy;
  double *statistics;
  void *out;
  // Forward: moments [batch, pieces, groups]. Backward: sums [batch, pieces, 2, channels], of which
  // piece 0 receives those of the example, and then `means` [batch, groups, 2].
  double *scratch, *means;
  norm_piece gather, spread;
  void (*combine)(const norm_job *job, int64_t example);
};

// The rows of a piece: wide rows, each of `fold` rows, and the rest.
typedef struct {
  int64_t first, wide_rows, rest_rows;
} norm_rows;

static norm_rows rows_of(const norm_job *job, int64_t example, int64_t piece) {
  const int64_t begin = piece * job->piece_rows;
  const int64_t rows = smaller(job->piece_rows, job->positions - begin);
  return (norm_rows){example * job->positions + begin, rows / job->fold, rows % job->fold};
}

// Lanes of `count` rows each: `copies` neighbouring runs of all channels of a tile.
typedef struct {
  int64_t copies;
  double count;
  LATENT_ALIGNED double mean[NORM_TILE], square[NORM_TILE];
} norm_lanes;

// The moments of channels [begin, end) of a tile of `width`, from two sets of lanes.
static LATENT_CLONES norm_moments fold_lanes(const norm_lanes lanes[2], int64_t width,
                                             int64_t begin, int64_t end) {
  LATENT_REASSOCIATE
  norm_moments result = {0, 0, 0};
  for (int set = 0; set < 2; ++set) {
    double sum = 0;
    for (int64_t copy = 0; copy < lanes[set].copies; ++copy) {
      const double *mean = lanes[set].mean + copy * width;
      for (int64_t c = begin; c < end; ++c) sum += mean[c];
    }
    result.mean += sum * lanes[set].count;
    result.count += lanes[set].count * (double)(lanes[set].copies * (end - begin));
  }
  result.mean /= result.count;
  for (int set = 0; set < 2; ++set) {
    double own = 0, between = 0;
    for (int64_t copy = 0; copy < lanes[set].copies; ++copy) {
      const double *mean = lanes[set].mean + copy * width;
      const double *square = lanes[set].square + copy * width;
      for (int64_t c = begin; c < end; ++c) {
        const double away = mean[c] - result.mean;
        own += square[c];
        between += away * away;
      }
    }
    result.square += own + between * lanes[set].count;
  }
  return result;
}

// Moments of two sets together (Chan, Golub and LeVeque 1983).
static void add_moments(norm_moments *total, norm_moments part) {
  if (total->count == 0) {
    *total = part;
    return;
  }
  const double count = total->count + part.count, away = part.mean - total->mean;
  const double share = part.count / count;
  total->mean += away * share;
  total->square += part.square + away * away * total->count * share;
  total->count = count;
}

static void combine_moments(const norm_job *job, int64_t example) {
  const norm_moments *all = (const norm_moments *)job->scratch + example * job->pieces * job->groups;
  for (int64_t group = 0; group < job->groups; ++group) {
    const norm_moments *part = all + group;
    norm_moments total = *part;
    for (int64_t piece = 1; piece < job->pieces; ++piece) {
      add_moments(&total, part[piece * job->groups]);
    }
    double *statistics = job->statistics + 3 * (example * job->groups + group);
    statistics[0] = total.mean;
    statistics[1] = total.square / total.count;
    statistics[2] = 1 / sqrt(statistics[1] + job->epsilon);
  }
}

#define REAL float
#define NAME(stem) stem##_f32
#include "group_norm_body.h"
#undef REAL
#undef NAME

#define REAL double
#define NAME(stem) stem##_f64
#include "group_norm_body.h"
#undef REAL
#undef NAME

static void example_range(void *context, int64_t begin, int64_t end) {
  const norm_job *job = context;
  for (int64_t example = begin; example < end; ++example) {
    for (int64_t piece = 0; job->gather && piece < job->pieces; ++piece) {
      job->gather(job, example, piece);
    }
    if (job->combine) job->combine(job, example);
    for (int64_t piece = 0; piece < job->pieces; ++piece) job->spread(job, example, piece);
  }
}

static void gather_task(void *context, int64_t index) {
  const norm_job *job = context;
  job->gather(job, index / job->pieces, index % job->pieces);
}

static void combine_task(void *context, int64_t index) {
  const norm_job *job = context;
  job->combine(job, index);
}

static void spread_task(void *context, int64_t index) {
  const norm_job *job = context;
  job->spread(job, index / job->pieces, index % job->pieces);
}

static void run(norm_job *job) {
  const int64_t elements = job->positions * job->channels;
  if (job->pieces == 1 || (job->batch >= NORM_EXAMPLES && elements <= NORM_CACHED)) {
    parallel_rows(job->batch, elements, LATENT_MODERATE, job, example_range);
    return;
  }
  if (job->gather) latent_parallel(job->batch * job->pieces, job, gather_task);
  if (job->combine) latent_parallel(job->batch, job, combine_task);
  latent_parallel(job->batch * job->pieces, job, spread_task);
}

static norm_job norm_job_for(int64_t batch, int64_t positions, int64_t channels, int64_t groups) {
  norm_job job = {.batch = batch, .positions = positions, .channels = channels, .groups = groups};
  job.size = channels / groups;
  job.fold = larger(1, NORM_WIDE / channels);
  const int64_t rows = larger(NORM_PIECE / channels, (positions + NORM_PIECES - 1) / NORM_PIECES);
  job.piece_rows = round_up(larger(rows, 1), job.fold);
  job.pieces = (positions + job.piece_rows - 1) / job.piece_rows;
  return job;
}

int64_t latent_group_norm_scratch(int64_t batch, int64_t positions, int64_t channels,
                                  int64_t groups) {
  norm_job job = norm_job_for(batch, positions, channels, groups);
  const int64_t forward = batch * job.pieces * groups * 3;
  return larger(forward, batch * (job.pieces * channels + groups) * 2);
}

void latent_group_norm(latent_activation act, latent_dtype type, bool fixed, int64_t batch,
                       int64_t positions, int64_t channels, int64_t groups, double epsilon,
                       const void *x, const void *scale, const void *shift, double *statistics,
                       void *y, double *scratch) {
  if (batch <= 0 || positions <= 0 || channels <= 0) return;
  norm_job job = norm_job_for(batch, positions, channels, groups);
  const bool wide = type == LATENT_F64;
  job.act = act, job.fixed = fixed, job.epsilon = epsilon;
  job.x = x, job.scale = scale, job.shift = shift;
  job.statistics = statistics, job.out = y, job.scratch = scratch;
  if (!fixed) {
    job.gather = wide ? gather_moments_f64 : gather_moments_f32;
    job.combine = combine_moments;
  }
  job.spread = wide ? normalize_f64 : normalize_f32;
  run(&job);
}

void latent_group_norm_grad(latent_activation act, latent_dtype type, bool fixed, int64_t batch,
                            int64_t positions, int64_t channels, int64_t groups, const void *x,
                            const void *scale, const void *shift, const double *statistics,
                            const void *dy, void *dx, void *dscale, void *dshift,
                            double *scratch) {
  if (batch <= 0 || positions <= 0 || channels <= 0) return;
  norm_job job = norm_job_for(batch, positions, channels, groups);
  const bool wide = type == LATENT_F64;
  job.act = act, job.fixed = fixed, job.dy = dy;
  job.x = x, job.scale = scale, job.shift = shift;
  job.statistics = (double *)statistics, job.out = dx, job.scratch = scratch;
  job.means = scratch + batch * job.pieces * channels * 2;
  job.gather = wide ? gather_slopes_f64 : gather_slopes_f32;
  job.combine = wide ? combine_slopes_f64 : combine_slopes_f32;
  job.spread = wide ? differentiate_f64 : differentiate_f32;
  run(&job);
  if (wide) {
    sum_examples_f64(&job, dscale, dshift);
  } else {
    sum_examples_f32(&job, dscale, dshift);
  }
}
