// docs/models.md: every value of every axis, out of the descriptions themselves.

import Foundation
import Latent
import LatentCommands

enum ModelsPage {
  static func markdown() throws -> String {
    """
    # Networks, posteriors, codes, priors, likelihoods and objectives

    What `latent-train` puts together: each value of one axis goes with every value of the others that meets
    its needs, and what does not fit is refused before anything is written. This page is written by
    `latent-train --print-models > docs/models.md`; a test compares the two. Settings are shown as they are where
    nothing is said; `--set` changes them.

    ## Networks (`--model`)

    \(table(["name", "what it is", "settings", "likelihoods"], try networks()))

    ## Posteriors (`--posterior`)

    \(table(
      ["name", "what it is", "settings", "paper", "equation", "file", "test", "on"],
      try PosteriorSettings.all.map {
        try row($0.name, $0.origin, settings(PosteriorSettings($0.init()))) + [$0.init().space.description]
      }))

    ## Codes (`--codes`)

    What finds the codes of the posterior `codes`. `residual` and `grouped` are made of others: `--codes residual:fsq` is
    `model.posterior.codes.name=residual` with `model.posterior.codes.inside.name=fsq`; alone they take `vq`.

    \(table(
      ["name", "what it is", "settings", "paper", "equation", "file", "test"],
      try CodesSettings.all.map { try row($0.name, $0.origin, settings(CodesSettings($0.init()))) }))

    ## Priors (`--prior`)

    Where none is asked for, it is the one that goes with the posterior. Posterior and prior lie on the same set.

    \(table(
      ["name", "what it is", "settings", "paper", "equation", "file", "test", "on"],
      try PriorSettings.all.map {
        try row($0.name, $0.origin, settings(PriorSettings($0.init()))) + [$0.init().space.description]
      }))

    ## Likelihoods (`--likelihood`)

    \(ModelDescription.Likelihood.allCases.map { "- `\($0.rawValue)`" }.joined(separator: "\n"))

    ## Objectives (`--objective`)

    Weights may be schedules: \(WeightSchedule.forms).

    \(ObjectiveSettings.wrappers.map { "`\($0)`" }.joined(separator: ", ")) are wrappers: each takes any other objective
    inside, wrappers too. `--objective augmented:nested-dropout:elbo` names them from outside to inside; `objective.name`,
    `objective.inside.name` and so on are the same in files, and settings of what is inside are set by `--set
    objective.inside.beta=4`. `--beta`, `--free-bits`, `--warmup-steps` and `--samples` reach the innermost. A wrapper alone
    takes `elbo`.

    \(table(
      ["name", "what it is", "settings", "paper", "equation", "file", "test", "needs"],
      try ObjectiveSettings.all.map {
        try row($0.name, $0.origin, settings(ObjectiveSettings($0.init()))) + [$0.requirement]
      }))

    """
  }

  private static func networks() throws -> [[String]] {
    try ModelDescription.presets.map { preset in
      let shape = preset.likelihood == .categorical ? [64] : [64, 64, 1]
      let model = try ModelDescription(named: preset.name, inputShape: shape)
      let likelihoods = type(of: model.network).likelihoods.map(\.rawValue)
      return [
        "`\(preset.name)`", preset.summary, "`\(model.network)`",
        likelihoods.joined(separator: ", "),
      ]
    }
  }

  private static func row(_ name: String, _ origin: Origin, _ settings: String) -> [String] {
    [
      "`\(name)`", origin.summary, settings, origin.paper, origin.equation, "`\(origin.file)`",
      "`\(origin.test)`",
    ]
  }

  /// Everything but the name, `key: value`; of what is inside, or of the codes of a posterior, the name alone.
  private static func settings(_ value: some Encodable) throws -> String {
    try ConfigurationValue(encoding: value).leaves
      .filter { leaf in
        let group = ["inside.", "codes."].first { leaf.path.hasPrefix($0) }
        return leaf.path != "name" && (group.map { leaf.path == "\($0)name" } ?? true)
      }
      .map { "`\($0.path): \($0.value.shown)`" }.joined(separator: " ")
  }

  private static func table(_ head: [String], _ rows: [[String]]) -> String {
    ([head, head.map { _ in "---" }] + rows).map { cells in
      "| " + cells.map { $0.replacingOccurrences(of: "|", with: "\\|") }.joined(separator: " | ")
        + " |"
    }.joined(separator: "\n")
  }
}
