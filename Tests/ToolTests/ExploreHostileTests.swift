// Whatever comes to latent-explore, it answers in a sentence and goes on.

import Foundation
import Latent
import Testing

@Suite struct ExploreHostileTests {
  /// A request that is refused: its bytes, the status, and a word of the sentence.
  struct Row: CustomTestStringConvertible {
    let testDescription: String
    let bytes: [UInt8]
    let status: Int
    let word: String

    init(_ name: String, _ text: String, _ status: Int, _ word: String) {
      testDescription = name
      bytes = Array(text.utf8)
      self.status = status
      self.word = word
    }
  }

  private static func head(_ first: String, _ lines: String...) -> String {
    ([first, "Host: localhost"] + lines).joined(separator: "\r\n") + "\r\n\r\n"
  }

  private static func posted(_ path: String, _ body: String, type: String = "application/json")
    -> String
  {
    head("POST \(path) HTTP/1.1", "Content-Type: \(type)", "Content-Length: \(body.utf8.count)")
      + body
  }

  private static let rows: [Row] = {
    let deep = String(repeating: "[", count: 100_000)
    let long = String(repeating: "a", count: 20_000)
    let chunked = head("POST /api/decode HTTP/1.1", "Transfer-Encoding: chunked") + "0\r\n\r\n"
    return [
      // Where it goes to and where it comes from.
      Row("no host", "GET / HTTP/1.1\r\n\r\n", 421, "Host"),
      Row("rebound name", "GET /api/run HTTP/1.1\r\nHost: evil.example:8017\r\n\r\n", 421, "Host"),
      Row(
        "name that begins well", "GET / HTTP/1.1\r\nHost: localhost.evil.example\r\n\r\n", 421,
        "Host"),
      Row("other address", "GET / HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n", 421, "Host"),
      Row("two hosts", head("GET / HTTP/1.1", "Host: evil.example"), 400, "two lines host"),
      Row(
        "foreign origin", head("GET /api/run HTTP/1.1", "Origin: http://evil.example"), 403,
        "Origin"),
      Row("no origin of a frame", head("GET /api/run HTTP/1.1", "Origin: null"), 403, "Origin"),
      Row(
        "secure origin", head("GET /api/run HTTP/1.1", "Origin: https://localhost"), 403, "Origin"),
      Row("other port", head("GET /api/run HTTP/1.1", "Origin: http://localhost:1"), 403, "Origin"),
      Row(
        "foreign picture", head("GET /api/example/0/view HTTP/1.1", "Sec-Fetch-Site: cross-site"),
        403,
        "Sec-Fetch-Site"),
      Row("asking before", head("OPTIONS /api/decode HTTP/1.1"), 405, "expected POST"),
      Row("plain text", posted("/api/decode", "{\"z\": [0, 0]}", type: "text/plain"), 415, "json"),
      // No HTTP.
      Row("nothing", "\r\n\r\n", 400, "first line"),
      Row("one word", "GET\r\n\r\n", 400, "first line"),
      Row("no path", "GET http://localhost/ HTTP/1.1\r\n\r\n", 400, "first line"),
      Row("old version", "GET / HTTP/1.0\r\n\r\n", 505, "HTTP/1.1"),
      Row("folded line", head("GET / HTTP/1.1", "A: b", " c"), 400, "NAME: VALUE"),
      Row("space in a name", head("GET / HTTP/1.1", "A : b"), 400, "NAME: VALUE"),
      Row("bare line ends", "GET / HTTP/1.1\nHost: localhost\n\r\n\r\n", 400, "first line"),
      Row("zero byte", head("GET / HTTP/1.1", "A: \0"), 400, "NAME: VALUE"),
      Row("endless head", head("GET / HTTP/1.1", "A: \(long)"), 431, "KiB"),
      Row("chunks", chunked, 411, "Content-Length"),
      Row(
        "length of no number", head("POST / HTTP/1.1", "Content-Length: +5"), 400, "Content-Length"),
      Row("negative length", head("POST / HTTP/1.1", "Content-Length: -1"), 400, "Content-Length"),
      Row(
        "two lengths", head("POST / HTTP/1.1", "Content-Length: 0", "Content-Length: 5"), 400, "two"
      ),
      Row("too large", head("POST /api/encode HTTP/1.1", "Content-Length: 1048577"), 413, "1 MiB"),
      Row(
        "far too large", head("POST /api/encode HTTP/1.1", "Content-Length: 99999999999999999999"),
        413,
        "1 MiB"),
      // Paths.
      Row("traversal", head("GET /../../../etc/passwd HTTP/1.1"), 404, "no such page"),
      Row("encoded traversal", head("GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1"), 404, "no such page"),
      Row("no file", head("GET /main.swift HTTP/1.1"), 404, "no such page"),
      Row("example beyond the end", head("GET /api/example/64 HTTP/1.1"), 404, "0 to 63"),
      Row("huge example", head("GET /api/example/99999999999999999999 HTTP/1.1"), 404, "0 to 63"),
      Row("negative example", head("GET /api/example/-1 HTTP/1.1"), 404, "0 to 63"),
      Row("empty example", head("GET /api/example/ HTTP/1.1"), 404, "0 to 63"),
      Row("wrong method", head("DELETE /api/run HTTP/1.1"), 405, "expected GET"),
      // JSON.
      Row("no JSON", posted("/api/decode", "{\"z\": [1, 2"), 400, "JSON"),
      Row("empty body", posted("/api/decode", ""), 400, "JSON"),
      Row("other JSON", posted("/api/decode", "[1, 2]"), 400, "JSON"),
      Row("deep JSON", posted("/api/decode", deep), 400, "JSON"),
      Row("no z", posted("/api/decode", "{}"), 400, "no z"),
      Row("z of words", posted("/api/decode", "{\"z\": [\"a\", 1]}"), 400, "z"),
      Row("z of null", posted("/api/decode", "{\"z\": [null, 1]}"), 400, "z"),
      Row("short z", posted("/api/decode", "{\"z\": [1]}"), 400, "expected 2"),
      Row("long z", posted("/api/decode", "{\"z\": [1, 2, 3]}"), 400, "expected 2"),
      Row("NaN", posted("/api/decode", "{\"z\": [NaN, 1]}"), 400, ""),
      Row("infinite", posted("/api/decode", "{\"z\": [1e999, 1]}"), 400, ""),
      Row("enormous", posted("/api/decode", "{\"z\": [1e300, 1]}"), 400, "at most"),
      Row(
        "cold", posted("/api/decode", "{\"z\": [1, 1], \"temperature\": -1}"), 400, "temperature"),
      Row("seed", posted("/api/decode", "{\"z\": [1, 1], \"seed\": -1}"), 400, "seed"),
      Row("no condition", posted("/api/draw", "{\"condition\": 0}"), 400, "knows none"),
      Row("spread", posted("/api/draw", "{\"spread\": 1e9}"), 400, "spread"),
      Row("no neighbours", posted("/api/neighbors", "{\"z\": [1, 1], \"count\": 0}"), 400, "count"),
      Row(
        "all neighbours", posted("/api/neighbors", "{\"z\": [1, 1], \"count\": 100000}"), 400,
        "count"),
      Row(
        "steps",
        posted("/api/interpolate", "{\"from\": [1, 1], \"to\": [0, 1], \"steps\": 1000000}"), 400,
        "steps"),
      Row(
        "path",
        posted(
          "/api/interpolate", "{\"from\": [1, 1], \"to\": [0, 1], \"steps\": 3, \"path\": \"up\"}"),
        400, "linear"),
      // Files.
      Row("no picture", posted("/api/encode", "GIF89a", type: "image/png"), 400, "PNG"),
      Row("cut array", posted("/api/encode", "\u{93}NUMPY", type: "image/png"), 400, ""),
    ]
  }()

