// Addresses in numbers.

import FlyingSocks
import Foundation

/// Where a server listens.
enum Address: Sendable, Equatable {
  case four(String)
  case six(String)

  /// Nil where the text is no address in numbers; `localhost` is 127.0.0.1.
  init?(_ text: String) {
    let text = text == "localhost" ? "127.0.0.1" : text
    if (try? sockaddr_in.inet(ip4: text, port: 0)) != nil {
      self = .four(text)
    } else if (try? sockaddr_in6.inet6(ip6: text, port: 0)) != nil {
      self = .six(text)
    } else {
      return nil
    }
  }

  /// Whether only this machine can reach it.
  var isLocal: Bool {
    switch self {
    case .four(let text): text.hasPrefix("127.")
    case .six(let text): text == "::1"
    }
  }

  /// As the part of a URL; where it listens everywhere, this machine.
  var inURL: String {
    switch self {
    case .four(let text): text == "0.0.0.0" ? "127.0.0.1" : text
    case .six(let text): text == "::" ? "[::1]" : "[\(text)]"
    }
  }

  /// A socket that listens there.
  /// - Throws: `SocketError`.
  func listeningSocket(port: UInt16) throws -> Socket {
    func listening(at address: some SocketAddress) throws -> Socket {
      let socket = try Socket(domain: Int32(type(of: address).family), type: .stream)
      do {
        // A port that was just given up is free.
        try socket.setValue(true, for: .localAddressReuse)
        try socket.bind(to: address)
        try socket.listen()
        return socket
      } catch {
        try? socket.close()
        throw error
      }
    }
    return switch self {
    case .four(let text): try listening(at: sockaddr_in.inet(ip4: text, port: port))
    case .six(let text): try listening(at: sockaddr_in6.inet6(ip6: text, port: port))
    }
  }
}
