// A decoder that starts at the mean of the data spends its first steps on what differs between them,
// and a likelihood that starts at their scale neither ignores nor exaggerates it. Burda, Grosse and
// Salakhutdinov (2016) start the last bias of their decoders like that. An encoder starts where the
// differences are what it sees: its first layer takes the mean off.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// A part of a model that can start where the data are.
///
/// The ready decoders take the bias of their last layer from it, likelihoods their scale, and the ready
/// encoders of numbers that of their first one. Call it before training; what a checkpoint holds replaces
/// it.
public protocol DataInitializable: Module {
  /// Starts at the mean and the scale of the data that were looked at.
  mutating func initialize(from statistics: DataStatistics)
}

extension VAE: DataInitializable {
  /// Tells the parts that can make use of them.
  public mutating func initialize(from statistics: DataStatistics) {
    inform(&encoder, of: statistics)
    inform(&decoder, of: statistics)
    inform(&prior, of: statistics)
  }
}

/// Tells a part that can make use of them.
func inform<Part: Module>(_ part: inout Part, of statistics: DataStatistics) {
  guard var informed = part as? any DataInitializable else { return }
  informed.initialize(from: statistics)
  if let informed = informed as? Part { part = informed }
}

// MARK: - Encoders

extension MLP: DataInitializable {
  /// Of layers that see the data: the first one takes their mean off.
  public mutating func initialize(from statistics: DataStatistics) {
    if !layers.isEmpty { layers[0].fitInputs(to: statistics.moments) }
  }
}

extension GatedMLP: DataInitializable {
  /// Of layers that see the data: the first one takes their mean off.
  public mutating func initialize(from statistics: DataStatistics) {
    if !layers.isEmpty { layers[0].both.fitInputs(to: statistics.moments) }
  }
}

extension DenseEncoder: DataInitializable {
  public mutating func initialize(from statistics: DataStatistics) {
    inform(&hidden, of: statistics)
  }
}

extension ConvEncoder: DataInitializable {
  public mutating func initialize(from statistics: DataStatistics) {
    convolutions[0].fitInputs(to: statistics.channelMoments)
  }
}

extension ResidualEncoder: DataInitializable {
  public mutating func initialize(from statistics: DataStatistics) {
    input.fitInputs(to: statistics.channelMoments)
  }
}

/// `weight` `[outputs, ..., inputs]` and `bias` `[outputs]`.
protocol FirstLayer {
  var weight: Tensor { get set }
  var bias: Tensor? { get set }
}

extension Linear: FirstLayer {}
extension Convolution: FirstLayer {}

extension FirstLayer {
  /// The layer starts at W (x - mean): the bias is -W mean. At the border of a picture the mean of what is
  /// padded is taken off too. Without a bias nothing changes. Data that vary by more than 1, such as bytes
  /// as numbers, are brought down to that by W: log-variances of their size would overflow.
  mutating func fitInputs(to moments: DataMoments) {
    guard let old = bias else { return }
    if let deviation = moments.deviation, deviation > 1 {
      weight = Tensor((weight / deviation).detached.array)
    }
    let (outputs, inputs) = (weight.shape[0], moments.mean.count)
    let taps = weight.reshaped([outputs, weight.count / (outputs * inputs), inputs])
    let mean = moments.mean.converted(to: weight.dtype).reshaped([inputs])
    let shift = (taps * mean).sum(axes: [1, 2])
    bias = Tensor((-shift).converted(to: old.dtype).array)
  }
}

// MARK: - Decoders

extension DenseDecoder: DataInitializable {
  public mutating func initialize(from statistics: DataStatistics) {
    requireShape(outputShape, statistics)
    // An element is a pixel here, each with a bias of its own.
    output.bias.start(at: head.initialize(from: statistics.moments))
  }
}

extension ConvDecoder: DataInitializable {
  public mutating func initialize(from statistics: DataStatistics) {
    let outputs = head.initialize(from: statistics.channelMoments)
    convolutions[convolutions.count - 1].bias.start(at: outputs)
  }
}

extension ResidualDecoder: DataInitializable {
  public mutating func initialize(from statistics: DataStatistics) {
    output.bias.start(at: head.initialize(from: statistics.channelMoments))
  }
}

extension TransformerTextDecoder: DataInitializable {
  /// The logits start at the frequencies of the tokens.
  public mutating func initialize(from statistics: DataStatistics) {
    output.bias.start(at: statistics.logFrequencies(classes: classCount))
  }
}

extension GRUTextDecoder: DataInitializable {
  /// The logits start at the frequencies of the tokens.
  public mutating func initialize(from statistics: DataStatistics) {
    output.bias.start(at: statistics.logFrequencies(classes: classCount))
  }
}

extension DataStatistics {
  /// log p of each class, every one counted once more than it was seen (Laplace); nil of data that are
  /// no integers.
  func logFrequencies(classes: Int) -> Tensor? {
    guard !occurrences.isEmpty else { return nil }
    let counts = (0..<classes).map {
      Double($0 < occurrences.count ? occurrences[$0] : 0) + 1
    }
    return log(Tensor(counts) / counts.reduce(0, +))
  }
}

extension Tensor? {
  /// Becomes `value`, flattened and in its own type. A layer without a bias stays without.
  mutating func start(at value: Tensor?) {
    guard let bias = self, let value else { return }
    require(
      value.count == bias.count,
      "a bias of \(bias.count) cannot start at statistics of \(value.count) elements")
    self = Tensor(value.detached.converted(to: bias.dtype).reshaped(bias.shape).array)
  }
}

private func requireShape(_ shape: Shape, _ statistics: DataStatistics) {
  require(
    shape == statistics.shape,
    "a decoder of examples \(shape) cannot start from statistics of \(statistics.shape)")
}
