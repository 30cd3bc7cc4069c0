// The search for the nearest code, by a product, and the centres of vectors where codes start.

import LatentAutodiff
import LatentNumerics

/// int32 `[vector]`: for each vector `[vector, number]` the code `[code, number]` at the least distance, the first of
/// equals.
///
/// |z - e|² is |z|² - 2 z e + |e|², of which the first term is the same for all codes and left out: a product of matrices
/// finds the least, and large vectors cancel nothing.
package func nearestCodes(to z: Tensor, among codes: Tensor) -> Tensor {
  let codes = codes.detached
  return linear(z.detached, weight: codes * -2, bias: square(codes).sum(axes: [1])).argMin(axis: 1)
}

/// How many vectors each code is nearest to, and their sum.
func assigned(
  _ z: Tensor, to indices: Tensor, codes: Int
) -> (counts: Tensor, sums: Tensor) {
  let ones = Tensor.ones([z.shape[0]], z.dtype)
  return (
    ones.scatterAdded(to: indices, axis: 0, length: codes),
    z.detached.scatterAdded(to: indices, axis: 0, length: codes)
  )
}

/// Centres `[code, number]` of vectors `[vector, number]`, and how many belong to each (Lloyd 1982): started at vectors
/// drawn without repetition, each more than once where there are fewer than centres; a centre that is nearest to no
/// vector stays where it is.
package func kMeans(
  of z: Tensor, count: Int, iterations: Int, using random: inout RandomStream
) -> (centers: Tensor, sizes: Tensor) {
  let z = z.detached
  var centers = z.gathering(drawnRows(of: z, count, using: &random))
  var sizes = Tensor.zeros([count], z.dtype)
  for _ in 0..<iterations {
    let (counts, sums) = assigned(z, to: nearestCodes(to: z, among: centers), codes: count)
    let column = counts.reshaped([count, 1])
    let means = sums / maximum(column, column.onesLike)
    centers = Tensor.where((column .> 0).broadcast(to: centers.shape), means, centers)
    sizes = counts
  }
  return (centers, sizes)
}

/// `count` numbers of rows of z in random order, int32, from the beginning again where there are fewer rows. Takes one
/// draw.
func drawnRows(of z: Tensor, _ count: Int, using random: inout RandomStream) -> Tensor {
  let order = random.permutation(z.shape[0])
  return Tensor((0..<count).map { Int32(order[$0 % order.count]) })
}
