// The program and its commands.

import ArgumentParser

struct LatentBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "latent-bench",
    abstract: "Measures the library: workloads, kernels, scaling, your own runs, regressions.",
    discussion: """
      Without the name of a command, the flags are those of 'workloads':

        latent-bench --workload mlp --op train --batch 128 --seconds 5 --threads 2
        latent-bench --run run/ --json run.json
        latent-bench micro
        latent-bench scaling --out scaling/
        latent-bench check
      """,
    subcommands: [
      WorkloadsCommand.self, MicroCommand.self, ScalingCommand.self, DataCommand.self,
      CheckCommand.self,
    ],
    defaultSubcommand: WorkloadsCommand.self)
}
