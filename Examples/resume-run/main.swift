// A run that stops and goes on as if nothing had happened.
//
//   resume-run [EPOCHS]        4 by default, at least 2
//
// A checkpoint holds everything that the next step depends on: parameters, the optimiser's
// moments, counters, what the events remember. It holds no position of a random generator, because
// there is none: the order of the examples is a function of (seed, epoch), the noise of a step one
// of (seed, step). So a resumed run replays nothing and its result has the same bits.

import Foundation
import Latent

/// A trainer as every program makes it: the resumed run must name the same model, objective,
/// optimiser and seed, and is refused otherwise.
func makeTrainer() -> Trainer<
  VAE<MLPEncoder, MLPDecoder<BernoulliHead>, StandardNormalPrior>,
  ELBO<VAE<MLPEncoder, MLPDecoder<BernoulliHead>, StandardNormalPrior>>
> {
  var random = RandomStream(seed: 5).split("weights")
  let model = VAE(
    encoder: MLPEncoder(inputShape: [16, 16, 1], hidden: [128], latentSize: 6, using: &random),
    decoder: MLPDecoder(
      latentSize: 6, hidden: [128], outputShape: [16, 16, 1], head: BernoulliHead(),
      using: &random),
    prior: .standardNormal(6))
  return Trainer(
    model, objective: ELBO(warmup: .linear(steps: 50)), optimizer: Adam(learningRate: 2e-3),
    schedule: CosineSchedule(warmup: 10, total: 200, floor: 0.1), seed: 5)
}

/// The power fails after a number of steps. Any value can watch a run; throwing ends it.
struct PowerCut: TrainingEvent, Error {
  let afterStep: Int

  mutating func stepEnded(_ state: TrainingState, _ report: StepReport) throws {
    if state.step == afterStep { throw self }
  }
}

let epochs = max(2, CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 4)
let sprites = Sprites(side: 16, count: 2_000)  // 20 steps an epoch
let folder = FileManager.default.temporaryDirectory.path + "/latent-resume-\(getpid())"

// 1. A run without interruption.
var straight = makeTrainer()
try straight.fit(
  sprites, epochs: epochs, batchSize: 100,
  events: [.saveEvery(epochs: 1, to: folder + "/straight")])
print("uninterrupted: \(straight.epoch) epochs, \(straight.step) steps")

// 2. The same run, which dies in the middle of the second epoch. Checkpoints were written after
// each epoch and after every seventh step; what came after the last one will be done again.
var first = makeTrainer()
do {
  try first.fit(
    sprites, epochs: epochs, batchSize: 100,
    events: [.saveEvery(steps: 7, to: folder + "/stopped"), PowerCut(afterStep: 33)])
} catch let cut as PowerCut {
  print("power failed after step \(cut.afterStep)")
}

// 3. Another process would start here: a new trainer, the newest checkpoint of the folder.
var second = makeTrainer()
let differences = try second.resume(fromFolder: folder + "/stopped")
// Another library version or another CPU may change the last bits, and is reported.
for difference in differences { print("written by \(difference)") }
print("resumed after step \(second.step)")
try second.fit(
  sprites, epochs: epochs, batchSize: 100,
  events: [.saveEvery(steps: 7, to: folder + "/stopped")])
print("resumed run: \(second.epoch) epochs, \(second.step) steps")

// 4. `==` on arrays compares bits, not nearly equal numbers. Comparing the checkpoints compares the
// optimiser's moments, the counters and the best loss so far as well.
let sameParameters = straight.model.namedArrays == second.model.namedArrays
let sameState = try straight.checkpoint() == second.checkpoint()
print("parameters identical in every bit: \(sameParameters)")
print("complete state identical in every bit: \(sameState)")
try FileManager.default.removeItem(atPath: folder)
exit(sameParameters && sameState ? 0 : 1)
