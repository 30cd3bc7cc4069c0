// hnswlib behind C functions: no exception leaves this file.

#include "latent_hnsw.h"

#ifdef LATENT_HNSW

#include <hnswlib/hnswlib.h>

#include <memory>

namespace {

using Graph = hnswlib::HierarchicalNSW<float>;

struct Index {
  hnswlib::L2Space space;
  std::unique_ptr<Graph> graph;
  explicit Index(size_t size) : space(size) {}
};

// Down through the upper layers, where only the nearest counts, then through the lowest with `width` candidates.
// hnswlib's own function takes the width from a field, which concurrent searches would share, and in version 0.6
// ends its walk before it has so many.
auto nearest(const Graph &graph, const float *query, size_t width) {
  const auto distance = [&](hnswlib::tableint vector) {
    return graph.fstdistfunc_(query, graph.getDataByInternalId(vector), graph.dist_func_param_);
  };
  hnswlib::tableint here = graph.enterpoint_node_;
  float least = distance(here);
  for (int level = graph.maxlevel_; level > 0; --level) {
    for (bool moved = true; moved;) {
      moved = false;
      hnswlib::linklistsizeint *links = graph.get_linklist(here, level);
      const size_t count = graph.getListCount(links);
      for (size_t i = 1; i <= count; ++i) {
        const float other = distance(links[i]);
        if (other < least) least = other, here = links[i], moved = true;
      }
    }
  }
  return graph.searchBaseLayerST<true>(here, query, width);
}

}  // namespace

bool latent_hnsw_available(void) { return true; }

void *latent_hnsw_create(const float *vectors, size_t count, size_t size, size_t connections,
                         size_t width, size_t seed) {
  try {
    auto index = std::make_unique<Index>(size);
    index->graph.reset(new Graph(&index->space, count, connections, width, seed));
    for (size_t row = 0; row < count; ++row) index->graph->addPoint(vectors + row * size, row);
    return index.release();
  } catch (...) {
    return nullptr;
  }
}

bool latent_hnsw_search(const void *graph, const float *query, size_t wanted, size_t width,
                        int32_t *found) {
  try {
    const auto &index = *static_cast<const Index *>(graph)->graph;
    auto candidates = nearest(index, query, width > wanted ? width : wanted);
    if (candidates.size() < wanted) return false;
    while (candidates.size() > wanted) candidates.pop();
    for (; !candidates.empty(); candidates.pop()) {
      *found++ = static_cast<int32_t>(index.getExternalLabel(candidates.top().second));
    }
    return true;
  } catch (...) {
    return false;
  }
}

void latent_hnsw_destroy(void *graph) { delete static_cast<Index *>(graph); }

#else

bool latent_hnsw_available(void) { return false; }

void *latent_hnsw_create(const float *, size_t, size_t, size_t, size_t, size_t) { return nullptr; }

bool latent_hnsw_search(const void *, const float *, size_t, size_t, int32_t *) { return false; }

void latent_hnsw_destroy(void *) {}

#endif
