// Latents of several levels, each conditioned on those above: p(z) = p(z_L) ... p(z_2 | z_3) p(z_1 | z_2). What a level
// is conditioned on is a state that goes down from level to level, and at last to the decoder:
//
//   ladder      s_(i-1) = f_i(z_i)          (Rezende et al. 2014; Sonderby et al. 2016)
//   top-down    s_(i-1) = f_i(s_i, z_i)     (Kingma et al. 2016; Child 2021)

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// What a level of latents depends on.
public enum HierarchyPath: String, Sendable, Hashable, Codable, CaseIterable,
  CustomStringConvertible
{
  /// The latents of the level above.
  case ladder
  /// The latents of all levels above, through a state that goes down beside them.
  case topDown = "top-down"

  /// The word in files.
  public var description: String { rawValue }
}

/// The generating half of a hierarchy without its decoder: p(z), and the state that a decoder takes.
///
/// Levels are numbered from the data up. The top level is standard normal; latents of all levels are one vector
/// `[z_1, ..., z_L]`.
public struct TopDown: Module {
  /// From the state of a level to mean and log-variance of its latents, `[..., width] -> [..., 2 latents]`; one for
  /// each level below the top.
  public var normals: [Linear]
  /// From the latents of a level, and its state where the path has one, to the state below.
  public var steps: [Linear]
  /// Latents of each level.
  public let latents: [Int]
  /// What levels depend on.
  public let path: HierarchyPath

  /// `widths` are those of the states, one for each level; the lowest one is also what the decoder takes.
  public init(
    widths: [Int], latents: [Int], path: HierarchyPath = .topDown, activation: Activation = .relu,
    using random: inout RandomStream, file: StaticString = #fileID, line: UInt = #line
  ) {
    require(
      !latents.isEmpty && widths.count == latents.count,
      "a hierarchy of \(latents.count) levels of latents with \(widths.count) widths", file: file,
      line: line)
    self.latents = latents
    self.path = path
    // Conditional priors start near the standard normal.
    normals = latents.indices.dropLast().map {
      Linear(
        widths[$0], 2 * latents[$0], initializer: .output(fanIn: widths[$0]), using: &random)
    }
    steps = latents.indices.map { level in
      Linear(
        TopDown.inputs(of: level, widths: widths, latents: latents, path: path),
        widths[max(0, level - 1)], activation: activation, initializer: .heUniform, using: &random)
    }
  }

  /// What the step from a level down takes.
  static func inputs(
    of level: Int, widths: [Int], latents: [Int], path: HierarchyPath
  ) -> Int {
    let hasState = path == .topDown && level < latents.count - 1
    return latents[level] + (hasState ? widths[level] : 0)
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&normals, "normals")
    visitor.visit(&steps, "steps")
  }

  /// The number of latents of all levels.
  public var size: Int { latents.reduce(0, +) }

  /// Latents `[..., size]` level by level.
  public func split(_ z: Tensor) -> [Tensor] {
    var start = 0
    return latents.map { count in
      defer { start += count }
      return z.sliced(z.rank - 1, start..<start + count)
    }
  }

  /// The state below a level.
  private func below(_ level: Int, _ state: Tensor?, _ z: Tensor) -> Tensor {
    guard path == .topDown, let state else { return steps[level](z) }
    return steps[level](Tensor.concatenate([state, z], axis: -1))
  }

  /// What the decoder takes of latents `[..., size]`: `[..., width of the lowest level]`.
  public func state(of z: Tensor) -> Tensor {
    let parts = split(z)
    var state: Tensor?
    for level in parts.indices.reversed() { state = below(level, state, parts[level]) }
    return state ?? z
  }

  /// Goes down from the top. `choose` gets each level, its prior of batch shape `leading` given what was chosen above,
  /// and its state, none at the top, and gives latents `[leading, latents]`.
  /// - Returns: the latents of all levels, `[leading, size]`.
  func descend(
    _ leading: Shape, _ dtype: DType,
    choose: (_ level: Int, _ prior: DiagonalNormal, _ state: Tensor?) -> Tensor
  ) -> Tensor {
    var state: Tensor?
    var chosen: [Tensor] = []
    for level in latents.indices.reversed() {
      let z = choose(level, prior(of: level, leading, dtype, state), state)
      chosen.append(z)
      if level > 0 { state = below(level, state, z) }
    }
    return Tensor.concatenate(chosen.reversed(), axis: -1)
  }

  private func prior(
    of level: Int, _ leading: Shape, _ dtype: DType, _ state: Tensor?
  ) -> DiagonalNormal {
    guard let state else {
      let zeros = Tensor.zeros(leading.appending(latents[level]), dtype)
      return DiagonalNormal(mean: zeros, logVariance: zeros)
    }
    let halves = normals[level](state).split(into: 2, axis: -1)
    return DiagonalNormal(mean: halves[0], logVariance: halves[1])
  }
}

/// p(z) of a hierarchy, over the latents of all levels.
public struct TopDownNormal: ReparameterizedDistribution, EvaluableDistribution {
  let topDown: TopDown
  /// What the standard deviations of each level are multiplied by, in draws and in the density.
  public let temperatures: [Double]
  public let dtype: DType

  /// The prior of a hierarchy. Traps unless each level has a positive temperature; 1 where none are given.
  public init(
    _ topDown: TopDown, temperatures: [Double]? = nil, dtype: DType = .float32,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    let count = topDown.latents.count
    self.temperatures = temperatures ?? Array(repeating: 1, count: count)
    require(
      self.temperatures.count == count && self.temperatures.allSatisfy { $0 > 0 },
      "temperatures \(self.temperatures) for \(count) levels: expected a positive one for each",
      file: file, line: line)
    self.topDown = topDown
    self.dtype = dtype
  }

  public var batchShape: Shape { [] }
  public var eventShape: Shape { [topDown.size] }

  private func tempered(_ normal: DiagonalNormal, _ level: Int) -> DiagonalNormal {
    let factor = temperatures[level]
    if factor == 1 { return normal }
    return DiagonalNormal(
      mean: normal.mean, standardDeviation: normal.standardDeviation * factor)
  }

  public func logProbability(of value: Tensor) -> Tensor {
    topDown.logProbability(of: value) { level, prior, _ in tempered(prior, level) }
  }

  public func reparameterizedSample(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> Tensor {
    topDown.descend(sampleShape, dtype) { level, prior, _ in
      tempered(prior, level).reparameterizedSample(using: &random)
    }
  }

  /// The path from the mean of the top level along the means of the others.
  public var pointEstimate: Tensor? { topDown.descend([], dtype) { _, prior, _ in prior.mean } }
}

extension TopDown {
  /// The log-density of latents `[..., size]` whose levels are normals that `conditional` makes of each level, its
  /// prior and its state: nats, `[...]`.
  func logProbability(
    of value: Tensor, conditional: (Int, DiagonalNormal, Tensor?) -> DiagonalNormal
  ) -> Tensor {
    require(
      value.rank > 0 && value.shape[-1] == size,
      "latents of shape \(value.shape) for a hierarchy of \(latents): expected [..., \(size)]")
    let parts = split(value)
    var total: Tensor?
    _ = descend(value.shape.prefix(value.rank - 1), value.dtype) { level, prior, state in
      let part = conditional(level, prior, state).logProbability(of: parts[level])
      total = total.map { $0 + part } ?? part
      return parts[level]
    }
    return total ?? value.sum(axes: [-1])
  }
}
