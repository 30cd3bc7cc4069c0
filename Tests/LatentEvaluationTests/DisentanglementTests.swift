// Scores of disentanglement: references, exact values, what cannot be measured.

import Foundation
import Latent
import Testing

@Suite struct DisentanglementTests {
  /// The numbers of all factors together, by their names.
  static func overall(_ measurements: [MetricValue]) -> [String: MetricValue] {
    Dictionary(
      measurements.filter { $0.part == nil }.map { ($0.metric.name, $0) }, uniquingKeysWith: { $1 })
  }

  /// All levels of factors with so many, each combination once, `[combinations, factors]`.
  static func grid(_ levels: [Int]) -> [[Double]] {
    levels.reduce([[]]) { rows, count in
      rows.flatMap { row in (0..<count).map { row + [Double($0)] } }
    }
  }

  @Test("Scores are those that NumPy, SciPy and scikit-learn give")
  func references() throws {
    let reference = LearnerReference.stored.disentanglement
    let data = try FactoredCodes(
      table(reference.codes, columns: 5), factors: table(reference.factors, columns: 3),
      train: Array(0..<300), test: Array(300..<400))
    let metrics: [any DisentanglementMetric] = [
      MutualInformationGap(), Modularity(), AttributePredictability(), InformationScores(),
      LinearImportanceScores(), InterventionalRobustness(), FactorCorrelation(),
      UnsupervisedScores(), LinearReadout(),
    ]
    let found = DisentanglementTests.overall(
      try Disentanglement.measure(data, using: RandomStream(seed: 1), metrics: metrics))
    for (name, expected) in reference.scores {
      let value = try #require(found[name]?.value, "\(name)")
      #expect(abs(value - expected) < 1e-5, "\(name): \(value), expected \(expected)")
    }
    let (codes, other) = (table(reference.codes, columns: 5), table(reference.other, columns: 4))
    let comparisons = DisentanglementTests.overall(
      Disentanglement.compare(codes, other, using: RandomStream(seed: 2)))
    for (name, expected) in reference.comparisons {
      let value = try #require(comparisons[name]?.value, "\(name)")
      #expect(abs(value - expected) < 1e-8, "\(name): \(value), expected \(expected)")
    }
  }

  @Test(
    "The ceiling of MIG is what perfect codes have on a grid of all factors",
    arguments: [([3, 20], 1.0), ([4, 32], 0.925), ([4, 40], (1 + 0.8120962) / 2)])
  func ceilings(levels: [Int], expected: Double) throws {
    let rows = DisentanglementTests.grid(levels)
    let codes = table(rows.flatMap { $0 }, columns: 2)
    let all = Array(rows.indices)
    let data = try FactoredCodes(codes, factors: codes, train: all, test: all)
    var random = RandomStream(seed: 1)
    let gap = try #require(MutualInformationGap()(data, using: &random).first)
    #expect(abs(gap.value - expected) < 1e-6)
    #expect(abs((gap.ceiling ?? 0) - expected) < 1e-6)
    #expect((gap.chance ?? 1) < 0.5)
  }

  @Test("UDR of copies in another order and sign is 1 - penalty on an orthogonal design")
  func agreement() throws {
    var random = RandomStream(seed: 4)
    let codes = Tensor(random.normal([500, 5], .float64))
    let design = Tensor((codes - codes.mean(axes: [0])).array.orthonormalColumns())
    let copy = design.gathering(Tensor([Int32](arrayLiteral: 3, 1, 4, 0, 2)), axis: 1)
    let signs = Tensor(NDArray([-1.0, 1, -1, -1, 1] as [Double]))
    let found = DisentanglementTests.overall(
      RankingByAgreement()(design * 7, copy * signs, using: &random))
    #expect(abs((found["udr-lasso"]?.value ?? 0) - 0.9) < 1e-6)
    #expect(abs((found["udr-lasso"]?.ceiling ?? 0) - 0.9) < 1e-12)
    let ranking = RankingByAgreement().ranking(
      [design, copy, Tensor(random.normal([500, 5], .float64))], using: random)
    #expect(ranking[0] > 0.4 && ranking[2] < 0.1)
    let kept = RankingByAgreement.informative(design, divergences: [1, 0, 0.01, 0.001, 2])
    #expect(kept.shape == [500, 3])
  }

  @Test("Spread of importances: identities")
  func importances() throws {
    let identity = Importances([[0, 2, 0], [1, 0, 0], [0, 0, 5]])
    #expect(abs(try #require(identity.disentanglement) - 1) < 1e-12)
    #expect(abs(try #require(identity.completeness) - 1) < 1e-12)
    let even = Importances([[1, 1], [1, 1]])
    #expect(abs(try #require(even.disentanglement)) < 1e-12)
    #expect(abs(try #require(even.completeness)) < 1e-12)
    let mixed = Importances([[1, 1], [0, 0]])
    #expect(abs(try #require(mixed.disentanglement)) < 1e-12)
    #expect(abs(try #require(mixed.completeness) - 1) < 1e-12)
    // A scale changes nothing; a useless code counts in the base of completeness.
    let values = [[3.0, 1, 0], [0.5, 2, 1]]
    let (plain, scaled) = (Importances(values), Importances(values.map { $0.map { 7 * $0 } }))
    #expect(abs(plain.disentanglement! - scaled.disentanglement!) < 1e-12)
    let longer = Importances(values + [[0, 0, 0]])
    #expect(abs(plain.disentanglement! - longer.disentanglement!) < 1e-12)
    let ratio = log(2.0) / log(3.0)
    #expect(abs(1 - longer.completeness! - (1 - plain.completeness!) * ratio) < 1e-12)
    #expect(Importances([[1], [2]]).disentanglement == nil)
    #expect(Importances([[1, 2]]).completeness == nil)
    #expect(Importances([[0, 0], [0, 0]]).disentanglement == 0)
  }

