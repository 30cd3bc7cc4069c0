// What a data set assumes about its files is said once, also by quiet tools: it is no progress.

import Foundation
import Latent

extension Dataset {
  /// Prints the notes of the data on standard error, a line each.
  public func printNotes() {
    for note in notes { StandardStream.error.show("note: \(note)\n", patience: 1) }
  }
}
