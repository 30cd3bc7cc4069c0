// What the tests of several modules share about mistakes that trap.

/// A programmer's mistake by its name, because the body of an exit test cannot capture a closure that
/// makes it.
public struct Mistake: Codable, Sendable, CustomStringConvertible {
  public let name: String
  /// What standard error must hold.
  public let words: [String]

  public init(name: String, words: [String]) {
    self.name = name
    self.words = words
  }

  public var description: String { name }

  /// What standard error does not hold, and what it does; nil where nothing is missing.
  public func missing(in standardError: [UInt8]?) -> String? {
    let text = String(decoding: standardError ?? [], as: UTF8.self)
    let missing = words.filter { !text.contains($0) }
    return missing.isEmpty ? nil : "\(name): no \(missing) in \(text.prefix(300))"
  }
}
