// The same seed gives the same bytes, in the same process and with any number of threads; another
// seed gives others.

import Latent
import Testing

@Suite(.serialized) struct ReproducibilityTests {
  /// Wide enough that products and updates are shared between threads.
  static func run(seed: UInt64 = 4) throws -> [UInt8] {
    var random = RandomStream(seed: 1)
    let network = MLPNetwork(hidden: [96, 48], latentSize: 8)
    let model = try ModelDescription(network, inputShape: [40]).makeModel(using: &random)
      .reparameterized(for: "the bound")
    return try train(model, seed)
  }

  private static func train<Model: ReparameterizedModel>(
    _ model: Model, _ seed: UInt64
  ) throws -> [UInt8] {
    var random = RandomStream(seed: 2)
    let data = ArrayDataset(inputs: random.uniform([300, 40]))
    var trainer = Trainer(
      model, objective: ELBO<Model>(samples: 2), optimizer: Adam(), clipping: .norm(1), seed: seed)
    trainer.average = ExponentialMovingAverage(model, decay: 0.99)
    try trainer.fit(
      data, epochs: 4, batchSize: 64, validation: data, transform: DynamicBinarization(),
      handlesSignals: false)
    return try trainer.bytes
  }

  @Test func rerun() throws {
    let first = try ReproducibilityTests.run()
    #expect(try ReproducibilityTests.run() == first)
    #expect(try ReproducibilityTests.run(seed: 5) != first)
  }

  @Test func threads() throws {
    let before = Threads.count
    defer { Threads.count = before }
    let checkpoints = try [1, 2, 3].map { threads in
      Threads.count = threads
      return try ReproducibilityTests.run()
    }
    #expect(checkpoints[0] == checkpoints[1], "1 thread against 2")
    #expect(checkpoints[0] == checkpoints[2], "1 thread against 3")
  }

  @Test func shuffledOrderFollowsFromTheSeed() throws {
    func order(_ seed: UInt64) throws -> [[Float]] {
      let keep = Kept()
      var trainer = tinyTrainer(seed: seed)
      try trainer.fit(
        Watched(base: tinyData(), keep: keep), epochs: 2, batchSize: 8, handlesSignals: false)
      return keep.batches
    }
    let batches = try order(1)
    #expect(try order(1) == batches)
    #expect(try order(2) != batches)
    #expect(Array(batches[..<6]) != Array(batches[6...]), "epochs have orders of their own")
  }

  /// Text in a checkpoint must not depend on the order of a dictionary, which differs by process.
  @Test func processes() async throws {
    let digests = try await [digest(), digest()]
    #expect(digests[0] == digests[1])
    #expect(!digests[0].isEmpty)
  }

  private func digest() async throws -> String {
    let result = await #expect(
      processExitsWith: .success, observing: [\.standardOutputContent]
    ) {
      var trainer = tinyTrainer(schedule: CosineSchedule(warmup: 3, total: 30, floor: 0.1))
      trainer.descriptions = ["a": "1", "b": "2", "c": "3"]
      try trainer.fit(
        tinyData(), epochs: 2, batchSize: 8, events: [.stopEarly(patience: 3)],
        handlesSignals: false)
      var hash: UInt64 = 0xcbf2_9ce4_8422_2325
      for byte in try trainer.bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
      print("digest \(hash)")
    }
    let text = String(decoding: try #require(result).standardOutputContent, as: UTF8.self)
    return text.split(separator: "\n").last { $0.hasPrefix("digest") }.map(String.init) ?? ""
  }
}
