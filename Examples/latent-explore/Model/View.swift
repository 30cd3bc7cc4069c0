// How examples are shown: pictures as PNG, texts as text, all else as numbers that the page draws.

import Latent
import LatentCommands

extension Explorer {
  /// What a page has to be able to show.
  enum Kind: String, Encodable {
    case picture, text
    /// A row of numbers.
    case table
    /// Rows of channels, one after the other.
    case series
  }

  var kind: Kind {
    if opened.configuration.isText { return .text }
    if opened.isPicture { return .picture }
    return opened.configuration.model.inputShape.count == 1 ? .table : .series
  }

  private struct Text: Encodable {
    let text: String
  }

  private struct Numbers: Encodable {
    /// `[rows, channels]`
    let shape: [Int]
    let values: [Float]
  }

  /// One example `[1, ...]` as an answer.
  func view(_ example: Tensor) throws -> HTTPResponse {
    switch kind {
    case .picture:
      return HTTPResponse(
        type: "image/png", body: try PNG.encode(ImageGrid.tile(example.array, columns: 1, gap: 0)))
    case .text:
      let bytes = example.array.int32s.map { UInt8(truncatingIfNeeded: $0) }
      let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      return try HTTPResponse(
        json: Text(text: lines.map { Texts.line(Array($0)) }.joined(separator: "\n")))
    case .table:
      return try HTTPResponse(json: Numbers(shape: [1, example.count], values: example.floats))
    case .series:
      let channels = example.shape[-1]
      return try HTTPResponse(
        json: Numbers(shape: [example.count / channels, channels], values: example.floats))
    }
  }
}
