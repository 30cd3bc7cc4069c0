// latent-explore answers what the library computes, for every kind of data and of latents.

import Foundation
import Latent
import Testing

@Suite struct ExploreTests {
  /// A run on bars, in two classes by their direction.
  static func withRun(
    _ arguments: [String] = [], _ body: (String) throws -> Void
  ) throws {
    try withTemporaryFolder { folder in
      try writePictures(64, to: "\(folder)/data.npy")
      try NPY.write(
        NDArray((0..<64).map { Int32($0 % 2) }, shape: [64]), to: "\(folder)/labels.npy")
      try Tool.train.run(
        ["--data", "npy:data.npy:labels.npy", "--out", "run"] + smallRun + arguments, in: folder
      ).succeeded()
      try body(folder)
    }
  }

  /// A run on texts of 16 bytes, which are returned in one piece.
  @discardableResult
  static func trainText(in folder: String) throws -> String {
    let words = String(repeating: "a small text of few words.\n", count: 40)
    try Data(words.utf8).write(to: URL(fileURLWithPath: "\(folder)/a.txt"))
    try Tool.train.run(
      [
        "--data", "text:a.txt:16", "--model", "gru-text", "--latent", "3", "--epochs", "1",
        "--batch",
        "16", "--threads", "1", "--quiet", "--out", "run",
      ], in: folder
    ).succeeded()
    return words
  }

  static func trainNumbers(shape: Shape, in folder: String) throws {
    var random = RandomStream(seed: 1)
    try NPY.write(random.normal(shape), to: "\(folder)/a.npy")
    try Tool.train.run(
      ["--data", "npy:a.npy", "--likelihood", "normal", "--out", "run"] + smallRun, in: folder
    ).succeeded()
  }

  private func json(_ z: [Double]) -> String { "[\(z.map { "\($0)" }.joined(separator: ","))]" }

  /// The page comes from the binary alone, and names no other server.
  @Test func page() throws {
    try ExploreTests.withRun { folder in
      try ExploreServer.serving("run", in: folder) { server in
        let page = try server.get("/")
        #expect(page.status == 200 && page.headers["content-type"] == "text/html; charset=utf-8")
        #expect(page.headers["content-security-policy"]?.hasPrefix("default-src 'none'") == true)
        let names = [
          "style.css", "main.js", "api.js", "map.js", "sliders.js", "strips.js", "views.js",
          "icon.svg",
        ]
        for name in names {
          let file = try server.get("/\(name)")
          #expect(file.status == 200 && !file.body.isEmpty, "\(name)")
          let links = file.text.replacingOccurrences(of: "http://www.w3.org/2000/svg", with: "")
          #expect(!links.contains("http:") && !links.contains("https:"), "\(name)")
          #expect(try server.request("HEAD", "/\(name)", [], []).body.isEmpty)
        }
        #expect(!page.text.contains("http"))
      }
    }
  }

  @Test func answers() throws {
    try ExploreTests.withRun { folder in
      let run = try Run(path: "\(folder)/run")
      let data = try NPY.read("\(folder)/data.npy")
      let pixels = try ArrayDataset(inputs: data, bytes: .pictures).batch(0..<64).inputs
      let x = Tensor(pixels.reshaped([64, 8, 8, 1]))
      let codes = codes(of: x, run.model)
      try ExploreServer.serving("run", in: folder) { server in
        let facts = try server.get("/api/run").json()
        #expect(facts["kind"] as? String == "picture" && facts["examples"] as? Int == 64)
        let sliders = try #require(facts["sliders"] as? [[String: Any]])
        let nats = sliders.compactMap { $0["divergence"] as? Double }
        #expect(nats.count == 2 && nats == nats.sorted(by: >))
        let map = try server.get("/api/map").json()
        #expect((map["places"] as? [Double])?.count == 128)
        #expect((map["labels"] as? [Int])?.prefix(4) == [0, 1, 0, 1])
        // An example, its latent, and that decoded.
        let example = try server.get("/api/example/5")
        let z = try example.numbers("z")
        #expect(close(z, codes.selecting(5).doubles))
        let view = try server.get("/api/example/5/view")
        #expect(try view.body == picture(x.sliced(0, 5..<6)))
        let decoded = try server.post("/api/decode", "{\"z\": \(json(z))}")
        #expect(decoded.headers["content-type"] == "image/png")
        let latent = Tensor(z.map { Float($0) }).reshaped([1, 2])
        #expect(try decoded.body == picture(decoding(latent, run.model)))
        // Draws of the likelihood differ by their seed alone.
        func draw(_ seed: Int) throws -> [UInt8] {
          try server.post(
            "/api/decode", "{\"z\": \(json(z)), \"temperature\": 1, \"seed\": \(seed)}"
          ).body
        }
        let (one, again, two) = try (draw(1), draw(1), draw(2))
        #expect(one == again && one != two)
        let first = try server.post("/api/draw", "{\"seed\": 3}").numbers("z")
        let wide = try server.post("/api/draw", "{\"seed\": 3, \"spread\": 2}").numbers("z")
        #expect(close(wide, first.map { 2 * $0 }))
        #expect(try server.post("/api/draw", "{\"seed\": 4}").numbers("z") != first)
        // Neighbours: the example itself at distance 0, then as an exact search has them.
        let search = try server.post("/api/neighbors", "{\"z\": \(json(z)), \"count\": 5}").json()
        let found = try #require(search["neighbors"] as? [[String: Any]])
        let exact = ExactNeighbors(codes.array).nearest(5, to: codes.array.rows(5..<6))
        #expect(found.compactMap { $0["index"] as? Int } == exact.indices.int32s.map(Int.init))
        // Paths.
        for path in Interpolation.allCases {
          let other = codes.selecting(9).doubles
          let walk = try server.post(
            "/api/interpolate",
            "{\"from\": \(json(z)), \"to\": \(json(other)), \"steps\": 4, \"path\": \"\(path.rawValue)\"}"
          )
          let points = try #require(try walk.json()["latents"] as? [[Double]])
          let expected = interpolated(
            from: codes.selecting(5), to: codes.selecting(9), steps: 4, path)
          #expect(close(points.flatMap { $0 }, expected.doubles), "\(path)")
        }
        // Uploads: the same example as an array, and as a picture.
        let array = NPY.encode(data.rows(5..<6).reshaped([8, 8]))
        let octets = "Content-Type: application/octet-stream"
        let encoded = try server.request("POST", "/api/encode", [octets], array)
        #expect(try close(encoded.numbers("z"), z), "\(encoded.text)")
        if PNG.canDecode {
          let image = try server.request("POST", "/api/encode", [octets], view.body)
          #expect(try close(image.numbers("z"), z), "\(image.text)")
        }
      }
    }
  }

