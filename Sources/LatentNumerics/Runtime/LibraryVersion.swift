/// The version of the library: recorded in checkpoints and results.
public enum LibraryVersion {
  public static let current = "0.1.0"
}
