// The house: a module imports only what stands above it.

import Foundation
import Latent
import Testing

@Suite struct HouseTests {
  /// What each module may import besides the toolchain's own modules.
  static let house: [(target: String, mayImport: Set<String>)] = {
    let c: Set<String> = [
      "CLatentBLAS", "CLatentHDF5", "CLatentZlib", "CLatentPNG", "CLatentDNN", "CLatentKernels",
      "CLatentSignals", "CLatentDigest", "CLatentFiles", "CLatentHNSW",
    ]
    let low: Set<String> = ["LatentNumerics", "LatentAutodiff"]
    let middle = low.union(["LatentLayers", "LatentDistributions"])
    let upper = middle.union(["LatentOptimizers", "LatentStorage"])
    let models = upper.union(["LatentDatasets", "LatentModels"])
    let top = models.union(["LatentEvaluation", "CLatentSignals"])
    return [
      ("LatentNumerics", c), ("LatentAutodiff", ["LatentNumerics"]), ("LatentLayers", low),
      ("LatentDistributions", low),
      ("LatentOptimizers", middle.subtracting(["LatentDistributions"])),
      ("LatentStorage", c.union(["LatentNumerics"])),
      ("LatentDatasets", ["LatentNumerics", "LatentStorage"]),
      ("LatentModels", middle.union(["LatentOptimizers"])),
      ("LatentFigures", ["LatentNumerics", "LatentStorage"]),
      ("LatentEvaluation", models.union(["CLatentFeatures"])),
      ("LatentTraining", top), ("Latent", top.union(["LatentFigures", "LatentTraining"])),
    ]
  }()

  @Test("Every posterior and objective names its source and the test that holds it to its formula")
  func originsNameFiles() {
    let origins =
      ObjectiveSettings.all.map { $0.origin } + PosteriorSettings.all.map { $0.origin }
      + CodesSettings.all.map { $0.origin }
    for (folder, paths) in [("Sources", origins.map(\.file)), ("Tests", origins.map(\.test))] {
      let files = Checkout.files(below: folder, ending: ".swift").map { $0.split(separator: "/") }
      let known = Set(files.map { "\($0[1])/\($0[$0.count - 1])" })
      for path in paths { #expect(known.contains(path), "\(folder): \(path)") }
    }
  }

  @Test("A module imports only what stands above it", arguments: house.map(\.target))
  func imports(target: String) throws {
    let allowed = try #require(HouseTests.house.first { $0.target == target }).mayImport
    let files = Checkout.files(below: "Sources/\(target)", ending: ".swift")
    #expect(!files.isEmpty)
    for file in files {
      for line in try Checkout.text(file).split(separator: "\n") {
        let words = line.split(separator: " ").filter { !$0.hasPrefix("@") }
        guard words.first == "import", let module = words.last, module.contains("Latent") else {
          continue
        }
        #expect(allowed.contains(String(module)), "\(file) imports \(module)")
      }
    }
  }

  @Test("Every module of the library stands in the table")
  func tableIsComplete() throws {
    let folders = try FileManager.default.contentsOfDirectory(
      atPath: Checkout.root.appendingPathComponent("Sources").path)
    let modules = folders.filter { name in
      name.hasPrefix("Latent")
        && !Checkout.files(below: "Sources/\(name)", ending: ".swift").isEmpty
    }
    #expect(Set(modules) == Set(HouseTests.house.map(\.target)))
  }

  @Test("The architecture page shows every target of the manifest")
  func architecturePage() throws {
    let page = try Checkout.text("docs/architecture.md")
    for folder in try FileManager.default.contentsOfDirectory(
      atPath: Checkout.root.appendingPathComponent("Sources").path)
    where Checkout.files(below: "Sources/\(folder)", ending: "").isEmpty == false {
      #expect(page.contains("`\(folder)`"), "docs/architecture.md does not show \(folder)")
    }
  }

  @Test("No unfinished marks and no unsafe flags")
  func noLooseEnds() throws {
    let files =
      ["Package.swift"]
      + ["Sources", "Examples"].flatMap { Checkout.files(below: $0, ending: ".swift") }
      + Checkout.files(below: "Sources", ending: ".c")
    let marks = ["TO" + "DO", "FIX" + "ME", "unsafe" + "Flags"]
    for file in files {
      let text = try Checkout.text(file)
      for mark in marks { #expect(!text.contains(mark), "\(file) contains \(mark)") }
    }
  }
}
