// What people report of sparse autoencoders, over a whole data set.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// How well few directions say what examples are, and how often each is used.
///
/// ```swift
/// var figures = SparseFigures()
/// for batch in batches { figures.add(batch, model) }
/// print(figures.unexplained, figures.active)
/// ```
public struct SparseFigures: Sendable {
  /// Examples that were looked at.
  public private(set) var examples = 0
  /// Of each latent, examples that it was active in.
  private var uses: [Double] = []
  private var errors = 0.0
  /// Sums of examples less `origin`, and of their squares: far from zero plain ones would lose their digits.
  private var origin, sums: Tensor?
  private var squares = 0.0

  /// Of nothing yet.
  public init() {}

  /// Takes in examples `[batch, ...]` as the model encodes and reconstructs them after training.
  public mutating func add(_ x: Tensor, _ model: some DictionaryModel) {
    var context = LayerContext.inference
    let code = model.code(of: model.preactivations(of: x), &context)
    let flat = x.flattened(from: 1).converted(to: .float64)
    let said = (matmul(sparse: code, model.dictionary) + model.center).converted(to: .float64)
    errors += square(flat - said).sum().item
    let origin = origin ?? flat.mean(axes: [0])
    self.origin = origin
    let moved = flat - origin
    sums = (sums ?? origin.zerosLike) + moved.sum(axes: [0])
    squares += square(moved).sum().item
    let active = (code .!= 0).converted(to: .float64).sum(axes: [0]).doubles
    uses = uses.isEmpty ? active : zip(uses, active).map { $0 + $1 }
    examples += x.shape[0]
  }

  /// The share of the variance that is not explained (FVU), `sum |x - x̂|² / sum |x - mean|²`; NaN of examples that are all
  /// the same. One less this is the explained variance.
  public var unexplained: Double {
    guard let sums else { return .nan }
    return errors / (squares - square(sums).sum().item / Double(examples))
  }

  /// Latents of an example that are active, in the mean (L0).
  public var active: Double { uses.reduce(0, +) / Double(examples) }

  /// Of each latent, the share of examples that it is active in, from 0 to 1: its density.
  public var densities: [Double] { uses.map { $0 / Double(examples) } }

  /// The share of latents that were never active, from 0 to 1.
  public var dead: Double { Double(uses.count { $0 == 0 }) / Double(uses.count) }
}

/// How well a dictionary holds directions that are known: for each row of `truth` `[directions, size]` the cosine of the
/// nearest row of `dictionary` `[latents, size]`, and of these the mean; 1 where all were found.
public func meanMaximalCosine(of dictionary: Tensor, to truth: Tensor) -> Double {
  require(
    dictionary.rank == 2 && truth.rank == 2 && dictionary.shape[1] == truth.shape[1],
    "cosines of directions \(dictionary.shape) and \(truth.shape)")
  return matmul(truth.unitRows, dictionary.unitRows, transpose: .right).max(axes: [1]).mean().item
}
