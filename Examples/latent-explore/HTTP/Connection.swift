// One client: requests come out of its bytes one after the other.

import FlyingSocks
import Foundation

/// A socket and what was read from it beyond the last request.
actor Connection {
  private let socket: AsyncSocket
  private var buffer: [UInt8] = []

  init(_ socket: AsyncSocket) { self.socket = socket }

  /// Waits for the first byte of a request.
  /// - Throws: `SocketError.disconnected` where there will be none.
  func awaitRequest() async throws {
    if buffer.isEmpty { try await fill() }
  }

  /// The next request with its body.
  /// - Throws: `HTTPFault` where it is none or too large, `SocketError` where the client is gone.
  func request() async throws -> HTTPRequest {
    var searched = 0
    while true {
      let end = endOfHead(from: searched)
      if end ?? buffer.count > HTTPRequest.headLimit {
        throw HTTPFault(431, "the head of a request has at most \(HTTPRequest.headLimit >> 10) KiB")
      }
      if let end {
        var request = try HTTPRequest(head: Array(buffer[..<end]))
        buffer.removeFirst(end + 4)
        if request.expectsWord && buffer.count < request.bodySize {
          try await send(Data("HTTP/1.1 100 Continue\r\n\r\n".utf8))
        }
        while buffer.count < request.bodySize {
          try await fill()
        }
        request.body = Array(buffer[..<request.bodySize])
        buffer.removeFirst(request.bodySize)
        return request
      }
      searched = max(0, buffer.count - 3)
      try await fill()
    }
  }

  /// Where the empty line begins that ends the head.
  private func endOfHead(from start: Int) -> Int? {
    let end: [UInt8] = [13, 10, 13, 10]
    return buffer.indices[start...].first { buffer[$0...].starts(with: end) }
  }

  /// - Throws: `SocketError.disconnected` at the end of the stream.
  private func fill() async throws { buffer += try await socket.read(atMost: 4096) }

  func send(_ bytes: Data) async throws { try await socket.write(bytes) }

  /// Takes what the client still sends, to the end of the stream or a bound: a socket that is closed with unread bytes
  /// takes the answer with it.
  func drain() async throws {
    shutdown(socket.socket.file.rawValue, Int32(SHUT_WR))
    buffer = []
    var count = 0
    while count < 4 * HTTPRequest.bodyLimit {
      try await fill()
      count += buffer.count
      buffer = []
    }
  }

  nonisolated func close() { try? socket.close() }
}
