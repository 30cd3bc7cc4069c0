// Programmer mistakes trap with what was asked for.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import TestSupport
import Testing

@Suite struct TrapTests {
  static let mistakes = [
    Mistake(name: "no samples", words: ["ELBO with 0 samples", "TrapTests.swift"]),
    Mistake(name: "beta", words: ["ELBO with beta -1.0, free bits 0.0", "TrapTests.swift"]),
    Mistake(name: "beta NaN", words: ["ELBO with beta nan"]),
    Mistake(name: "free bits", words: ["ELBO with beta 1.0, free bits -0.5"]),
    Mistake(
      name: "free bits of a mixture",
      words: ["free bits need a factorised posterior and prior: DiagonalNormal, Mixture"]),
    Mistake(name: "mask", words: ["a mask needs a likelihood that factorises over elements"]),
    Mistake(name: "importance samples", words: ["importance weights of 0 samples"]),
    Mistake(name: "at once", words: ["importance weights of 0 samples at once"]),
    Mistake(name: "steps", words: ["an interpolation has at least 2 steps: found 1"]),
    Mistake(name: "ends", words: ["interpolation from shape [2] to [3]", "TrapTests.swift"]),
    Mistake(name: "dimension", words: ["latent 2 of 2"]),
    Mistake(name: "traversal", words: ["a traversal starts at one latent [latent]: found [1, 2]"]),
    Mistake(name: "deviation", words: ["a normal likelihood of standard deviation 0.0"]),
    Mistake(name: "shared deviation", words: ["a normal likelihood of standard deviation -1.0"]),
    Mistake(
      name: "halving",
      words: [
        "a residual network of channels [2, 2, 2], 1 blocks and 4 latent channels for images of "
          + "shape [6, 8, 1]: expected [height, width, channels] with height and width divisible "
          + "by 4", "TrapTests.swift",
      ]),
    Mistake(
      name: "groups", words: ["group norm of 6 channels in 4 groups", "TrapTests.swift"]),
    Mistake(
      name: "data",
      words: [
        "Linear: an input of shape [4, 1], expected [..., 3], in the layer encoder.head",
        "evaluating VAE<DenseEncoder<MLP, DiagonalHead>", "TrapTests.swift",
      ]),
    Mistake(
      name: "type",
      words: ["Linear: an input of int32, expected float64: convert it with", "encoder.head"]),
    Mistake(
      name: "event rank",
      words: [
        "the likelihood Bernoulli of VAE<", "ForgetfulDecoder",
        "batch shape [4, 3] and event shape []", "expected batch shape [4]",
        "give the distribution eventRank: 1 in the decoder",
      ]),
    Mistake(
      name: "event rank, density",
      words: ["expected batch shape [5, 4]", "give the distribution eventRank: 1 in the decoder"]),
    Mistake(
      name: "sample axes",
      words: ["expected batch shape [2, 4]", "the decoder ignores the sample axes in front"]),
    Mistake(
      name: "posterior",
      words: [
        "the posterior DiagonalNormal of VAE<", "batch shape [4, 1]", "expected batch shape [4]",
        "give the distribution eventRank: 2 in the encoder",
      ]),
    Mistake(
      name: "neither method",
      words: ["EmptyEncoder writes no callAsFunction: Encoder asks for callAsFunction(_ x: Tensor)"]
    ),
    Mistake(
      name: "neither method of a decoder",
      words: ["EmptyDecoder writes no callAsFunction: Decoder asks for callAsFunction(_ z: Tensor)"]
    ),
    Mistake(
      name: "no point",
      words: ["DrawsOnly has neither a mean nor a mode", "TrapTests.swift"]),
    Mistake(
      name: "no density",
      words: ["DrawsOnly knows the density of its own draws only, not of any value"]),
    Mistake(name: "mask shape", words: ["the mask [2] does not broadcast to the inputs [4, 3]"]),
  ]

