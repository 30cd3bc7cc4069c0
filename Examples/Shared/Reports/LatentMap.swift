// Where examples lie in the space of latents, as charts.

import Foundation
import Latent

/// The places of examples in the plane in which their latents vary most.
public struct LatentMap {
  /// float64 `[examples, 2]`.
  public let places: Tensor
  /// The number of latents.
  public let latents: Int
  /// Classes, where data have them.
  public let labels: [Int]?
  /// float32 `[examples, factors]`, where data have them.
  public let factors: NDArray?
  /// Of the classes, as far as data name them.
  public let classNames: [String]
  /// Of the factors, as far as data name them.
  public let factorNames: [String]
  /// The share of the variance that the plane holds.
  public let explained: Double

  /// Of all examples of a data set. It takes a matrix of as many numbers as there are latents, squared: what has more
  /// than `maximumLatents` is refused.
  /// - Throws: `CommandError` of fewer than two examples or too many latents; `ModelRequirementError` where nothing
  ///   stands for the posterior; `NumericsError` where latents are not finite; what reading data throws.
  public init(
    of model: some LatentVariableModel, on dataset: any Dataset, maximumLatents: Int = .max
  ) throws {
    if dataset.count < 2 {
      throw CommandError("\(dataset.name) has 1 example, a map takes two", .dataError)
    }
    let (codes, labels) = try model.codes(of: dataset)
    let vectors = codes.flattened(from: 1)
    latents = vectors.shape[1]
    if latents > maximumLatents {
      throw CommandError("\(latents) latents, expected at most \(maximumLatents)", .configuration)
    }
    let components = try PrincipalComponents(of: vectors, components: min(2, latents))
    let found = components(vectors).converted(to: .float64)
    // A single latent has no second direction.
    places = found.shape[1] == 1 ? found.padded(axis: 1, before: 0, after: 1) : found
    explained = components.explained
    self.labels = labels
    classNames = dataset.classNames
    factorNames = dataset.factorNames
    factors =
      dataset.fieldShapes[Field.factors] == nil
      ? nil : try dataset.batch(0..<dataset.count).factors
  }

  /// A chart in the colours of the labels and one for each factor, at most `maximum` of them; one without colours where
  /// data have neither.
  public func charts(maximum: Int = 6) -> [Chart] {
    var colorings: [(title: String, groups: [Int], names: [String])] = []
    if let labels {
      colorings.append(LatentMap.groups("label", labels.map(Double.init), classNames))
    }
    if let factors {
      let (count, values) = (factors.shape[1], factors.doubles)
      for factor in 0..<count {
        let title = factor < factorNames.count ? factorNames[factor] : "factor \(factor + 1)"
        let column = stride(from: factor, to: values.count, by: count).map { values[$0] }
        colorings.append(LatentMap.groups(title, column))
      }
    }
    if colorings.isEmpty {
      colorings = [("examples", Array(repeating: 0, count: places.shape[0]), [""])]
    }
    let share = explained.isFinite ? "\(Numeral.text(100 * explained, decimals: 0)) %" : "none"
    return colorings.prefix(maximum).map { title, groups, names in
      Chart(
        "Latents by \(title)",
        summary:
          "The first two principal components of \(latents) latents, with \(share) of their variance.",
        x: Chart.Axis("first component", hasTicks: false),
        y: Chart.Axis("second component", hasTicks: false),
        marks: [Chart.Scatter(places.array, groups: groups, names: names)], height: 440,
        hasEqualScales: true)
    }
  }

  /// Of up to ten values each is a group; of more, each fifth of the examples in their order. What is not finite is a
  /// group of its own.
  private static func groups(
    _ title: String, _ values: [Double], _ named: [String] = []
  ) -> (title: String, groups: [Int], names: [String]) {
    let sorted = values.filter(\.isFinite).sorted()
    let distinct = Set(sorted).sorted()
    var names: [String]
    let group: (Double) -> Int?
    func text(_ value: Double) -> String { Numeral.text(value, digits: 3) }
    if distinct.count <= 10 {
      names = distinct.map { value in
        guard let whole = Int(exactly: value) else { return text(value) }
        return named.indices.contains(whole)
          ? named[whole] : Numeral.text(value, decimals: 0)
      }
      group = { distinct.firstIndex(of: $0) }
    } else {
      let edges = (1..<5).map { sorted[sorted.count * $0 / 5] }
      let bounds = [sorted[0]] + edges + [sorted[sorted.count - 1]]
      names = (0..<5).map { "\(text(bounds[$0])) to \(text(bounds[$0 + 1]))" }
      group = { value in value.isFinite ? edges.count { $0 <= value } : nil }
    }
    let unknown = names.count
    if sorted.count < values.count { names.append("unknown") }
    return (title, values.map { group($0) ?? unknown }, names)
  }
}