  @Test func refusals() throws {
    try ExploreTests.withRun { folder in
      try ExploreServer.serving("run", in: folder) { server in
        for row in ExploreHostileTests.rows {
          let answer = try server.send(row.bytes)
          #expect(answer.status == row.status, "\(row.testDescription): \(answer.text)")
          #expect(!answer.error.isEmpty, "\(row.testDescription): \(answer.text)")
          #expect(
            row.word.isEmpty || answer.error.contains(row.word),
            "\(row.testDescription): \(answer.error)")
        }
        #expect(try server.get("/api/run").status == 200)
      }
    }
  }

  /// What a browser sends of the page itself is welcome.
  @Test func ownPage() throws {
    try ExploreTests.withRun { folder in
      try ExploreServer.serving("run", in: folder) { server in
        for host in ["localhost", "LOCALHOST:1", "127.0.0.1:\(server.port)", "[::1]:9"] {
          let own = ["Host: \(host)", "Origin: http://\(host)", "Sec-Fetch-Site: same-origin"]
          let answer = try server.get("/api/run", own)
          #expect(answer.status == 200, "\(host): \(answer.text)")
        }
        // A link from elsewhere.
        let link = ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"]
        #expect(try server.get("/", link).status == 200)
        #expect(try server.get("/api/run", link).status == 403)
      }
    }
  }

  /// The files of uploads that would cost more than they say.
  @Test func uploads() throws {
    try ExploreTests.withRun { folder in
      try ExploreServer.serving("run", in: folder) { server in
        func encode(_ bytes: [UInt8]) throws -> HTTPAnswer {
          try server.request("POST", "/api/encode", [], bytes)
        }
        if PNG.canDecode {
          let wide = try encode(
            PNG.encode(NDArray([UInt8](repeating: 0, count: 4000), shape: [1, 4000])))
          #expect(wide.status == 400 && wide.error.contains("4000 x 1"), "\(wide.text)")
          var cut = try PNG.encode(NDArray([UInt8](repeating: 0, count: 64), shape: [8, 8]))
          cut.removeLast(30)
          #expect(try encode(cut).status == 400)
          // Another size and colours are brought to those of the data.
          let large = NDArray([UInt8](repeating: 90, count: 30 * 20 * 3), shape: [30, 20, 3])
          #expect(try encode(PNG.encode(large)).status == 200)
        }
        let other = try encode(NPY.encode(NDArray([Float](repeating: 0, count: 9), shape: [3, 3])))
        #expect(
          other.status == 400 && other.error.contains("expected one example"), "\(other.text)")
        for wrong in [Float.nan, .infinity, 7] {
          let array = NDArray([Float](repeating: wrong, count: 64), shape: [8, 8])
          let answer = try encode(NPY.encode(array))
          #expect(answer.status == 400 && !answer.error.isEmpty, "\(wrong): \(answer.text)")
        }
        // A header that promises more than there is.
        var header = NPY.encode(NDArray([Float](repeating: 0, count: 64), shape: [8, 8]))
        header.removeLast(16)
        #expect(try encode(header).status == 400)
      }
    }
  }

  /// Of requests in a row only the newest counts.
  @Test func superseded() throws {
    try ExploreTests.withRun { folder in
      try ExploreServer.serving("run", in: folder) { server in
        func decode(_ stream: String, _ number: Int) throws -> Int {
          try server.post(
            "/api/decode", "{\"z\": [0, 0]}", ["X-Stream: \(stream)", "X-Number: \(number)"]
          ).status
        }
        let row = [("a", 7, 200), ("a", 3, 409), ("a", 8, 200), ("b", 3, 200)]
        for (stream, number, status) in row {
          let found = try decode(stream, number)
          #expect(found == status, "\(stream) \(number)")
        }
        // Streams that somebody makes up take no memory for ever.
        for index in 0..<300 { #expect(try decode("s\(index)", 1) == 200) }
      }
    }
  }

  /// Several requests on a connection, in one piece or byte by byte; and one that is not finished does not hold up others.
  @Test func connections() throws {
    try ExploreTests.withRun { folder in
      try ExploreServer.serving("run", in: folder) { server in
        let request = Array(ExploreHostileTests.posted("/api/decode", "{\"z\": [0, 0]}").utf8)
        let client = try HTTPClient(port: server.port)
        client.write(request + request)
        #expect(try client.answer().status == 200)
        #expect(try client.answer().status == 200)
        for byte in request {
          client.write([byte])
          usleep(200)
        }
        #expect(try client.answer().status == 200)
        // The body of a refused request is no request.
        let inner = "GET /api/run HTTP/1.1\r\nHost: localhost\r\n\r\n"
        let outer = ExploreHostileTests.head("POST /api/encode HTTP/1.1", "Content-Length: 2000000")
        let smuggler = try HTTPClient(port: server.port)
        smuggler.write(Array((outer + inner).utf8))
        #expect(try smuggler.answer().status == 413)
        #expect(try smuggler.answer().status == 0)
        // A slow client is told so in the end; meanwhile others are answered.
        let slow = try HTTPClient(port: server.port)
        slow.write(Array("GET /api/run HTTP/1.1\r\nHost: loc".utf8))
        let start = Date()
        #expect(try server.get("/api/run").status == 200)
        #expect(Date().timeIntervalSince(start) < 5)
        #expect(try slow.answer().status == 408)
        #expect((9...19).contains(Date().timeIntervalSince(start)))
      }
    }
  }

  /// More connections than there may be are refused, and those that end make room.
  @Test func crowds() throws {
    try ExploreTests.withRun { folder in
      try ExploreServer.serving("run", in: folder) { server in
        var crowd: [HTTPClient] = []
        for _ in 0..<64 {
          let client = try HTTPClient(port: server.port)
          client.write(Array("GET /icon.svg HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
          #expect(try client.answer().status == 200)
          crowd.append(client)
        }
        #expect(try server.get("/api/run").status == 503)
        crowd = []
        let deadline = Date() + 10
        var status = 0
        while status != 200 && Date() < deadline { status = try server.get("/api/run").status }
        #expect(status == 200)
      }
    }
  }
}
