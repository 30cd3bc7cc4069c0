// Copies of training data are found, honest samples are not accused.

import Latent
import Testing

@Suite struct SamplesCopyingTests {
  private func value(
    _ metric: any CopyingMetric, _ training: Tensor, _ heldOut: Tensor, _ generated: Tensor
  ) throws -> MetricValue {
    var random = RandomStream(seed: 1)
    return try metric(
      training: training, heldOut: heldOut, generated: generated, using: &random)[0]
  }

  @Test("Authenticity: 0 for copies, 1 for what is far away, and the counted share of others")
  func authenticity() throws {
    let (training, heldOut) = (normals(100, 4, seed: 1), normals(60, 4, seed: 2))
    let copies = try value(Authenticity(), training, heldOut, training[20..<50])
    #expect(copies.value == 0)
    let far = try value(Authenticity(), training, heldOut, heldOut + 50)
    #expect(far.value == 1)
    let fresh = try value(Authenticity(), training, heldOut, heldOut)
    #expect(fresh.value == fresh.ceiling && (0.2..<0.9).contains(fresh.value))
    let reference = SamplesReference.all
    let mixed = try value(
      Authenticity(), rows(reference.x), rows(reference.y), rows(reference.near))
    #expect(mixed.value.isClose(reference.authentic))
  }

  @Test("One cell: SciPy's test of ranks")
  func reference() throws {
    let reference = SamplesReference.all
    let found = try value(
      DataCopying(cells: 1), rows(reference.x), rows(reference.y), rows(reference.near))
    #expect(found.value.isClose(reference.copying, 1e-7))
    #expect(found.standardError == 1)
  }

  @Test("Copies score far below 0, fresh data near it, what is off the data far above")
  func dataCopying() throws {
    // Two clusters.
    func data(_ count: Int, _ seed: UInt64) -> Tensor {
      let side = (Tensor.range(count, .float64) .< Double(count / 2)).reshaped([count, 1])
      return normals(count, 3, seed: seed) + side.converted(to: .float64) * 8
    }
    let (training, heldOut) = (data(300, 1), data(200, 2))
    let metric = DataCopying(cells: 3)
    let copies = try value(
      metric, training, heldOut, training[50..<250] + normals(200, 3, seed: 4) * 0.05)
    #expect(copies.value < -5, "\(copies.value)")
    let fresh = try value(metric, training, heldOut, data(200, 3))
    #expect(abs(fresh.value) < 3 && (fresh.standardError ?? 2) < 1, "\(fresh)")
    let off = try value(metric, training, heldOut, data(200, 3) * 1.5)
    #expect(off.value > 3, "\(off.value)")
    // The same examples twice: no difference in ranks at all.
    #expect(try value(metric, training, heldOut, heldOut).value.isClose(0))
    #expect(throws: SampleError.self) { try value(metric, training, heldOut, training[..<19]) }
  }

  @Test("The nearest training examples, by number and distance, of features and of pictures")
  func nearest() throws {
    let training = normals(50, 3, seed: 1)
    let made = training[10..<13] + Tensor([3e-3, 0, 4e-3]).converted(to: .float64)
    let found = try nearestTraining(2, to: made, among: training)
    #expect(found.indices.shape == [3, 2])
    let (indices, distances) = (found.indices.int32s, found.distances.doubles)
    #expect([indices[0], indices[2], indices[4]] == [10, 11, 12])
    for place in [0, 2, 4] { #expect(distances[place].isClose(5e-3, 1e-6)) }
    let pictures = normals(6, 12, seed: 2).reshaped([6, 2, 2, 3])
    let own = try nearestTraining(to: pictures, among: pictures)
    #expect(own.indices.int32s == [0, 1, 2, 3, 4, 5])
    #expect(throws: SampleError.self) {
      try nearestTraining(to: made, among: normals(9, 2, seed: 1))
    }
  }
}
