// A vector in several parts, each with codes of its own: a product of small code books is a large one (Jégou, Douze and
// Schmid 2011, "Product quantization for nearest neighbor search").

import LatentAutodiff
import LatentLayers
import LatentNumerics

/// Neighbouring numbers of a vector, each part by a quantiser of its own.
public struct GroupedQuantizer: Quantizer {
  /// In the order of the parts.
  public var groups: [any Quantizer]

  /// Of quantisers for neighbouring parts.
  public init(_ groups: [any Quantizer]) { self.groups = groups }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    for index in groups.indices {
      visitor.enter("\(index)")
      groups[index].visitParameters(&visitor)
      visitor.leave()
    }
  }

  public var dimension: Int { groups.reduce(0) { $0 + $1.dimension } }
  public var codeCounts: [Int] { groups.flatMap { $0.codeCounts } }

  /// The parts of the last axis, of sizes that each group has.
  private func parts(_ x: Tensor, _ size: (any Quantizer) -> Int) -> [Tensor] {
    var start = 0
    return groups.map { group in
      defer { start += size(group) }
      return x.sliced(1, start..<start + size(group))
    }
  }

  public func prepared(_ z: Tensor) -> Tensor {
    Tensor.concatenate(
      zip(groups, parts(z) { $0.dimension }).map { $0.prepared($1) }, axis: 1)
  }

  public func quantized(_ z: Tensor, _ context: inout LayerContext) -> Quantized {
    let found = zip(groups, parts(z) { $0.dimension }).map { $0.quantized($1, &context) }
    return Quantized(
      codes: Tensor.concatenate(found.map(\.codes), axis: 1),
      indices: Tensor.concatenate(found.map(\.indices), axis: 1),
      losses: found.flatMap(\.losses))
  }

  public func passed(
    from z: Tensor, to codes: Tensor, stage: Int, _ context: inout LayerContext
  ) -> Tensor {
    let (from, to) = (parts(z) { $0.dimension }, parts(codes) { $0.dimension })
    let passed = groups.indices.map {
      groups[$0].passed(from: from[$0], to: to[$0], stage: stage, &context)
    }
    return Tensor.concatenate(passed, axis: 1)
  }

  public func codes(at indices: Tensor, _ dtype: DType) -> Tensor {
    let parts = parts(indices) { $0.codeCounts.count }
    return Tensor.concatenate(zip(groups, parts).map { $0.codes(at: $1, dtype) }, axis: 1)
  }

  public func scale(ofStage stage: Int) -> [Double] { groups.flatMap { $0.scale(ofStage: stage) } }
}

/// Parts with codes of their own, in words.
public struct GroupedCodes: CompositeCodesDescription {
  public static let name = "grouped"
  public static let origin = Origin(
    "each vector in several parts, with codes of their own",
    paper: "Jégou, Douze and Schmid 2011", equation: "8",
    test: "LatentModelsTests/CompositeQuantizerTests.swift")

  /// How many parts.
  public var groups = 2
  /// What finds the codes of each.
  public var inside = CodesSettings()

  public init() {}

  public var vectorSize: Int { groups * inside.description.vectorSize }

  public func validate() throws {
    try check((1...1024).contains(groups), "groups", groups, "1 to 1024")
    try check(
      inside.name != Self.name, "inside.name", "'\(Self.name)'", "what is not grouped itself")
    try checkingInside { try $0.validate() }
  }

  public func validate(dimension: Int) throws {
    try check(
      dimension % groups == 0, "groups", groups, "a divisor of the \(dimension) numbers of a vector"
    )
    try checkingInside { try $0.validate(dimension: dimension / groups) }
  }

  public func parameterCount(dimension: Int) -> Double {
    Double(groups) * inside.description.parameterCount(dimension: dimension / groups)
  }

  public func makeQuantizer(
    dimension: Int, using random: inout RandomStream
  ) -> any Quantizer {
    GroupedQuantizer(
      (0..<groups).map { _ in
        inside.description.makeQuantizer(dimension: dimension / groups, using: &random)
      })
  }
}
