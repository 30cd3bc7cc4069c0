// swift-tools-version: 6.2
import Foundation
import PackageDescription

/// Whether one of `headers` is present where the C compiler looks by default. Optional libraries
/// switch their trait on by themselves; `--traits` and `--disable-default-traits` overrule this.
func systemHasHeader(_ headers: String...) -> Bool {
  let extra = ProcessInfo.processInfo.environment["CPATH"]?.split(separator: ":").map(String.init)
  let folders = ["/usr/include", "/usr/local/include"] + (extra ?? [])
  return folders.contains { folder in
    headers.contains { FileManager.default.fileExists(atPath: "\(folder)/\($0)") }
  }
}

var defaultTraits: Set<String> = []
if systemHasHeader("oneapi/dnnl/dnnl.h") { defaultTraits.insert("OneDNN") }
if systemHasHeader("png.h") { defaultTraits.insert("PNG") }
if systemHasHeader("hnswlib/hnswlib.h") { defaultTraits.insert("HNSW") }

let package = Package(
  name: "latent",
  products: [
    .library(name: "Latent", targets: ["Latent"]),
    // What the command-line tools share, for `Benchmarks/`.
    .library(name: "LatentCommands", targets: ["LatentCommands"]),
    .executable(name: "latent-train", targets: ["latent-train"]),
    .executable(name: "latent-encode", targets: ["latent-encode"]),
    .executable(name: "latent-interpolate", targets: ["latent-interpolate"]),
    .executable(name: "latent-generate", targets: ["latent-generate"]),
    .executable(name: "latent-quantize", targets: ["latent-quantize"]),
    .executable(name: "latent-merge", targets: ["latent-merge"]),
    .executable(name: "latent-reproduce", targets: ["latent-reproduce"]),
    .executable(name: "latent-stylize", targets: ["latent-stylize"]),
    .executable(name: "latent-search", targets: ["latent-search"]),
    .executable(name: "latent-map", targets: ["latent-map"]),
    .executable(name: "latent-evaluate", targets: ["latent-evaluate"]),
    .executable(name: "latent-explore", targets: ["latent-explore"]),
  ],
  traits: [
    .trait(name: "OneDNN", description: "Matrix products by oneDNN (Debian: libdnnl-dev)."),
    .trait(name: "PNG", description: "Reads PNG images through libpng (Debian: libpng-dev)."),
    .trait(name: "HNSW", description: "Neighbours by a graph, hnswlib (Debian: libhnswlib-dev)."),
    .default(enabledTraits: defaultTraits),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    // Configuration files of the command-line tools; the library does not use it.
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    // The sockets of latent-explore; the library does not use it.
    .package(url: "https://github.com/swhitty/FlyingFox", from: "0.27.1"),
  ],
  targets: [
    // 0: C
    .target(name: "CLatentBLAS"),
    .systemLibrary(name: "CLatentHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"])]),
    .systemLibrary(name: "CLatentZlib", providers: [.apt(["zlib1g-dev"])]),
    .target(
      name: "CLatentDNN",
      cSettings: [.define("LATENT_ONEDNN", .when(traits: ["OneDNN"]))]),
    .target(
      name: "CLatentPNG",
      cSettings: [.define("LATENT_PNG", .when(traits: ["PNG"]))],
      linkerSettings: [.linkedLibrary("png", .when(traits: ["PNG"]))]),
    .target(
      name: "CLatentHNSW",
      cxxSettings: [.define("LATENT_HNSW", .when(traits: ["HNSW"]))]),
    .target(name: "CLatentKernels", cSettings: [.headerSearchPath(".")]),
    .target(name: "CLatentSignals"),
    .target(name: "CLatentDigest"),
    .target(name: "CLatentFeatures", exclude: ["latent-features-1.h5"]),
    .target(name: "CLatentFiles"),
    // 1
    .target(
      name: "LatentNumerics",
      dependencies: ["CLatentBLAS", "CLatentDNN", "CLatentHNSW", "CLatentKernels"]),
    // 2
    .target(name: "LatentAutodiff", dependencies: ["LatentNumerics"]),
    // 3
    .target(name: "LatentLayers", dependencies: ["LatentNumerics", "LatentAutodiff"]),
    .target(name: "LatentDistributions", dependencies: ["LatentNumerics", "LatentAutodiff"]),
    // 4
    .target(
      name: "LatentOptimizers", dependencies: ["LatentNumerics", "LatentAutodiff", "LatentLayers"]),
    .target(
      name: "LatentStorage",
      dependencies: [
        "LatentNumerics", "CLatentHDF5", "CLatentZlib", "CLatentPNG", "CLatentDigest",
        "CLatentFiles",
      ]),
    // 5
    .target(name: "LatentDatasets", dependencies: ["LatentNumerics", "LatentStorage"]),
    .target(
      name: "LatentModels",
      dependencies: [
        "LatentNumerics", "LatentAutodiff", "LatentLayers", "LatentDistributions",
        "LatentOptimizers",
      ]),
    .target(name: "LatentFigures", dependencies: ["LatentNumerics", "LatentStorage"]),
    // 6
    .target(
      name: "LatentEvaluation",
      dependencies: [
        "CLatentFeatures", "LatentNumerics", "LatentAutodiff", "LatentLayers",
        "LatentDistributions",
        "LatentOptimizers", "LatentStorage", "LatentDatasets", "LatentModels",
      ]),
    // 7
    .target(
      name: "LatentTraining",
      dependencies: [
        "CLatentSignals", "LatentNumerics", "LatentAutodiff", "LatentLayers",
        "LatentDistributions", "LatentOptimizers", "LatentStorage", "LatentDatasets",
        "LatentModels", "LatentEvaluation",
      ]),
    // 8
    .target(
      name: "Latent",
      dependencies: [
        "LatentNumerics", "LatentAutodiff", "LatentLayers", "LatentDistributions",
        "LatentOptimizers", "LatentStorage", "LatentDatasets", "LatentModels", "LatentFigures",
        "LatentEvaluation", "LatentTraining",
      ]),
    // Examples
    .target(
      name: "LatentCommands",
      dependencies: [
        "Latent", .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Yams", package: "Yams"),
      ],
      path: "Examples/Shared"),
    .tool("latent-train"),
    .tool("latent-encode"),
    .tool("latent-interpolate"),
    .tool("latent-generate"),
    .tool("latent-quantize"),
    .tool("latent-merge"),
    .tool("latent-reproduce"),
    .tool("latent-stylize"),
    .tool("latent-search"),
    .tool("latent-map"),
    .tool("latent-evaluate"),
    .executableTarget(
      name: "latent-explore",
      dependencies: [
        "Latent", "LatentCommands",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "FlyingSocks", package: "FlyingFox"),
      ],
      path: "Examples/latent-explore",
      resources: [.embedInCode("Web")]),
    .executableTarget(name: "latent-features", dependencies: ["Latent"], path: "scripts/features"),
    .example("custom-model"),
    .example("conditional-model"),
    .example("serve-model"),
    .example("resume-run"),
    // Tests
    .target(name: "TestSupport", path: "Tests/TestSupport"),
    .tests("LatentNumericsTests", ["LatentNumerics", "CLatentKernels", "TestSupport"]),
    .tests("LatentAutodiffTests", ["LatentAutodiff", "LatentNumerics", "TestSupport"]),
    .tests("LatentDatasetsTests", ["LatentDatasets", "LatentStorage", "LatentNumerics"]),
    .tests(
      "LatentLayersTests", ["LatentLayers", "LatentAutodiff", "LatentNumerics", "TestSupport"]),
    .tests(
      "LatentDistributionsTests", ["LatentDistributions", "LatentAutodiff", "LatentNumerics"]),
    .tests("LatentStorageTests", ["LatentStorage", "LatentNumerics", "CLatentDigest"]),
    .tests("LatentFiguresTests", ["LatentFigures", "LatentStorage", "LatentNumerics"]),
    .tests("LatentEvaluationTests", ["Latent", "TestSupport"]),
    .tests("LatentTrainingTests", ["Latent"]),
    .tests(
      "LatentOptimizersTests",
      ["LatentOptimizers", "LatentLayers", "LatentAutodiff", "LatentNumerics", "TestSupport"]),
    .tests("LatentModelsTests", ["Latent", "TestSupport"]),
    .tests(
      "ToolTests",
      [
        "Latent", "LatentCommands", "latent-train", "latent-encode", "latent-interpolate",
        "latent-generate", "latent-quantize", "latent-merge", "latent-reproduce",
        "latent-stylize", "latent-search", "latent-map", "latent-evaluate", "latent-explore",
        "custom-model",
        "resume-run", "conditional-model", "serve-model",
      ]),
    .tests("PackageTests", ["Latent"]),
  ],
  cxxLanguageStandard: .cxx17
)

extension Target {
  /// A command-line tool under `Examples`.
  static func tool(_ name: String) -> Target {
    .executableTarget(
      name: name,
      dependencies: [
        "Latent", "LatentCommands",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Examples/\(name)")
  }

  /// A teaching example under `Examples`: one file.
  static func example(_ name: String) -> Target {
    .executableTarget(name: name, dependencies: ["Latent"], path: "Examples/\(name)")
  }

  /// The tests of a folder under `Tests`; reference values in its `Resources` are read, not bundled.
  static func tests(_ name: String, _ targets: [String]) -> Target {
    let resources = "\(Context.packageDirectory)/Tests/\(name)/Resources"
    return .testTarget(
      name: name, dependencies: targets.map { .init(stringLiteral: $0) },
      exclude: FileManager.default.fileExists(atPath: resources) ? ["Resources"] : [])
  }
}
