// Shortest paths between latents, as the decoder sees them: straight lines of the latent space may pass where no data
// are and everything changes at once (Arvanitidis, Hansen and Hauberg 2018; Shao, Kumar and Fletcher 2018).

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics
import LatentOptimizers

/// A path of least energy, and how much shorter it is than the straight one.
public struct Geodesic: Sendable {
  /// Points at equal times, ends included, `[points, latent]`.
  public let points: Tensor
  /// `1/2 ∫ |d f(c(t)) / dt|² dt` over a time of 1, as the sum over the points has it.
  public let energy: Double
  /// The length of the path where `f` takes it; its square is at most twice the energy, and that at constant speed.
  public let length: Double
  /// Energy and length of the straight line between the same ends.
  public let straight: (energy: Double, length: Double)
  /// Iterations that were made.
  public let iterations: Int
}

/// The path of least energy between two points `[latent]` under the metric that `map` pulls back: among the paths of
/// `points` points, the one with the least `(points - 1)/2 sum |f(c_i+1) - f(c_i)|²`.
///
/// It is searched by L-BFGS from the straight line on, and so is the shortest of those near it, not always of all. Times
/// are equal, which makes the speed constant.
///
/// - Parameter map: `[any, latent] -> [any, anything]`, each point for itself
public func geodesic(
  from start: Tensor, to end: Tensor, points: Int, iterations: Int = 200,
  file: StaticString = #fileID, line: UInt = #line, under map: @escaping (Tensor) -> Tensor
) -> Geodesic {
  require(
    start.rank == 1 && start.shape == end.shape && points >= 2 && iterations > 0,
    "a geodesic of \(points) points from \(start.shape) to \(end.shape) in \(iterations) iterations",
    file: file, line: line)
  let line = interpolated(from: start, to: end, steps: points, .linear)
  let ends = (line.sliced(0, 0..<1), line.sliced(0, points - 1..<points))
  let segments = Double(points - 1)
  func moves(_ path: Tensor) -> Tensor {
    let image = map(path)
    return image.sliced(0, 1..<points) - image.sliced(0, 0..<points - 1)
  }
  func measure(_ path: Tensor) -> (energy: Double, length: Double) {
    let squares = square(moves(path).converted(to: .float64)).sum(axes: [1])
    return (squares.sum().item * segments / 2, sqrt(squares).sum().item)
  }
  let straight = measure(line)
  if points == 2 {
    return Geodesic(
      points: line, energy: straight.energy, length: straight.length, straight: straight,
      iterations: 0)
  }
  var search = LBFGS(iterations: iterations, memory: 20)
  search.gradientTolerance = 0
  let found = search.minimize([line.sliced(0, 1..<points - 1)]) { inner in
    square(moves(Tensor.concatenate([ends.0, inner[0], ends.1], axis: 0))).sum() * (segments / 2)
  }
  let path = Tensor.concatenate([ends.0, found.point[0], ends.1], axis: 0)
  let result = measure(path)
  return Geodesic(
    points: path, energy: result.energy, length: result.length, straight: straight,
    iterations: found.iterations)
}

extension LatentVariableModel {
  /// The shortest path between two latents as far as the likelihood moves (`metric`): `points` have the latents'
  /// shape, `[points, ...]`. `fields` have one row.
  ///
  /// - Throws: `ModelRequirementError` where the likelihood lies in no flat space.
  public func geodesic(
    from start: Tensor, to end: Tensor, points: Int, iterations: Int = 200,
    fields: [String: Tensor] = [:], file: StaticString = #fileID, line: UInt = #line
  ) throws -> Geodesic {
    let map = try likelihoodEmbedding(fields, start.shape)
    let path = LatentModels.geodesic(
      from: start.flattened(), to: end.flattened(), points: points, iterations: iterations,
      file: file, line: line, under: map)
    return Geodesic(
      points: path.points.reshaped([points] + start.shape), energy: path.energy,
      length: path.length, straight: path.straight, iterations: path.iterations)
  }
}
