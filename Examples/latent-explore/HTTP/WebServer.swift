// A small server over FlyingFox's sockets (decision 0042): connections are bounded in number, requests in size, and
// everything a client does in time.

import FlyingSocks
import Foundation
import Synchronization

/// Listens, and answers each request by a function.
struct WebServer: Sendable {
  /// What is waited for.
  enum Patience {
    /// Between two requests of a connection.
    static let idle = Duration.seconds(60)
    /// From the first byte of a request to its last.
    static let request = Duration.seconds(10)
    /// Until a client has taken an answer.
    static let answer = Duration.seconds(30)
    /// Until a client that was refused has sent the rest.
    static let rest = Duration.seconds(2)
  }

  /// Clients at the same time; a browser opens six.
  static let connectionLimit = 64

  typealias Answer = @Sendable (HTTPRequest) async -> HTTPResponse

  private let listener: Socket
  private let pool = SocketPool.ePoll()
  let port: UInt16

  /// - Parameter port: 0 takes a free one.
  /// - Throws: `SocketError`.
  init(at address: Address, port: UInt16) throws {
    listener = try address.listeningSocket(port: port)
    self.port =
      switch try listener.sockname() {
      case .ip4(_, let port), .ip6(_, let port): port
      case .unix: 0
      }
  }

  /// Serves until its task is cancelled.
  func run(_ answer: @escaping Answer) async throws {
    try await pool.prepare()
    let listener = try AsyncSocket(socket: listener, pool: pool)
    defer { try? listener.close() }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await pool.run() }
      group.addTask { await accept(from: listener, answer) }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  private func accept(from listener: AsyncSocket, _ answer: @escaping Answer) async {
    let count = Counter()
    await withDiscardingTaskGroup { group in
      while !Task.isCancelled {
        do {
          let connection = Connection(try await listener.accept())
          let isWelcome = count.value.withLock { $0 < WebServer.connectionLimit }
          // Of those that are too many, some are told so; the rest are let go at once.
          guard isWelcome || count.value.withLock({ $0 < 2 * WebServer.connectionLimit }) else {
            connection.close()
            continue
          }
          count.value.withLock { $0 += 1 }
          group.addTask {
            await isWelcome ? serve(connection, answer) : refuse(connection)
            connection.close()
            count.value.withLock { $0 -= 1 }
          }
        } catch {
          // A client that is gone already, or no free file: neither is the end of a server.
          try? await Task.sleep(for: .milliseconds(50))
        }
      }
    }
  }

  private final class Counter: Sendable {
    let value = Mutex(0)
  }

  private func refuse(_ connection: Connection) async {
    let fault = HTTPFault(503, "there are \(WebServer.connectionLimit) connections already")
    await end(connection, fault)
  }

  private func serve(_ connection: Connection, _ answer: Answer) async {
    do {
      while (try? await within(Patience.idle) { try await connection.awaitRequest() }) != nil {
        let request = try await within(Patience.request) { try await connection.request() }
        let response = await answer(request)
        let bytes = response.bytes(isLast: request.isLast, hasBody: request.method != "HEAD")
        try await within(Patience.answer) { try await connection.send(bytes) }
        if request.isLast { return }
      }
    } catch let fault as HTTPFault {
      await end(connection, fault)
    } catch {
      // The client is gone, or too slow even for an answer.
    }
  }

  /// The last answer of a connection.
  private func end(_ connection: Connection, _ fault: HTTPFault) async {
    try? await within(Patience.rest) {
      try await connection.send(HTTPResponse(fault).bytes(isLast: true))
      try await connection.drain()
    }
  }
}

/// The value of `body`, which is cancelled when the time is over.
/// - Throws: `HTTPFault` 408 then.
func within<Value: Sendable>(
  _ time: Duration, _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
  try await withThrowingTaskGroup(of: Value?.self) { group in
    group.addTask { try await body() }
    group.addTask {
      try await Task.sleep(for: time)
      return nil
    }
    defer { group.cancelAll() }
    guard let first = try await group.next(), let value = first else {
      throw HTTPFault(408, "the request took longer than it may")
    }
    return value
  }
}
