// Linear support vectors as liblinear has them (Fan et al. 2008, L2-regularised, squared hinge), solved exactly: the
// function is smooth and piecewise quadratic, and Newton's method ends on it (Keerthi and DeCoste 2005).

import LatentAutodiff
import LatentNumerics

/// A linear support vector machine, one class against the rest: for each class the (w, b) with the smallest
///
///     (|w|^2 + b^2) / 2 + sum_n cost_n max(0, 1 - y_n (w x_n + b))^2.
///
/// The intercept is regularised, as liblinear does. `cost_n` is the cost, and for the examples of the class itself,
/// where `balanced`, the cost times n / (classes n_class).
public struct LinearSVM: Classifier {
  /// Weights and, in the last row, intercepts, float64, `[dimensions + 1, classes]`.
  public let weights: Tensor

  /// Fits `features` `[examples, dimensions]` with classes from `0..<classes`; a class without examples has the
  /// weights of "never". Traps where labels and features do not fit, or the cost is not positive.
  public init(
    _ features: Tensor, labels: [Int], classes: Int, cost: Double = 0.01, balanced: Bool = true,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    requireExamples(features, labels, classes: classes, "a linear SVM", file: file, line: line)
    require(cost > 0, "a linear SVM with a cost of \(cost)", file: file, line: line)
    let table = LinearSVM.extended(features).doubles
    let size = features.shape[1] + 1
    var counts = [Int](repeating: 0, count: classes)
    for label in labels { counts[label] += 1 }
    let present = counts.count(where: { $0 > 0 })
    var columns = [[Double]](repeating: [], count: classes)
    columns.withUnsafeMutableBufferPointer { columns in
      let columns = columns
      parallelFor(classes) { own in
        let share = Double(present * counts[own])
        let weight = balanced && share > 0 ? Double(labels.count) / share : 1
        let problem = Problem(
          table: table, size: size, isOwn: labels.map { $0 == own }, ownCost: cost * weight,
          restCost: cost)
        columns[own] = problem.solution()
      }
    }
    weights = Tensor(NDArray(columns.flatMap { $0 }, shape: [classes, size])).transposed
  }

  public func classes(of features: Tensor) -> [Int] {
    matmul(LinearSVM.extended(features), weights).argMax(axis: 1).array.int32s.map { Int($0) }
  }

  /// With a column of ones for the intercept.
  private static func extended(_ features: Tensor) -> Tensor {
    let wide = features.detached.converted(to: .float64)
    return .concatenate([wide, .ones([wide.shape[0], 1], .float64)], axis: 1)
  }

  /// One class against the rest.
  private struct Problem {
    let table: [Double]
    let size: Int
    let isOwn: [Bool]
    let ownCost, restCost: Double

    /// The value at `w` and, where it is asked for, gradient and Hessian.
    func value(
      at w: [Double], gradient: inout [Double], hessian: inout [Double], derivatives: Bool
    ) -> Double {
      var value = 0.0
      for j in 0..<size {
        value += w[j] * w[j] / 2
        guard derivatives else { continue }
        gradient[j] = w[j]
        for k in 0..<size { hessian[j * size + k] = j == k ? 1 : 0 }
      }
      table.withUnsafeBufferPointer { table in
        for n in isOwn.indices {
          let row = n * size
          var product = 0.0
          for j in 0..<size { product += w[j] * table[row + j] }
          let sign: Double = isOwn[n] ? 1 : -1
          let slack = 1 - sign * product
          guard slack > 0 else { continue }
          let cost = isOwn[n] ? ownCost : restCost
          value += cost * slack * slack
          guard derivatives else { continue }
          for j in 0..<size {
            let x = table[row + j]
            gradient[j] -= 2 * cost * sign * slack * x
            let scaled = 2 * cost * x
            for k in 0...j { hessian[j * size + k] += scaled * table[row + k] }
          }
        }
      }
      return value
    }

    func solution() -> [Double] {
      var w = [Double](repeating: 0, count: size)
      var gradient = w
      var hessian = [Double](repeating: 0, count: size * size)
      for _ in 0..<100 {
        let here = value(at: w, gradient: &gradient, hessian: &hessian, derivatives: true)
        let step = newtonStep(gradient, hessian)
        let slope = zip(step, gradient).reduce(0) { $0 + $1.0 * $1.1 }
        // The decrement of Newton's method: what is left to gain is half of it.
        if slope <= 1e-14 * here { break }
        var length = 1.0
        var next = w
        while true {
          next = zip(w, step).map { $0 - length * $1 }
          let there = value(at: next, gradient: &gradient, hessian: &hessian, derivatives: false)
          if there <= here - 1e-4 * length * slope || length < 1e-6 { break }
          length /= 2
        }
        w = next
      }
      return w
    }

    /// H^-1 g. The Hessian is the identity and squares, so it has a Cholesky factor whatever finite data say.
    private func newtonStep(_ gradient: [Double], _ hessian: [Double]) -> [Double] {
      let right = NDArray(gradient, shape: [size, 1])
      guard let factor = try? NDArray(hessian, shape: [size, size]).cholesky() else {
        trap("a linear SVM of features that are not finite")
      }
      return factor.triangularSolve(factor.triangularSolve(right), transposed: true).doubles
    }
  }
}
