// Content and style of pictures: exact where a picture is the content, or the style, itself; derivatives by pixels.

import LatentAutodiff
import LatentLayers
import LatentNumerics
import LatentOptimizers
import Testing

@testable import LatentModels

@Suite struct StyleTransferTests {
  static let content = waves([1, 9, 8, 2], 5) * 0.4 + 0.5
  static let style = waves([1, 12, 6, 2], 2) * 0.4 + 0.5

  @Test func itself() throws {
    let transfer = try StyleTransfer(
      through: Looking.network(), content: Self.content, style: Self.style)
    #expect(transfer.layers.content == ["convolutions.1"])
    #expect(transfer.layers.style == ["convolutions.0", "convolutions.1"])
    #expect(transfer(Self.content)["content"]?.item == 0)
    #expect(transfer(Self.content.zerosLike + 0.3).total.item > 0)
    let same = try StyleTransfer(
      through: Looking.network(), content: Self.content, style: Self.content)
    #expect(same(Self.content).total.item == 0)
    #expect(throws: UnknownLayer.self) {
      // Fully connected layers do not take pictures of this size.
      try StyleTransfer(
        through: Looking.network(), content: Self.content, style: Self.style,
        styleLayers: [LayerWeight("hidden")])
    }
  }

  /// The sums of the definition, from features by themselves.
  @Test func weights() throws {
    let network = Looking.network()
    let picture = waves([1, 9, 8, 2], 1) * 0.4 + 0.5
    let transfer = try StyleTransfer(
      through: network, content: Self.content, style: Self.style,
      contentLayers: [LayerWeight("convolutions.0", 3)],
      styleLayers: [LayerWeight("convolutions.1", 0.5)], contentWeight: 2, styleWeight: 11)
    let (p, c, s) = (
      network.features(of: picture), network.features(of: Self.content),
      network.features(of: Self.style)
    )
    let content = 3 * square(p[0].values - c[0].values).mean().item
    let style =
      0.5 * square(gramMatrices(p[1].values) - gramMatrices(s[1].values)).sum().item
    let terms = transfer(picture)
    #expect(distance(terms.terms.map(\.value.item), [content, style]) < 1e-14)
    #expect(distance([terms.total.item], [2 * content + 11 * style]) < 1e-14)
  }

  @Test func derivatives() throws {
    let transfer = try StyleTransfer(
      through: Looking.network(), content: Self.content, style: Self.style, styleWeight: 50)
    let picture = waves([1, 9, 8, 2], 1) * 0.4 + 0.5
    let error = gradientError(at: [picture]) { transfer($0[0]).total }
    #expect(error < 1e-6, "\(error)")
  }

  /// The search finds the texture where nothing else is asked for.
  @Test func search() throws {
    let transfer = try StyleTransfer(
      through: Looking.network(), content: Self.content, style: Self.style, contentWeight: 0,
      styleWeight: 1)
    let result = LBFGS(iterations: 60).minimize([Self.content]) { transfer($0[0]).total }
    let start = transfer(Self.content).total.item
    #expect(result.value < 1e-3 * start, "\(result.value) of \(start)")
  }
}
