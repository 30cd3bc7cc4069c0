// The posterior of a model with codes: certain of one code at each place, whose index it knows.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// All probability at one code for each example.
///
/// Of the codes' own finite set it is a distribution with the probability 1 at one of them: its divergence from a prior
/// over indices is -log p(indices), exactly (`CodeDistribution`). In training the values may be beside the codes, where a
/// quantiser passes derivatives so.
public struct CodePoint: PointDistribution, EvaluableDistribution, DistributionWithMean,
  DistributionWithMode
{
  private let point: Delta
  /// int32 `[batch, index]`: those of all vectors, one after the other in the order of their numbers; -1 where a stage
  /// of a residual quantiser was left out.
  public let indices: Tensor
  /// How many codes there are for each index.
  public let counts: [Int]

  /// Of values `[batch, event]` and indices `[batch, index]` of so many codes each. Traps unless they are as many.
  public init(
    _ value: Tensor, indices: Tensor, counts: [Int], eventRank: Int, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    point = Delta(value, eventRank: eventRank, file: file, line: line)
    require(
      indices.shape == [point.batchShape.count, counts.count] && indices.dtype == .int32,
      "indices \(indices.shape) of \(indices.dtype) of codes of batch shape \(point.batchShape): "
        + "expected int32 [batch, \(counts.count)]", file: file, line: line)
    self.indices = indices
    self.counts = counts
  }

  /// `[batch, event]`
  public var value: Tensor { point.value }
  public var batchShape: Shape { point.batchShape }
  public var eventShape: Shape { point.eventShape }
  public var dtype: DType { point.dtype }
  public var support: Support { .reals }
  public var mean: Tensor { value }
  public var mode: Tensor { value }

  public func logProbability(of value: Tensor) -> Tensor { point.logProbability(of: value) }

  public func reparameterizedSample(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> Tensor { point.reparameterizedSample(sampleShape, using: &random) }

  public func sampleAndLogProbability(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> (value: Tensor, logProbability: Tensor) {
    point.sampleAndLogProbability(sampleShape, using: &random)
  }

  public func closedFormKL(to other: any Distribution) -> Tensor? { other.closedFormKL(from: self) }
}
