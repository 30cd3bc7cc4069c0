// A page is one file: text, numbers and pictures, with everything inside of it. It needs no script, no network and no
// fonts but the reader's own; its own policy forbids browsers to fetch anything.

import LatentNumerics
import LatentStorage

/// A report in one HTML file.
///
/// Sections have anchors and a table of contents; numbers link to their definitions at the end. It is right on screens
/// of any width, in light and dark schemes, in print, by keyboard and for screen readers.
public struct Page: Sendable {
  /// The heading of the page and the name of the window.
  public var title: String
  /// What stands under the title; empty where nothing does.
  public var subtitle: String
  /// In the order in which they are read.
  public var sections: [Section]
  /// What numbers of the tables link to; shown as the last section, in this order.
  public var definitions: [Definition]

  /// A page of sections.
  public init(
    title: String, subtitle: String = "", sections: [Section], definitions: [Definition] = []
  ) {
    self.title = title
    self.subtitle = subtitle
    self.sections = sections
    self.definitions = definitions
  }

  /// Writes the page atomically.
  /// - Throws: `StorageError.cannotWrite`.
  public func write(to path: String) throws {
    try AtomicFile.write(Array(html.utf8), to: path)
  }

  /// A part with a title, which the table of contents shows.
  public struct Section: Sendable {
    /// The heading, and the line in the table of contents.
    public var title: String
    /// What stands below it, in this order.
    public var blocks: [Block]

    /// A titled part.
    public init(_ title: String, _ blocks: [Block]) {
      self.title = title
      self.blocks = blocks
    }
  }

  /// What sections are made of.
  public enum Block: Sendable {
    /// A paragraph.
    case text(String)
    /// A remark that should not be overlooked.
    case note(String)
    /// A few numbers in large type.
    case highlights([Highlight])
    /// Names and what they are.
    case facts([(name: String, value: String)])
    /// Side by side as far as there is room.
    case figures([Figure])
    /// Numbers in rows and columns.
    case table(Table)
    /// Text of which each character counts, with a caption.
    case code(String, caption: String)
  }

  /// A number in large type.
  public struct Highlight: Sendable {
    /// The number with its unit, as text.
    public var value: String
    /// What is said of it: "nats per test example".
    public var label: String

    /// A number and what it is.
    public init(_ value: String, _ label: String) {
      self.value = value
      self.label = label
    }
  }

  /// A picture with its caption.
  public struct Figure: Sendable {
    /// What is shown.
    public enum Content: Sendable {
      /// Numbers; it says itself what there is to see.
      case chart(Chart)
      /// `alternative` is what there is to see, for those who do not.
      case picture(PictureGrid, alternative: String)
      /// The same of a picture in motion.
      case animation(Animation, alternative: String)
    }

    /// What is shown.
    public var content: Content
    /// What stands below; empty where nothing does.
    public var caption: String

    /// A picture and its caption.
    public init(_ content: Content, caption: String) {
      self.content = content
      self.caption = caption
    }
  }

  /// What a number is.
  public struct Definition: Sendable {
    /// What cells name it by; one word without spaces.
    public var name: String
    /// The heading.
    public var title: String
    /// What is computed.
    public var text: String
    /// Unit, paper and whatever else belongs to it.
    public var facts: [(name: String, value: String)]

    /// The definition of what cells call `name`.
    public init(
      _ name: String, title: String, text: String, facts: [(name: String, value: String)] = []
    ) {
      self.name = name
      self.title = title
      self.text = text
      self.facts = facts
    }
  }
}
