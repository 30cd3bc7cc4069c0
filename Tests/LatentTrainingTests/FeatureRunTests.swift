// Other runs as networks to look through: opened from a folder, and made again from what a checkpoint says of them
// where the folder is gone.

import Foundation
import Latent
import Testing

@Suite struct FeatureRunTests {
  @Test func opensAndRemembers() throws {
    try withTemporaryFolder { folder in
      let other = "\(folder)/other"
      var trainer = try RunTests.trainer()
      try trainer.fit(
        tinyData(), epochs: 1, batchSize: 11, events: [.saveEvery(to: other)],
        handlesSignals: false)
      let x = Tensor(try tinyData().batch(0..<4).inputs)
      let runs = FeatureRuns()
      #expect(try runs.encoded() == nil)
      let opened = try runs.open(other)
      #expect(opened.inputShape == [6])
      let features = opened.network.features(of: x)
      #expect(features.map(\.name) == ["hidden.0"])
      #expect(features[0].values.array == trainer.model.encoder.hidden(x).array)

      var checkpoint = Checkpoint()
      checkpoint.texts[FeatureRuns.textName] = try runs.encoded()
      try FileManager.default.removeItem(atPath: other)
      #expect(throws: (any Error).self) { try FeatureRuns().open(other) }
      let again = try FeatureRuns(resuming: checkpoint, path: "c.h5")
      let made = try again.open(other)
      let (new, old) = (made.network.namedParameters, opened.network.namedParameters)
      #expect(new.map(\.path) == old.map(\.path))
      #expect(new.map(\.tensor.shape) == old.map(\.tensor.shape))
      #expect(try again.encoded() == runs.encoded())
      #expect(throws: RunError.self) { try again.open("elsewhere") }
      checkpoint.texts[FeatureRuns.textName] = "{"
      #expect(throws: RunError.self) { try FeatureRuns(resuming: checkpoint, path: "c.h5") }
    }
  }
}
