// What every distribution needs around its formula: splitting the shape of parameters into batch
// and event, and traps that name the distribution when shapes do not belong together.

import LatentAutodiff
import LatentNumerics

let logTwoPi = 1.837_877_066_409_345_483_6
let logTwo = 0.693_147_180_559_945_309_42

/// The common shape `[batch, event]` of parameters that broadcast against each other, split.
func parameterShapes(
  _ name: StaticString, _ parameters: [Tensor], eventRank: Int, file: StaticString, line: UInt
) -> (batch: Shape, event: Shape) {
  var shape = parameters[0].shape
  let dtype = parameters[0].dtype
  for parameter in parameters {
    require(
      parameter.dtype == dtype, "\(name): element types \(dtype) and \(parameter.dtype) differ",
      file: file, line: line)
    guard let common = shape.broadcast(with: parameter.shape) else {
      fatalError(
        "\(name): parameter shapes \(shape) and \(parameter.shape) do not broadcast", file: file,
        line: line)
    }
    shape = common
  }
  require(
    eventRank >= 0 && eventRank <= shape.rank,
    "\(name): event rank \(eventRank) does not fit parameters of shape \(shape)", file: file,
    line: line)
  return (shape.prefix(shape.rank - eventRank), shape.suffix(eventRank))
}

extension Distribution {
  /// Traps unless `value` ends in the event's axes: a size of 1 there would broadcast silently.
  func requireEvent(_ value: Tensor) {
    let rank = eventShape.rank
    require(
      value.rank >= rank && value.shape.suffix(rank) == eventShape,
      "\(Self.self): value of shape \(value.shape) does not end in the event shape \(eventShape)")
  }

  /// Traps unless both are about the same events.
  func requireSameEvent(as other: some Distribution) {
    require(
      eventShape == other.eventShape,
      "KL(\(Self.self) || \(type(of: other))): event shapes \(eventShape) and "
        + "\(other.eventShape) differ")
  }

  /// The batch shape that two distributions broadcast to.
  func commonBatch(with other: some Distribution) -> Shape {
    guard let shape = batchShape.broadcast(with: other.batchShape) else {
      fatalError(
        "KL(\(Self.self) || \(type(of: other))): batch shapes \(batchShape) and "
          + "\(other.batchShape) do not broadcast")
    }
    return shape
  }
}

extension Tensor {
  /// The last `rank` axes as one, which is new where `rank` is 0.
  func flatteningEvent(_ rank: Int) -> Tensor {
    rank == 0 ? expandingDimension(at: self.rank) : flattened(from: self.rank - rank)
  }

  /// The sum over the event of a parameter that may broadcast against it: `[batch]` (or `[]`).
  func summedParameter(over event: Shape) -> Tensor {
    let present = Swift.min(rank, event.rank)
    let own = shape.suffix(present).count
    let total = summedOverEvent(present)
    return own == event.count ? total : total * (Double(event.count) / Double(own))
  }

  /// minus |x|, with derivative +1 at 0. Even functions written with it keep right derivatives at
  /// 0, where `abs` would give none.
  var negativeMagnitude: Tensor { Tensor.where(detached .> 0, -self, self) }

  /// The constant -1 where x is positive, else 1: what makes every x negative or 0.
  var negatingSign: Tensor { Tensor.where(detached .> 0, -onesLike, onesLike).detached }
}
