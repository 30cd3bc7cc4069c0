// Paths, counts, replacement and conversion of a module's parameters.

import LatentAutodiff
import LatentLayers
import LatentNumerics
import Testing

@Suite struct ParameterTests {
  @Test func pathsShapesAndOrder() {
    let named = Composed().namedParameters
    #expect(named.map(\.path) == Composed.shapes.map(\.path))
    for (parameter, expected) in zip(named, Composed.shapes) {
      #expect(parameter.tensor.shape == expected.shape, "\(expected.path)")
      #expect(parameter.isTrained == (expected.path != "running"), "\(expected.path)")
    }
  }

  @Test func countsLeaveBuffersOut() {
    let model = Composed()
    let trained = Composed.shapes.dropLast().reduce(0) { $0 + $1.shape.count }
    #expect(model.parameterCount == trained)
    #expect(model.parameters.map(\.shape) == Composed.shapes.dropLast().map(\.shape))
    #expect(Dropout(rate: 0.5).parameterCount == 0)
    #expect(Sequential().parameterCount == 0)
  }

  @Test func setParametersRoundTrip() {
    let (first, second) = (Composed(seed: 1), Composed(seed: 2))
    var model = first
    model.setParameters(second.parameters)
    #expect(model.namedArrays == second.namedArrays)
    #expect(first.namedArrays != second.namedArrays, "the copy's origin stays as it was")
    let back = model.parameters
    model.setParameters(back)
    #expect(model.parameters.map(\.array) == back.map(\.array))
  }

  @Test func mapParametersReachesBuffers() {
    let model = Composed()
    let doubled = model.mapParameters { $0 * 2 + 1 }
    for (before, after) in zip(model.namedParameters, doubled.namedParameters) {
      let expected = (before.tensor * 2 + 1).array
      #expect(after.tensor.array == expected, "\(before.path)")
    }
  }

  @Test func conversionThereAndBack() {
    let model = Composed()
    let wide = model.converted(to: .float64)
    #expect(wide.namedParameters.allSatisfy { $0.tensor.dtype == .float64 })
    #expect(wide.converted(to: .float32).namedArrays == model.namedArrays)
  }

  @Test func copiesAreIndependent() {
    let original = Composed()
    let before = original.namedArrays
    var copy = original
    copy.blocks[0].weight = .zeros([4, 3])
    copy.head.body.layers[1] = Linear(weight: .ones([2, 4]), bias: nil)
    copy.offset = nil
    #expect(original.namedArrays == before)
    #expect(copy.namedParameters.count == original.namedParameters.count - 2)
  }

  @Test func gradientsComeInVisitingOrder() {
    let model = Composed().converted(to: .float64)
    // Only two parameters take part: the others' derivatives are nil.
    let (value, gradients) = valueAndGradient(at: model) { model in
      (model.offset.map { $0 * 3 } ?? .zeros([], .float64)).sum()
        + model.blocks[0].weight.selecting(0).sum()
    }
    #expect(value.shape == [])
    let paths = model.namedParameters.filter(\.isTrained).map(\.path)
    #expect(gradients.tensors.count == paths.count)
    for (path, gradient) in zip(paths, gradients.tensors) {
      switch path {
      case "offset": #expect(gradient?.doubles == [3, 3])
      case "blocks.0.weight":
        #expect(gradient?.doubles == [1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0])
      default: #expect(gradient == nil, "\(path)")
      }
    }
    #expect(abs(gradients.norm - (9.0 + 9 + 3).squareRoot()) < 1e-12)
    #expect(gradients.firstNonFinite == nil)
  }

  @Test func firstNonFiniteNamesTheParameter() {
    let fine = Tensor([1, 2] as [Double])
    for bad in [Double.nan, .infinity, -.infinity] {
      let gradients = Gradients([fine, nil, Tensor([0, bad]), Tensor([bad])])
      #expect(gradients.firstNonFinite == 2, "\(bad)")
      #expect(!gradients.norm.isFinite, "\(bad)")
    }
  }

  @Test func auxiliaryValuesComeAlong() {
    let model = Linear(weight: Tensor([2.0] as [Double], shape: [1, 1]), bias: nil)
    let result = valueAndGradient(
      at: model,
      withAuxiliary: { model in
        let loss = square(model.weight).sum()
        return (loss, ["loss": loss, "weight": model.weight])
      })
    #expect(result.value.item == 4)
    #expect(result.gradients.tensors[0]?.item == 4)
    #expect(result.auxiliary["weight"]?.item == 2)
    #expect(!model.weight.isRecorded)
  }

  /// A gradient penalty: the derivative of the squared norm of a derivative.
  @Test func nestedDerivatives() {
    let model = Linear(weight: Tensor([3.0] as [Double], shape: [1, 1]), bias: nil)
    let (_, gradients) = valueAndGradient(at: model) { outer in
      // loss = w^3, gradient 3 w^2, penalty 9 w^4, derivative 36 w^3.
      let inner = valueAndGradient(at: outer) { ($0.weight * $0.weight * $0.weight).sum() }
      return inner.gradients.tensors.compactMap { $0 }.map { square($0).sum() }[0]
    }
    #expect(abs((gradients.tensors[0]?.item ?? .nan) - 36 * 27) < 1e-9)
  }
}
