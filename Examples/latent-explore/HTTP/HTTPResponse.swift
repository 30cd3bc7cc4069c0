// An answer as bytes.

import Foundation

/// An answer with its body.
struct HTTPResponse: Sendable {
  /// Such as 200.
  let status: Int
  /// The media type of the body.
  let type: String
  let body: [UInt8]
  /// The methods that there are, where it was another one.
  var allowed: String?

  init(_ status: Int = 200, type: String, body: [UInt8]) {
    self.status = status
    self.type = type
    self.body = body
  }

  /// A value as JSON. Numbers that are none, which a strange latent may decode to, become the words that JSON has
  /// not.
  init(json value: some Encodable, status: Int = 200) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    self.init(status, type: "application/json", body: Array(try encoder.encode(value)))
  }

  /// A refusal: `{"error": "..."}`.
  init(_ fault: HTTPFault) {
    let body = (try? JSONEncoder().encode(["error": fault.reason])) ?? Data("{}".utf8)
    self.init(fault.status, type: "application/json", body: Array(body))
  }

  /// What a browser is told about every answer: that nothing of a page comes from elsewhere and nothing runs that is
  /// not a file of this server, that no other page may frame or read it, and that nothing is kept.
  private static let protection = """
    Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'\r
    Cross-Origin-Resource-Policy: same-origin\r
    X-Content-Type-Options: nosniff\r
    Referrer-Policy: no-referrer\r
    Cache-Control: no-store\r

    """

  /// The words of RFC 9110, section 15.
  private static let phrases = [
    200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
    408: "Request Timeout", 409: "Conflict", 411: "Length Required", 413: "Content Too Large",
    415: "Unsupported Media Type", 421: "Misdirected Request",
    431: "Request Header Fields Too Large", 500: "Internal Server Error",
    503: "Service Unavailable", 505: "HTTP Version Not Supported",
  ]

  /// The whole answer; `isLast` says that the connection ends with it, `hasBody` that it was not asked for its head
  /// alone.
  func bytes(isLast: Bool, hasBody: Bool = true) -> Data {
    var head = "HTTP/1.1 \(status) \(HTTPResponse.phrases[status] ?? "")\r\n"
    head += "Content-Type: \(type)\r\nContent-Length: \(body.count)\r\n"
    if let allowed { head += "Allow: \(allowed)\r\n" }
    head += isLast ? "Connection: close\r\n" : ""
    return Data((head + HTTPResponse.protection + "\r\n").utf8) + (hasBody ? body : [])
  }
}
