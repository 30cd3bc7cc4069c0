// The workloads are those of the peers: sizes, inputs, operations.

import Latent
import Testing

@testable import latent_bench

@Suite struct WorkloadTests {
  /// Computed by the peers' workloads.py with NumPy.
  @Test("Inputs follow the rule")
  func rule() throws {
    #expect(
      Rules.uniform(stream: 1000, count: 3) == [
        0.7795864939689636, 0.9355825185775757, 0.15468209981918335,
      ])
    let normals = Rules.normals([3]).floats
    for (found, expected) in zip(
      normals, [-1.2010109424591064, -0.8242242932319641, -0.7223135828971863])
    {
      #expect(abs(Double(found) - expected) < 1e-6)
    }
    let image = try input("conv64", example: 1)
    #expect(
      (0..<3).map { image.selecting(9).selecting(17).floats[$0] } == [
        0.9954412579536438, 0.9099957346916199, 0.336561381816864,
      ])
    #expect(Array(try input("seq", example: 1).array.int32s.prefix(4)) == [136, 184, 131, 14])
    let latent = ResidualWorkload().latents(2).selecting(1).selecting(2).selecting(5)
    #expect(abs(latent.floats[3] - 0.09482827037572861) < 1e-6)
  }

  private func input(_ name: String, example: Int) throws -> Tensor {
    try Workloads.list(name)[0].inputs(2).selecting(example)
  }

  @Test(
    "Networks have as many parameters as the peers'",
    arguments: [
      ("mlp", 652_824), ("conv28", 1_688_289), ("conv64", 766_295), ("resnet64", 1_589_611),
      ("seq", 921_152),
    ])
  func parameters(name: String, count: Int) throws {
    #expect(try parameterCount(Workloads.list(name)[0]) == count)
    #expect(try parameterCount(Workloads.list(name, width: 0.25)[0]) < count)
  }

  private func parameterCount(_ workload: some Workload) -> Int { workload.model().parameterCount }

  /// Counted by PyTorch's FlopCounterMode in the peers' flops.py: forward and training step, in GFLOP;
  /// of `seq` without the scores of attention that PyTorch computes again in its backward pass (0.134).
  @Test(
    "Arithmetic is counted as the peers count it",
    arguments: [
      ("mlp", 0.167, 0.420), ("conv28", 1.288, 3.837), ("conv64", 2.350, 6.848),
      ("resnet64", 31.814, 95.328), ("seq", 3.625, 10.874),
    ])
  func arithmetic(name: String, forward: Double, step: Double) throws {
    let workload = try Workloads.list(name)[0]
    func billions(_ operations: Operation...) -> Double {
      operations.map { workload.arithmetic.operations($0, batch: workload.batch) }.reduce(0, +)
        / 1e9
    }
    #expect(abs(billions(.encode, .decode) - forward) < 0.001)
    #expect(abs(billions(.train) - step) < 0.01)
  }

  @Test("Every operation of every workload runs", arguments: Workloads.all.map(\.name))
  func operations(name: String) throws {
    let workload = try Workloads.list(name, width: 0.25)[0]
    for operation in Operation.inProcess {
      let call = workload.call(operation, batch: 2)
      call()
      call()
    }
  }

  @Test("Every micro-benchmark runs and has a name of its own")
  func microBenchmarks() {
    for benchmark in MicroBenchmark.all {
      #expect(benchmark.bytes > 0)
      benchmark.prepare()()
    }
    let names = MicroBenchmark.all.map { "\($0.group) \($0.name)" }
    #expect(Set(names).count == names.count)
  }

  @Test("Every other objective trains", arguments: ObjectiveWorkload.all.map(\.name))
  func objectives(name: String) throws {
    let workload = try #require(ObjectiveWorkload.all.first { $0.name == name })
    let step = workload.step(batch: 4)
    for _ in 0..<3 { step() }
  }
}
