import Foundation
import LatentFigures
import Testing

/// What colours have to do, by formulas from elsewhere: contrast after WCAG 2.2, lacking cones after Machado et al.
/// 2009 (table 1, severity 1), distances in Oklab (Ottosson 2020).
@Suite struct PaletteTests {
  private func linear(_ color: ScreenColor) -> SIMD3<Double> {
    func value(_ byte: UInt8) -> Double {
      let value = Double(byte) / 255
      return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
    }
    return [value(color.red), value(color.green), value(color.blue)]
  }

  private func product(_ rows: [SIMD3<Double>], _ vector: SIMD3<Double>) -> SIMD3<Double> {
    SIMD3((rows[0] * vector).sum(), (rows[1] * vector).sum(), (rows[2] * vector).sum())
  }

  private func contrast(_ a: ScreenColor, _ b: ScreenColor) -> Double {
    let weights: SIMD3<Double> = [0.2126, 0.7152, 0.0722]
    let values = [(linear(a) * weights).sum(), (linear(b) * weights).sum()].sorted()
    return (values[1] + 0.05) / (values[0] + 0.05)
  }

  private func oklab(_ color: SIMD3<Double>) -> SIMD3<Double> {
    let cones = product(
      [
        [0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
      ], color)
    return product(
      [
        [0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
      ], [cbrt(cones.x), cbrt(cones.y), cbrt(cones.z)])
  }

  private static let sights: [(name: String, rows: [SIMD3<Double>])] = [
    ("all cones", [[1, 0, 0], [0, 1, 0], [0, 0, 1]]),
    (
      "protanopia",
      [
        [0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
      ]
    ),
    (
      "deuteranopia",
      [
        [0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
      ]
    ),
  ]

  @Test("Text and marks stand out from their background")
  func contrasts() {
    #expect(abs(contrast(ScreenColor(hex: 0), ScreenColor(hex: 0xffffff)) - 21) < 1e-9)
    for palette in [Palette.light, .dark] {
      for paper in [palette.paper, palette.wash] {
        #expect(contrast(palette.ink, paper) > 12)
        // Text of ordinary size: links too, which have the first colour.
        #expect(contrast(palette.muted, paper) > 4.5)
        #expect(contrast(palette.groups[0], paper) > 4.5)
      }
      for group in palette.groups { #expect(contrast(group, palette.paper) > 3, "\(group.css)") }
    }
  }

  @Test("Groups are told apart by most people", arguments: [(3, 0.12), (6, 0.09), (10, 0.07)])
  func distances(count: Int, least: Double) {
    for palette in [Palette.light, .dark] {
      for sight in PaletteTests.sights {
        let seen = palette.groups.prefix(count).map {
          oklab(product(sight.rows, linear($0)).clamped(lowerBound: .zero, upperBound: .one))
        }
        for (index, one) in seen.enumerated() {
          for other in seen[..<index] {
            let distance = ((one - other) * (one - other)).sum().squareRoot()
            #expect(distance > least, "\(sight.name), group \(index)")
          }
        }
      }
    }
  }

  @Test("Any group has a colour, and colours are written as CSS has them")
  func colors() {
    #expect(Palette.light.color(ofGroup: 12) == Palette.light.groups[2])
    #expect(Palette.light.color(ofGroup: -1) == Palette.light.groups[9])
    #expect(ScreenColor(hex: 0x00ff0a).css == "#00ff0a")
  }
}
