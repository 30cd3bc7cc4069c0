// From requests to answers.

import Foundation
import Latent

/// What can be asked.
struct Routes: Sendable {
  let explorer: Explorer
  let gate: Gate
  private let engine = Engine()

  init(_ explorer: Explorer, gate: Gate) {
    self.explorer = explorer
    self.gate = gate
  }

  /// Always an answer: a refusal in a sentence where nothing else is possible.
  func answer(_ request: HTTPRequest) async -> HTTPResponse {
    do {
      try gate.check(request)
      return try await respond(to: request)
    } catch let fault as HTTPFault {
      return HTTPResponse(fault)
    } catch let error as DecodingError {
      return HTTPResponse(HTTPFault(400, sentence(of: error)))
    } catch {
      let isOfUpload =
        error is StorageError || error is DatasetError || error is DataMisfit || error is InputError
      return HTTPResponse(HTTPFault(isOfUpload ? 400 : 500, "\(error)"))
    }
  }

  private func respond(to request: HTTPRequest) async throws -> HTTPResponse {
    let path = request.path
    if let file = WebPage.files[path] {
      return allowing(["GET", "HEAD"], request) ?? file
    }
    let explorer = explorer
    func get(_ body: @escaping @Sendable () throws -> HTTPResponse) async throws -> HTTPResponse {
      if let refusal = allowing(["GET", "HEAD"], request) { return refusal }
      return try await engine.compute(nil, body)
    }
    func post<Asked: Decodable & Sendable>(
      _ type: Asked.Type, _ body: @escaping @Sendable (Asked) throws -> HTTPResponse
    ) async throws -> HTTPResponse {
      if let refusal = allowing(["POST"], request) { return refusal }
      let asked = try decoded(type, request)
      return try await engine.compute(Ticket(request)) { try body(asked) }
    }
    switch path {
    case "/api/run": return try await get { try HTTPResponse(json: explorer.facts) }
    case "/api/map": return try await get { try HTTPResponse(json: explorer.map) }
    case "/api/decode":
      return try await post(Explorer.Decoding.self) { try explorer.view(explorer.decode($0)) }
    case "/api/draw":
      return try await post(Explorer.Drawing.self) {
        try HTTPResponse(json: ["z": explorer.draw($0)])
      }
    case "/api/interpolate":
      return try await post(Explorer.Walk.self) {
        try HTTPResponse(json: ["latents": explorer.walk($0)])
      }
    case "/api/neighbors":
      return try await post(Explorer.Search.self) {
        try HTTPResponse(json: ["neighbors": explorer.neighbors($0)])
      }
    case "/api/encode":
      if let refusal = allowing(["POST"], request) { return refusal }
      return try await engine.compute(Ticket(request)) {
        try HTTPResponse(json: ["z": explorer.encode(explorer.upload(request.body))])
      }
    default:
      let start = "/api/example/"
      guard path.hasPrefix(start) else { throw HTTPFault(404, "there is no such page") }
      let name = path.dropFirst(start.count)
      let isView = name.hasSuffix("/view")
      let index = try example(isView ? name.dropLast("/view".count) : name)
      return try await get {
        try isView
          ? explorer.view(explorer.inputs(of: index)) : HTTPResponse(json: explorer.example(index))
      }
    }
  }

  private func example(_ text: Substring) throws -> Int {
    let count = explorer.dataset.count
    guard text.utf8.allSatisfy({ (48...57).contains($0) }), let index = Int(text), index < count
    else {
      throw HTTPFault(404, "there is no example '\(text.prefix(40))': expected 0 to \(count - 1)")
    }
    return index
  }

  /// A refusal where the method is none of these.
  private func allowing(_ methods: [String], _ request: HTTPRequest) -> HTTPResponse? {
    if methods.contains(request.method) { return nil }
    let list = methods.joined(separator: ", ")
    var refusal = HTTPResponse(
      HTTPFault(405, "\(request.method.prefix(20)) \(request.path.prefix(80)): expected \(list)"))
    refusal.allowed = list
    return refusal
  }

  // MARK: Bodies

  private func decoded<Asked: Decodable>(
    _ type: Asked.Type, _ request: HTTPRequest
  ) throws -> Asked {
    // A page from elsewhere can send other types without asking first.
    let media = request.headers["content-type"]?.prefix { $0 != ";" }.lowercased()
    guard media == "application/json" else {
      throw HTTPFault(415, "expected a body of the type application/json")
    }
    return try JSONDecoder().decode(type, from: Data(request.body))
  }

  private func sentence(of error: DecodingError) -> String {
    func place(_ context: DecodingError.Context) -> String {
      context.codingPath.map { $0.intValue.map { "number \($0)" } ?? $0.stringValue }
        .joined(separator: ", ")
    }
    return switch error {
    case .keyNotFound(let key, _): "the body has no \(key.stringValue)"
    case .typeMismatch(let type, let context) where !context.codingPath.isEmpty:
      "\(place(context)): expected \(type == [Any].self ? "a list" : "\(type)")"
    case .valueNotFound(_, let context): "\(place(context)): expected a value, found null"
    case .dataCorrupted(let context) where !context.codingPath.isEmpty:
      "\(place(context)): \(context.debugDescription)"
    default: "the body is no JSON object of this request"
    }
  }
}
