// Help: every option is explained, and asking for it is no failure.

import Foundation
import Latent
import Testing

@Suite struct HelpTests {
  /// What the tool itself says that it understands.
  private func options(_ tool: Tool, in folder: String) throws -> [(name: String, text: String?)] {
    let dump = try tool.run(["--experimental-dump-help"], in: folder).json()
    let command = try #require(dump["command"] as? [String: Any])
    let arguments = try #require(command["arguments"] as? [[String: Any]])
    return arguments.compactMap { argument in
      let names = argument["names"] as? [[String: Any]] ?? []
      guard let long = names.first(where: { $0["kind"] as? String == "long" }) else { return nil }
      return (long["name"] as? String ?? "", argument["abstract"] as? String)
    }
  }

  private func discussion(_ tool: Tool, in folder: String) throws -> String {
    let dump = try tool.run(["--experimental-dump-help"], in: folder).json()
    return try #require((dump["command"] as? [String: Any])?["discussion"] as? String)
  }

  @Test(arguments: Tool.allCases) func everyOptionIsExplained(tool: Tool) throws {
    try withTemporaryFolder { folder in
      let help = try tool.run(["--help"], in: folder)
      help.succeeded()
      #expect(help.errors.isEmpty)
      for part in ["OVERVIEW:", "USAGE: \(tool.rawValue)", "OPTIONS:", "EXAMPLE"] {
        #expect(help.output.contains(part), "\(part)")
      }
      // Longer lines of the manual would be broken on a terminal of 80 columns.
      for line in try discussion(tool, in: folder).split(separator: "\n") {
        #expect(line.count <= 80, "\(line)")
      }
      let options = try options(tool, in: folder)
      #expect(options.count >= 5)
      for (name, text) in options {
        #expect(help.output.contains("--\(name)"), "\(name)")
        #expect(text?.isEmpty == false, "--\(name) has no explanation")
      }
      for line in help.output.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
    }
  }

  /// What of a run's transform is applied to data is said where data are taken.
  @Test(arguments: [Tool.encode, .interpolate, .quantize, .search, .map, .explore]) func transforms(
    tool: Tool
  ) throws {
    try withTemporaryFolder { folder in
      let help = try tool.run(["--help"], in: folder).output
      #expect(help.contains("threshold") && help.contains("binarize"))
    }
  }

  /// Two sides go by the name of sprites: that of the default, and that of the word alone.
  @Test func sprites() throws {
    try withTemporaryFolder { folder in
      let help = try Tool.train.run(["--help"], in: folder).output
      let side = try #require(DataSource(parsing: "sprites").description.split(separator: ":").last)
      #expect(help.contains("of \(side) unless given") && help.contains("(default: sprites:28)"))
    }
  }

  /// Every exit code that the tools use is documented.
  @Test func exitCodes() throws {
    try withTemporaryFolder { folder in
      let help = try Tool.train.run(["--help"], in: folder).output
      for code in [129, 130, 143, 152, 64, 65, 66, 70, 71, 73, 74, 78] {
        #expect(help.contains("\(code)"), "\(code)")
      }
    }
  }

  @Test(arguments: Tool.allCases) func noArguments(tool: Tool) throws {
    try withTemporaryFolder { folder in
      let ended = try tool.run([], in: folder)
      #expect(ended.code == 64 && !ended.bySignal)
      #expect(ended.errors.hasPrefix("Error: Missing expected argument"))
    }
  }
}
