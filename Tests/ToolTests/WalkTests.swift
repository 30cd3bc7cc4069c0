// Paths, attributes, neighbours and maps from the shell, and sparse autoencoders of arrays.

import Foundation
import Latent
import Testing

@Suite struct WalkTests {
  /// A run on bars, in two classes by their direction.
  private func withRun(_ body: (String) throws -> Void) throws {
    try withTemporaryFolder { folder in
      try writePictures(64, to: "\(folder)/data.npy")
      try NPY.write(
        NDArray((0..<64).map { Int32($0 % 2) }, shape: [64]), to: "\(folder)/labels.npy")
      try Tool.train.run(
        ["--data", "npy:data.npy:labels.npy", "--out", "run"] + smallRun, in: folder
      ).succeeded()
      try body(folder)
    }
  }

  private func isPicture(_ path: String) throws -> Bool {
    try bytes(path).starts(with: MainJobTests.pngSignature)
  }

  @Test func paths() throws {
    try withRun { folder in
      for path in ["linear", "spherical", "spherical-norm", "geodesic"] {
        let ended = try Tool.interpolate.run(
          ["run", "--path", path, "--rows", "2", "--steps", "5", "--out", "\(path).npy"], in: folder
        )
        ended.succeeded()
        #expect(try NPY.read("\(folder)/\(path).npy").shape == [2, 5, 8, 8, 1])
        let facts = try ended.json()
        if path == "geodesic" {
          let length = try #require(facts["length"] as? Double)
          #expect(length > 0 && length <= (facts["straightLength"] as? Double ?? 0) + 1e-4)
        }
      }
      let linear = try NPY.read("\(folder)/linear.npy")
      let geodesic = try NPY.read("\(folder)/geodesic.npy")
      func end(_ strip: NDArray) -> NDArray { strip.sliced(1, 4..<5) }
      #expect(end(linear) == end(geodesic))
      let wrong = try Tool.interpolate.run(
        ["run", "--path", "curved", "--out", "a.npy"], in: folder)
      #expect(wrong.code == 64 && wrong.errors.contains("geodesic"))
    }
  }

  /// Along the flow of a sampler, or of the prior; ends are those of other paths.
  @Test func flows() throws {
    try withRun { folder in
      func walk(_ words: String) throws -> Ended {
        try Tool.interpolate.run(
          words.split(separator: " ").map(String.init)
            + ["--rows", "2", "--steps", "5", "--overwrite"], in: folder)
      }
      try walk("run --path linear --out line.npy").succeeded()
      try walk(
        "run --path flow --sampler maf --set sampler.steps=5 --set sampler.hidden=[4] --out f.npy"
      ).succeeded()
      let (line, flow) = try (NPY.read("\(folder)/line.npy"), NPY.read("\(folder)/f.npy"))
      #expect(flow.shape == [2, 5, 8, 8, 1])
      for end in [0..<1, 4..<5] {
        let pairs = zip(line.sliced(1, end).floats, flow.sliced(1, end).floats)
        #expect(pairs.allSatisfy { Swift.abs($0 - $1) < 1e-3 })
      }
      let none = try walk("run --path flow --out f.npy")
      #expect(none.code == 64 && none.errors.contains("a prior that is a flow"), "\(none.errors)")
      let other = try walk("run --path linear --sampler maf --out f.npy")
      #expect(other.code == 64 && other.errors.contains("--sampler goes with --path flow"))
      try Tool.train.run(
        ["--data", "npy:data.npy", "--prior", "flow", "--out", "flowing"] + smallRun, in: folder
      ).succeeded()
      try walk("flowing --path flow --out f.npy").succeeded()
    }
  }

  @Test func attributes() throws {
    try withRun { folder in
      let ended = try Tool.interpolate.run(
        ["run", "--attribute", "1", "--rows", "3", "--steps", "4", "--out", "a.png"], in: folder)
      ended.succeeded()
      let facts = try ended.json()
      #expect(facts["with"] as? Int == 32 && facts["without"] as? Int == 32)
      #expect((facts["norm"] as? Double ?? 0) > 0 && facts["rows"] as? Int == 3)
      #expect(try isPicture("\(folder)/a.png"))
      let unknown = try Tool.interpolate.run(
        ["run", "--attribute", "5", "--out", "a.png"], in: folder)
      #expect(unknown.code == 65 && unknown.errors.contains("expected one of several labels"))
      let none = try Tool.interpolate.run(
        ["run", "--attribute", "1", "--data", "npy:data.npy", "--out", "a.png"], in: folder)
      #expect(none.code == 65 && none.errors.contains("has no labels"))
      let both = try Tool.interpolate.run(
        ["run", "--attribute", "1", "--path", "linear", "--out", "a.png"], in: folder)
      #expect(both.code == 64 && both.errors.contains("--attribute and --path exclude each other"))
    }
  }

