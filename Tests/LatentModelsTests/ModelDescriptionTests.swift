// Models in words: JSON, checks before anything is allocated, and every combination built and used.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import Testing

@Suite struct ModelDescriptionTests {
  typealias Description = ModelDescription

  struct Example: Sendable, CustomTestStringConvertible {
    let network: any NetworkDescription
    let inputShape: [Int]
    let latents: Shape
    let json: String
    var testDescription: String { "\(network) of \(inputShape)" }

    init(
      _ network: any NetworkDescription, _ inputShape: [Int], _ latents: Shape, _ json: String
    ) {
      self.network = network
      self.inputShape = inputShape
      self.latents = latents
      self.json = json
    }
  }

  /// Every network, and the JSON of its own settings.
  static let examples = [
    Example(
      MLPNetwork(hidden: [], latentSize: 3), [6], [3],
      #""activation":"relu","architecture":"mlp","decoderHidden":null,"hidden":[],"inputShape":[6],"#
        + #""latentSize":3"#),
    Example(
      MLPNetwork(hidden: [7, 5], latentSize: 3, activation: .tanh, decoderHidden: [4]), [4, 4, 3],
      [3],
      #""activation":"tanh","architecture":"mlp","decoderHidden":[4],"hidden":[7,5],"#
        + #""inputShape":[4,4,3],"latentSize":3"#),
    Example(
      GatedMLPNetwork(hidden: [7, 5], latentSize: 3), [2, 3, 1], [3],
      #""architecture":"gated-mlp","hidden":[7,5],"inputShape":[2,3,1],"latentSize":3"#),
    Example(
      GatedMLPNetwork(hidden: [], latentSize: 1), [4], [1],
      #""architecture":"gated-mlp","hidden":[],"inputShape":[4],"latentSize":1"#),
    Example(
      ConvNetwork(channels: [3], hidden: 5, latentSize: 2), [6, 4, 3], [2],
      #""architecture":"conv","channels":[3],"hidden":5,"inputShape":[6,4,3],"latentSize":2"#),
    Example(
      ConvNetwork(channels: [2, 3], hidden: 5, latentSize: 2), [8, 4, 1], [2],
      #""architecture":"conv","channels":[2,3],"hidden":5,"inputShape":[8,4,1],"latentSize":2"#),
    Example(
      ConvMapNetwork(channels: [2, 3], latentChannels: 5), [8, 4, 1], [2, 1, 5],
      #""architecture":"conv-map","channels":[2,3],"inputShape":[8,4,1],"latentChannels":5"#),
    Example(
      ResidualNetwork(channels: [4], groups: 2, latentChannels: 1), [3, 4, 1], [3, 4, 1],
      #""architecture":"resnet","blocks":1,"channels":[4],"epsilon":1e-06,"groups":2,"#
        + #""inputShape":[3,4,1],"latentChannels":1"#),
    Example(
      ResidualNetwork(channels: [2, 4, 6], blocks: 2, groups: 2, latentChannels: 3), [8, 4, 3],
      [2, 1, 3],
      #""architecture":"resnet","blocks":2,"channels":[2,4,6],"epsilon":1e-06,"groups":2,"#
        + #""inputShape":[8,4,3],"latentChannels":3"#),
    Example(
      SparseNetwork(latentSize: 3), [6], [3],
      #""architecture":"sparse","inputShape":[6],"latentSize":3"#),
    Example(
      SparseNetwork(latentSize: 50), [2, 3, 1], [50],
      #""architecture":"sparse","inputShape":[2,3,1],"latentSize":50"#),
    Example(
      TransformerTextNetwork(width: 8, heads: 2, layers: 1, hidden: 5, latentSize: 3), [6], [3],
      #""architecture":"transformer-text","dropout":0,"heads":2,"hidden":5,"inputShape":[6],"#
        + #""latentSize":3,"layers":1,"likelihood":"categorical","#
        + #""norm":"before","positions":"learned","width":8"#),
    Example(
      TransformerTextNetwork(
        width: 4, heads: 1, layers: 2, hidden: 9, latentSize: 2, norm: .after, positions: .rotary,
        dropout: 0.25), [7], [2],
      #""architecture":"transformer-text","dropout":0.25,"heads":1,"hidden":9,"inputShape":[7],"#
        + #""latentSize":2,"layers":2,"likelihood":"categorical","#
        + #""norm":"after","positions":"rotary","width":4"#),
    Example(
      GRUTextNetwork(width: 4, hidden: 5, layers: 1, latentSize: 3), [6], [3],
      #""architecture":"gru-text","hidden":5,"inputShape":[6],"#
        + #""latentSize":3,"layers":1,"likelihood":"categorical","width":4"#),
    Example(
      GRUTextNetwork(width: 3, hidden: 4, layers: 3, latentSize: 1), [1], [1],
      #""architecture":"gru-text","hidden":4,"inputShape":[1],"#
        + #""latentSize":1,"layers":3,"likelihood":"categorical","width":3"#),
    Example(
      LadderMLPNetwork(hidden: [7], widths: [6, 5, 4], latents: [3, 2, 1]), [4, 2, 1], [6],
      #""activation":"relu","architecture":"ladder-mlp","hidden":[7],"inputShape":[4,2,1],"#
        + #""latents":[3,2,1],"likelihood":"*","merging":"precision","path":"top-down","widths":[6,5,4]"#
    ),
    Example(
      LadderMLPNetwork(
        hidden: [], widths: [6, 5], latents: [3, 2], activation: .tanh, path: .ladder,
        merging: .residual), [6], [5],
      #""activation":"tanh","architecture":"ladder-mlp","hidden":[],"inputShape":[6],"#
        + #""latents":[3,2],"likelihood":"*","merging":"residual","path":"ladder","widths":[6,5]"#),
    Example(
      LadderConvNetwork(
        channels: [2, 3], hidden: 7, widths: [6, 5], latents: [3, 2], merging: .residual),
      [8, 4, 1], [5],
      #""architecture":"ladder-conv","channels":[2,3],"hidden":7,"inputShape":[8,4,1],"#
        + #""latents":[3,2],"likelihood":"*","merging":"residual","path":"top-down","widths":[6,5]"#
    ),
  ]

  /// Each network with each posterior that can have its latents, and each of its likelihoods.
  static let combinations = examples.flatMap { example in
    PosteriorSettings.all.filter { posterior in
      (try? posterior.init().validate(latentShape: example.latents.dimensions)) != nil
    }.flatMap { posterior in
      type(of: example.network).likelihoods.map { (example, posterior.name, $0) }
    }
  }

  /// A posterior with settings that fit so many latents.
  static func posterior(_ name: String, latents: Int) throws -> any PosteriorDescription {
    switch try PosteriorSettings(named: name).description {
    case var classes as StraightThroughPosterior:
      classes.classes = latents
      return classes
    case var classes as RelaxedCategoricalPosterior:
      classes.classes = latents
      return classes
    case let other: return other
    }
  }

  @Test(arguments: combinations)
  func everyCombinationWorks(
    _ example: Example, _ posterior: String, _ likelihood: Description.Likelihood
  ) throws {
    let description = Description(
      example.network, inputShape: example.inputShape,
      posterior: try ModelDescriptionTests.posterior(posterior, latents: example.latents[-1]),
      likelihood: likelihood)
    do {
      try description.validate()
    } catch is ModelDescriptionError {
      return  // Refused: flows on latents in their place, halves of a single latent.
    } catch is SettingError {
      return
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let data = try encoder.encode(description)
    // Keys are sorted: those of text networks lie on both sides of this one.
    let word = "\"likelihood\":\"\(likelihood.rawValue)\""
    func text(_ value: some Encodable) throws -> String {
      String(decoding: try encoder.encode(value), as: UTF8.self)
    }
    let json = String(decoding: data, as: UTF8.self)
    let without = json.replacingOccurrences(
      of: try #","posterior":\#(text(description.posterior)),"prior":\#(text(description.prior))"#,
      with: "")
    #expect(json != without)
    let wanted = example.json.replacingOccurrences(of: #""likelihood":"*""#, with: word)
    #expect(without == "{\(wanted.contains(word) ? wanted : "\(wanted),\(word)")}")
    let again = try JSONDecoder().decode(Description.self, from: data)
    #expect(again == description && again.hashValue == description.hashValue)
    var random = RandomStream(seed: 1)
    let model = try description.makeModel(using: &random).reparameterized(for: "the bound")
    try use(model, description, example.latents)
  }

  /// Likelihoods that are the head of a decoder go with every network that takes heads.
  @Test func likelihoods() {
    let heads: [Description.Likelihood] = [.bernoulli, .continuousBernoulli, .normal, .unitNormal]
    #expect(Description.Likelihood.allCases == heads + [.categorical])
    for network in Description.networks {
      let isForText = network.architecture.hasSuffix("-text")
      #expect(network.likelihoods == (isForText ? [.categorical] : heads))
    }
  }

  /// Every network stands in the table above, under its own name among the presets.
  @Test func everyNetworkIsTested() {
    let tested = Set(ModelDescriptionTests.examples.map { type(of: $0.network).architecture })
    #expect(tested == Set(Description.networks.map { $0.architecture }))
    for network in Description.networks {
      #expect(network.presets.contains { $0.name == network.architecture })
    }
    let names = Description.presets.map(\.name)
    #expect(Set(names).count == names.count)
  }

  func use(
    _ model: some ReparameterizedModel, _ description: Description, _ latents: Shape
  ) throws {
    let shape = Shape(description.inputShape)
    let name = "\(description) of \(shape)"
    #expect(Double(model.parameterCount) == description.parameterCount, "\(name)")
    var random = RandomStream(seed: 2)
    let x =
      description.likelihood == .categorical
      ? Tensor((0..<4 * shape.count).map { Int32($0 * 37 % 256) }, shape: [4] + shape)
      : random.uniformTensor([4] + shape)
    let codes = model.codes(of: x)
    #expect(codes.shape == [4] + latents && model.latentShape == latents, "\(name)")
    let decoded = model.decode(codes)
    #expect(decoded.batchShape == [4] && decoded.eventShape == shape, "\(name)")
    #expect(decoded.logProbability(of: x).shape == [4], "\(name)")
    let images = model.generate(2, using: &random)
    #expect(images.shape == [2] + shape && images.array.nonFiniteCount == 0, "\(name)")
    #expect(model.unvisitedTensors == [], "\(name)")
    #expect(
      model.namedParameters.contains { $0.path == "decoder.head.logVariance" }
        == (description.likelihood == .normal), "\(name)")
    let gradients = valueAndGradient(at: model) { model in
      var context = LayerContext(isTraining: true, random: random)
      return loss(model, x, &context)
    }.gradients
    #expect(gradients.tensors.allSatisfy { $0 != nil } && gradients.norm.isFinite, "\(name)")
  }

  func loss<Model: ReparameterizedModel>(
    _ model: Model, _ x: Tensor, _ context: inout LayerContext
  ) -> Tensor {
    ELBO<Model>()(model, x, &context).total
  }

  /// The networks of the benchmark workloads, by name alone.
  @Test(
    arguments: [
      ("mlp", [28, 28, 1], 652_824, [20]), ("conv28", [28, 28, 1], 1_688_289, [16]),
      ("conv64", [64, 64, 3], 766_295, [10]), ("resnet64", [64, 64, 3], 1_589_611, [16, 16, 4]),
      ("seq", [64], 921_152, [32]), ("vq28", [28, 28, 1], 75_009, [7, 7, 64]),
    ] as [(String, [Int], Int, Shape)])
  func workloads(name: String, inputShape: [Int], parameters: Int, latents: Shape) throws {
    let description = try Description(named: name, inputShape: inputShape)
    let likelihoods: [String: Description.Likelihood] = [
      "resnet64": .unitNormal, "seq": .categorical, "vq28": .unitNormal,
    ]
    #expect(description.likelihood == likelihoods[name] ?? .bernoulli)
    #expect(description.parameterCount == Double(parameters))
    var random = RandomStream(seed: 1)
    func check(_ model: some LatentVariableModel) {
      #expect(model.parameterCount == parameters && model.latentShape == latents)
    }
    check(try description.makeModel(using: &random))
  }

  /// Sizes that follow the data.
  @Test(
    arguments: [
      (
        "conv", [28, 28, 1],
        "conv(channels: [32, 64], hidden: 256, latentSize: 16), diagonal, bernoulli"
      ),
      (
        "conv", [64, 64, 3],
        "conv(channels: [32, 32, 64, 64], hidden: 256, latentSize: 16), diagonal, bernoulli"
      ),
      (
        "conv", [40, 32, 3],
        "conv(channels: [32, 64, 64], hidden: 256, latentSize: 16), diagonal, bernoulli"
      ),
      (
        "conv", [8, 8, 1], "conv(channels: [64], hidden: 256, latentSize: 16), diagonal, bernoulli"
      ),
      (
        "conv-map", [28, 28, 1],
        "conv-map(channels: [32, 64], latentChannels: 16), diagonal, bernoulli"
      ),
      (
        "conv-map", [6, 10, 3], "conv-map(channels: [32], latentChannels: 16), diagonal, bernoulli"
      ),
      (
        "vq28", [28, 28, 1],
        "conv-map(channels: [32, 64], latentChannels: 64), codes, unit-normal"
      ),
      (
        "resnet", [28, 28, 1],
        "resnet(channels: [32, 64, 128], blocks: 1, groups: 8, latentChannels: 4, epsilon: 1e-06), "
          + "diagonal, normal"
      ),
      (
        "resnet", [9, 8, 1],
        "resnet(channels: [32], blocks: 1, groups: 8, latentChannels: 4, epsilon: 1e-06), diagonal, normal"
      ),
      ("gated-mlp", [7], "gated-mlp(hidden: [300, 300], latentSize: 40), diagonal, bernoulli"),
      (
        "mlp-autoencoder", [7],
        "mlp(hidden: [400], latentSize: 20, activation: relu), point, bernoulli"
      ),
      (
        "transformer-text", [9],
        "transformer-text(width: 128, heads: 4, layers: 2, hidden: 512, latentSize: 32, "
          + "norm: before, positions: learned, dropout: 0.0), diagonal, categorical"
      ),
      (
        "gru-text", [9],
        "gru-text(width: 128, hidden: 256, layers: 1, latentSize: 32), diagonal, categorical"
      ),
    ] as [(String, [Int], String)])
  func defaults(name: String, inputShape: [Int], text: String) throws {
    let description = try Description(named: name, inputShape: inputShape)
    #expect("\(description)" == text)
    try description.validate()
  }

  @Test func namesAreListed() {
    let error = #expect(throws: ModelDescriptionError.self) {
      try Description(named: "gan", inputShape: [4])
    }
    #expect(
      error?.description
        == "model description: architecture is 'gan', expected mlp, mlp-autoencoder, gated-mlp, "
        + "conv, conv28, conv64, conv-map, vq28, resnet, resnet64, sparse, transformer-text, seq, "
        + "gru-text, ladder-mlp, ladder-conv")
  }

  @Test func pathsOfTheFirstVersion() throws {
    var random = RandomStream(seed: 1)
    let model = try Description(MLPNetwork(), inputShape: [28, 28, 1]).makeModel(using: &random)
    #expect(
      model.namedParameters.map(\.path) == [
        "encoder.hidden.0.weight", "encoder.hidden.0.bias", "encoder.head.weight",
        "encoder.head.bias", "decoder.hidden.0.weight", "decoder.hidden.0.bias",
        "decoder.output.weight", "decoder.output.bias",
      ])
  }

  /// JSON as the first version wrote it, and JSON that is none of ours.
  @Test func files() throws {
    let text = """
      {"architecture":"mlp-autoencoder","hidden":[32,16],"inputShape":[8,8,1],"latentSize":4,\
      "likelihood":"continuous-bernoulli"}
      """
    let network = MLPNetwork(hidden: [32, 16], latentSize: 4)
    #expect(
      try JSONDecoder().decode(Description.self, from: Data(text.utf8))
        == Description(
          network, inputShape: [8, 8, 1], posterior: PointPosterior(),
          likelihood: .continuousBernoulli))
    for wrong in [
      "{}", text.replacingOccurrences(of: "[32,16]", with: "32"),
      text.replacingOccurrences(of: ":4,", with: ":4.5,"),
      text.replacingOccurrences(of: ":4,", with: ":40000000000000000000,"),
      text.replacingOccurrences(of: "continuous-", with: "discrete-"),
      text.replacingOccurrences(of: "mlp-autoencoder", with: "conv"),
    ] {
      #expect(throws: DecodingError.self, "\(wrong)") {
        try JSONDecoder().decode(Description.self, from: Data(wrong.utf8))
      }
    }
    #expect(throws: ModelDescriptionError.self) {
      let wrong = text.replacingOccurrences(of: "mlp-autoencoder", with: "gan")
      return try JSONDecoder().decode(Description.self, from: Data(wrong.utf8))
    }
  }

  /// A key of a text network may not be absent, nor a word be none of its kind.
  @Test func filesOfTextNetworks() throws {
    let text = """
      {"architecture":"transformer-text","dropout":0,"heads":4,"hidden":512,"inputShape":[64],\
      "latentSize":32,"layers":2,"likelihood":"categorical","norm":"before",\
      "positions":"learned","width":128}
      """
    func decode(_ text: String) throws -> Description {
      try JSONDecoder().decode(Description.self, from: Data(text.utf8))
    }
    #expect(try decode(text) == Description(named: "seq", inputShape: [64]))
    for key in ["dropout", "heads", "hidden", "latentSize", "layers", "norm", "positions", "width"]
    {
      #expect(throws: DecodingError.self, "\(key)") {
        try decode(text.replacingOccurrences(of: "\"\(key)\"", with: "\"other\""))
      }
    }
    for (word, message) in [
      ("before", "norm is 'none of them', expected before, after"),
      ("learned", "positions is 'none of them', expected none, learned, sinusoidal, rotary"),
    ] {
      let error = #expect(throws: ModelDescriptionError.self) {
        try decode(text.replacingOccurrences(of: word, with: "none of them"))
      }
      #expect(error?.description == "model description: \(message)")
    }
  }

  @Test func equality() {
    let first = Description(MLPNetwork(), inputShape: [4])
    #expect(first == Description(MLPNetwork(), inputShape: [4]))
    #expect(first != Description(MLPNetwork(), inputShape: [4], posterior: PointPosterior()))
    #expect(first != Description(MLPNetwork(), inputShape: [4], prior: SpherePointPrior()))
    #expect(first != Description(MLPNetwork(latentSize: 3), inputShape: [4]))
    #expect(first != Description(MLPNetwork(), inputShape: [5]))
    #expect(first != Description(MLPNetwork(), inputShape: [4], likelihood: .normal))
  }

  /// A network that brings its own likelihood and stands in no list.
  struct PointNetwork: NetworkDescription {
    static let architecture = "point"
    static let presets: [NetworkPreset] = []
    static let likelihoods = [ModelDescription.Likelihood.normal]
    func validate(inputShape: [Int]) throws {}
    func latentShape(inputShape: [Int]) -> [Int] { [2] }
    func parameterCount(
      inputShape: [Int], posteriorOutputs: Int, likelihood: ModelDescription.Likelihood
    ) -> Double { 26 }
    func makeModel(
      inputShape: Shape, posterior: some PosteriorHead, prior: some Prior,
      likelihood: ModelDescription.Likelihood, using random: inout RandomStream
    ) -> any LatentVariableModel {
      Tiny.model(NormalHead(), inputShape: inputShape)
    }
  }

  @Test func networksOfOnesOwn() throws {
    var random = RandomStream(seed: 1)
    let description = Description(PointNetwork(), inputShape: [3], likelihood: .normal)
    let model = try description.makeModel(using: &random)
    #expect(Double(model.parameterCount) == description.parameterCount)
    #expect("\(description)" == "point(), diagonal, normal")
  }

  struct Wrong: Sendable, CustomTestStringConvertible {
    let description: ModelDescription
    let text: String
    var testDescription: String { text }

    init(
      _ inputShape: [Int] = [28, 28, 1], latentSize: Int = 20, hidden: [Int] = [400], _ text: String
    ) {
      self.init(MLPNetwork(hidden: hidden, latentSize: latentSize), of: inputShape, text)
    }

    init(
      _ network: any NetworkDescription, of inputShape: [Int] = [28, 28, 1],
      with likelihood: ModelDescription.Likelihood = .bernoulli, _ text: String
    ) {
      description = ModelDescription(network, inputShape: inputShape, likelihood: likelihood)
      self.text = "model description: " + text
    }
  }

  static let big = 1 << 30

  static let sizes = [
    Wrong([], "inputShape is [], expected 1 to 6 positive sizes"),
    Wrong(
      [1, 1, 1, 1, 1, 1, 1], "inputShape is [1, 1, 1, 1, 1, 1, 1], expected 1 to 6 positive sizes"),
    Wrong([28, 0], "inputShape is [28, 0], expected 1 to 6 positive sizes"),
    Wrong([-28, -28], "inputShape is [-28, -28], expected 1 to 6 positive sizes"),
    Wrong(latentSize: 0, "latentSize is 0, expected a positive number"),
    Wrong(latentSize: -3, "latentSize is -3, expected a positive number"),
    Wrong(hidden: [400, 0], "hidden is [400, 0], expected positive widths"),
    // Products that overflow, sizes beyond memory, totals beyond the limit.
    Wrong(
      [.max, .max], "inputShape is [\(Int.max), \(Int.max)], expected at most \(big) elements"),
    Wrong([big + 1], "inputShape is [\(big + 1)], expected at most \(big) elements"),
    Wrong(
      latentSize: .max, "latentSize is \(Int.max), expected at most \(big)"),
    Wrong(hidden: [.max], "hidden is [\(Int.max)], expected widths of at most \(big)"),
    Wrong(
      hidden: [100_000, 100_000],
      "parameters is 20163200824 for mlp(hidden: [100000, 100000], latentSize: 20, activation: relu), "
        + "expected at most \(big)"),
    Wrong(
      [1 << 25], hidden: [1 << 10],
      "parameters is 68753094696 for mlp(hidden: [1024], latentSize: 20, activation: relu), expected at most \(big)"
    ),
    // Just above the limit, where the head's two outputs for each latent decide.
    Wrong(
      [1], latentSize: 1 << 28, hidden: [1],
      "parameters is 1342177285 for mlp(hidden: [1], latentSize: 268435456, activation: relu), "
        + "expected at most \(big)"),
  ]

  static let networks = [
    Wrong(
      PointNetwork(), "likelihood is bernoulli, expected normal for the network point"),
    Wrong(GatedMLPNetwork(hidden: [-1]), "hidden is [-1], expected positive widths"),
    Wrong(GatedMLPNetwork(latentSize: 0), "latentSize is 0, expected a positive number"),
    Wrong(
      GatedMLPNetwork(hidden: [big, big]),
      "parameters is 4611688724256785408 for gated-mlp(hidden: [1073741824, 1073741824], "
        + "latentSize: 40), expected at most \(big)"),
    Wrong(ConvNetwork(channels: []), "channels is [], expected at least one convolution"),
    Wrong(ConvNetwork(channels: [4, 0]), "channels is [4, 0], expected positive widths"),
    Wrong(ConvNetwork(channels: [4], hidden: 0), "hidden is 0, expected a positive number"),
    Wrong(
      ConvNetwork(channels: [4, 4, 4]),
      "inputShape is [28, 28, 1], expected height and width that the network conv can halve 3 times"
    ),
    Wrong(
      ConvNetwork(channels: [4]), of: [28, 27, 1],
      "inputShape is [28, 27, 1], expected height and width that the network conv can halve once"),
    Wrong(
      ConvNetwork(channels: Array(repeating: 1, count: 100)),
      "inputShape is [28, 28, 1], expected height and width that the network conv can halve "
        + "100 times"),
    Wrong(
      ConvNetwork(channels: [4]), of: [784],
      "inputShape is [784], expected pictures [height, width, channels] for the network conv"),
    Wrong(
      ConvNetwork(channels: [big], hidden: big), of: [2, 2, 1],
      "parameters is 2305843099408007168 for conv(channels: [1073741824], hidden: 1073741824, "
        + "latentSize: 16), expected at most \(big)"),
    Wrong(ConvMapNetwork(channels: []), "channels is [], expected at least one convolution"),
    Wrong(
      ConvMapNetwork(channels: [4], latentChannels: 0),
      "latentChannels is 0, expected a positive number"),
    Wrong(
      ConvMapNetwork(channels: [4, 4, 4]),
      "inputShape is [28, 28, 1], expected height and width that the network conv-map can halve "
        + "3 times"),
    Wrong(ResidualNetwork(channels: []), "channels is [], expected at least one level"),
    Wrong(ResidualNetwork(blocks: 0), "blocks is 0, expected a positive number"),
    Wrong(ResidualNetwork(groups: 0), "groups is 0, expected a positive number"),
    Wrong(
      ResidualNetwork(channels: [8, 12], groups: 8),
      "groups is 8, expected a number that divides all of channels [8, 12]"),
    Wrong(ResidualNetwork(latentChannels: 0), "latentChannels is 0, expected a positive number"),
    Wrong(ResidualNetwork(epsilon: 0), "epsilon is 0.0, expected a positive number"),
    Wrong(ResidualNetwork(epsilon: .nan), "epsilon is nan, expected a positive number"),
    Wrong(
      ResidualNetwork(), of: [64, 62, 3],
      "inputShape is [64, 62, 3], expected height and width that the network resnet can halve "
        + "2 times"),
    Wrong(
      ResidualNetwork(), of: [64, 64],
      "inputShape is [64, 64], expected pictures [height, width, channels] for the network resnet"),
    Wrong(ResidualNetwork(blocks: 10_001), "blocks is 10001, expected at most 10000"),
    Wrong(
      ResidualNetwork(blocks: 10_000),
      "parameters is 7769131625 for resnet(channels: [32, 64, 128], blocks: 10000, groups: 8, "
        + "latentChannels: 4, epsilon: 1e-06), expected at most \(big)"),
    // Few parameters in each of very many layers.
    Wrong(
      GatedMLPNetwork(hidden: Array(repeating: 1, count: 10_001)),
      "hidden is a list of 10001, expected at most 10000 widths"),
  ]

  static func text(
    _ network: any NetworkDescription, of inputShape: [Int] = [64], _ text: String
  ) -> Wrong {
    Wrong(network, of: inputShape, with: .categorical, text)
  }

  static let texts = [
    Wrong(
      MLPNetwork(), with: .categorical,
      "likelihood is categorical, expected bernoulli, continuous-bernoulli, normal, unit-normal "
        + "for the network mlp"),
    Wrong(
      TransformerTextNetwork(), of: [64],
      "likelihood is bernoulli, expected categorical for the network transformer-text"),
    Wrong(
      GRUTextNetwork(), of: [64],
      "likelihood is bernoulli, expected categorical for the network gru-text"),
    text(TransformerTextNetwork(width: 0), "width is 0, expected a positive number"),
    text(TransformerTextNetwork(heads: 0), "heads is 0, expected a positive number"),
    text(
      TransformerTextNetwork(heads: 3),
      "heads is 3, expected a number that divides the width 128"),
    text(
      TransformerTextNetwork(width: 12, positions: .rotary),
      "positions is rotary, expected heads of an even size for these: found 12 in 4"),
    text(TransformerTextNetwork(layers: 0), "layers is 0, expected a positive number"),
    text(TransformerTextNetwork(hidden: -1), "hidden is -1, expected a positive number"),
    text(TransformerTextNetwork(latentSize: 0), "latentSize is 0, expected a positive number"),
    text(TransformerTextNetwork(dropout: 1), "dropout is 1.0, expected 0 ..< 1"),
    text(TransformerTextNetwork(dropout: -0.5), "dropout is -0.5, expected 0 ..< 1"),
    text(TransformerTextNetwork(dropout: .nan), "dropout is nan, expected 0 ..< 1"),
    text(
      TransformerTextNetwork(), of: [8, 8, 1],
      "inputShape is [8, 8, 1], expected sequences [length] for the network transformer-text"),
    // A table that is not learned takes memory too.
    text(
      TransformerTextNetwork(positions: .sinusoidal), of: [big],
      "inputShape is [\(big)], expected at most 8388608 vectors of 128"),
    text(
      TransformerTextNetwork(width: 1, heads: 1, layers: 10_001, hidden: 1),
      "layers is 10001, expected at most 10000"),
    text(
      TransformerTextNetwork(layers: 10_000),
      "parameters is 3965568064 for transformer-text(width: 128, heads: 4, layers: 10000, "
        + "hidden: 512, latentSize: 32, norm: before, positions: learned, dropout: 0.0), "
        + "expected at most \(big)"),
    text(GRUTextNetwork(width: 0), "width is 0, expected a positive number"),
    text(GRUTextNetwork(hidden: 0), "hidden is 0, expected a positive number"),
    text(GRUTextNetwork(layers: -1), "layers is -1, expected a positive number"),
    text(
      GRUTextNetwork(width: 1, hidden: 1, layers: 20_000_000),
      "layers is 20000000, expected at most 10000"),
    text(GRUTextNetwork(latentSize: 0), "latentSize is 0, expected a positive number"),
    text(
      GRUTextNetwork(), of: [4, 4],
      "inputShape is [4, 4], expected sequences [length] for the network gru-text"),
    text(
      GRUTextNetwork(hidden: .max), "hidden is \(Int.max), expected at most \(big)"),
  ]

  @Test(arguments: sizes + networks + texts) func wrongDescriptionsAreRefused(wrong: Wrong) {
    let error = #expect(throws: ModelDescriptionError.self) { try wrong.description.validate() }
    #expect(error?.description == wrong.text)
    var random = RandomStream(seed: 1)
    let clock = ContinuousClock()
    let time = clock.measure {
      #expect(throws: ModelDescriptionError.self) {
        _ = try wrong.description.makeModel(using: &random)
      }
    }
    #expect(time < .milliseconds(100), "nothing was allocated")
    #expect(random == RandomStream(seed: 1), "nothing was drawn")
  }
}
