// Training on codes, which fit in memory as a whole: what samplers that are networks have in common.

import LatentAutodiff
import LatentLayers
import LatentNumerics
import LatentOptimizers

/// How long and how fast a network learns codes.
struct CodeTraining {
  var steps: Int
  var batchSize: Int
  /// At the beginning; it falls along half a cosine to nothing.
  var learningRate: Double

  /// Steps between two reports.
  private static let reportEvery = 500
  /// What the average of weights keeps at each step, once it has seen so many that this is the longer memory.
  private static let averageDecay = 0.999

  /// The averaged module after all steps of Adam on `loss` of random rows of the codes.
  ///
  /// - Parameters:
  ///   - data: every pass over it draws new codes; `scale` standardises them
  ///   - loss: of codes `[batch, latents]`, the rows of the data that they are, and a context
  func train<Part: Module>(
    _ part: Part, on data: EncodedData, scale: CodeScale, using random: inout RandomStream,
    progress: (String) -> Void,
    loss: (Part, _ codes: Tensor, _ rows: Tensor, inout LayerContext) -> Tensor
  ) -> Part {
    var codes = Tensor.zeros([])
    return train(part, examples: data.count, using: &random, progress: progress) { random in
      codes = scale.standardized(data.codes(using: &random))
    } loss: { part, rows, context in
      loss(part, codes.gathering(rows, axis: 0), rows, &context)
    }
  }

  /// The averaged module after all steps of Adam on `loss` of random rows of the data.
  ///
  /// - Parameter beforePass: called at the beginning and after as many rows as there are examples
  func train<Part: Module>(
    _ part: Part, examples: Int, using random: inout RandomStream, progress: (String) -> Void,
    beforePass: (inout RandomStream) -> Void = { _ in },
    loss: (Part, _ rows: Tensor, inout LayerContext) -> Tensor
  ) -> Part {
    var part = part
    var optimizer = Adam(learningRate: learningRate)
    let schedule = CosineSchedule(total: steps)
    var average = part
    let stepsPerPass = max(1, examples / batchSize)
    var recent = 0.0
    for step in 0..<steps {
      if step % stepsPerPass == 0 { beforePass(&random) }
      let rows = Tensor(
        (0..<batchSize).map { _ in Int32.random(in: 0..<Int32(examples), using: &random) })
      var context = LayerContext(isTraining: true, random: random.split(UInt64(step)), step: step)
      let (value, gradients) = valueAndGradient(at: part) { loss($0, rows, &context) }
      optimizer.learningRate = learningRate * schedule.factor(step: step)
      optimizer.update(&part, along: gradients)
      average = averaged(average, part, step: step)
      recent += value.item
      if (step + 1) % CodeTraining.reportEvery == 0 {
        progress("step \(step + 1) of \(steps): loss \(recent / Double(CodeTraining.reportEvery))")
        recent = 0
      }
    }
    return average
  }

  /// First weights are forgotten as fast as a mean would forget them.
  private func averaged<Part: Module>(_ average: Part, _ part: Part, step: Int) -> Part {
    let decay = min(CodeTraining.averageDecay, Double(step + 1) / Double(step + 10))
    var moving = ExponentialMovingAverage(average, decay: decay)
    moving.update(part)
    return moving.model
  }
}
