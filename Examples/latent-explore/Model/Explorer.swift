// A run with what is found out about it before the first request, and what it answers.

import Foundation
import Latent
import LatentCommands

/// A model to be walked through.
struct Explorer: Sendable {
  let opened: OpenRun
  let dataset: any Dataset
  /// Where new latents are from.
  let sampler: any LatentSampler
  /// Conditions are 0 to one less; 0 where there are none.
  let classes: Int
  /// The condition that a page begins with.
  let condition: Int?
  let ground: Ground
  let examples: EncodedExamples
  /// What draws are around: the middle of what they are from.
  private let center: [Double]

  /// Encodes the data.
  /// - Throws: what `EncodedExamples` throws.
  init(
    _ opened: OpenRun, dataset: any Dataset, ground: Ground, sampler: any LatentSampler,
    classes: Int, condition: Int?, seed: UInt64
  ) throws {
    (self.opened, self.dataset, self.ground) = (opened, dataset, ground)
    (self.sampler, self.classes, self.condition) = (sampler, classes, condition)
    func encoded(_ model: some LatentVariableModel) throws -> (EncodedExamples, [Double]) {
      var random = RandomStream(seed: seed)
      let draws = model.samplePrior(256, using: &random)
      let examples = try EncodedExamples(of: dataset, by: model, classes: classes, draws: draws)
      var context = LayerContext.inference
      let point = model.prior(.float32, &context).pointEstimate
      let center = sampler is PriorSampler ? point?.doubles : examples.plane.mean.doubles
      return (examples, center ?? draws.flattened(from: 1).mean(axes: [0]).doubles)
    }
    (examples, center) = try encoded(opened.model)
  }

  /// The largest size of a latent: far beyond what any decoder has seen.
  static let largestLatent = 1e4

  /// Numbers of a request as a latent of the run's set.
  /// - Throws: `HTTPFault`.
  func latent(_ z: [Double]) throws -> [Double] {
    let count = opened.model.latentShape.count
    if z.count != count { throw HTTPFault(400, "z has \(z.count) numbers: expected \(count)") }
    if let place = z.firstIndex(where: { !($0.magnitude <= Explorer.largestLatent) }) {
      throw HTTPFault(
        400, "z: number \(place) is \(z[place]), expected at most \(Int(Explorer.largestLatent))")
    }
    return try ground.nearest(to: z)
  }

  private func tensor(_ z: [Double]) throws -> Tensor {
    Tensor(try latent(z).map { Float($0) }).reshaped([1] + opened.model.latentShape)
  }

  private func fields(_ condition: Int?) throws -> [String: Tensor] {
    guard let condition else { return [:] }
    if !(0..<classes).contains(condition) {
      throw HTTPFault(
        400,
        "condition \(condition): "
          + (classes == 0 ? "this run knows none" : "expected 0 to \(classes - 1)"))
    }
    return [Field.labels: Tensor([Int32(condition)])]
  }

  // MARK: Answers

  /// What to decode.
  struct Decoding: Decodable {
    var z: [Double]
    var condition: Int?
    /// 0 is what the decoder expects, 1 a draw of its likelihood.
    var temperature: Double?
    /// Of the draw; the same seed, the same draw.
    var seed: Int?
  }

  /// One example, `[1, ...]`: what the likelihood expects, or a draw that is as much nearer to it, or farther, as
  /// `temperature` says; of sequences a draw at that temperature.
  func decode(_ asked: Decoding) throws -> Tensor {
    let temperature = try number(asked.temperature ?? 0, "temperature", 0...10)
    let (z, fields) = (try tensor(asked.z), try fields(asked.condition))
    var random = RandomStream(seed: try seed(asked.seed))
    func decoded(_ model: some LatentVariableModel) throws -> Tensor {
      let likelihood = model.decode(z, fields: fields)
      if temperature == 0 { return try likelihood.point(for: "decoding") }
      if let sequence = likelihood as? any TemperedSequence {
        return sequence.sample(temperature: temperature, using: &random)
      }
      let point = try likelihood.point(for: "decoding")
      return point + (likelihood.sample(using: &random) - point) * temperature
    }
    return try decoded(opened.model)
  }

