// Programmer mistakes trap with what was asked for.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import Testing

@Suite struct TrapTests {
  struct Mistake: Codable, Sendable, CustomTestStringConvertible {
    var name: String
    /// What standard error must hold.
    var words: [String]
    var testDescription: String { name }
  }

  static let mistakes = [
    Mistake(name: "no samples", words: ["ELBO with 0 samples", "TrapTests.swift"]),
    Mistake(name: "beta", words: ["ELBO with beta -1.0, free bits 0.0", "TrapTests.swift"]),
    Mistake(name: "beta NaN", words: ["ELBO with beta nan"]),
    Mistake(name: "free bits", words: ["ELBO with beta 1.0, free bits -0.5"]),
    Mistake(
      name: "free bits of a mixture",
      words: ["free bits need a factorised posterior and prior: DiagonalNormal, Mixture"]),
    Mistake(name: "mask", words: ["a mask needs a likelihood that factorises over elements"]),
    Mistake(
      name: "importance samples", words: ["logLikelihood with 0 importance samples"]),
    Mistake(name: "at once", words: ["logLikelihood with 0 samples at once"]),
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
    Mistake(name: "data", words: ["linear: input [4, 1] does not fit weight [4, 3]"]),
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

  static func make(_ name: String) {
    typealias Model = Tiny.Model<BernoulliHead>
    let model = Tiny.model(BernoulliHead())
    var (context, random) = (Tiny.training(), RandomStream(seed: 1))
    switch name {
    case "no samples": _ = ELBO<Model>(samples: 0)
    case "beta": _ = ELBO<Model>(beta: -1)
    case "beta NaN": _ = ELBO<Model>(beta: .nan)
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
    case "data": _ = ELBO()(model, numbers([4, 1]), &context)
    default: break
    }
  }

  @Test(arguments: mistakes) func traps(mistake: Mistake) async throws {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) { [mistake] in
      TrapTests.make(mistake.name)
    }
    let text = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
    for word in mistake.words {
      #expect(text.contains(word), "\(mistake.name): \(text.prefix(300))")
    }
  }
}
