// A normal through Sylvester flows, in the three forms of their paper.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// Sylvester steps, each with Q, R, R~ and b from the encoder; the diagonals of R and R~ go through tanh, which keeps
/// them invertible. Where the encoder's outputs are 0 they are the identity.
public struct SylvesterFlow: AmortizedFlow {
  /// What Q is made of.
  public enum Variant: String, SettingWord {
    /// A few columns, made orthonormal by iteration.
    case orthogonal
    /// As many columns as latents, a product of reflections.
    case householder
    /// The identity and the reversal in turn.
    case triangular
  }

  /// How many elements.
  public let size: Int
  public let depth: Int
  /// What Q is made of.
  public let variant: Variant
  /// The columns of Q where it is `orthogonal`.
  public let columns: Int
  /// The reflections of Q where it is `householder`.
  public let reflections: Int

  /// `columns` and `reflections` count where the variant has them; there are at most as many columns as elements.
  public init(
    size: Int, depth: Int, variant: Variant = .orthogonal, columns: Int = 8, reflections: Int = 8
  ) {
    (self.size, self.depth, self.variant) = (size, depth, variant)
    self.columns = variant == .orthogonal ? min(columns, size) : size
    self.reflections = reflections
  }

  private var basisCount: Int {
    switch variant {
    case .orthogonal: size * columns
    case .householder: size * reflections
    case .triangular: 0
    }
  }

  /// Q's numbers, the upper triangles of R and of R~ without and with their diagonals, b.
  public var stepOutputs: [RawOutputs] {
    let strict = columns * (columns - 1) / 2
    return (basisCount > 0 ? [RawOutputs(basisCount)] : [])
      + [strict, columns, strict, columns, columns].map { RawOutputs($0, startingAt: 0) }
  }

  public func step(_ index: Int, _ parts: [Tensor]) -> SylvesterBijection {
    let numbers = Array(parts.suffix(5))
    return SylvesterBijection(
      basis: basis(index, parts[0]), outer: upper(numbers[0], numbers[1]),
      inner: upper(numbers[2], numbers[3]), offset: numbers[4])
  }

  private func basis(_ index: Int, _ numbers: Tensor) -> Tensor {
    let batch = numbers.shape.prefix(numbers.rank - 1)
    switch variant {
    case .orthogonal:
      // Around the first columns of the identity, so that outputs of 0 have an orthonormal neighbour too.
      let first = Tensor.identity(size, numbers.dtype).sliced(1, 0..<columns)
      return SylvesterBijection.orthonormalized(numbers.reshaped(batch + [size, columns]) + first)
    case .householder:
      return SylvesterBijection.reflections(numbers.reshaped(batch + [reflections, size]))
    case .triangular:
      // The columns in reversed order are the reversal: applied before, undone after.
      let identity = Tensor.identity(size, numbers.dtype)
      return index % 2 == 0 ? identity : identity.reversed(axis: 1)
    }
  }

  /// Upper triangular matrices of what is above their diagonals, row by row, and of what tanh makes their diagonals.
  private func upper(_ above: Tensor, _ diagonal: Tensor) -> Tensor {
    let onDiagonal = tanh(diagonal).diagonalMatrix
    if columns < 2 { return onDiagonal }
    var places: [Int32] = []
    var next: Int32 = 0
    for row in 0..<columns {
      for column in 0..<columns {
        places.append(column > row ? next : 0)
        if column > row { next += 1 }
      }
    }
    let strict = Tensor(
      (0..<columns * columns).map { $0 % columns > $0 / columns ? 1.0 : 0.0 },
      shape: [columns, columns]
    ).converted(to: above.dtype)
    let dense = above.gathering(Tensor(places), axis: -1)
      .reshaped(above.shape.prefix(above.rank - 1) + [columns, columns])
    return Tensor.where(strict, dense, dense.zerosLike) + onDiagonal
  }
}

/// A normal through Sylvester flows, in words.
public struct SylvesterPosterior: FlowPosteriorDescription {
  public static let name = "sylvester"
  public static let origin = Origin(
    "a normal, moved along several directions at once for each step", paper: "arXiv 1803.05649",
    equation: "section 3", test: "LatentModelsTests/FlowPosteriorTests.swift")

  /// How many steps.
  public var depth = 4
  /// What the bases of the directions are made of.
  public var variant = SylvesterFlow.Variant.orthogonal
  /// Directions of a step of `orthogonal`; as many as latents where these are fewer.
  public var columns = 8
  /// Reflections that a basis of `householder` is made of.
  public var reflections = 8

  public init() {}

  public func validate() throws {
    try check(depth: depth)
    try check(size: columns, "columns")
    try check(size: reflections, "reflections")
  }

  public func conditionCount(latents: Int) -> Double {
    let size = Double(latents)
    let directions = variant == .orthogonal ? min(Double(columns), size) : size
    let basis: Double
    switch variant {
    case .orthogonal: basis = size * directions
    case .householder: basis = size * Double(reflections)
    case .triangular: basis = 0
    }
    return Double(depth) * (basis + directions * (directions + 1) + directions)
  }

  public func makeFlow(latents: Int, using random: inout RandomStream) -> SylvesterFlow {
    SylvesterFlow(
      size: latents, depth: depth, variant: variant, columns: columns, reflections: reflections)
  }
}
