// Sequences that are drawn with a temperature: logits are divided by it, so that below 1 the probable elements become
// more so (Ackley, Hinton and Sejnowski 1985).

import Latent

/// A likelihood of sequences that can be drawn between the most probable elements and its own draws.
protocol TemperedSequence: Distribution {
  /// A draw for each latent, int32 `[batch, length]`, at a positive temperature; 1 draws from the likelihood itself.
  func sample(temperature: Double, using random: inout RandomStream) -> Tensor
}

extension AutoregressiveCategorical: TemperedSequence {
  /// The largest of logits / temperature plus Gumbel noise has the probabilities of the softmax.
  func sample(temperature: Double, using random: inout RandomStream) -> Tensor {
    var progress = network.start(latents.detached)
    var elements: [Tensor] = []
    for _ in 0..<network.length {
      let logits = network.next(elements.last, &progress) / temperature
      let uniform = random.uniformTensor(logits.shape, logits.dtype)
      elements.append((logits - log(-log(uniform))).argMax(axis: -1))
    }
    return Tensor.stack(elements, axis: 1)
  }
}
