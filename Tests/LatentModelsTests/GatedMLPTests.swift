// The gated network against PyTorch in float64: linear layers, then `glu` over the last axis. Every
// parameter is 0.5 sin(0.7 i + k), k its number in visiting order; gradients are compared through their
// projections on cos(0.37 i).

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import Testing

@Suite struct GatedMLPTests {
  static func wave(_ shape: Shape, _ phase: Double) -> Tensor {
    Tensor((0..<shape.count).map { 0.5 * sin(0.7 * Double($0) + phase) }, shape: shape)
  }

  /// 6 -> 5 -> 4 -> 2 latents, mirrored.
  static var model: VAE<GatedMLPEncoder, GatedMLPDecoder<BernoulliHead>, StandardNormalPrior> {
    var random = RandomStream(seed: 1)
    var model = VAE(
      encoder: GatedMLPEncoder(inputShape: [6], hidden: [5, 4], latentSize: 2, using: &random),
      decoder: GatedMLPDecoder(
        latentSize: 2, hidden: [4, 5], outputShape: [6], head: BernoulliHead(), using: &random),
      prior: .standardNormal(2)
    ).converted(to: .float64)
    model.setParameters(
      model.parameters.enumerated().map { wave($1.shape, Double($0)) })
    return model
  }

  static let mean = [
    -0.29024544910475469, -0.55311817970339172, -0.29220664633719773, -0.53604952177577603,
    -0.2901663865095131, -0.53105375542756073,
  ]
  static let logVariance = [
    0.39251030517273033, 0.012411236111975366, 0.36230656075591194, 0.052259863707104781,
    0.35085205560412913, 0.068849478669517405,
  ]
  /// Decoded from the sum of both.
  static let logits = [
    -0.3025198786827844, -0.46675162285668043, -0.11965657802756864, 0.40911583088600195,
    0.21880324348465119, 0.78659302835658784, -0.30295563936628078, -0.46597375979111894,
    -0.12067768748315533, 0.41025041737672052, 0.2176993707271514, 0.78752589991722677,
    -0.30309715093163581, -0.46570720237721452, -0.12103541486339581, 0.41065385235772256,
    0.2173014993356992, 0.78786764358663908,
  ]
  static let loss = 12.891133127360453
  static let gradients = [
    -0.0019779215012719824, 0.00046475408453292656, -0.00057033101338354718,
    0.014234749054225901, 0.00057699333101599395, 0.0081844394407878315, -0.010030591149451415,
    -0.010943699992401443, -0.020428832013833866, -0.062704521130709193, -0.044165349994909384,
    -0.61412647232902862,
  ]

  @Test func agreesWithPyTorch() {
    let x = GatedMLPTests.wave([3, 6], 20) + 0.5
    let model = GatedMLPTests.model
    let posterior = model.encode(x)
    #expect(distance(posterior.mean.doubles, GatedMLPTests.mean) < 1e-14)
    #expect(distance(posterior.logVariance.doubles, GatedMLPTests.logVariance) < 1e-14)
    let decoded = model.decode(posterior.mean + posterior.logVariance)
    #expect(distance(decoded.logits.doubles, GatedMLPTests.logits) < 1e-14)
    let (loss, gradients) = valueAndGradient(at: model) { model in
      let posterior = model.encode(x)
      let decoded = model.decode(posterior.mean + posterior.logVariance)
      return -(decoded.logProbability(of: x).sum())
    }
    #expect(distance([loss.item], [GatedMLPTests.loss]) < 1e-14)
    let projections = gradients.tensors.map { gradient in
      (gradient?.doubles ?? []).enumerated().reduce(0) { $0 + $1.1 * cos(0.37 * Double($1.0)) }
    }
    #expect(distance(projections, GatedMLPTests.gradients) < 1e-14)
  }

  @Test func paths() {
    #expect(
      GatedMLPTests.model.namedParameters.map(\.path) == [
        "encoder.hidden.0.weight", "encoder.hidden.0.bias", "encoder.hidden.1.weight",
        "encoder.hidden.1.bias", "encoder.head.weight", "encoder.head.bias",
        "decoder.hidden.0.weight", "decoder.hidden.0.bias", "decoder.hidden.1.weight",
        "decoder.hidden.1.bias", "decoder.output.weight", "decoder.output.bias",
      ])
  }
}
