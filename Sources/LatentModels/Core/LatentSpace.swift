// Where latents lie. A posterior and a prior that lie apart have no divergence; they are refused before a model
// is made. The spaces are no closed list: whoever brings a posterior on another one names it.

/// A set of latents that posteriors and priors share.
public struct LatentSpace: Sendable, Hashable, CustomStringConvertible {
  /// The set in a few words, as in "a posterior on ...".
  public let description: String

  /// The set of these words; equal words are the same set.
  public init(_ description: String) { self.description = description }

  /// All vectors of real numbers.
  public static let vectors = LatentSpace("all vectors")
}
