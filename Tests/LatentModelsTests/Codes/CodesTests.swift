// What every quantiser promises as the posterior of a model: indices and codes are each other's inverse, after training
// nothing changes, and models with it are made, encode, decode and generate.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import Testing

@Suite struct CodesTests {
  /// Every quantiser, and some made of others, small.
  static let chains =
    CodesSettings.all.map { $0.name } + [
      "residual:fsq", "residual:bsq", "grouped:lfq", "grouped:residual:fsp",
    ]

  /// The settings of a chain for vectors of 4 numbers, in JSON as files have them.
  static func settings(_ chain: String) throws -> CodesSettings {
    let names = chain.split(separator: ":").map(String.init)
    func smaller(_ value: Any) -> Any {
      guard var keys = value as? [String: Any] else { return value }
      for (key, small) in [("codes", 6), ("stages", 3)] where keys[key] is Int { keys[key] = small }
      if keys["levels"] != nil { keys["levels"] = names[0] == "grouped" ? [3, 5] : [3, 4, 5, 3] }
      return keys.mapValues(smaller)
    }
    let whole = try JSONSerialization.jsonObject(
      with: JSONEncoder().encode(CodesSettings(chain: names)))
    return try JSONDecoder().decode(
      CodesSettings.self, from: JSONSerialization.data(withJSONObject: smaller(whole)))
  }

  struct Form: Sendable, CustomTestStringConvertible {
    let chain: String
    let network: any NetworkDescription
    var testDescription: String { "\(chain), \(network)" }
  }

  /// Latents that are vectors, cut in two, and latents at places.
  static let forms: [Form] = chains.flatMap { chain in
    [
      Form(chain: chain, network: MLPNetwork(hidden: [6], latentSize: 8)),
      Form(chain: chain, network: ConvMapNetwork(channels: [3], latentChannels: 4)),
      Form(chain: chain, network: ResidualNetwork(channels: [4, 4], groups: 2, latentChannels: 4)),
    ]
  }

  static func description(_ form: Form) throws -> ModelDescription {
    var codes = try settings(form.chain).description
    // Quantisers of all numbers of a place see those of a vector whole, unless told otherwise.
    if form.network is MLPNetwork {
      func cut(_ codes: any CodesDescription, _ size: Int) -> any CodesDescription {
        switch codes {
        case var codes as VectorCodes:
          codes.dimension = size
          return codes
        case var codes as LinearCodes:
          codes.dimension = size
          return codes
        case var codes as LookupFreeCodes:
          codes.bits = size
          return codes
        case var codes as BinarySphericalCodes:
          codes.bits = size
          return codes
        case var codes as ResidualCodes:
          codes.inside = CodesSettings(cut(codes.inside.description, size))
          return codes
        case var codes as GroupedCodes:
          codes.inside = CodesSettings(cut(codes.inside.description, size / 2))
          return codes
        default: return codes
        }
      }
      codes = cut(codes, 4)
    }
    return ModelDescription(
      form.network, inputShape: [4, 4, 1], posterior: CodesPosterior(codes), likelihood: .normal)
  }

  @Test(arguments: forms) func models(form: Form) throws {
    var random = RandomStream(seed: 1)
    let description = try Self.description(form)
    let model = try description.makeModel(using: &random)
    #expect(Double(model.parameterCount) == description.parameterCount)
    #expect(model.unvisitedTensors.isEmpty && model.repeatedPaths.isEmpty)
    let data = try JSONEncoder().encode(description)
    #expect(try JSONDecoder().decode(ModelDescription.self, from: data) == description)
    try check(model)
  }

