// The report of a run: numbers, a curve and the pictures or texts on one page that needs nothing else.

import Foundation
import Latent

/// An HTML page beside the pictures.
public struct Report {
  public var title: String
  public var facts: [(String, String)]
  public var epochs: [EpochMetrics]
  /// Captions and paths relative to the page.
  public var pictures: [(caption: String, path: String)]
  /// Captions and the texts themselves.
  public var texts: [(caption: String, text: String)]

  public init(
    title: String, facts: [(String, String)], epochs: [EpochMetrics],
    pictures: [(caption: String, path: String)] = [],
    texts: [(caption: String, text: String)] = []
  ) {
    self.title = title
    self.facts = facts
    self.epochs = epochs
    self.pictures = pictures
    self.texts = texts
  }

  public func write(to path: String) throws {
    try AtomicFile.write(Array(html.utf8), to: path)
  }

  private var html: String {
    let rows = facts.map { "<tr><th>\(escaped($0.0))</th><td>\(escaped($0.1))</td></tr>" }
    let figures = pictures.map {
      "<figure><img src=\"\($0.path)\" alt=\"\(escaped($0.caption))\">"
        + "<figcaption>\(escaped($0.caption))</figcaption></figure>"
    }
    let blocks = texts.map {
      "<figure><pre>\(escaped($0.text))</pre>"
        + "<figcaption>\(escaped($0.caption))</figcaption></figure>"
    }
    return """
      <!DOCTYPE html>
      <html lang="en"><meta charset="utf-8"><title>\(escaped(title))</title>
      <style>
      body { font: 16px/1.5 sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; }
      th { text-align: left; padding-right: 2em; font-weight: normal; color: #555; }
      figure { margin: 2em 0; } img { image-rendering: pixelated; max-width: 100%; }
      pre { overflow-x: auto; line-height: 1.3; } figcaption { color: #555; }
      </style>
      <h1>\(escaped(title))</h1>
      <table>\(rows.joined(separator: "\n"))</table>
      \(curve)
      \((figures + blocks).joined(separator: "\n"))
      </html>
      """
  }

  /// Loss against epoch as an SVG picture.
  private var curve: String {
    let training = epochs.map { ($0.epoch, $0.training.loss) }
    let validation = epochs.compactMap { epoch in epoch.validation.map { (epoch.epoch, $0.loss) } }
    let values = (training + validation).map(\.1).filter(\.isFinite)
    guard epochs.count > 1, let low = values.min(), let high = values.max() else { return "" }
    let (width, height, last) = (640.0, 240.0, Double(epochs[epochs.count - 1].epoch))
    let first = Double(epochs[0].epoch)
    func line(_ points: [(Int, Double)], _ color: String) -> String {
      let list = points.filter(\.1.isFinite).map { epoch, loss in
        let x = 60 + (Double(epoch) - first) / max(1, last - first) * (width - 80)
        let y = 20 + (high - loss) / max(1e-12, high - low) * (height - 60)
        return String(format: "%.1f,%.1f", x, y)
      }
      return "<polyline fill=\"none\" stroke=\"\(color)\" stroke-width=\"2\" "
        + "points=\"\(list.joined(separator: " "))\"/>"
    }
    func text(_ x: Double, _ y: Double, _ value: String) -> String {
      "<text x=\"\(x)\" y=\"\(y)\" font-size=\"12\" fill=\"#555\">\(value)</text>"
    }
    return """
      <figure><svg viewBox="0 0 \(Int(width)) \(Int(height))" width="\(Int(width))">
      \(line(training, "#888"))\(line(validation, "#06c"))
      \(text(4, 24, String(format: "%.1f", high)))\(text(4, height - 36, String(format: "%.1f", low)))
      \(text(60, height - 8, "epoch \(Int(first))"))\(text(width - 80, height - 8, "epoch \(Int(last))"))
      </svg><figcaption>Loss in nats per example: training gray, validation blue.</figcaption></figure>
      """
  }

  private func escaped(_ text: String) -> String {
    text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
      .replacingOccurrences(of: "\"", with: "&quot;")
  }
}
