// The border between a model and a world that may send anything. Inside, a wrong shape is a mistake of
// the program and traps; a server, a form or a file is asked here first and refused by an error.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// What a model takes as input: the shape and type of one example, as its likelihood draws them.
///
/// ```swift
/// let form = InputForm(of: model)          // once: decodes one latent
/// let x = try form.checked(request)        // throws InputError
/// let z = model.encode(x)
/// ```
public struct InputForm: Sendable, Hashable {
  /// One example, such as `[28, 28, 1]`.
  public let shape: Shape
  /// int32 for tokens and classes, else what the model computes in.
  public let dtype: DType
  /// One latent, such as `[20]`.
  public let latentShape: Shape

  /// A form that is known without asking a model.
  public init(shape: Shape, dtype: DType, latentShape: Shape) {
    self.shape = shape
    self.dtype = dtype
    self.latentShape = latentShape
  }

  /// Asks the model, by decoding a latent of zeros and drawing one example. `fields` are those of one
  /// example, where the model is conditional.
  public init(of model: some LatentVariableModel, fields: [String: Tensor] = [:]) {
    let latentShape = model.latentShape(fields: fields)
    var random = RandomStream(seed: 0)
    let zeros = model.samplePrior(1, fields: fields, using: &random).zerosLike
    let likelihood = model.decode(zeros, fields: fields)
    self.init(
      shape: likelihood.eventShape, dtype: likelihood.sample(using: &random).dtype,
      latentShape: latentShape)
  }

  /// x as a batch that the model takes: `[batch, ...]`. One example without a batch axis gets one.
  /// - Throws: `InputError`.
  public func checked(_ x: Tensor) throws -> Tensor { try checked(x, shape, dtype, "inputs") }

  /// z as a batch of latents that the model decodes: `[batch, latent]`.
  /// - Throws: `InputError`.
  public func checkedLatents(_ z: Tensor) throws -> Tensor {
    try checked(z, latentShape, dtype.isFloatingPoint ? dtype : .float32, "latents")
  }

  private func checked(
    _ x: Tensor, _ shape: Shape, _ dtype: DType, _ what: String
  ) throws -> Tensor {
    let batch = x.shape == shape ? x.expandingDimension(at: 0) : x
    guard batch.rank == shape.rank + 1, batch.shape.suffix(shape.rank) == shape,
      batch.shape[0] > 0
    else {
      throw InputError.wrongShape(what: what, found: x.shape, expected: shape)
    }
    guard x.dtype == dtype else {
      throw InputError.wrongType(what: what, found: x.dtype, expected: dtype)
    }
    if x.array.nonFiniteCount > 0, let place = x.doubles.firstIndex(where: { !$0.isFinite }) {
      let size = max(1, shape.count)
      throw InputError.nonFinite(what: what, example: place / size, element: place % size)
    }
    return batch
  }
}

/// Why a model cannot take an input.
public enum InputError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Neither one example nor a batch of them.
  case wrongShape(what: String, found: Shape, expected: Shape)
  /// Of another element type than the model computes with.
  case wrongType(what: String, found: DType, expected: DType)
  /// A NaN or an infinity, at this element of this example.
  case nonFinite(what: String, example: Int, element: Int)

  public var description: String {
    switch self {
    case .wrongShape(let what, let found, let expected):
      "\(what) of shape \(found): expected one or more of \(expected), as [batch] + \(expected)"
    case .wrongType(let what, let found, let expected):
      "\(what) of type \(found): expected \(expected); convert them with converted(to: .\(expected))"
    case .nonFinite(let what, let example, let element):
      "\(what): element \(element) of example \(example) is not a finite number"
    }
  }
}

extension LatentVariableModel {
  /// x as a batch that the model takes, for inputs that come from outside: `[batch, ...]`, one example
  /// with its batch axis. Decodes a latent to learn the form; a server asks `InputForm` once.
  /// - Throws: `InputError`.
  public func checked(_ x: Tensor, fields: [String: Tensor] = [:]) throws -> Tensor {
    try InputForm(of: self, fields: fields).checked(x)
  }
}
