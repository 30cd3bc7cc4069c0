// The timed calls of the `mlp` workload, written as a user would write them.

import ArgumentParser
import Latent

enum MLPCalls {
  static func make(_ op: String, batch: Int) throws -> () -> Void {
    let model = MLPWorkload.model()
    switch op {
    case "train":
      var trained = model
      var optimizer = Adam(learningRate: 1e-3)
      let objective = ELBO<MLPWorkload.Model>()
      let root = RandomStream(seed: 1)
      let pool = (0..<8).map { MLPWorkload.inputs(batch, stream: 1000 + $0) }
      var step = 0
      return {
        var context = LayerContext(isTraining: true, random: root.split(UInt64(step)), step: step)
        let (_, gradients) = valueAndGradient(at: trained) { model in
          objective(model, pool[step % 8], &context).total
        }
        optimizer.update(&trained, along: gradients)
        step += 1
      }
    case "encode":
      let x = MLPWorkload.inputs(batch)
      return {
        let posterior = model.encode(x)
        blackHole(posterior.mean, posterior.logVariance)
      }
    case "decode":
      var random = RandomStream(seed: 2)
      let z = random.normalTensor([batch, MLPWorkload.latentSize])
      return { blackHole(model.decode(z).logits) }
    case "generate":
      var random = RandomStream(seed: 3)
      return { blackHole(model.generate(batch, using: &random)) }
    default:
      throw ValidationError("op '\(op)': expected train, encode, decode, generate or startup")
    }
  }
}

/// Keeps results from being optimised away.
@inline(never)
func blackHole(_ values: Tensor...) {}