  @Test func neighbours() throws {
    try withRun { folder in
      let ended = try Tool.search.run(
        ["run", "--query", "17,3", "--count", "4", "--exact", "--out", "n.csv"], in: folder)
      ended.succeeded()
      let facts = try ended.json()
      let lists = try #require(facts["neighbours"] as? [[Int]])
      let lengths = try #require(facts["distances"] as? [[Double]])
      #expect(lists.map(\.count) == [4, 4] && facts["recall"] as? Double == 1)
      #expect(!lists[0].contains(17) && !lists[1].contains(3))
      #expect(lengths.allSatisfy { $0 == $0.sorted() })
      let table = try String(contentsOfFile: "\(folder)/n.csv", encoding: .utf8)
        .split(separator: "\n").map { $0.split(separator: ",").map(String.init) }
      #expect(table[0] == ["query", "rank", "example", "distance", "label"] && table.count == 9)
      #expect(
        table.dropFirst().compactMap { Double($0[2]) } == lists.flatMap { $0.map(Double.init) })
      // By the latents themselves.
      try Tool.encode.run(["run", "--out", "z.npy"], in: folder).succeeded()
      let codes = try NPY.read("\(folder)/z.npy")
      let exact = ExactNeighbors(codes).nearest(5, to: codes.rows(17..<18))
      #expect(exact.indices.int32s.dropFirst().map(Int.init) == lists[0])
      let graph = try Tool.search.run(["run", "--query", "17", "--out", "n.png"], in: folder)
      graph.succeeded()
      #expect(try graph.json()["exact"] as? Bool == !NeighborGraph.isAvailable)
      #expect(try isPicture("\(folder)/n.png"))
      for (arguments, code, words) in [
        (["--query", "64"], 65, "example 64: "), (["--query", "a"], 64, "--query 'a': expected"),
        (["--query", "1", "--count", "64"], 65, "--count 64: "),
      ] as [([String], Int32, String)] {
        let wrong = try Tool.search.run(["run", "--out", "w.png"] + arguments, in: folder)
        #expect(wrong.code == code && wrong.errors.contains(words), "\(wrong.errors)")
      }
    }
  }

  @Test func maps() throws {
    try withRun { folder in
      let ended = try Tool.map.run(["run", "--out", "map.png", "--size", "200"], in: folder)
      ended.succeeded()
      let facts = try ended.json()
      // Two latents lie in a plane.
      #expect(facts["examples"] as? Int == 64)
      #expect(abs((facts["explained"] as? Double ?? 0) - 1) < 1e-6)
      #expect(try isPicture("\(folder)/map.png"))
      try Tool.map.run(["run", "--out", "map.csv", "--limit", "10"], in: folder).succeeded()
      let table = try String(contentsOfFile: "\(folder)/map.csv", encoding: .utf8)
        .split(separator: "\n")
      #expect(table.count == 11 && table[0] == "x,y,label")
      let wrong = try Tool.map.run(["run", "--out", "map.npy"], in: folder)
      #expect(
        wrong.code == 64 && wrong.errors.contains("expected a name that ends in .png, .svg or .csv")
      )
      try Tool.map.run(["run", "--out", "map.svg"], in: folder).succeeded()
      let chart = try String(contentsOfFile: "\(folder)/map.svg", encoding: .utf8)
      #expect(chart.hasPrefix("<?xml") && chart.contains("64 points"))
    }
  }

  /// Activations as NPY and HDF5, with every kind of code.
  @Test(arguments: ["topk", "batch-topk", "jumprelu"], ["sparse", "matryoshka"])
  func dictionaries(posterior: String, objective: String) throws {
    try withTemporaryFolder { folder in
      var random = RandomStream(seed: 1)
      let x = random.normal([80, 6])
      try NPY.write(x, to: "\(folder)/a.npy")
      try HDF5File.write(arrays: ["layer7": x], to: "\(folder)/a.h5")
      for (index, source) in ["npy:a.npy", "hdf5:a.h5:layer7"].enumerated() {
        let run = "run\(index)"
        let active = posterior == "jumprelu" ? [] : ["--set", "model.posterior.active=2"]
        try Tool.train.run(
          [
            "--data", source, "--model", "sparse", "--latent", "24", "--posterior", posterior,
            "--objective", objective, "--out", run, "--batch", "16", "--epochs", "2", "--threads",
            "1", "--quiet",
          ] + active, in: folder
        ).succeeded()
        try Tool.encode.run([run, "--out", "z.npy"], in: folder).succeeded()
        let codes = try NPY.read("\(folder)/z.npy")
        #expect(codes.shape[1] == 24 && codes.floats.allSatisfy { $0 >= 0 })
        if posterior == "topk" {
          #expect(codes.floats.count { $0 > 0 } <= 2 * codes.shape[0])
        }
        let metrics = try String(contentsOfFile: "\(folder)/\(run)/metrics.csv", encoding: .utf8)
        for name in ["unexplained", "active", "dead", "auxiliary"] {
          #expect(metrics.contains(name), "\(name)")
        }
      }
    }
  }
}
