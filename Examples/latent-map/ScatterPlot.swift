// Points of a plane as a picture.

import Foundation
import Latent

/// Discs on white, in the colours of their labels.
struct ScatterPlot {
  private let places: [Double]
  private let labels: [Int]?

  /// `places` are `[points, 2]`.
  init(_ places: Tensor, labels: [Int]?) {
    self.places = places.doubles
    self.labels = labels
  }

  /// Colours that are told apart, also by most who see fewer (after Okabe and Ito 2008, with two more); labels beyond
  /// them begin anew.
  private static let palette: [(Double, Double, Double)] = [
    (0.90, 0.62, 0.00), (0.34, 0.71, 0.91), (0.00, 0.62, 0.45), (0.94, 0.89, 0.26),
    (0.00, 0.45, 0.70), (0.84, 0.37, 0.00), (0.80, 0.47, 0.65), (0.35, 0.35, 0.35),
    (0.55, 0.34, 0.17), (0.48, 0.20, 0.58),
  ]

  private func color(of point: Int) -> (Double, Double, Double) {
    guard let labels else { return (0.15, 0.35, 0.6) }
    let count = ScatterPlot.palette.count
    return ScatterPlot.palette[((labels[point] % count) + count) % count]
  }

  /// `[side, side, 3]`, both axes at one scale, the second one upwards. Where points lie on each other the colours mix.
  func image(side: Int) -> NDArray {
    var pixels = [Double](repeating: 1, count: side * side * 3)
    let count = places.count / 2
    func middle(_ axis: Int) -> (center: Double, extent: Double) {
      let list = (0..<count).map { places[2 * $0 + axis] }
      let (low, high) = (list.min() ?? 0, list.max() ?? 0)
      return ((low + high) / 2, high - low)
    }
    let (x, y) = (middle(0), middle(1))
    let extent = max(x.extent, y.extent)
    let radius = max(1.2, Double(side) / 250)
    let scale = extent > 0 ? (Double(side) - 4 * radius) / extent : 0
    for point in 0..<count {
      let column = Double(side) / 2 + (places[2 * point] - x.center) * scale
      let row = Double(side) / 2 - (places[2 * point + 1] - y.center) * scale
      let color = color(of: point)
      for i in max(0, Int(row - radius - 1))...min(side - 1, Int(row + radius + 1)) {
        for j in max(0, Int(column - radius - 1))...min(side - 1, Int(column + radius + 1)) {
          let (down, across) = (Double(i) + 0.5 - row, Double(j) + 0.5 - column)
          let distance = (down * down + across * across).squareRoot()
          // The edge is half covered where the circle passes through the middle of a pixel.
          let share = min(1, max(0, radius - distance + 0.5)) * 0.7
          if share == 0 { continue }
          let start = (i * side + j) * 3
          for (channel, value) in [color.0, color.1, color.2].enumerated() {
            pixels[start + channel] += (value - pixels[start + channel]) * share
          }
        }
      }
    }
    return ImageGrid.tile(
      NDArray(pixels.map(Float.init), shape: [1, side, side, 3]), columns: 1, gap: 0)
  }
}
