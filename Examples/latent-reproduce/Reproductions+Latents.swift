// The findings about latent spaces: posteriors, priors, codes, hierarchies.
//
// Networks, data and schedule are the same in all arms of a finding; short schedules show the differences.

extension Reproduction {
  /// Of posteriors, priors, codes and hierarchies.
  static let latents: [Reproduction] = [
    Reproduction(
      name: "vamp", summary: "a mixture of posteriors is a better prior than the standard normal",
      paper: "Tomczak and Welling 2018, table 1",
      settings: dynamic + ["model.architecture=gated-mlp", "epochs=30"],
      arms: [
        Arm("standard", figures: [.nll, .activeUnits]),
        Arm("vamp", ["model.prior.name=vamp"], figures: [.nll, .activeUnits]),
      ], claims: [.lower(.nll, of: "vamp", than: "standard", margin: 1)], minutes: 14),
    Reproduction(
      name: "iaf", summary: "two autoregressive steps make a better posterior",
      paper: "Kingma et al. 2016, table 1", settings: dynamic + ["epochs=20"],
      arms: [
        Arm("diagonal", figures: [.nll]),
        Arm("iaf", ["model.posterior.name=iaf"], figures: [.nll]),
      ], claims: [.lower(.nll, of: "iaf", than: "diagonal", margin: 0.5)], minutes: 5),
    Reproduction(
      name: "planar", summary: "ten planar steps make a better posterior",
      paper: "Rezende and Mohamed 2015, figure 4", settings: dynamic + ["epochs=20"],
      arms: [
        Arm("diagonal", figures: [.nll]),
        Arm("planar", ["model.posterior.name=planar"], figures: [.nll]),
      ], claims: [.lower(.nll, of: "planar", than: "diagonal", margin: 1)], minutes: 5),
    Reproduction(
      name: "vmf", summary: "a posterior on a sphere of ten dimensions",
      paper: "Davidson et al. 2018, table 1",
      settings: dynamic + ["model.hidden=[256, 128]", "model.latentSize=11", "epochs=40"],
      arms: [Arm("vmf", ["model.posterior.name=vmf"], figures: [.nll])],
      claims: [.atMost(.nll, of: "vmf", 94.6)], minutes: 5),
    Reproduction(
      name: "poincare", summary: "two hyperbolic latents say more than two flat ones",
      paper: "Mathieu et al. 2019, table 1",
      settings: dynamic + ["model.hidden=[600]", "model.latentSize=2", "epochs=20"],
      arms: [
        Arm("flat", figures: [.nll]),
        Arm("ball", ["model.posterior.name=poincare"], figures: [.nll]),
      ], claims: [.lower(.nll, of: "ball", than: "flat", margin: 0)], minutes: 4),
    Reproduction(
      name: "vq", summary: "a code book that is used, by gradients that do not let it die",
      paper: "van den Oord et al. 2017, section 4.1; Fifty et al. 2025",
      settings: places + ["model.posterior.codes.name=vq"],
      arms: [
        Arm("ema", figures: [.perplexity]),
        Arm(
          "plain", ["model.posterior.codes.learning=loss"], figures: [.perplexity]),
        Arm(
          "rotation",
          ["model.posterior.codes.learning=loss", "model.posterior.codes.gradient=rotation"],
          figures: [.perplexity]),
        Arm("simvq", ["model.posterior.codes.name=simvq"], figures: [.perplexity]),
      ],
      claims: [
        .atLeast(.perplexity, of: "ema", 50),
        .higher(.perplexity, of: "rotation", than: "plain", factor: 2),
        .higher(.perplexity, of: "simvq", than: "plain", factor: 2),
      ], minutes: 6),
    Reproduction(
      name: "fsq", summary: "finite scalars use nearly all of their codes",
      paper: "Mentzer et al. 2023, section 5.3",
      settings: places + ["model.posterior.codes.name=fsq", "model.latentChannels=4"],
      arms: [Arm("fsq", figures: [.usage, .perplexity])],
      claims: [.atLeast(.usage, of: "fsq", 0.9)], minutes: 2),
    Reproduction(
      name: "hvae", summary: "Hamiltonian steps make a better posterior",
      paper: "Caterini et al. 2018, section 5.2",
      settings: dynamic + [
        "model.hidden=[300]", "model.latentSize=64", "model.activation=softplus", "epochs=5",
        "model.posterior.name=hamiltonian",
      ],
      arms: [
        Arm("none", ["model.posterior.steps=0"], figures: [.nll]),
        Arm("four", ["model.posterior.steps=4"], figures: [.nll]),
      ], claims: [.lower(.nll, of: "four", than: "none", margin: 0)], minutes: 10),
  ]

  // MARK: What findings share

  /// Codes at places of pictures.
  private static let places =
    gray + [
      "model.architecture=conv-map", "model.posterior.name=codes", "objective.name=vq",
      "model.likelihood=unit-normal", "epochs=5",
    ]
}
