// A model of one's own, trained by a loop of one's own.
//
//   custom-model [EPOCHS] [PICTURE.png]        30 and custom-model.png by default
//
// The library asks two things: an encoder that turns data into a distribution over latents, and a
// decoder that turns latents into one over data. The rest is what `Trainer` does, written out.

import Latent

/// 16 x 16 pictures to a normal distribution over the latents.
struct ShapeEncoder: Encoder {
  var input: Linear
  var block: Residual<Sequential>
  var output: Linear

  init(latentSize: Int, using random: inout RandomStream) {
    input = Linear(256, 128, activation: .gelu, using: &random)
    block = Residual(
      Sequential(
        LayerNorm(128), Linear(128, 128, activation: .gelu, using: &random),
        Linear(128, 128, using: &random)))
    output = Linear(128, 2 * latentSize, using: &random)
  }

  // The one duty of a module: name its parts, always in the same order. Training, saving, loading
  // and counting go through this method; `Trainer` reports a part that it forgets.
  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&input, "input")
    visitor.visit(&block, "block")
    visitor.visit(&output, "output")
  }

  func callAsFunction(_ x: Tensor) -> DiagonalNormal {  // x: [batch, 16, 16, 1]
    let features = block(input(x.flattened(from: 1)))
    // Means first, then logarithms of variances: any real number is allowed in both.
    let halves = output(features).split(into: 2, axis: -1)
    return DiagonalNormal(mean: halves[0], logVariance: halves[1])
  }
}

/// Latents to one Bernoulli variable for each pixel.
struct ShapeDecoder: Decoder {
  var hidden: Linear
  var output: Linear

  init(latentSize: Int, using random: inout RandomStream) {
    hidden = Linear(latentSize, 256, activation: .gelu, using: &random)
    output = Linear(256, 256, using: &random)
  }

  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&hidden, "hidden")
    visitor.visit(&output, "output")
  }

  // z may have sample axes, [sample, batch, latent]: only the last axis is ours.
  func callAsFunction(_ z: Tensor) -> Bernoulli {
    let logits = output(hidden(z)).reshaped(z.shape.prefix(z.rank - 1) + [16, 16, 1])
    return Bernoulli(logits: logits, eventRank: 3)  // one event is one picture
  }
}

let arguments = CommandLine.arguments
let epochs = arguments.count > 1 ? Int(arguments[1]) ?? 30 : 30
let picture = arguments.count > 2 ? arguments[2] : "custom-model.png"

// Randomness is a value. Streams split off by name or number do not depend on what others draw.
let root = RandomStream(seed: 1)
var weights = root.split("weights")
let noise = root.split("noise")

typealias Model = VAE<ShapeEncoder, ShapeDecoder, StandardNormalPrior>
var model = Model(
  encoder: ShapeEncoder(latentSize: 8, using: &weights),
  decoder: ShapeDecoder(latentSize: 8, using: &weights), prior: .standardNormal(8))
print(model.summary)

// Nats per example. The divergence fades in over 200 steps; until then loss < reconstruction + kl.
let objective = ELBO<Model>(beta: 1, warmup: .linear(steps: 200))
var optimizer = Adam(learningRate: 2e-3)
let sprites = Sprites(side: 16, count: 4_000)  // drawn by the library: nothing to download
let order = BatchOrder(count: sprites.count, batchSize: 100, seed: 1)

for epoch in 0..<epochs {
  var sums = (loss: 0.0, reconstruction: 0.0, kl: 0.0)
  let batches = order.batches(epoch: epoch)
  for (index, indices) in batches.enumerated() {
    let step = epoch * order.batchesPerEpoch + index
    let x = Tensor(try sprites.batch(at: indices).inputs)
    // What a forward pass needs besides its input; its noise is a function of the step.
    var context = LayerContext(isTraining: true, random: noise.split(UInt64(step)), step: step)

    // A pure function: it differentiates the closure at `model` and changes nothing.
    var (loss, gradients, terms) = valueAndGradient(at: model) { model in
      let terms = objective(model, x, &context)
      return (terms.total, terms)
    }
    let (norm, scale) = gradients.clip(.norm(50))
    // Look before the update, or one bad batch poisons every parameter.
    guard norm.isFinite else { fatalError("step \(step): loss \(loss.item), gradient \(norm)") }
    optimizer.update(&model, along: gradients, scale: scale)

    sums.loss += loss.item
    sums.reconstruction += terms["reconstruction"]?.item ?? 0
    sums.kl += terms["kl"]?.item ?? 0
  }
  let count = Double(batches.count)
  let means = [sums.loss, sums.reconstruction, sums.kl].map { ($0 / count * 100).rounded() / 100 }
  print("epoch \(epoch + 1): loss \(means[0]), reconstruction \(means[1]), kl \(means[2])")
}

// One grid: a row of data, their reconstructions, then three rows of new pictures.
let shown = Tensor(try sprites.batch(0..<12).inputs)
var random = root.split("samples")
let images = Tensor.concatenate(
  [shown, model.reconstruct(shown), model.generate(36, using: &random)], axis: 0)
try PNG.write(ImageGrid.tile(images.array, columns: 12, gap: 2, scale: 3), to: picture)
print("wrote \(picture)")
