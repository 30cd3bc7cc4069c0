/// The version of the library: recorded in checkpoints and results.
public enum LibraryVersion {
  /// Major, minor and patch, joined by dots.
  public static let current = "0.1.0"
}
