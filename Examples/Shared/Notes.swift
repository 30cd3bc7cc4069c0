// What a data set assumes about its files is said once, also by quiet tools: it is no progress.

import Foundation
import Latent

/// Prints what takes a while on standard error, in a line.
public func printNote(_ text: String) {
  StandardStream.error.show("note: \(text)\n", patience: 1)
}

extension Dataset {
  /// Prints the notes of the data on standard error, a line each.
  public func printNotes() {
    for note in notes { printNote(note) }
  }
}
