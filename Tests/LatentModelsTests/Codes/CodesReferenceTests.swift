// Every quantiser against PyTorch in float64: what goes on, indices, terms of the loss, and gradients.

import Foundation
import LatentAutodiff
import LatentLayers
import LatentModels
import LatentNumerics
import Testing

/// A row of scripts/references/codes.py.
struct CodesCase: Decodable, Sendable, CustomTestStringConvertible {
  struct Book: Decodable, Sendable {
    let shape: [Int]
    let values: [Double]
  }

  /// A setting of any kind.
  enum Setting: Decodable, Sendable {
    case number(Double), text(String), list([Int]), group([String: Setting])

    init(from decoder: any Swift.Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let number = try? container.decode(Double.self) {
        self = .number(number)
      } else if let text = try? container.decode(String.self) {
        self = .text(text)
      } else if let list = try? container.decode([Int].self) {
        self = .list(list)
      } else {
        self = .group(try container.decode([String: Setting].self))
      }
    }

    /// What `JSONSerialization` takes, laid over `base`.
    func laid(over base: Any?) -> Any {
      switch self {
      case .number(let number): return number
      case .text(let text): return text
      case .list(let list): return list
      case .group(let members):
        var result = base as? [String: Any] ?? [:]
        for (key, value) in members { result[key] = value.laid(over: result[key]) }
        return result
      }
    }
  }

  let name, chain: String
  let settings: [String: Setting]
  let dimension: Int
  let scale: Double
  let books: [String: Book]
  let value, code, gradient: [Double]
  let indices: [Int32]
  let terms: [String: Double]
  let bookGradients: [String: [Double]]
  var testDescription: String { name }

  static let all: [CodesCase] = {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Resources/codes.json")
    return try! JSONDecoder().decode([CodesCase].self, from: Data(contentsOf: file))
  }()

  /// The quantiser, with the codes of the row.
  func quantizer() throws -> any Quantizer {
    let names = chain.split(separator: ":").map(String.init)
    let standard = try JSONSerialization.jsonObject(
      with: JSONEncoder().encode(CodesSettings(chain: names)))
    let whole = Setting.group(settings).laid(over: standard)
    let codes = try JSONDecoder().decode(
      CodesSettings.self, from: JSONSerialization.data(withJSONObject: whole)
    ).description
    try codes.validate()
    try codes.validate(dimension: dimension)
    var random = RandomStream(seed: 1)
    func loaded(_ quantizer: some Quantizer) throws -> any Quantizer {
      var quantizer = quantizer.converted(to: .float64)
      try quantizer.load(
        books.mapValues { NDArray($0.values, shape: Shape($0.shape)) }, partial: true)
      return quantizer
    }
    let quantizer = codes.makeQuantizer(dimension: dimension, using: &random)
    #expect(Double(quantizer.parameterCount) == codes.parameterCount(dimension: dimension))
    if var linear = quantizer as? LinearQuantizer {
      linear.fixed = CodesCase.waves(6, 4, 0.4, 0.8)
      return try loaded(linear)
    }
    return try loaded(quantizer)
  }

  static func waves(_ rows: Int, _ columns: Int, _ start: Double, _ scale: Double = 1) -> Tensor {
    Tensor(
      (0..<rows * columns).map { scale * sin(1.7 * Double($0) + start) }, shape: [rows, columns])
  }
}

/// A quantiser and the vectors that it sees, to be differentiated together.
struct QuantizerProbe<Q: Quantizer>: Module {
  var z: Tensor
  var quantizer: Q

  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&z, "z")
    quantizer.visitParameters(&visitor)
  }
}

@Suite struct CodesReferenceTests {
  @Test(arguments: CodesCase.all) func againstPyTorch(row: CodesCase) throws {
    try check(row, row.quantizer())
  }

  private func check<Q: Quantizer>(_ row: CodesCase, _ quantizer: Q) throws {
    let rows = row.indices.count / quantizer.codeCounts.count
    let probe = QuantizerProbe(
      z: CodesCase.waves(rows, row.dimension, 0.3, row.scale), quantizer: quantizer)
    let g = CodesCase.waves(rows, row.dimension, 2.1)
    let result = valueAndGradient(
      at: probe,
      withAuxiliary: { probe in
        var context = LayerContext(isTraining: true, random: RandomStream(seed: 1))
        let (value, indices) = probe.quantizer(probe.z, &context)
        let losses = context.takeLosses()
        let total = losses.reduce((value * g).sum()) { $0 + $1.value * $1.weight }
        return (total, (value: value, indices: indices, losses: losses))
      })
    let found = result.auxiliary
    #expect(found.indices.array.int32s == row.indices)
    #expect(distance(found.value.doubles, row.value) < 1e-12)
    var terms: [String: Double] = [:]
    for loss in found.losses where loss.weight != 0 {
      terms[loss.name, default: 0] += loss.value.item
    }
    #expect(Set(terms.keys) == Set(row.terms.keys))
    for (name, value) in row.terms {
      #expect(abs((terms[name] ?? .nan) - value) < 1e-12, "\(name)")
    }
    let paths = probe.namedParameters.filter(\.isTrained).map(\.path)
    let gradients = Dictionary(uniqueKeysWithValues: zip(paths, result.gradients.tensors))
    #expect(distance((gradients["z"] ?? nil)?.doubles ?? [], row.gradient) < 1e-11)
    for (name, expected) in row.bookGradients {
      #expect(distance((gradients[name] ?? nil)?.doubles ?? [], expected) < 1e-11, "\(name)")
    }
    // The codes at the indices are what was found.
    let codes = quantizer.codes(at: found.indices, .float64)
    #expect(distance(codes.doubles, row.code) < 1e-12)
    var context = LayerContext.inference
    #expect(quantizer(probe.z, &context).value.array == codes.array, "to the bit after training")
  }
}