  @Test("The same codes and codes of a rotation: CKA 1; sources in another order: MCC 1")
  func comparisons() throws {
    var random = RandomStream(seed: 5)
    let codes = Tensor(random.normal([200, 3], .float64))
    let rotation = Tensor(random.normal([3, 3], .float64).orthonormalColumns())
    let alignment = KernelAlignment()(codes, matmul(codes, rotation) * 3, using: &random)[0]
    #expect(abs(alignment.value - 1) < 1e-9)
    #expect((alignment.chance ?? 1) < 0.1)
    let turned = codes.gathering(Tensor([Int32](arrayLiteral: 2, 0, 1)), axis: 1) * -4
    for score in FactorCorrelation()(codes, turned, using: &random) {
      #expect(abs(score.value - 1) < 1e-9)
    }
  }

  @Test("Independent and copied codes")
  func dependence() throws {
    let grid = DisentanglementTests.grid([4, 5])
    var random = RandomStream(seed: 6)
    let independent = try UnsupervisedScores()(
      table(grid.flatMap { $0 }, columns: 2), using: &random)
    for score in independent { #expect(abs(score.value) < 1e-9, "\(score.metric.name)") }
    let copies = try UnsupervisedScores()(
      table(grid.flatMap { [$0[0], $0[0]] }, columns: 2), using: &random)
    // Their eigenvalues are 2 and the floor.
    #expect(abs(copies[0].value + 0.5 * (log(2.0) + log(Double.ulpOfOne))) < 1e-6)
    #expect(abs(copies[3].value - log(4.0)) < 1e-9)
  }

  @Test("Constant factors are dropped and named; constant codes are counted and change nothing")
  func constants() throws {
    let rows = DisentanglementTests.grid([3, 4, 5, 2])
    let codes = table(rows.flatMap { [$0[0], $0[1], 7] }, columns: 3)
    let factors = table(rows.flatMap { [$0[0], 2, $0[1]] }, columns: 3)
    var random = RandomStream(seed: 1)
    let data = try FactoredCodes(
      codes, factors: factors, names: ["shape", "light", "size"], using: &random)
    #expect(data.factors.map(\.name) == ["shape", "size"] && data.constantFactors == ["light"])
    let all = try Disentanglement.measure(data, using: random)
    for measurement in all {
      #expect(measurement.value.isFinite, "\(measurement.metric.name)")
      #expect(measurement.settings["constantFactors"] == "light")
      #expect(measurement.settings["constantLatents"] == "1")
    }
    let found = DisentanglementTests.overall(all)
    for name in ["mig", "sap", "dci-disentanglement", "infom", "mcc", "irs"] {
      #expect((found[name]?.value ?? 0) > 0.98, "\(name)")
    }
  }

  @Test("No factors, one factor, one code: what means nothing is left out")
  func fewFactors() throws {
    var random = RandomStream(seed: 8)
    let codes = Tensor(random.normal([120, 2], .float64))
    let none = try FactoredCodes(codes, factors: .zeros([120, 0], .float64), using: &random)
    let names = Set(try Disentanglement.measure(none, using: random).map(\.metric.name))
    #expect(names == Set(UnsupervisedScores.metrics.map(\.name)))
    let label = table((0..<120).map { Double($0 % 3) }, columns: 1)
    let one = try FactoredCodes(codes, factors: label, names: ["label"], using: &random)
    let found = DisentanglementTests.overall(try Disentanglement.measure(one, using: random))
    for name in ["beta-vae", "factor-vae", "modularity", "dci-disentanglement", "infom"] {
      #expect(found[name] == nil, "\(name)")
    }
    for name in ["mig", "sap", "dci-completeness", "linear-probe", "knn-probe", "infoc"] {
      #expect(found[name] != nil, "\(name)")
    }
    let single = try FactoredCodes(
      codes.sliced(1, 0..<1), factors: label, using: &random)
    for measurement in try Disentanglement.measure(single, using: random) {
      #expect(measurement.value.isFinite, "\(measurement.metric.name)")
    }
  }

  @Test("What cannot be split into levels is refused in a sentence")
  func refusals() throws {
    var random = RandomStream(seed: 9)
    let codes = Tensor(random.normal([60, 2], .float64))
    let values = Tensor(random.normal([60, 1], .float64))
    #expect(throws: FactoredCodesError.continuous(factor: "angle", values: 60, of: 60)) {
      try FactoredCodes(codes, factors: values, names: ["angle"], using: &random)
    }
    let cut = try FactoredCodes(
      codes, factors: values, names: ["angle"], levels: 6, using: &random)
    #expect(cut.factors.map(\.levels) == [6])
    #expect(throws: FactoredCodesError.tooFew(4)) {
      try FactoredCodes(
        codes.sliced(0, 0..<4), factors: values.sliced(0, 0..<4), using: &random)
    }
    let spoiled = codes * Tensor(NDArray([1, Double.nan] as [Double]))
    #expect(throws: FactoredCodesError.notFinite(what: "codes", count: 60, of: 120)) {
      try FactoredCodes(spoiled, factors: values, using: &random)
    }
    #expect("\(FactoredCodesError.tooFew(4))".contains("4 examples: expected 10"))
  }
}
