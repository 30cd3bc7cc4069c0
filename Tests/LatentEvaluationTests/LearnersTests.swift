// The learners against scikit-learn and SciPy; Resources/learners.json is written by scripts/references/learners.py.

import Foundation
import Latent
import Testing

/// What scikit-learn and SciPy computed.
struct LearnerReference: Decodable {
  struct Learners: Decodable {
    struct Trees: Decodable { let importances, errors: [Double] }
    struct Table: Decodable {
      let scores: [Double]
      let columns: [Int]
    }
    let x, logistic, svm, svmOfOne, target, lasso, ranks, information: [Double]
    let y, nearest: [Int]
    let trees2, trees3: Trees
    let area: Double
    let assignment: Table
  }
  struct Scores: Decodable {
    let codes, other, factors: [Double]
    let scores, comparisons: [String: Double]
  }
  let learners: Learners
  let disentanglement: Scores

  static let stored: LearnerReference = {
    let url = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Resources/learners.json")
    do {
      return try JSONDecoder().decode(LearnerReference.self, from: Data(contentsOf: url))
    } catch { fatalError("\(url.path): \(error)") }
  }()
}

/// A float64 table of so many columns.
func table(_ values: [Double], columns: Int) -> Tensor {
  Tensor(NDArray(values, shape: [values.count / columns, columns]))
}

/// The largest difference of two lists.
func distance(_ first: [Double], _ second: [Double]) -> Double {
  first.count == second.count ? zip(first, second).map { abs($0 - $1) }.max() ?? 0 : .infinity
}

@Suite struct LearnersTests {
  let reference = LearnerReference.stored.learners
  var x: Tensor { table(reference.x, columns: 4) }
  var train: Tensor { x.sliced(0, 0..<200) }
  var test: Tensor { x.sliced(0, 200..<300) }
  var trainLabels: [Int] { Array(reference.y[..<200]) }
  var testLabels: [Int] { Array(reference.y[200...]) }

  @Test func logisticRegression() {
    let model = LogisticRegression(train, labels: trainLabels, classes: 3)
    let found = model.logProbabilities(of: test.sliced(0, 0..<20)).doubles
    #expect(distance(found, reference.logistic) < 1e-5)
    #expect(model.classes(of: test).count == 100)
    // A feature that never varies changes nothing.
    let wider = LogisticRegression(
      .concatenate([train, .ones([200, 1], .float64)], axis: 1), labels: trainLabels, classes: 3)
    let same = wider.logProbabilities(
      of: .concatenate([test, .ones([100, 1], .float64)], axis: 1).sliced(0, 0..<20))
    #expect(distance(same.doubles, found) < 1e-6)
  }

  @Test func linearSVM() {
    let model = LinearSVM(train, labels: trainLabels, classes: 3)
    #expect(distance(model.weights.doubles, reference.svm) < 1e-7)
    let one = LinearSVM(train.sliced(1, 1..<2), labels: trainLabels, classes: 3)
    #expect(distance(one.weights.doubles, reference.svmOfOne) < 1e-7)
  }

  @Test("Trees split as scikit-learn's do, but for ties, which it breaks by chance")
  func boostedTrees() {
    for (classes, expected) in [(2, reference.trees2), (3, reference.trees3)] {
      let model = BoostedTrees(
        train, labels: trainLabels.map { min($0, classes - 1) }, classes: classes, trees: 40)
      #expect(distance(model.importances, expected.importances) < 0.015)
      let errors = model.errors(on: test, labels: testLabels.map { min($0, classes - 1) })
      #expect(distance(errors, expected.errors) < 0.031)
      #expect(distance(Array(errors[..<5]), Array(expected.errors[..<5])) < 0.011)
      let accuracy = model.accuracy(on: test, labels: testLabels.map { min($0, classes - 1) })
      #expect(abs(accuracy - 1 + errors[39]) < 1e-12)
    }
  }

