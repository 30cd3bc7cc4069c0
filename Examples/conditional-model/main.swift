// A model that is told what to draw (Sohn, Lee and Yan 2015).
//
//   conditional-model [EPOCHS] [PICTURE.png]        10 and conditional-model.png by default
//
// A batch is more than its inputs: the labels of the data set are in the context of every part of the
// model, while it is trained and in every tool. A part that wants them takes them from there.

import Latent

/// The shapes of the data: square, ellipse, heart.
let shapeCount = 3

extension LayerContext {
  /// The label of each example as 0 and 1, `[batch, 3]`.
  var shape: Tensor {
    guard let labels = fields[Field.labels] else { fatalError("the model needs labels") }
    let rows = labels.reshaped([labels.count, 1])
    return (rows .== Tensor((0..<shapeCount).map { Int32($0) })).converted(to: .float32)
  }
}

/// 16 x 16 pictures and their labels to a normal distribution over the latents.
struct ConditionalEncoder: Encoder {
  var layers: Sequential
  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&layers, "layers")
  }
  func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> DiagonalNormal {
    let input = Tensor.concatenate([x.flattened(from: 1), context.shape], axis: -1)
    let halves = layers(input, &context).split(into: 2, axis: -1)
    return DiagonalNormal(mean: halves[0], logVariance: halves[1])
  }
}

/// Latents and labels to one Bernoulli variable for each pixel.
struct ConditionalDecoder: Decoder {
  var layers: Sequential
  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&layers, "layers")
  }
  func callAsFunction(_ z: Tensor, _ context: inout LayerContext) -> Bernoulli {
    // z may have sample axes in front, [sample, batch, latent]: the labels are the same for all.
    let leading = z.shape.prefix(z.rank - 1)
    let shape = context.shape.broadcast(to: leading + [shapeCount])
    let logits = layers(Tensor.concatenate([z, shape], axis: -1), &context)
    return Bernoulli(logits: logits.reshaped(leading + [16, 16, 1]), eventRank: 3)
  }
}

let epochs = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 10
let picture = CommandLine.arguments.dropFirst(2).first ?? "conditional-model.png"

var random = RandomStream(seed: 7)
let latentSize = 6
let model = VAE(
  encoder: ConditionalEncoder(
    layers: Sequential(
      Linear(256 + shapeCount, 200, activation: .gelu, using: &random),
      Linear(200, 2 * latentSize, using: &random))),
  decoder: ConditionalDecoder(
    layers: Sequential(
      Linear(latentSize + shapeCount, 200, activation: .gelu, using: &random),
      Linear(200, 256, using: &random))),
  prior: .standardNormal(latentSize))
var trainer = Trainer(model, objective: ELBO(), optimizer: Adam(learningRate: 2e-3), seed: 7)
try trainer.fit(
  Sprites(side: 16, count: 6_000), epochs: epochs, batchSize: 100, events: [.showProgress])

// The same ten latents as a square, an ellipse and a heart: a row for each.
let z = trainer.model.samplePrior(10, using: &random)
let rows = (0..<shapeCount).map { shape in
  let labels = Tensor([Int32](repeating: Int32(shape), count: 10))
  return trainer.model.decode(z, fields: [Field.labels: labels]).mean
}
try PNG.write(
  ImageGrid.tile(Tensor.concatenate(rows, axis: 0).array, columns: 10, scale: 4), to: picture)
print("rows of squares, ellipses and hearts: \(picture)")
