// The Vendi score counts what is different.

import Latent
import Testing

@Suite struct SamplesVendiTests {
  @Test("All alike: 1; n at right angles: n; g groups: g")
  func exact() throws {
    #expect(try VendiScore.score(Tensor.ones([7, 3], .float64)).isClose(1))
    #expect(try VendiScore.score(Tensor.identity(6, .float64) * 3).isClose(6))
    let groups = Tensor.concatenate([Tensor](repeating: .identity(4, .float64), count: 5), axis: 0)
    #expect(try VendiScore.score(groups).isClose(4))
    // Lengths do not matter, and two shares of three and one count exp of their entropy.
    let uneven = rows([[1, 0], [5, 0], [0, 2], [0.5, 0]])
    #expect(try VendiScore.score(uneven).isClose(1.7547653506))
  }

  @Test("Zeros are a direction of their own")
  func zeros() throws {
    let x = Tensor.concatenate([.identity(2, .float64), .zeros([1, 2], .float64)], axis: 0)
    #expect(try VendiScore.score(x).isClose(3))
    #expect(try VendiScore.score(Tensor.zeros([4, 2], .float64)).isClose(1))
  }

  @Test("scikit-learn's cosines, with more examples than features and with fewer")
  func reference() throws {
    let reference = SamplesReference.all
    #expect(try VendiScore.score(rows(reference.y)).isClose(reference.vendi))
    #expect(try VendiScore.score(rows(reference.wideY)).isClose(reference.vendiWide))
  }

  @Test("Both samples count as many examples, and the real one is the ceiling")
  func equalSizes() throws {
    let (x, y) = (normals(90, 30, seed: 1), normals(40, 30, seed: 2))
    let fake = try VendiScore().value(.vendi, part: "fake", real: x, fake: y)
    let real = try VendiScore().value(.vendi, part: "real", real: x, fake: y)
    #expect(fake.count == 40 && real.count == 40)
    #expect(try fake.value.isClose(VendiScore.score(y)) && fake.ceiling == real.value)
    #expect(abs(fake.value / real.value - 1) < 0.1)
  }
}