  private func codes(of x: Tensor, _ model: some LatentVariableModel) -> Tensor {
    model.codes(of: x)
  }

  private func decoding(_ z: Tensor, _ model: some LatentVariableModel) throws -> Tensor {
    try model.decode(z).point(for: "a test")
  }

  private func picture(_ x: Tensor) throws -> [UInt8] {
    try PNG.encode(ImageGrid.tile(x.array, columns: 1, gap: 0))
  }

  private func close(_ a: [Double], _ b: [Double]) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) < 1e-4 }
  }

  @Test func texts() throws {
    try withTemporaryFolder { folder in
      let words = try ExploreTests.trainText(in: folder)
      try ExploreServer.serving("run", in: folder) { server in
        #expect(try server.get("/api/run").json()["kind"] as? String == "text")
        let view = try server.get("/api/example/0/view").json()
        #expect(view["text"] as? String == String(words.prefix(16)))
        let z = try server.get("/api/example/0").numbers("z")
        for temperature in ["0", "0.7"] {
          let decoded = try server.post(
            "/api/decode", "{\"z\": \(json(z)), \"temperature\": \(temperature)}")
          #expect(try decoded.json()["text"] as? String != nil)
        }
        let encoded = try server.request(
          "POST", "/api/encode", [], Array(words.utf8.prefix(16)))
        #expect(try close(encoded.numbers("z"), z))
        #expect(try server.request("POST", "/api/encode", [], Array("ab".utf8)).status == 200)
        #expect(try server.request("POST", "/api/encode", [], []).status == 400)
      }
    }
  }

  @Test func tables() throws {
    try withTemporaryFolder { folder in
      try ExploreTests.trainNumbers(shape: [80, 6], in: folder)
      try ExploreServer.serving("run", in: folder) { server in
        #expect(try server.get("/api/run").json()["kind"] as? String == "table")
        let view = try server.get("/api/example/3/view")
        #expect(try view.json()["shape"] as? [Int] == [1, 6])
        #expect(try server.post("/api/decode", "{\"z\": [1e4, -1e4]}").numbers("values").count == 6)
        // No picture is an example of a table.
        let png = try PNG.encode(NDArray([UInt8](repeating: 0, count: 4), shape: [2, 2]))
        let refused = try server.request("POST", "/api/encode", [], png)
        #expect(refused.status == 400 && refused.error.contains("no pictures"), "\(refused.text)")
      }
    }
  }

  /// Latents of every kind that can be walked through: what is set beside their set is drawn back to it.
  @Test(arguments: [
    ("vmf", "sphere"), ("sphere-point", "sphere"), ("poincare", "ball"), ("binary", "switches"),
    ("relaxed-binary", "from 0 to 1"), ("full", ""), ("iaf", ""), ("point", ""),
  ]) func grounds(posterior: String, note: String) throws {
    try ExploreTests.withRun(["--posterior", posterior, "--latent", "3"]) { folder in
      try ExploreServer.serving("run", in: folder) { server in
        let facts = try server.get("/api/run").json()
        #expect((facts["note"] as? String ?? "").contains(note) || note.isEmpty)
        #expect(facts["isOpen"] as? Bool == note.isEmpty)
        let own = try server.get("/api/example/0").numbers("z")
        for z in [own, [9, 0, 0], [-9, 9, 9]] {
          #expect(try server.post("/api/decode", "{\"z\": \(json(z))}").status == 200)
          #expect(try server.post("/api/neighbors", "{\"z\": \(json(z))}").status == 200)
        }
        let draw = try server.post("/api/draw", "{\"spread\": 3}").numbers("z")
        for path in ["linear", "spherical"] {
          let walk = try server.post(
            "/api/interpolate",
            "{\"from\": \(json(draw)), \"to\": [0, 9, 0.1], \"steps\": 4, \"path\": \"\(path)\"}")
          let points = try #require(try walk.json()["latents"] as? [[Double]], "\(walk.text)")
          for point in points {
            let length = point.reduce(0) { $0 + $1 * $1 }.squareRoot()
            switch note {
            case "sphere":
              let radius = posterior == "vmf" ? 1 : 3.0.squareRoot()
              #expect(abs(length - radius) < 1e-4)
            case "ball": #expect(length < 1)
            case "switches": #expect(point.allSatisfy { $0 == 0 || $0 == 1 })
            case "from 0 to 1": #expect(point.allSatisfy { (0...1).contains($0) })
            default: #expect(point.allSatisfy { $0.isFinite })
            }
          }
        }
        if note == "sphere" {
          let middle = try server.post("/api/decode", "{\"z\": [0, 0, 0]}")
          #expect(middle.status == 400 && middle.error.contains("sphere"))
        }
      }
    }
  }

  @Test func conditions() throws {
    try ExploreTests.withRun([
      "--set", "model.prior.name=hierarchical", "--set", "model.prior.classes=2",
    ]) { folder in
      try ExploreServer.serving("run", ["--label", "1"], in: folder) { server in
        let facts = try server.get("/api/run").json()
        #expect(facts["conditions"] as? [String] == ["0", "1"] && facts["condition"] as? Int == 1)
        func drawn(_ condition: String) throws -> HTTPAnswer {
          try server.post("/api/draw", "{\"seed\": 1, \"condition\": \(condition)}")
        }
        let (zero, one) = try (drawn("0").numbers("z"), drawn("1").numbers("z"))
        #expect(zero != one)
        #expect(try drawn("null").status == 200)
        for wrong in ["2", "-1", "1e9", "\"a\""] { #expect(try drawn(wrong).status == 400) }
      }
    }
  }

  /// Between codes or classes there is nothing to walk through, and a sentence says what else can be done.
  @Test(arguments: ["codes", "straight-through"]) func nothingBetween(posterior: String) throws {
    try ExploreTests.withRun(["--posterior", posterior, "--latent", "4"]) { folder in
      let ended = try Tool.explore.run(["run", "--port", "0"], in: folder)
      #expect(ended.code == 65 && ended.errorLines.count == 1, "\(ended.errors)")
      #expect(ended.errors.contains("nothing to walk") && ended.errors.contains("latent-generate"))
    }
  }

  /// Levels of a hierarchy are one vector; maps of latents are walked through element by element.
  @Test func shapes() throws {
    try withTemporaryFolder { folder in
      try writePictures(64, to: "\(folder)/data.npy")
      try Tool.train.run(
        [
          "--data", "npy:data.npy", "--model", "ladder-mlp", "--out", "run", "--batch", "16",
          "--epochs",
          "1", "--threads", "1", "--quiet",
        ], in: folder
      ).succeeded()
      try ExploreServer.serving("run", in: folder) { server in
        let facts = try server.get("/api/run").json()
        let count = try #require((facts["sliders"] as? [Any])?.count)
        let z = json([Double](repeating: 0.5, count: count))
        #expect(try server.post("/api/decode", "{\"z\": \(z)}").status == 200)
        #expect(try server.post("/api/draw", "{\"spread\": 0.5}").numbers("z").count == count)
      }
    }
  }

  @Test func ends() throws {
    try ExploreTests.withRun { folder in
      for number in [SIGINT, SIGTERM] {
        let server = try ExploreServer("run", in: folder)
        // Also while a connection is open.
        let client = try HTTPClient(port: server.port)
        client.write(Array("GET / HTTP/1.1\r\n".utf8))
        let ended = try server.stop(by: number)
        #expect(ended.code == 0 && !ended.bySignal && ended.errors.isEmpty, "\(ended.errors)")
      }
      try ExploreServer.serving("run", in: folder) { server in
        let second = try Tool.explore.run(["run", "--port", "\(server.port)"], in: folder)
        #expect(second.code == 71 && second.errorLines.count == 1, "\(second.errors)")
        #expect(second.errors.contains("\(server.port)") && second.errors.contains("in use"))
      }
      for (arguments, words) in [
        (["--host", "example.org"], "--host 'example.org'"), (["--port", "70000"], "--port 70000"),
        (["--limit", "1"], "--limit 1"),
      ] {
        let ended = try Tool.explore.run(["run"] + arguments, in: folder)
        #expect(ended.code == 64 && ended.errors.contains(words), "\(ended.errors)")
      }
    }
  }
}