  struct MixtureDecoder: Decoder {
    mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}
    func callAsFunction(_ z: Tensor) -> Mixture<DiagonalNormal> {
      Mixture(
        logWeights: .zeros([2], .float64),
        components: DiagonalNormal(
          mean: .zeros(z.shape.prefix(z.rank - 1) + [2, 3], .float64),
          logVariance: .zeros([], .float64)))
    }
  }

  /// Forgets which axes are one event.
  struct ForgetfulDecoder: Decoder {
    mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}
    func callAsFunction(_ z: Tensor) -> Bernoulli {
      Bernoulli(logits: .zeros(z.shape.prefix(z.rank - 1) + [3], .float64), eventRank: 0)
    }
  }

  /// Takes the first sample for all.
  struct SampleBlindDecoder: Decoder {
    mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}
    func callAsFunction(_ z: Tensor) -> Bernoulli {
      Bernoulli(logits: .zeros([z.shape[-2], 3], .float64), eventRank: 1)
    }
  }

  struct MatrixEncoder: Encoder {
    mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}
    func callAsFunction(_ x: Tensor) -> DiagonalNormal {
      DiagonalNormal(mean: .zeros([x.shape[0], 1, 2], .float64), logVariance: .zeros([], .float64))
    }
  }

  struct EmptyEncoder: Encoder {
    typealias Posterior = DiagonalNormal
    mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}
  }

  struct EmptyDecoder: Decoder {
    typealias Likelihood = Bernoulli
    mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}
  }

  /// A posterior of which only draws and their densities are known, as of a flow.
  struct DrawsOnly: ReparameterizedDistribution {
    let base: DiagonalNormal
    var batchShape: Shape { base.batchShape }
    var eventShape: Shape { base.eventShape }
    var dtype: DType { base.dtype }
    func reparameterizedSample(
      _ sampleShape: Shape, using random: inout RandomStream
    ) -> Tensor {
      base.reparameterizedSample(sampleShape, using: &random)
    }
    func sampleAndLogProbability(
      _ sampleShape: Shape, using random: inout RandomStream
    ) -> (value: Tensor, logProbability: Tensor) {
      base.sampleAndLogProbability(sampleShape, using: &random)
    }
  }

  struct DrawsOnlyEncoder: Encoder {
    var base: MLPEncoder
    mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
      visitor.visit(&base, "base")
    }
    func callAsFunction(_ x: Tensor) -> DrawsOnly { DrawsOnly(base: base(x)) }
  }

  static func make(_ name: String) {
    typealias Model = Tiny.Model<BernoulliHead>
    let model = Tiny.model(BernoulliHead())
    var (context, random) = (Tiny.training(), RandomStream(seed: 1))
    switch name {
    case "no samples": _ = ELBO<Model>(samples: 0)
    case "beta": _ = ELBO<Model>(beta: -1)
    case "beta NaN": _ = ELBO<Model>(beta: .constant(.nan))
    case "free bits": _ = ELBO<Model>(freeBits: -0.5)
    case "free bits of a mixture":
      let other = VAE(encoder: model.encoder, decoder: model.decoder, prior: DoorTests.mixture)
      _ = ELBO(freeBits: 0.1)(other, Tiny.x, &context)
    case "mask":
      context.fields["mask"] = Tiny.x.onesLike
      let other = VAE(encoder: model.encoder, decoder: MixtureDecoder(), prior: model.prior)
      _ = ELBO()(other, Tiny.x, &context)
    case "importance samples":
      _ = model.logLikelihood(of: Tiny.x, importanceSamples: 0, using: &random)
    case "at once":
      _ = model.logLikelihood(
        of: Tiny.x, importanceSamples: 5, samplesAtOnce: 0, using: &random)
    case "steps": _ = model.interpolate(from: .zeros([2]), to: .zeros([2]), steps: 1)
    case "ends": _ = interpolated(from: .zeros([2]), to: .zeros([3]), steps: 3, .linear)
    case "dimension": _ = model.traverse(.zeros([2], .float64), dimension: 2, values: [0])
    case "traversal": _ = traversal(of: .zeros([1, 2]), dimension: 0, values: [0])
    case "deviation": _ = NormalHead(.fixed(0))
    case "shared deviation": _ = NormalHead(.shared(initial: -1))
    case "halving":
      let network = ResidualNetwork(channels: [2, 2, 2], groups: 1)
      _ = ResidualEncoder(inputShape: [6, 8, 1], network: network, using: &random)
    case "groups":
      let network = ResidualNetwork(channels: [6], groups: 4)
      _ = ResidualDecoder(
        outputShape: [6, 8, 1], head: BernoulliHead(), network: network, using: &random)
    case "data": _ = model.encode(numbers([4, 1]))
    case "type": _ = model.encode(Tensor([Int32](repeating: 1, count: 12), shape: [4, 3]))
    case "event rank":
      let other = VAE(encoder: model.encoder, decoder: ForgetfulDecoder(), prior: model.prior)
      _ = ELBO()(other, Tiny.x, &context)
    case "event rank, density":
      let other = VAE(encoder: model.encoder, decoder: ForgetfulDecoder(), prior: model.prior)
      _ = other.logLikelihood(of: Tiny.x, importanceSamples: 5, using: &random)
    case "sample axes":
      let other = VAE(encoder: model.encoder, decoder: SampleBlindDecoder(), prior: model.prior)
      _ = ELBO(samples: 2)(other, Tiny.x, &context)
    case "posterior":
      let other = VAE(encoder: MatrixEncoder(), decoder: model.decoder, prior: model.prior)
      _ = ELBO()(other, Tiny.x, &context)
    case "neither method": _ = EmptyEncoder()(Tiny.x)
    case "neither method of a decoder": _ = EmptyDecoder()(Tiny.x, &context)
    case "no point":
      let encoder = DrawsOnlyEncoder(base: model.encoder)
      _ = VAE(encoder: encoder, decoder: model.decoder, prior: model.prior).reconstruct(Tiny.x)
    case "no density": _ = DrawsOnly(base: model.encoder(Tiny.x)).evaluable
    case "mask shape":
      _ = model.encode(Tiny.x, fields: ["mask": Tensor([1.0, 0.0])])
    default: break
    }
  }

  @Test(arguments: mistakes) func traps(mistake: Mistake) async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) { [mistake] in
      TrapTests.make(mistake.name)
    }
    #expect(mistake.missing(in: result?.standardErrorContent) == nil)
  }
}
