// A client of latent-explore that sends exactly the bytes it is given, also those that no proper one would.

import Foundation
import Latent
import Testing

/// The tool while it serves a run.
final class ExploreServer {
  let port: UInt16
  private let running: Running

  /// Starts it on a free port and waits until it says where.
  init(_ run: String, _ arguments: [String] = [], in folder: String) throws {
    running = try Tool.explore.start(
      [run, "--port", "0", "--threads", "1"] + arguments, in: folder)
    let deadline = Date() + 30
    while !running.output.hasSuffix("}\n") && running.isRunning && Date() < deadline {
      usleep(5_000)
    }
    guard running.output.hasSuffix("}\n") else {
      running.signal(SIGKILL)
      let ended = try running.wait()
      throw CommandFailure(text: ended.errors)
    }
    let facts = try JSONSerialization.jsonObject(with: Data(running.output.utf8))
    let url = try #require((facts as? [String: Any])?["url"] as? String)
    port = try #require(URL(string: url)?.port.flatMap { UInt16(exactly: $0) })
  }

  struct CommandFailure: Error {
    let text: String
  }

  var url: String { "http://127.0.0.1:\(port)/" }

  /// Ends it as a user does.
  func stop(by number: Int32 = SIGINT) throws -> Ended {
    running.signal(number)
    return try running.wait()
  }

  /// Serves a run while `body` runs, and expects that nothing went wrong.
  static func serving(
    _ run: String, _ arguments: [String] = [], in folder: String,
    _ body: (ExploreServer) throws -> Void
  ) throws {
    let server = try ExploreServer(run, arguments, in: folder)
    do {
      try body(server)
    } catch {
      _ = try server.stop()
      throw error
    }
    let ended = try server.stop()
    ended.succeeded()
    #expect(ended.errors.isEmpty, "\(ended.errors)")
  }

  // MARK: Requests

  func get(_ path: String, _ headers: [String] = []) throws -> HTTPAnswer {
    try request("GET", path, headers, [])
  }

  func post(_ path: String, _ json: String, _ headers: [String] = []) throws -> HTTPAnswer {
    try request("POST", path, ["Content-Type: application/json"] + headers, Array(json.utf8))
  }

  func request(
    _ method: String, _ path: String, _ headers: [String], _ body: [UInt8]
  ) throws -> HTTPAnswer {
    var lines = ["\(method) \(path) HTTP/1.1"]
    if !headers.contains(where: { $0.hasPrefix("Host:") }) { lines.append("Host: localhost") }
    lines += headers
    if method == "POST" { lines.append("Content-Length: \(body.count)") }
    let head = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    return try send(head + body, hasBody: method != "HEAD")
  }

  /// Sends bytes on a connection of their own; `hasBody` says that an answer has what its head speaks of.
  func send(_ bytes: [UInt8], hasBody: Bool = true) throws -> HTTPAnswer {
    let client = try HTTPClient(port: port)
    client.write(bytes)
    return try client.answer(hasBody: hasBody)
  }
}

/// A connection.
final class HTTPClient {
  private let file: Int32
  private var buffer: [UInt8] = []

  init(port: UInt16) throws {
    file = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var patience = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(file, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    try #require(result == 0, "cannot connect to port \(port)")
  }

  deinit { close(file) }

  /// As much of the bytes as the other side takes.
  func write(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes {
        Glibc.send(file, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count <= 0 { return }
      rest = rest.dropFirst(count)
    }
  }

  /// False at the end of the stream, or where nothing came for a while.
  private func fill() -> Bool {
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    let count = recv(file, &chunk, chunk.count, 0)
    if count > 0 { buffer += chunk[..<count] }
    return count > 0
  }

  /// The next answer; status 0 where the connection ends instead.
  func answer(hasBody: Bool = true) throws -> HTTPAnswer {
    while true {
      if let end = buffer.indices.first(where: { buffer[$0...].starts(with: [13, 10, 13, 10]) }) {
        let lines = String(decoding: buffer[..<end], as: UTF8.self).components(separatedBy: "\r\n")
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
          let parts = line.split(separator: ":", maxSplits: 1)
          headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
        }
        let count = hasBody ? headers["content-length"].flatMap { Int($0) } ?? 0 : 0
        while buffer.count < end + 4 + count && fill() {}
        let body = Array(buffer[(end + 4)...].prefix(count))
        buffer.removeFirst(min(buffer.count, end + 4 + count))
        let status = Int(lines[0].split(separator: " ")[1]) ?? 0
        return HTTPAnswer(status: status, headers: headers, body: body)
      }
      if !fill() { return HTTPAnswer(status: 0, headers: [:], body: []) }
    }
  }
}

/// What came back.
struct HTTPAnswer {
  let status: Int
  let headers: [String: String]
  let body: [UInt8]

  var text: String { String(decoding: body, as: UTF8.self) }

  func json() throws -> [String: Any] {
    try #require(
      JSONSerialization.jsonObject(with: Data(body)) as? [String: Any], "\(status) \(text)")
  }

  func numbers(_ key: String) throws -> [Double] {
    try #require(try json()[key] as? [Double], "\(text)")
  }

  /// The sentence of a refusal.
  var error: String { (try? json()["error"] as? String) ?? "" }
}
