// Parameters by path: all or none, with one error that names every path, and the audit of
// parameters that a module forgot to visit.

import LatentAutodiff
import LatentLayers
import LatentNumerics
import Testing

@Suite struct LoadingTests {
  @Test func roundTrip() throws {
    let saved = Composed(seed: 1).mapParameters { $0 + 0.25 }
    var model = Composed(seed: 2)
    try model.load(saved.namedArrays)
    #expect(model.namedArrays == saved.namedArrays, "buffers included")
  }

  @Test func elementTypesAreConverted() throws {
    let saved = Composed(seed: 1)
    var model = Composed(seed: 2)
    try model.load(saved.converted(to: .float64).namedArrays)
    #expect(model.namedArrays == saved.namedArrays)
  }

  @Test func mismatchListsEveryPathAndChangesNothing() {
    var arrays = Composed(seed: 1).namedArrays
    arrays["table.weight"] = nil
    arrays["running"] = nil
    arrays["offset"] = NDArray(repeating: 0, shape: [3])
    arrays["blocks.1.weight"] = NDArray(repeating: 0, shape: [16])
    arrays["blocks.2.weight"] = NDArray(repeating: 0, shape: [1])
    arrays["another"] = NDArray(repeating: 0, shape: [1])
    var model = Composed(seed: 2)
    let before = model.namedArrays
    let error = #expect(throws: ParameterMismatch.self) { try model.load(arrays) }
    #expect(error?.missing == ["table.weight", "running"])
    #expect(error?.unexpected == ["another", "blocks.2.weight"])
    #expect(error?.different.map(\.path) == ["blocks.1.weight", "offset"])
    #expect(error?.different.map(\.expected) == [[4, 4], [2]])
    #expect(error?.different.map(\.found) == [[16], [3]])
    #expect(
      error?.description == """
        the saved parameters do not fit the model:
          table.weight: missing in the file
          running: missing in the file
          another: in the file, but not in the model
          blocks.2.weight: in the file, but not in the model
          blocks.1.weight: shape [16] in the file, [4, 4] in the model
          offset: shape [3] in the file, [2] in the model
        """)
    #expect(model.namedArrays == before)
  }

  @Test func repeatedNamesAreFound() {
    #expect(TrapTests.Doubled().repeatedPaths == ["weight"])
    #expect(Composed(seed: 1).repeatedPaths == [])
  }

  @Test func partialLoadingOfNothingInCommonIsRefused() {
    var model = Composed(seed: 2)
    let before = model.namedArrays
    let error = #expect(throws: ParameterMismatch.self) {
      try model.load(["model/offset": NDArray([7, 8] as [Float])], partial: true)
    }
    #expect(error?.unexpected == ["model/offset"] && error?.missing.contains("offset") == true)
    #expect(model.namedArrays == before)
  }

  @Test func partialLoadingTakesWhatFits() throws {
    let saved = Composed(seed: 1).namedArrays
    var model = Composed(seed: 2)
    let before = model.namedArrays
    let report = try model.load(
      ["offset": NDArray([7, 8] as [Float]), "elsewhere": NDArray([1] as [Float])], partial: true)
    #expect(report.loaded == ["offset"] && report.unused == ["elsewhere"])
    #expect(report.kept == model.namedParameters.map(\.path).filter { $0 != "offset" })
    for (path, array) in model.namedArrays where path != "offset" {
      #expect(array == before[path], "\(path)")
    }
    #expect(model.offset?.floats == [7, 8])
    try model.load(saved.filter { $0.key.hasPrefix("head.") }, partial: true)
    #expect(model.head.namedArrays == Composed(seed: 1).head.namedArrays)
    #expect(model.table.namedArrays["weight"] == before["table.weight"])
  }

  /// A path that both have must fit, also when the rest need not.
  @Test func partialLoadingStillChecksShapes() {
    var model = Composed()
    let before = model.namedArrays
    let wrong = [
      "offset": NDArray(repeating: 1, shape: [1, 2]), "extra.scale": NDArray([5, 6] as [Float]),
    ]
    let error = #expect(throws: ParameterMismatch.self) { try model.load(wrong, partial: true) }
    #expect(error?.different.map(\.path) == ["offset"])
    #expect(error?.missing == [] && error?.unexpected == [])
    #expect(model.namedArrays == before)
  }
}

@Suite struct AuditTests {
  struct Forgetful: Module {
    struct Part: Module {
      var seen = Tensor.zeros([2])
      var lost = Tensor.zeros([3])
      mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
        visitor.visit(&seen, "seen")
      }
    }
    var weight = Tensor.zeros([2, 2])
    var bias = Tensor.zeros([2])
    var gain: Tensor? = .ones([1])
    var nothing: Tensor?
    var parts = [Part(), Part()]
    var layers = Sequential(Linear(weight: .zeros([1, 1]), bias: .zeros([1])))
    var indices = Tensor([1, 2] as [Int32])
    var statistics = Tensor.zeros([4])
    let size: Shape = [2, 2]

    mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
      visitor.visit(&weight, "weight")
      visitor.visit(&parts, "parts")
      visitor.visit(&layers, "layers")
      visitor.visitBuffer(&statistics, "statistics")
    }
  }

  @Test func forgottenTensorsAreFound() {
    #expect(Forgetful().unvisitedTensors == ["bias", "gain", "parts.0.lost", "parts.1.lost"])
  }

  @Test func completeModulesHaveNone() {
    #expect(Composed().unvisitedTensors == [])
    var random = RandomStream(seed: 1)
    #expect(Linear(2, 3, using: &random).unvisitedTensors == [])
    #expect(Sequential(LayerNorm(3), Dropout(rate: 0.1), Flatten()).unvisitedTensors == [])
  }

  /// What optimisers leave behind: parameters that share one buffer.
  @Test func viewsOfOneBufferAreToldApart() {
    let buffer = NDArray(repeating: 1, shape: [64])
    var model = Forgetful()
    model.weight = Tensor(buffer.view(from: 0, shape: [2, 2]))
    model.bias = Tensor(buffer.view(from: 16, shape: [2]))
    #expect(model.unvisitedTensors.contains("bias"))
    #expect(!model.unvisitedTensors.contains("weight"))
  }
}
