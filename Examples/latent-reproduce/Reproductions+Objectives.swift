// The findings about objectives.
//
// Data are MNIST, made binary anew at each step ("dynamic") but for the games, which want gray. Schedules are
// short: differences between arms show long before the figures of the papers do.

extension Reproduction {
  /// Of bounds, weights, games and adapters.
  static let objectives: [Reproduction] = [
    Reproduction(
      name: "iwae", summary: "more importance samples, a better density",
      paper: "Burda et al. 2016, table 1", settings: oneLayer + ["epochs=20"],
      arms: [1, 5, 50].map {
        Arm("k\($0)", importanceWeighted($0), figures: [.nll, .activeUnits])
      },
      claims: [
        .lower(.nll, of: "k5", than: "k1", margin: 0.3),
        .lower(.nll, of: "k50", than: "k5", margin: 0),
      ], minutes: 14),
    Reproduction(
      name: "dreg", summary: "the doubly reparameterised gradient is not worse at equal steps",
      paper: "Tucker et al. 2019, figure 2", settings: oneLayer + ["epochs=10"],
      arms: ["pathwise", "dreg"].map {
        Arm($0, importanceWeighted(50) + ["objective.estimator=\($0)"], figures: [.nll])
      },
      claims: [.lower(.nll, of: "dreg", than: "pathwise", margin: -0.3)], minutes: 11),
    Reproduction(
      name: "free-bits", summary: "free bits keep latents that a strong decoder does without",
      paper: "Kingma et al. 2016, appendix C.8", settings: strongDecoder,
      arms: [
        Arm("plain", figures: [.activeUnits, .nll]),
        Arm("freeBits", ["objective.freeBits=0.5"], figures: [.activeUnits, .nll]),
      ],
      claims: [
        .atMost(.activeUnits, of: "plain", 2), .atLeast(.activeUnits, of: "freeBits", 8),
      ], minutes: 6),
    Reproduction(
      name: "cyclic", summary: "a cyclic weight keeps latents that a decoder does without",
      paper: "Fu et al. 2019, section 4", settings: strongDecoder,
      arms: [
        Arm("plain", figures: [.activeUnits, .nll]),
        Arm("cyclic", ["objective.beta=cyclic(0, 1, 1200, 0.5)"], figures: [.activeUnits, .nll]),
      ],
      claims: [
        .atMost(.activeUnits, of: "plain", 2), .atLeast(.activeUnits, of: "cyclic", 8),
      ], minutes: 6),
    Reproduction(
      name: "aae", summary: "a critic of codes makes their aggregate look like the prior",
      paper: "Makhzani et al. 2015, section 2.1", settings: gray + ["epochs=10"],
      arms: [
        Arm("ae", ["objective.name=ae"] + point, figures: [.discrepancy]),
        Arm("aae", ["objective.name=aae"] + point, figures: [.discrepancy, .classes]),
      ],
      claims: [
        .lowerInEachSeed(.discrepancy, of: "aae", than: "ae"),
        .atLeast(.classes, of: "aae", 9),
      ], minutes: 5),
    Reproduction(
      name: "wae",
      summary: "a kernel makes the aggregate of codes look like the prior",
      paper: "Tolstikhin et al. 2018, section 4",
      settings: gray + point + ["model.latentSize=8", "model.likelihood=unit-normal", "epochs=10"],
      arms: [
        Arm("ae", ["objective.name=ae"], figures: [.discrepancy]),
        Arm(
          "wae", ["objective.name=wae-mmd", "objective.lambda=100"],
          figures: [.discrepancy, .classes]),
      ],
      claims: [
        .atMost(.discrepancy, of: "wae", 0.01),
        .lowerInEachSeed(.discrepancy, of: "wae", than: "ae"),
      ], minutes: 2),
    Reproduction(
      name: "beta-tc", summary: "a weight on the total correlation makes codes less dependent",
      paper: "Chen et al. 2018, section 6",
      settings: dynamic + ["model.latentSize=10", "epochs=10"],
      arms: [
        Arm("elbo", ["objective.name=elbo"], figures: [.totalCorrelation, .nll]),
        Arm(
          "betaTC", ["objective.name=beta-tc", "objective.beta=6"],
          figures: [.totalCorrelation, .nll]),
      ],
      claims: [.lowerInEachSeed(.totalCorrelation, of: "betaTC", than: "elbo")], minutes: 2),
    Reproduction(
      name: "gan", summary: "a decoder that fools a critic draws all digits",
      paper: "Goodfellow et al. 2014, section 5",
      settings: gray + ["model.architecture=conv28", "model.latentSize=32"],
      arms: [Arm("gan", ["objective.name=gan", "epochs=10"], figures: [.classes])],
      claims: [.atLeast(.classes, of: "gan", 9)], minutes: 10),
    Reproduction(
      name: "vae-gan", summary: "an autoencoder with a critic draws all digits",
      paper: "Larsen et al. 2016, section 4.1",
      settings: gray + ["model.architecture=conv28", "model.latentSize=32"],
      arms: [Arm("vaeGAN", ["objective.name=vae-gan", "epochs=10"], figures: [.classes])],
      claims: [.atLeast(.classes, of: "vaeGAN", 9)], minutes: 15),
    Reproduction(
      name: "lora", summary: "low-rank adapters fine-tune nearly as well as all weights",
      paper: "Hu et al. 2021, section 5", settings: dynamic + ["schedule=cosine", "epochs=20"],
      arms: [
        Arm("base", digits: 0...4, figures: [.nll]),
        Arm("whole", from: "base", digits: 5...9, figures: [.nll]),
        Arm(
          "adapted",
          ["adapters.weights=[\"**\"]", "adapters.rank=10", "optimizer.learningRate=0.005"],
          from: "base", digits: 5...9, figures: [.nll, .trainedShare]),
      ],
      claims: [
        .atMost(.trainedShare, of: "adapted", 0.05),
        .shareOfGain(.nll, of: "adapted", from: "base", to: "whole", 0.9),
      ], minutes: 3, digits: 5...9),
    Reproduction(
      name: "style", summary: "a picture takes the style that an encoder sees in another",
      paper: "Gatys et al. 2015, equation 7",
      settings: ["model.architecture=conv64", "epochs=2", "validation=0"],
      arms: [Arm("encoder", figures: [.styleLeft])],
      claims: [.atMost(.styleLeft, of: "encoder", 0.1)], minutes: 1, data: "sprites:64"),
  ]

  // MARK: What findings share

  /// Pixels are drawn anew at each step.
  static let dynamic = ["transform=binarize", "validation=0", "batchSize=100"]
  /// Pixels as they are.
  static let gray = ["validation=0", "batchSize=100"]
  /// A point as posterior.
  private static let point = ["model.posterior.name=point"]

  /// The one-layer network of the importance-weighted autoencoder.
  private static let oneLayer =
    dynamic + ["model.hidden=[200, 200]", "model.latentSize=50", "model.activation=tanh"]

  private static func importanceWeighted(_ draws: Int) -> [String] {
    ["objective.name=iwae", "objective.samples=\(draws)"]
  }

  /// A decoder four times as wide as the encoder, and no warm-up: latents are given up early.
  private static let strongDecoder =
    dynamic + ["model.decoderHidden=[1600]", "objective.warmupSteps=0", "epochs=8"]
}
