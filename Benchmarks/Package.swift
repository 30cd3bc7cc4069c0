// swift-tools-version: 6.2
// A package of its own, so that what the benchmarks need never reaches users of the library.
import PackageDescription

let package = Package(
  name: "latent-benchmarks",
  dependencies: [
    .package(name: "latent", path: ".."),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
  ],
  targets: [
    .executableTarget(
      name: "latent-bench",
      dependencies: [
        .product(name: "Latent", package: "latent"),
        .product(name: "LatentCommands", package: "latent"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .testTarget(name: "LatentBenchTests", dependencies: ["latent-bench"]),
  ]
)
