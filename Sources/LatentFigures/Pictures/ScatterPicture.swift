// Points of a plane as a picture of pixels, where a file has to be PNG or there are millions of points.

import Foundation
import LatentNumerics
import LatentStorage

/// Discs on white, in the colours of their labels. ``Chart/Scatter`` is the same in lines, for pages.
public struct ScatterPicture {
  private let places: [Double]
  private let labels: [Int]?

  /// Points, in colours by their labels.
  ///
  /// - Parameters:
  ///   - places: `[points, 2]`.
  ///   - labels: of each point, any whole numbers; nil where there are none.
  public init(
    _ places: NDArray, labels: [Int]?, file: StaticString = #fileID, line: UInt = #line
  ) {
    require(
      places.shape.rank == 2 && places.shape[1] == 2
        && labels.map { $0.count == places.shape[0] } ?? true,
      "a picture of points \(places.shape) with \(labels?.count ?? 0) labels", file: file,
      line: line)
    self.places = places.doubles
    self.labels = labels
  }

  /// A picture `[side, side, 3]` of bytes, both axes at one scale, the second one upwards. Where points lie on each
  /// other the colours mix.
  public func image(side: Int) -> NDArray {
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
      let color = Palette.light.color(ofGroup: labels?[point] ?? 0)
      let light = [color.red, color.green, color.blue].map { Double($0) / 255 }
      for i in max(0, Int(row - radius - 1))...min(side - 1, Int(row + radius + 1)) {
        for j in max(0, Int(column - radius - 1))...min(side - 1, Int(column + radius + 1)) {
          let (down, across) = (Double(i) + 0.5 - row, Double(j) + 0.5 - column)
          let distance = (down * down + across * across).squareRoot()
          // The edge is half covered where the circle passes through the middle of a pixel.
          let share = min(1, max(0, radius - distance + 0.5)) * 0.7
          if share == 0 { continue }
          let start = (i * side + j) * 3
          for (channel, value) in light.enumerated() {
            pixels[start + channel] += (value - pixels[start + channel]) * share
          }
        }
      }
    }
    return ImageGrid.tile(
      NDArray(pixels.map(Float.init), shape: [1, side, side, 3]), columns: 1, gap: 0)
  }
}
