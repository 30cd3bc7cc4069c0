// The findings that rest on how models are measured.

extension Reproduction {
  /// Of disentanglement, likelihoods, samplers and searches.
  static let evaluation: [Reproduction] = [
    Reproduction(
      name: "disentanglement",
      summary: "a price on dependent codes gives each factor a latent of its own",
      paper: "Chen et al. 2018, figure 3; Kim and Mnih 2018, figure 4",
      settings: [
        "validation=0", "batchSize=64", "model.architecture=conv", "model.channels=[32, 32, 64]",
        "model.hidden=256", "model.latentSize=10", "objective.warmupSteps=0", "epochs=20",
      ],
      arms: [
        Arm("elbo", ["objective.name=elbo"], figures: [.mig, .disentanglement]),
        Arm(
          "betaTC", ["objective.name=beta-tc", "objective.beta=6"],
          figures: [.mig, .disentanglement]),
        Arm(
          "factor", ["objective.name=factor", "objective.gamma=20"],
          figures: [.mig, .disentanglement]),
      ],
      claims: ["betaTC", "factor"].flatMap { arm in
        [Figure.mig, .disentanglement].map {
          Claim.higher($0, of: arm, than: "elbo", factor: 1)
        }
      }, minutes: 25, data: "sprites:32"),
    Reproduction(
      name: "ladder", summary: "a slow warm-up keeps the upper levels of a ladder in use",
      paper: "Sonderby et al. 2016, section 3.2",
      settings: dynamic + ["model.architecture=ladder-mlp", "epochs=15"],
      arms: [
        Arm("plain", ["objective.warmupSteps=0"], figures: [.activeLevels, .nll]),
        Arm("warmup", ["objective.warmupSteps=4000"], figures: [.activeLevels, .nll]),
      ],
      claims: [
        .atLeast(.activeLevels, of: "warmup", 3),
        .higher(.activeLevels, of: "warmup", than: "plain", factor: 1),
      ], minutes: 8),
    Reproduction(
      name: "flow-matching", summary: "a learned flow is closer to the codes than ten normals",
      paper: "Lipman et al. 2023, section 3; Ghosh et al. 2020, table 1",
      settings: dynamic + ["epochs=10"],
      arms: [Arm("elbo", figures: [.mixtureDistance, .flowDistance])],
      claims: [.below(.flowDistance, .mixtureDistance, of: "elbo")], minutes: 6),
    Reproduction(
      name: "graph-search", summary: "a graph finds nearly all neighbours in a tenth of the time",
      paper: "Malkov and Yashunin 2018, figure 13", settings: dynamic + ["epochs=2"],
      arms: [Arm("elbo", figures: [.graphRecall, .graphSpeed])],
      claims: [.atLeast(.graphRecall, of: "elbo", 0.95), .atLeast(.graphSpeed, of: "elbo", 10)],
      minutes: 3),
  ]
}