  private func check(_ model: some LatentVariableModel) throws {
    let before = model.namedParameters.map(\.tensor.array)
    var random = RandomStream(seed: 2)
    let x = random.uniformTensor([5, 4, 4, 1])
    let indices = try model.indices(of: x)
    let codes = try model.latentCodes()
    #expect(indices.shape == [5, codes.counts.count] && indices.dtype == .int32)
    // What is stored decodes to the same bits as what was encoded.
    #expect(try model.codes(at: indices).array == model.codes(of: x).array)
    #expect(
      try model.decode(indices: indices).pointEstimate?.array == model.reconstruct(x).array)
    // One example alone has the same codes.
    #expect(try model.indices(of: x.sliced(0, 2..<3)).array == indices.sliced(0, 2..<3).array)
    #expect(model.namedParameters.map(\.tensor.array) == before, "after training nothing changes")
    // The prior is uniform over indices, and the divergence exact.
    let rate = codes.counts.reduce(0) { $0 + log(Double($1)) }
    var context = LayerContext.inference
    let p = model.prior(.float32, &context)
    let q = model.encode(x)
    let divergence = try #require(q.closedFormKL(to: p))
    #expect(divergence.shape == [5])
    #expect(divergence.doubles.allSatisfy { abs($0 - rate) < 1e-5 * rate })
    let drawn = p.sampleAndLogProbability([2, 3], using: &random)
    #expect(drawn.value.shape == [2, 3] + model.latentShape)
    #expect(drawn.logProbability.shape == [2, 3])
    #expect(drawn.logProbability.doubles.allSatisfy { abs($0 + rate) < 1e-5 * rate })
    #expect(model.generate(3, using: &random).shape == [3, 4, 4, 1])
  }

  /// Index to code to index, for every index there is.
  @Test(arguments: chains) func everyIndex(chain: String) throws {
    var random = RandomStream(seed: 3)
    let quantizer = try Self.settings(chain).description.makeQuantizer(dimension: 4, using: &random)
    let counts = quantizer.codeCounts
    let rows = counts.max() ?? 0
    let indices = Tensor(
      (0..<rows).flatMap { row in counts.map { Int32(row % $0) } }, shape: [rows, counts.count])
    let codes = quantizer.codes(at: indices, .float64)
    #expect(codes.shape == [rows, 4])
    // Sums of several codes are found again in their own way.
    if chain.contains("residual") { return }
    var context = LayerContext.inference
    let converted = quantizer.codes(at: indices, .float32)
    #expect(quantizer.quantized(converted, &context).indices.array == indices.array)
  }

  // MARK: Indices from outside

  @Test func indicesThatNoCodeHas() throws {
    var random = RandomStream(seed: 1)
    let form = Form(chain: "vq", network: MLPNetwork(hidden: [6], latentSize: 8))
    let model = try Self.description(form).makeModel(using: &random)
    for (indices, text) in [
      (
        Tensor([0, 6] as [Int32], shape: [1, 2]),
        "index 6 at place 1 of a latent: expected 0 to 5"
      ),
      (
        Tensor([-1, 5] as [Int32], shape: [1, 2]),
        "index -1 at place 0 of a latent: expected 0 to 5"
      ),
      (
        Tensor([1] as [Int32], shape: [1, 1]),
        "indices of codes of shape [1, 1] and type int32: expected int32 [..., 2]"
      ),
      (
        Tensor.zeros([1, 2]),
        "indices of codes of shape [1, 2] and type float32: expected int32 [..., 2]"
      ),
    ] {
      let error = #expect(throws: CodeError.self) { try model.codes(at: indices) }
      #expect(error?.description == text)
    }
    let plain = try ModelDescription(MLPNetwork(hidden: [], latentSize: 2), inputShape: [3])
      .makeModel(using: &random)
    let error = #expect(throws: ModelRequirementError.self) { try plain.latentCodes() }
    #expect(
      error?.description == "an index of a code needs a model with codes: found DiagonalNormal")
    func refuse(_ model: some LatentVariableModel) {
      #expect {
        try VectorQuantizationDescription().make(
          for: model, TrainingFacts(examples: 4, inputShape: [3]))
      } throws: {
        "\($0)" == "objective 'vq' needs codes (the posterior 'codes'): found DiagonalNormal"
      }
    }
    refuse(plain)
  }

  @Test func packing() throws {
    let packing = IndexPacking(counts: [512, 3, 1, 2, 1000])
    #expect(packing.bits == [9, 2, 0, 1, 10] && packing.bytesPerExample == 3)
    let one = NDArray([0b1_0000_0001, 2, 0, 1, 0b11_1110_0000] as [Int32], shape: [1, 5])
    // 9 bits, 2, 1 and 10 from the least bit of the first byte on.
    let bits = 0b1_0000_0001 | 2 << 9 | 1 << 11 | 0b11_1110_0000 << 12
    let bytes = (0..<3).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }
    #expect(try packing.packed(one) == NDArray(bytes, shape: [1, 3]))
    var random = RandomStream(seed: 1)
    let uniform = random.uniform([50, 5], .float64).doubles
    let indices = NDArray(
      uniform.enumerated().map { Int32($1 * Double(packing.counts[$0 % 5])) }, shape: [50, 5])
    #expect(try packing.unpacked(packing.packed(indices)) == indices)
    for wrong in [3, -1] {
      let indices = NDArray([0, Int32(wrong), 0, 0, 0], shape: [1, 5])
      let error = #expect(throws: CodeError.self) { try packing.packed(indices) }
      #expect(error?.description == "index \(wrong) at place 1 of a latent: expected 0 to 2")
    }
    let ones = NDArray([255, 255, 255] as [UInt8], shape: [1, 3])
    #expect(throws: CodeError.noCode(index: 3, place: 1, 0..<3)) { try packing.unpacked(ones) }
    let error = #expect(throws: CodeError.self) { try packing.unpacked(ones.reshaped([3, 1])) }
    #expect(
      error?.description
        == "packed indices of shape [3, 1] and type uint8: expected uint8 [example, 3]")
  }

  // MARK: Words

  struct Wrong: Sendable, CustomTestStringConvertible {
    let codes: any CodesDescription
    let text: String
    var testDescription: String { text }

    init<Codes: CodesDescription>(
      _ type: Codes.Type, _ text: String, _ change: (inout Codes) -> Void
    ) {
      var codes = Codes()
      change(&codes)
      self.codes = codes
      self.text = text
    }
  }

  static let wrong = [
    Wrong(VectorCodes.self, "codes: found 0, expected 1 to 1073741824") { $0.codes = 0 },
    Wrong(VectorCodes.self, "codes: found 536870912, expected at most 134217728 of 8 numbers") {
      $0.codes = 1 << 29
    },
    Wrong(VectorCodes.self, "decay: found 1.0, expected 0 ..< 1") { $0.decay = 1 },
    Wrong(
      VectorCodes.self,
      "restart: found 0.0, expected more than 0 with the gradient diveq, which never moves a code "
        + "that no vector is near to"
    ) { $0.gradient = .diveq },
    Wrong(
      VectorCodes.self,
      "gradient: found rotation of one number, expected another for vectors of one number, or a "
        + "dimension of 2 or more"
    ) { ($0.gradient, $0.dimension) = (.rotation, 1) },
    Wrong(LinearCodes.self, "gradient: found 'diveq', expected straight-through, rotation") {
      $0.gradient = .diveq
    },
    Wrong(
      FiniteScalarCodes.self,
      "levels: found [2, 5], expected one number or more, each at least 3"
    ) { $0.levels = [2, 5] },
    Wrong(
      FiniteScalarCodes.self,
      "levels: found [65536, 65536], expected a product of at most 2147483647"
    ) { $0.levels = [65536, 65536] },
    Wrong(LookupFreeCodes.self, "bits: found 31, expected 0 to 30") { $0.bits = 31 },
    Wrong(BinarySphericalCodes.self, "group: found 17, expected 1 to 16") { $0.group = 17 },
    Wrong(ResidualCodes.self, "inside.commitment: found -1.0, expected 0 or more") {
      var inside = VectorCodes()
      inside.commitment = -1
      $0.inside = CodesSettings(inside)
    },
    Wrong(
      ResidualCodes.self,
      "dropout: found 0.5, expected 0 for fsp, which has no stages in training"
    ) { ($0.dropout, $0.inside) = (0.5, CodesSettings(ScalarPerturbationCodes())) },
    Wrong(GroupedCodes.self, "groups: found 3, expected a divisor of the 8 numbers of a vector") {
      $0.groups = 3
    },
  ]

  @Test(arguments: wrong) func wrongSettingsAreRefused(wrong: Wrong) {
    let description = ModelDescription(
      MLPNetwork(hidden: [4], latentSize: 8), inputShape: [6],
      posterior: CodesPosterior(wrong.codes))
    let error = #expect(throws: SettingError.self) { try description.validate() }
    let found = error.map { "\($0.key): found \($0.found), expected \($0.expected)" }
    #expect(found == "model.posterior.codes.\(wrong.text)")
  }

  @Test func vectorsThatDoNotFit() {
    var codes = VectorCodes()
    codes.dimension = 3
    let description = ModelDescription(
      MLPNetwork(hidden: [4], latentSize: 8), inputShape: [6], posterior: CodesPosterior(codes))
    let error = #expect(throws: ModelDescriptionError.self) { try description.validate() }
    #expect(
      error?.description
        == "model description: posterior.codes is 'vq' of vectors of 3 numbers, expected a divisor "
        + "of the last axis of latents [8]")
    // A prior over vectors is none over codes.
    let other = ModelDescription(
      MLPNetwork(hidden: [4], latentSize: 8), inputShape: [6], posterior: CodesPosterior(),
      prior: StandardPrior())
    let words = #expect(throws: ModelDescriptionError.self) { try other.validate() }
    #expect(words?.description.contains("on all vectors, expected one on codes") ?? false)
  }

  @Test func chainsOfNames() throws {
    #expect(
      try CodesSettings(chain: ["grouped", "residual", "fsq"]).chain == [
        "grouped", "residual", "fsq",
      ])
    let error = #expect(throws: SettingError.self) { try CodesSettings(chain: ["fsq", "vq"]) }
    #expect(error?.expected == "only residual, grouped before a colon")
    #expect(throws: SettingError.self) { try CodesSettings(chain: ["residual", "none"]) }
  }
}
