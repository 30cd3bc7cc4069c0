// The search for the picture.

import Foundation
import Latent

/// What is minimised, and from where.
public struct Painting {
  let transfer: StyleTransfer
  /// `[1, height, width, channels]`.
  public let start: Tensor

  public init(transfer: StyleTransfer, start: Tensor) {
    self.transfer = transfer
    self.start = start
  }

  /// Content and style of a picture.
  public struct Figures: CustomStringConvertible {
    public let content, style: Double
    public var description: String { String(format: "content %.6g, style %.6g", content, style) }
  }

  public func figures(of picture: Tensor) -> Figures {
    let terms = transfer(picture).terms.map(\.value.item)
    return Figures(content: terms[0], style: terms[1])
  }

  /// What the search minimises: the transfer's loss, and how far numbers are from what a picture can show (0 to 1).
  /// A bound that cannot be crossed would have no derivative; this one is as large as a tenth of the loss at the
  /// start where numbers are 0.1 off in the mean square.
  private func loss() -> (Tensor) -> Tensor {
    let first = transfer(start).total.item
    let weight = 10 * (first > 0 ? first : 1)
    return { picture in
      let outside = square(relu(-picture)) + square(relu(picture - 1))
      return transfer(picture).total + outside.mean() * weight
    }
  }

  /// Shown the number of steps that are done and the picture; says whether to go on.
  public typealias Progress = (Int, Tensor) -> Bool

  public func byLBFGS(_ steps: Int, _ progress: Progress) -> (picture: Tensor, steps: Int) {
    var search = LBFGS(iterations: steps)
    search.gradientTolerance = 0
    let loss = loss()
    let result = search.minimize([start], progress: { step, point, _ in progress(step, point[0]) })
    {
      loss($0[0])
    }
    return (result.point[0], result.iterations)
  }

  /// A picture as something that is trained.
  private struct Canvas: Module {
    var picture: Tensor
    mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
      visitor.visit(&picture, "picture")
    }
  }

  /// - Throws: `CommandError` where the picture is not finite any more.
  public func byAdam(
    _ steps: Int, _ rate: Double, _ progress: Progress
  ) throws -> (picture: Tensor, steps: Int) {
    let loss = loss()
    var canvas = Canvas(picture: start)
    var adam = Adam(learningRate: rate)
    for step in 0..<steps {
      let (value, gradients) = valueAndGradient(at: canvas) { loss($0.picture) }
      guard value.item.isFinite, gradients.norm.isFinite else {
        throw CommandError(
          "step \(step): the loss is not finite any more; try a smaller --learning-rate", .software)
      }
      adam.update(&canvas, along: gradients)
      if !progress(step + 1, canvas.picture) { return (canvas.picture, step + 1) }
    }
    return (canvas.picture, steps)
  }
}
