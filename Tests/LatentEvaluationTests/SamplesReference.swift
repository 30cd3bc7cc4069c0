// What scripts/references/samples.py found.

import Foundation

/// Numbers of other programs.
struct SamplesReference: Decodable, Sendable {
  let x, y, wideX, wideY, near: [[Double]]
  let frechet, frechetWide, kernel, precision, recall, density, coverage: Double
  let vendi, vendiWide, transport, authentic, copying: Double
  let inliers, outliers: [Double]
  let auroc, aurocError, falseAcceptance, middle: Double
  let features: [[Double]]

  static let all: SamplesReference = {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Resources/samples.json")
    do {
      return try JSONDecoder().decode(SamplesReference.self, from: Data(contentsOf: file))
    } catch {
      fatalError("\(file.path): \(error)")
    }
  }()
}
