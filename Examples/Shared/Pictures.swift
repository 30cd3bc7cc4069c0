// The pictures of a run.

import Foundation
import Latent

/// How much small examples are enlarged.
public enum PictureScale {
  public static func of(inputShape: [Int]) -> Int { max(1, 56 / inputShape[0]) }
}

/// Grids of reconstructions, samples, interpolations and traversals.
public struct Pictures<Model: LatentVariableModel> {
  public let model: Model
  public let isPicture: Bool
  private let scale: Int

  public init(model: Model, inputShape: [Int]) {
    self.model = model
    isPicture = inputShape.count == 3 && (inputShape[2] == 1 || inputShape[2] == 3)
    scale = isPicture ? PictureScale.of(inputShape: inputShape) : 1
  }

  public func write(_ images: Tensor, columns: Int, to path: String) throws {
    try AtomicFile.write(grid(images, columns: columns).png, to: path)
  }

  /// Images `[..., height, width, channels]` as one, enlarged where they are small.
  public func grid(_ images: Tensor, columns: Int) throws -> PictureGrid {
    let flat = images.reshaped([-1] + images.shape.suffix(3).dimensions)
    return try PictureGrid(flat.array, columns: columns, scale: scale)
  }

  /// Strips `[strips * steps, ...]` of so many steps in motion, all at once.
  public func animation(_ strips: Tensor, steps: Int, columns: Int) throws -> Animation {
    let count = strips.shape[0] / steps
    let frames = (0..<steps).map { step in
      strips.gathering(Tensor((0..<count).map { Int32($0 * steps + step) })).array
    }
    return try Animation(frames, columns: columns, scale: scale)
  }

  /// Originals and reconstructions in alternate rows.
  public func reconstructions(of x: Tensor, columns: Int = 10) -> Tensor {
    let reconstructed = model.reconstruct(x)
    var rows: [Tensor] = []
    for start in stride(from: 0, to: x.shape[0], by: columns) {
      let range = start..<min(start + columns, x.shape[0])
      rows += [x.sliced(0, range), reconstructed.sliced(0, range)]
    }
    return Tensor.concatenate(rows, axis: 0)
  }

  /// One strip for each pair of neighbours in `x`: example 0 to 1, 2 to 3, and so on.
  public func interpolations(
    between x: Tensor, steps: Int = 10, path: Interpolation = .spherical
  ) -> Tensor {
    let z = model.codes(of: x)
    let strips = stride(from: 0, to: x.shape[0] - 1, by: 2).map {
      model.interpolate(from: z.selecting($0), to: z.selecting($0 + 1), steps: steps, path)
    }
    return Tensor.concatenate(strips, axis: 0)
  }

  /// The same along geodesics, and these.
  public func geodesics(
    between x: Tensor, steps: Int = 10
  ) throws -> (examples: Tensor, paths: [Geodesic]) {
    let z = model.codes(of: x)
    let paths = try stride(from: 0, to: x.shape[0] - 1, by: 2).map {
      try model.geodesic(from: z.selecting($0), to: z.selecting($0 + 1), points: steps)
    }
    let latents = Tensor.concatenate(paths.map(\.points), axis: 0)
    return (try model.decode(latents).point(for: "a geodesic"), paths)
  }

  /// The same along lines that are straight where a flow comes from.
  public func interpolations(
    between x: Tensor, steps: Int, through flow: some BaseSpace
  ) throws -> Tensor {
    let z = model.codes(of: x)
    let paths = stride(from: 0, to: x.shape[0] - 1, by: 2).map {
      flow.path(from: z.selecting($0), to: z.selecting($0 + 1), steps: steps)
    }
    return try model.decode(Tensor.concatenate(paths, axis: 0)).point(for: "a path")
  }

  /// One row for each latent of `z` `[rows, ...]`, from it less the attribute to it with the attribute.
  public func attributes(of z: Tensor, along vector: AttributeVector, steps: Int) -> Tensor {
    let rows = (0..<z.shape[0]).map { row in
      let start = z.selecting(row).flattened()
      return model.interpolate(
        from: vector.added(to: start, amount: -1).reshaped(z.shape.removing(0)),
        to: vector.added(to: start).reshaped(z.shape.removing(0)), steps: steps, .linear)
    }
    return Tensor.concatenate(rows, axis: 0)
  }

  /// The latents that carry most, where `use` knows that of each; else those that vary most over `x`.
  public func order(of x: Tensor, use: LatentUse?, count: Int = 10) -> [Int] {
    let z = model.codes(of: x).flattened(from: 1)
    var weights = z.variance(axes: [0]).doubles
    if let use, use.names.isEmpty, use.count == weights.count { weights = use.nats }
    return Array(weights.indices.sorted { (weights[$0], $1) > (weights[$1], $0) }.prefix(count))
  }

  /// One row for each of the latents `dimensions`, moved from -2.5 to 2.5 while the others are those of the first
  /// example.
  public func traversals(of x: Tensor, dimensions: [Int], steps: Int = 11) -> Tensor {
    let z = model.codes(of: x.sliced(0, 0..<1)).selecting(0)
    let values = (0..<steps).map { -2.5 + 5 * Double($0) / Double(max(1, steps - 1)) }
    return Tensor.concatenate(
      dimensions.map { model.traverse(z, dimension: $0, values: values) }, axis: 0)
  }
}
