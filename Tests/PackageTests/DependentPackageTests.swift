// The library as others use it: a package that depends on this one, built from nothing.

import Foundation
import Testing

@Suite struct DependentPackageTests {
  /// A program of the tiny package: the README's example, then three steps of training by hand.
  @Test(
    "A dependent package builds, runs the README's example and trains", .timeLimit(.minutes(20)))
  func dependentPackage() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("latent-dependent-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    func write(_ path: String, _ text: String) throws {
      let file = folder.appendingPathComponent(path)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
    // No traits: what a user gets with the three packages alone.
    try write(
      "Package.swift",
      """
      // swift-tools-version: 6.2
      import PackageDescription
      let package = Package(
        name: "dependent",
        dependencies: [.package(name: "latent", path: "\(Checkout.root.path)", traits: [])],
        targets: [
          .executableTarget(name: "readme", dependencies: [.product(name: "Latent", package: "latent")]),
          .executableTarget(name: "steps", dependencies: [.product(name: "Latent", package: "latent")]),
        ])
      """)
    try write("Sources/readme/main.swift", try readmeExample())
    try write("Sources/steps/main.swift", DependentPackageTests.steps)
    let build = try Checkout.run(
      ["swift", "build", "-c", "release", "--package-path", folder.path], in: folder)
    try #require(build.0 == 0, "\(build.1.suffix(4000))")
    let steps = try Checkout.run([".build/release/steps"], in: folder)
    #expect(steps.0 == 0 && steps.1.contains("losses fall"), "\(steps.1)")
    let readme = try Checkout.run([".build/release/readme"], in: folder)
    #expect(readme.0 == 0, "\(readme.1)")
  }

  /// The first block of Swift in the README that imports the library.
  private func readmeExample() throws -> String {
    let blocks = try Checkout.text("README.md").components(separatedBy: "```swift\n").dropFirst()
    let sources = blocks.compactMap { $0.components(separatedBy: "```").first }
    return try #require(sources.first { $0.hasPrefix("import Latent") })
  }

  private static let steps = """
    import Latent

    var random = RandomStream(seed: 1)
    let model = VAE(
      encoder: MLPEncoder(inputShape: [16], hidden: [32], latentSize: 2, using: &random),
      decoder: MLPDecoder(
        latentSize: 2, hidden: [32], outputShape: [16], head: BernoulliHead(), using: &random),
      prior: .standardNormal(2))
    var trainer = Trainer(
      model, objective: ELBO(), optimizer: Adam(learningRate: 1e-2), seed: 1)
    let x = random.uniformTensor([8, 16])
    let losses = try (0..<3).map { _ in try trainer.step(x).loss }
    precondition(losses[2] < losses[0])
    print("losses fall", losses)
    """
}
