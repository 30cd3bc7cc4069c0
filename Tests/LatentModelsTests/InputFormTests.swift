// What a model takes is asked before it is given: errors, where inside there would be traps.

import LatentAutodiff
import LatentLayers
import LatentModels
import LatentNumerics
import Testing

@Suite struct InputFormTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let inputShape: [Int]
    let dtype: DType
    let latents: Shape
    var testDescription: String { name }
  }

  @Test(arguments: [
    Case(name: "mlp", inputShape: [28, 28, 1], dtype: .float32, latents: [20]),
    Case(name: "mlp-autoencoder", inputShape: [7], dtype: .float32, latents: [20]),
    Case(name: "resnet", inputShape: [16, 16, 3], dtype: .float32, latents: [4, 4, 4]),
    Case(name: "gru-text", inputShape: [9], dtype: .int32, latents: [32]),
  ]) func formsOfReadyModels(row: Case) throws {
    var random = RandomStream(seed: 1)
    func check(_ model: some LatentVariableModel) throws {
      let form = InputForm(of: model)
      #expect(
        form
          == InputForm(
            shape: Shape(row.inputShape), dtype: row.dtype, latentShape: model.latentShape))
      #expect(form.latentShape.rank == row.latents.rank, "\(form.latentShape)")
      let x = Tensor.zeros(form.shape, row.dtype)
      #expect(try model.checked(x).shape == [1] + form.shape)
      #expect(model.codes(of: try form.checked(x)).shape == [1] + model.latentShape)
      let z = try form.checkedLatents(.zeros([3] + form.latentShape))
      #expect(model.decode(z).batchShape == [3])
    }
    let description = try ModelDescription(named: row.name, inputShape: row.inputShape)
    try check(description.makeModel(using: &random))
  }

  @Test func everythingElseIsRefused() throws {
    let form = InputForm(of: Tiny.model(BernoulliHead()))
    #expect(form == InputForm(shape: [3], dtype: .float64, latentShape: [2]))
    func error(_ x: Tensor) -> InputError? {
      do {
        _ = try form.checked(x)
        return nil
      } catch {
        return error as? InputError
      }
    }
    let x = Tensor.zeros([2, 3], .float64)
    #expect(error(x) == nil)
    let shapes: [Shape] = [[], [2], [4], [2, 4], [3, 2], [0, 3], [1, 2, 3]]
    for shape in shapes {
      let found = error(.zeros(shape, .float64))
      #expect(found == .wrongShape(what: "inputs", found: shape, expected: [3]), "\(shape)")
    }
    #expect(
      error(x.converted(to: .float32))
        == .wrongType(what: "inputs", found: .float32, expected: .float64))
    #expect(
      error(Tensor([0, 0, 0, 0, Double.nan, 1], shape: [2, 3]).converted(to: .float64))
        == .nonFinite(what: "inputs", example: 1, element: 1))
    #expect(
      error(.zeros([4], .float64))?.description
        == "inputs of shape [4]: expected one or more of [3], as [batch] + [3]")
    #expect(throws: InputError.wrongShape(what: "latents", found: [3], expected: [2])) {
      try form.checkedLatents(.zeros([3], .float64))
    }
  }
}
