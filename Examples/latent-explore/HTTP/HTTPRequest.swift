// A request of HTTP/1.1 (RFC 9112), read strictly: what two programs may understand in two ways is refused, and
// everything has a bound.

/// A request that was understood.
struct HTTPRequest: Sendable, Equatable {
  /// Such as `GET`.
  let method: String
  /// The target up to the question mark, as it was sent: nothing in it is decoded.
  let path: String
  /// Values by names in lower case.
  let headers: [String: String]
  /// The bytes of the body that follows.
  let bodySize: Int
  /// As many bytes as `bodySize` says, once they are there.
  var body: [UInt8] = []

  /// Bytes of the lines before the body.
  static let headLimit = 16 << 10
  /// Bytes of a body.
  static let bodyLimit = 1 << 20

  /// Whether the connection ends with the answer.
  var isLast: Bool { headers["connection"]?.lowercased() == "close" }
  /// Whether the client waits for a word before it sends the body.
  var expectsWord: Bool { headers["expect"]?.lowercased() == "100-continue" }

  /// From the lines before the body, without the empty one that ends them.
  init(head: [UInt8]) throws {
    let lines = String(decoding: head, as: UTF8.self).split(
      separator: "\r\n", omittingEmptySubsequences: false)
    let words = lines[0].split(separator: " ", omittingEmptySubsequences: false)
    guard words.count == 3, words[1].hasPrefix("/"),
      lines[0].utf8.allSatisfy({ $0 > 31 && $0 < 127 })
    else {
      throw HTTPFault(400, "the first line of a request is METHOD /path HTTP/1.1")
    }
    guard words[2] == "HTTP/1.1" else { throw HTTPFault(505, "only HTTP/1.1 is spoken here") }
    method = String(words[0])
    path = String(words[1].prefix { $0 != "?" })
    headers = try HTTPRequest.headers(lines.dropFirst())
    bodySize = try HTTPRequest.bodySize(headers)
  }

  private static func headers(_ lines: ArraySlice<Substring>) throws -> [String: String] {
    var headers: [String: String] = [:]
    for line in lines {
      let name = line.prefix { $0 != ":" }
      guard name.endIndex < line.endIndex, !name.isEmpty, name.utf8.allSatisfy(isOfName),
        line.utf8.allSatisfy({ $0 == 9 || $0 > 31 && $0 != 127 })
      else {
        throw HTTPFault(400, "a line of the request's head is no NAME: VALUE")
      }
      let value = line[line.index(after: name.endIndex)...].trimming { $0 == " " || $0 == "\t" }
      let key = name.lowercased()
      // Of two hosts or two lengths, one program would take the first and another the last.
      if headers.updateValue(String(value), forKey: key) != nil,
        ["host", "origin", "content-length", "content-type"].contains(key)
      {
        throw HTTPFault(400, "the request has two lines \(key)")
      }
    }
    return headers
  }

  /// The characters of a token, RFC 9110 section 5.6.2.
  private static func isOfName(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
  }

  private static func bodySize(_ headers: [String: String]) throws -> Int {
    if headers["transfer-encoding"] != nil {
      throw HTTPFault(411, "a body comes with its Content-Length, not in chunks")
    }
    guard let text = headers["content-length"] else { return 0 }
    guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) else {
      throw HTTPFault(400, "Content-Length '\(text.prefix(40))' is no number of bytes")
    }
    guard let size = Int(text), size <= bodyLimit else {
      throw HTTPFault(413, "a body has at most \(bodyLimit >> 20) MiB")
    }
    return size
  }
}

/// Why there is no answer but a refusal.
struct HTTPFault: Error, Sendable, Equatable {
  /// The status, such as 404.
  let status: Int
  /// One sentence.
  let reason: String

  init(_ status: Int, _ reason: String) {
    self.status = status
    self.reason = reason
  }
}

extension Substring {
  fileprivate func trimming(_ isSpace: (Character) -> Bool) -> Substring {
    var rest = drop(while: isSpace)
    while let last = rest.last, isSpace(last) { rest.removeLast() }
    return rest
  }
}
