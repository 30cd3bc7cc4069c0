// Who may ask. A server on one's own machine is within reach of every page that one's browser shows: a page can send
// requests to it (cross-site request forgery), and one whose name begins to mean 127.0.0.1 after it was loaded can even
// read the answers (DNS rebinding; Jackson et al. 2007, "Protecting browsers from DNS rebinding attacks"). The first
// comes with an Origin or a Sec-Fetch-Site of its own, the second with the Host of its own.

/// Compares where a request says that it goes to, and where it says that it comes from.
struct Gate: Sendable {
  /// Whether only this machine can reach the server.
  let isLocal: Bool

  /// - Throws: `HTTPFault`.
  func check(_ request: HTTPRequest) throws {
    guard let host = request.headers["host"], isKnown(name(of: host)) else {
      throw HTTPFault(
        421,
        "Host '\(request.headers["host"]?.prefix(80) ?? "")': expected "
          + (isLocal ? "localhost or 127.0.0.1" : "localhost or the address of this machine"))
    }
    if let origin = request.headers["origin"], origin.lowercased() != "http://\(host.lowercased())"
    {
      throw HTTPFault(403, "Origin '\(origin.prefix(80))': only pages of this server may ask")
    }
    let site = request.headers["sec-fetch-site"] ?? "none"
    // A link to the page from elsewhere is no harm: nobody but the page sees the answer.
    let isLink = request.path == "/" && request.headers["sec-fetch-mode"] == "navigate"
    if !["same-origin", "none"].contains(site) && !isLink {
      throw HTTPFault(403, "Sec-Fetch-Site '\(site.prefix(80))': only pages of this server may ask")
    }
  }

  /// A host without its port. Any port will do: a tunnel has its own, and no attack is made of one.
  private func name(of host: String) -> Substring {
    if host.hasPrefix("[") { return host.prefix { $0 != "]" }.dropFirst() }
    return host.prefix { $0 != ":" }
  }

  /// Addresses in numbers cannot be made to mean something else; of names, only that of this machine is known.
  private func isKnown(_ name: Substring) -> Bool {
    if ["localhost", "127.0.0.1", "::1"].contains(name.lowercased()) { return true }
    return !isLocal && Address(String(name)) != nil
  }
}
