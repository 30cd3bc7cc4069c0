// A small classifier, to say which digits samples are.

import Latent
import LatentCommands

/// Two layers, 97 to 98 of a hundred test digits right.
struct DigitClassifier: Module {
  var hidden: Linear
  var output: Linear

  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&hidden, "hidden")
    visitor.visit(&output, "output")
  }

  /// Logits `[batch, 10]` of pictures `[batch, height, width, 1]`.
  func callAsFunction(_ x: Tensor) -> Tensor { output(hidden(x.flattened(from: 1))) }

  /// The digit of each picture.
  func classes(of x: Tensor) -> [Int] { self(x).argMax(axis: 1).doubles.map { Int($0) } }

  /// Trained on pictures with labels for so many epochs.
  init(on data: some Dataset, epochs: Int = 4, seed: UInt64 = 0) throws {
    var random = RandomStream(seed: seed).split("classifier")
    hidden = Linear(data.inputShape.count, 256, activation: .relu, using: &random)
    output = Linear(256, 10, using: &random)
    var optimizer = Adam(learningRate: 1e-3)
    let order = BatchOrder(count: data.count, batchSize: 100, seed: seed)
    for epoch in 0..<epochs {
      for indices in order.batches(epoch: epoch) {
        let batch = try data.batch(at: indices)
        guard let labels = batch.labels else {
          throw CommandError(
            "\(data.name) has no labels, which samples are counted by: give a folder of MNIST's files, or "
              + "npy:FILE:LABELS", .dataError)
        }
        let (x, y) = (Tensor(batch.inputs), Tensor(labels))
        let (_, gradients) = valueAndGradient(at: self) {
          -(Categorical(logits: $0(x)).logProbability(of: y).mean())
        }
        optimizer.update(&self, along: gradients)
      }
    }
  }
}
