// The colours of charts and pages: one set on white paper, one on a dark screen.
//
// The ten colours of groups were searched for, not chosen: each stands out from its background by a contrast of 3 or
// more (WCAG 2.2, 1.4.11), and the first of them are as far apart as could be found for people of ordinary sight, with
// deuteranopia and with protanopia (simulated after Machado, Oliveira and Fernandes 2009; distances in Oklab, Ottosson
// 2020). Nobody tells ten of them apart by colour alone: lines are dashed and groups are named in their place too.

/// A colour of a screen, sRGB with 8 bits each.
public struct ScreenColor: Sendable, Hashable {
  /// From 0 to 255.
  public let red, green, blue: UInt8

  /// The colour that is written `#rrggbb` in CSS.
  public init(hex: UInt32) {
    red = UInt8(hex >> 16 & 255)
    green = UInt8(hex >> 8 & 255)
    blue = UInt8(hex & 255)
  }

  /// As CSS has it, `#rrggbb`.
  public var css: String {
    let digits = String(UInt32(red) << 16 | UInt32(green) << 8 | UInt32(blue), radix: 16)
    return "#" + String(repeating: "0", count: 6 - digits.count) + digits
  }
}

/// The colours of a page in one scheme.
public struct Palette: Sendable {
  /// The background.
  public let paper: ScreenColor
  /// Text.
  public let ink: ScreenColor
  /// Text of less weight: units, captions, ticks.
  public let muted: ScreenColor
  /// Lines of grids and tables.
  public let hairline: ScreenColor
  /// What is set off from the paper a little.
  public let wash: ScreenColor
  /// What stands for the first, second ... group; further ones begin anew. The first is the accent of pages.
  public let groups: [ScreenColor]

  /// The colour of a group, counted from 0; any whole number has one.
  public func color(ofGroup group: Int) -> ScreenColor {
    groups[((group % groups.count) + groups.count) % groups.count]
  }

  /// On white: screens in their light scheme, and paper.
  public static let light = Palette(
    paper: ScreenColor(hex: 0xffffff), ink: ScreenColor(hex: 0x1a1d21),
    muted: ScreenColor(hex: 0x59626d), hairline: ScreenColor(hex: 0xdce0e5),
    wash: ScreenColor(hex: 0xf5f7f9),
    groups: [
      0x0b66c3, 0xd1480c, 0x038174, 0x60155a, 0x949674, 0x578afa, 0x893907, 0xc175c1, 0x0f3189,
      0x00862b,
    ].map(ScreenColor.init(hex:)))

  /// On a dark screen.
  public static let dark = Palette(
    paper: ScreenColor(hex: 0x14161a), ink: ScreenColor(hex: 0xe8eaed),
    muted: ScreenColor(hex: 0xa0a8b2), hairline: ScreenColor(hex: 0x33383f),
    wash: ScreenColor(hex: 0x1d2025),
    groups: [
      0x6cb2ff, 0xff9457, 0x91ffbc, 0x8e57de, 0xffd503, 0xc2d9ff, 0x8e5e2b, 0xbc8dbb, 0x6a789c,
      0xacbca6,
    ].map(ScreenColor.init(hex:)))

  /// CSS variables of the colours.
  private var variables: String {
    let named = [
      ("paper", paper), ("ink", ink), ("muted", muted), ("hairline", hairline), ("wash", wash),
    ]
    let numbered = groups.enumerated().map { ("c\($0 + 1)", $1) }
    return (named + numbered).map { "--\($0):\($1.css)" }.joined(separator: ";")
  }

  /// The variables of both schemes: dark where a screen asks for it, light on all other screens and in print.
  static let css = """
    :root{color-scheme:light dark;\(light.variables)}
    @media screen and (prefers-color-scheme:dark){:root{\(dark.variables)}}
    """
}