  @Test("Trees: exact cases")
  func treesExact() {
    // One split tells all; the other feature is never asked.
    let x = table(
      (0..<40).flatMap { [Double($0 < 20 ? 0 : 1), Double(($0 * 7) % 40)] }, columns: 2)
    let labels = (0..<40).map { $0 < 20 ? 0 : 1 }
    let model = BoostedTrees(x, labels: labels, classes: 2, trees: 3)
    #expect(model.importances[0] > 1 - 1e-9)
    #expect(model.errors(on: x, labels: labels) == [0, 0, 0])
    // Nothing to split by.
    let none = BoostedTrees(.zeros([40, 2], .float64), labels: labels, classes: 2, trees: 3)
    #expect(none.importances == [0, 0])
    // More values than bins: still told apart between quantiles.
    let many = Tensor.range(4000, .float64).reshaped([4000, 1])
    let halves = (0..<4000).map { $0 < 2000 ? 0 : 1 }
    let quantiles = BoostedTrees(many, labels: halves, classes: 2, trees: 2)
    #expect(quantiles.accuracy(on: many, labels: halves) == 1)
  }

  @Test func lasso() {
    let model = Lasso(x, targets: reference.target, penalty: 0.1)
    #expect(distance(model.coefficients, reference.lasso) < 1e-9)
    // Orthogonal features shrink by the penalty, one by one.
    let shrunk = Lasso(covariance: [[1, 0], [0, 2]], cross: [0.9, -0.05], penalty: 0.1)
    #expect(distance(shrunk.coefficients, [0.8, 0]) < 1e-12)
    #expect(Lasso(covariance: [[0]], cross: [0], penalty: 0).coefficients == [0])
  }

  @Test func nearestNeighbors() {
    let model = NeighborClassifier(train, labels: trainLabels, neighbors: 1)
    #expect(model.classes(of: test) == reference.nearest)
    // Two against two: the nearest decides.
    let line = table([0, 1, 2, 4], columns: 1)
    let ties = NeighborClassifier(line, labels: [3, 1, 1, 3], neighbors: 4)
    #expect(ties.classes(of: table([0.2, 1.2], columns: 1)) == [3, 1])
  }

  @Test func ranksAndAreas() throws {
    let scores = stride(from: 1, to: 1200, by: 4).map { reference.x[$0].rounded(.toNearestOrEven) }
    #expect(Ranks.averaged(scores) == reference.ranks)
    let area = try #require(Ranks.areaUnderCurve(scores, isPositive: reference.y.map { $0 == 1 }))
    #expect(abs(area - reference.area) < 1e-12)
    #expect(Ranks.areaUnderCurve([1, 1, 1], isPositive: [true, false, true]) == 0.5)
    #expect(Ranks.areaUnderCurve([1, 2, 3], isPositive: [false, false, true]) == 1)
    #expect(Ranks.areaUnderCurve([1, 2], isPositive: [true, true]) == nil)
  }

  @Test func assignment() {
    let scores = (0..<6).map { row in Array(reference.assignment.scores[row * 9..<(row + 1) * 9]) }
    #expect(Assignment.maximizing(scores) == reference.assignment.columns)
    let turned = (0..<9).map { column in scores.map { $0[column] } }
    let rows = Assignment.maximizing(turned)
    #expect(rows.count(where: { $0 == nil }) == 3)
    for (row, column) in reference.assignment.columns.enumerated() { #expect(rows[column] == row) }
    // Against all orders of four.
    var random = RandomStream(seed: 3)
    for _ in 0..<50 {
      let values = random.uniform([16], .float64).doubles
      let small = (0..<4).map { row in Array(values[row * 4..<(row + 1) * 4]) }
      func best(_ row: Int, _ used: Set<Int>) -> Double {
        if row == 4 { return 0 }
        return (0..<4).filter { !used.contains($0) }
          .map { small[row][$0] + best(row + 1, used.union([$0])) }.max() ?? 0
      }
      let found = Assignment.maximizing(small).enumerated().reduce(0.0) {
        $0 + small[$1.offset][$1.element ?? 0]
      }
      #expect(abs(found - best(0, [])) < 1e-12)
    }
    #expect(Assignment.maximizing([[], []]) == [nil, nil])
  }
}
