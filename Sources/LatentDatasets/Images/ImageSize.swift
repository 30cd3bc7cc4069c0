// The height and width of a picture, in the order of the axes.

/// A size in pixels.
public struct ImageSize: Sendable, Hashable, Codable {
  public let height: Int
  public let width: Int

  public init(height: Int, width: Int) {
    self.height = height
    self.width = width
  }
}
