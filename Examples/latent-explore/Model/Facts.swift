// What a page is told when it opens.

import Foundation
import Latent

extension Explorer {
  /// About the run.
  struct Facts: Encodable {
    let name: String, data: String, network: String, objective: String, posterior: String
    let prior: String
    let parameters: Int, examples: Int
    let kind: Kind
    let shape: [Int], latentShape: [Int]
    let sliders: [EncodedExamples.Slider]
    /// The names of the conditions; empty where there are none.
    let conditions: [String]
    let condition: Int?
    /// The smallest and the largest number of the data, for axes.
    let range: [Float]
    /// Whether draws can be spread.
    let isOpen: Bool
    /// The distance between two places of a slider that is a switch.
    let step: Double?
    let note: String?
  }

  var facts: Facts {
    let configuration = opened.configuration
    let model = configuration.model
    func name(_ network: some NetworkDescription) -> String { type(of: network).architecture }
    return Facts(
      name: URL(fileURLWithPath: opened.folder).standardizedFileURL.lastPathComponent,
      data: dataset.name, network: name(model.network),
      objective: configuration.objective.name, posterior: model.posterior.name,
      prior: model.prior.name, parameters: opened.model.parameterCount, examples: dataset.count,
      kind: kind, shape: model.inputShape, latentShape: opened.model.latentShape.dimensions,
      sliders: examples.sliders,
      conditions: (0..<classes).map { className($0) ?? "\($0)" }, condition: condition,
      range: examples.range, isOpen: ground == .open, step: ground == .corners ? 1 : nil,
      note: ground.note)
  }

  func className(_ label: Int) -> String? {
    let names = dataset.classNames.isEmpty ? opened.run.classNames : dataset.classNames
    return names.indices.contains(label) ? names[label] : nil
  }

  /// Where the examples lie.
  struct Map: Encodable {
    /// x and y of each example in turn.
    let places: [Float]
    let labels: [Int]?
    /// By the labels that there are.
    let names: [String: String]
    /// Unit vectors of the plane and the latent in its middle: a place (x, y) is middle + x first + y second.
    let axes: [[Double]]
    let middle: [Double]
    /// The share of the variance that is seen, null where nothing varies.
    let explained: Double?
  }

  var map: Map {
    let plane = examples.plane
    let axes = plane.axes.doubles
    let size = plane.axes.shape[1]
    var names: [String: String] = [:]
    for label in Set(examples.labels ?? []) { names["\(label)"] = className(label) }
    return Map(
      places: examples.places.floats, labels: examples.labels, names: names,
      axes: stride(from: 0, to: axes.count, by: size).map { Array(axes[$0..<$0 + size]) },
      middle: plane.mean.doubles, explained: plane.explained.isFinite ? plane.explained : nil)
  }

  /// One example.
  struct Example: Encodable {
    let index: Int
    let label: Int?
    let name: String?
    let z: [Double]
  }

  func example(_ index: Int) -> Example {
    let label = examples.labels?[index]
    return Example(
      index: index, label: label, name: label.flatMap(className),
      z: examples.vectors.selecting(index).doubles)
  }
}
