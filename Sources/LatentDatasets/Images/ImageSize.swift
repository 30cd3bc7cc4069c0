// The height and width of a picture, in the order of the axes.

/// A size in pixels.
public struct ImageSize: Sendable, Hashable, Codable {
  /// Pixels.
  public let height: Int
  /// Pixels.
  public let width: Int

  /// Both in pixels.
  public init(height: Int, width: Int) {
    self.height = height
    self.width = width
  }
}