  /// What to draw.
  struct Drawing: Decodable {
    var condition: Int?
    /// What the distance from the middle is multiplied by; for a normal prior, of its standard deviation.
    var spread: Double?
    var seed: Int?
  }

  /// A latent from the prior or the sampler.
  func draw(_ asked: Drawing) throws -> [Double] {
    let spread = try number(asked.spread ?? 1, "spread", 0...10)
    let fields = try fields(asked.condition)
    var random = RandomStream(seed: try seed(asked.seed))
    func drawn(_ model: some LatentVariableModel) -> [Double] {
      sampler.latents(1, of: model, fields: fields, using: &random).doubles
    }
    let z = drawn(opened.model)
    if spread == 1 { return z }
    return try ground.nearest(to: zip(center, z).map { $0 + spread * ($1 - $0) })
  }

  /// What to walk along.
  struct Walk: Decodable {
    var from: [Double]
    var to: [Double]
    var steps: Int
    var path: String?
    var condition: Int?
  }

  /// Latents of a path, ends included.
  func walk(_ asked: Walk) throws -> [[Double]] {
    if !(2...50).contains(asked.steps) {
      throw HTTPFault(400, "steps \(asked.steps): expected 2 to 50")
    }
    guard let path = Interpolation(rawValue: asked.path ?? Interpolation.spherical.rawValue) else {
      let known = Interpolation.allCases.map(\.rawValue).joined(separator: ", ")
      throw HTTPFault(400, "path '\(asked.path?.prefix(40) ?? "")': expected one of \(known)")
    }
    let shape = opened.model.latentShape
    let (start, end) = (try tensor(asked.from), try tensor(asked.to))
    func walked(_ model: some LatentVariableModel) throws -> Tensor {
      model.path(
        from: start.reshaped(shape), to: end.reshaped(shape), steps: asked.steps, path,
        fields: try fields(asked.condition))
    }
    let list = try walked(opened.model).doubles
    if !list.allSatisfy(\.isFinite) {
      throw HTTPFault(400, "between these latents float32 finds no path '\(path.rawValue)'")
    }
    return try stride(from: 0, to: list.count, by: shape.count).map {
      try ground.nearest(to: Array(list[$0..<$0 + shape.count]))
    }
  }

  /// What to search around.
  struct Search: Decodable {
    var z: [Double]
    var count: Int?
  }

  /// An example and how far it is.
  struct Neighbor: Encodable {
    let index: Int
    let distance: Float
  }

  /// The examples whose latents are nearest, the nearest first.
  func neighbors(_ asked: Search) throws -> [Neighbor] {
    let count = asked.count ?? 8
    if !(1...100).contains(count) { throw HTTPFault(400, "count \(count): expected 1 to 100") }
    let z = try tensor(asked.z).reshaped([1, -1]).array
    let found = examples.neighbors.nearest(min(count, dataset.count), to: z)
    return zip(found.indices.int32s, found.distances.floats).map {
      Neighbor(index: Int($0), distance: $1)
    }
  }

  private func number(_ value: Double, _ name: String, _ range: ClosedRange<Double>) throws
    -> Double
  {
    if range.contains(value) { return value }
    throw HTTPFault(
      400, "\(name) \(value): expected \(Int(range.lowerBound)) to \(Int(range.upperBound))")
  }

  private func seed(_ seed: Int?) throws -> UInt64 {
    if let seed = UInt32(exactly: seed ?? 0) { return UInt64(seed) }
    throw HTTPFault(400, "seed \(seed ?? 0): expected 0 to \(UInt32.max)")
  }

  /// An example of the data, `[1, ...]`.
  func inputs(of index: Int) throws -> Tensor { Tensor(try dataset.batch(at: [index]).inputs) }

  /// The latent of what was uploaded, `[1, ...]`.
  func encode(_ x: Tensor) throws -> [Double] {
    func encoded(_ model: some LatentVariableModel) throws -> [Double] {
      try model.encode(x).point(for: "exploring").doubles
    }
    return try encoded(opened.model)
  }
}
