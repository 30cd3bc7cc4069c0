// Configuration files: what is said in a file, by flags, by a checkpoint and by --print-config is one
// thing, and what is wrong is said where it stands.

import Foundation
import Latent
import Testing

@Suite struct ConfigurationTests {
  private func write(_ text: String, _ path: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
  }

  /// The settings that latent-train would use, line by line.
  private func printed(_ arguments: [String], in folder: String) throws -> String {
    let ended = try Tool.train.run(arguments + ["--print-config"], in: folder)
    ended.succeeded()
    #expect(ended.errors.isEmpty)
    return ended.output
  }

  /// Flags -> run -> printed -> run -> checkpoint -> printed -> run: always the same bytes.
  @Test(arguments: [
    "--model mlp --hidden 6,5 --latent 2 --beta 0.1 --free-bits 1e-3 --seed 18446744073709551615",
    "--model gated-mlp --hidden 6 --latent 2 --likelihood normal --warmup-steps 3 --samples 2",
    "--model conv --hidden 7 --set model.channels=[3,4] --optimizer adamw --schedule cosine",
    "--model resnet --set model.channels=[2,4] --set model.groups=2 --average 0.9 --clip 1.5",
    "--model mlp-autoencoder --hidden 6 --learning-rate 3e-05 --patience 5 --validation 0.25",
  ]) func roundTrip(flags: String) throws {
    try withTemporaryFolder { folder in
      try writePictures(40, to: "\(folder)/data.npy")
      let given = ["--data", "npy:data.npy", "--batch", "16", "--epochs", "2"]
      let flags = given + flags.split(separator: " ").map(String.init)
      let quiet = ["--quiet", "--threads", "1", "--out"]
      try Tool.train.run(flags + quiet + ["first"], in: folder).succeeded()
      let first = try RunFolder.newest(in: "\(folder)/first").path
      let text = try printed(flags, in: folder)
      for (name, source) in [
        ("printed", text),
        ("kept", try String(contentsOfFile: "\(folder)/first/config.yaml", encoding: .utf8)),
        ("saved", try printed(["--resume", "--out", "first"], in: folder)),
        ("json", try #require(RunFolder.newest(in: "\(folder)/first").checkpoint.texts["run"])),
      ] {
        let file = "\(name).\(name == "json" ? "json" : "yaml")"
        try write(source, "\(folder)/\(file)")
        #expect(try printed(["--config", file], in: folder) == text)
        try Tool.train.run(["--config", file] + quiet + [name], in: folder).succeeded()
        let path = try RunFolder.newest(in: "\(folder)/\(name)").path
        #expect(try bytes(path) == bytes(first), "\(name)")
        #expect(try bytes("\(folder)/\(name)/best.h5") == bytes("\(folder)/first/best.h5"))
      }
    }
  }

  @Test func flagsOverruleTheFile() throws {
    try withTemporaryFolder { folder in
      try write(
        """
        # Comments, quotes, words that other readers of YAML take for numbers or truths.
        data: "sprites:8"
        model: {architecture: conv, channels: [2], hidden: 3}
        objective:
          beta: 2
        optimizer:
        epochs: 3
        """, "\(folder)/a.yml")
      let text = try printed(
        ["--config", "a.yml", "--epochs", "7", "--latent", "4", "--set", "model.channels=[5]"],
        in: folder)
      #expect(
        text == """
          data: sprites:8
          bytes: null
          transform: none
          validation: 0.1
          model:
            architecture: conv
            channels: [5]
            hidden: 3
            inputShape: [8, 8, 1]
            latentSize: 4
            likelihood: bernoulli
            posterior:
              name: diagonal
            prior:
              name: standard
          objective:
            beta: 2
            freeBits: 0
            name: elbo
            samples: 1
            warmupSteps: 500
          frozen: []
          adapters:
            rank: 4
            scale: 1
            weights: []
          optimizer:
            average: null
            clip: null
            learningRate: 0.001
            name: adam
          schedule: constant
          scheduleEpochs: null
          batchSize: 128
          epochs: 7
          patience: null
          seed: 0

          """)
    }
  }

  /// A weight that is said as a schedule is that one: no warm-up of ours multiplies it.
  @Test func aScheduleNeedsNoWarmup() throws {
    try withTemporaryFolder { folder in
      for (flags, steps) in [
        (["--beta", "2"], 500), (["--beta", "linear(0, 1, 9)"], 0),
        (["--beta", "linear(0, 1, 9)", "--warmup-steps", "7"], 7),
      ] {
        let text = try printed(["--data", "sprites:8"] + flags, in: folder)
        #expect(text.contains("warmupSteps: \(steps)\n"), "\(flags)")
      }
    }
  }

  /// Names that need quotes survive.
  @Test func unusualNames() throws {
    try withTemporaryFolder { folder in
      for name in ["a b.npy", "it's \"x\".npy", "ü: #.npy", "-.npy", "[].npy"] {
        try writePictures(20, to: "\(folder)/\(name)")
        let text = try printed(["--data", "npy:\(name)"], in: folder)
        try write(text, "\(folder)/a.yaml")
        #expect(try printed(["--config", "a.yaml"], in: folder) == text, "\(text)")
      }
    }
  }

  /// The files that come with the package: the same networks as the workloads' names.
  @Test func examples() throws {
    let configs = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Examples/configs")
    let names = try Folder.names(in: configs.path).sorted()
    #expect(
      names == [
        "conv28-mnist.yaml", "conv64-sprites.yaml", "quickstart.yaml", "resnet64-sprites.yaml",
        "seq-text.yaml",
      ])
    try withTemporaryFolder { folder in
      try write(String(repeating: "text ", count: 20), "\(folder)/a.txt")
      // What ./quickstart trains is no workload.
      #expect(
        try printed(["--config", "\(configs.path)/quickstart.yaml"], in: folder)
          .contains("name: beta-tc"))
      for name in names where name != "quickstart.yaml" {
        let data =
          name.contains("text") ? "text:a.txt" : name.contains("28") ? "sprites:28" : "sprites:64"
        let text = try printed(
          ["--config", "\(configs.path)/\(name)", "--data", data], in: folder)
        let plain = try printed(
          ["--model", String(name.prefix { $0 != "-" }), "--data", data], in: folder)
        func model(_ text: String) -> [Substring] {
          text.split(separator: "\n").filter { $0.hasPrefix("  ") && !$0.contains("likelihood") }
            .filter { line in
              [
                "architecture", "channels", "hidden", "latent", "blocks", "groups", "width",
                "heads",
              ]
              .contains { line.contains($0) }
            }
        }
        #expect(model(text) == model(plain) && model(text).count >= 4, "\(name)")
      }
    }
  }

  struct Wrong {
    let text: String
    let arguments: String
    let code: Int32
    let sentence: String

    init(_ text: String, _ arguments: String = "", _ code: Int32 = 78, _ sentence: String) {
      self.text = text
      self.arguments = arguments
      self.code = code
      self.sentence = sentence
    }
  }

  static let keys =
    "adapters, batchSize, bytes, data, epochs, frozen, model, objective, optimizer, patience, "
    + "schedule, scheduleEpochs, seed, transform, validation"

  static let wrongs = [
    Wrong("epoch: 3", "", 78, "a.yaml: epoch is unknown: a run has no epoch, only \(keys)"),
    Wrong(
      "objective: {bta: 3}", "", 78,
      "a.yaml: objective.bta is unknown: the objective elbo has no bta, only beta, freeBits, name, samples, "
        + "warmupSteps"),
    Wrong(
      "model: {architecture: resnet, hidden: 3}", "", 78,
      "a.yaml: model.hidden is unknown: the network resnet has no hidden, only architecture, "
        + "blocks, channels, epsilon, groups, inputShape, latentChannels, likelihood"),
    Wrong("epochs: ten", "", 78, "a.yaml: epochs is 'ten', expected a whole number"),
    Wrong("epochs: '10'", "", 78, "a.yaml: epochs is '10', expected a whole number"),
    Wrong("epochs: 0", "", 78, "a.yaml: epochs is 0, expected 1 to 1000000000"),
    Wrong("scheduleEpochs: 0", "", 78, "a.yaml: scheduleEpochs is 0, expected 1 to 1000000000"),
    Wrong("epochs: 2.5", "", 78, "a.yaml: epochs is 2.5, expected a whole number"),
    Wrong("epochs: null", "", 78, "a.yaml: epochs is nothing, expected a whole number"),
    Wrong("epochs: [1]", "", 78, "a.yaml: epochs is [1], expected a whole number"),
    Wrong(
      "epochs: {a: 1}", "", 78, "a.yaml: epochs is a group of settings, expected one value"),
    Wrong("seed: -1", "", 78, "a.yaml: seed is -1, expected a number in range"),
    Wrong(
      "objective: {beta: yes}", "", 78,
      "a.yaml: objective.beta is 'yes', expected a number, linear(FROM, TO, STEPS), "),
    Wrong(
      "objective: {name: [elbo]}", "", 78,
      "a.yaml: objective.name is ['elbo'], expected the name of the objective"),
    Wrong("", "--objective elb", 64, "--objective 'elb': expected elbo"),
    Wrong("", "--objective augmented:elb", 64, "--objective 'elb': expected elbo"),
    Wrong("", "--objective augmented:", 64, "--objective '': expected elbo"),
    Wrong("", "--objective elbo:iwae", 64, "--objective 'elbo:iwae': expected only equivariant"),
    Wrong(
      "", "--objective augmented:elbo --set objective.inside.beta=-1", 64,
      "--set objective.inside.beta -1.0: expected 0 or more"),
    Wrong("", "--objective augmented:elbo --beta x", 64, "--beta 'x': expected a number, linear("),
    Wrong(
      "", "--objective nested-dropout:augmented:factor --beta 2", 64,
      "--beta 2: the objective factor has no beta, only criticHidden"),
    Wrong(
      "objective: {name: augmented, inside: {name: factor, gama: 3}}", "", 78,
      "a.yaml: objective.inside.gama is unknown: the objective factor has no gama, only "),
    Wrong(
      "objective: {name: augmented, inside: {name: elb}}", "", 78,
      "a.yaml: objective.inside.name is 'elb', expected elbo"),
    Wrong(
      "objective: {inside: {name: iwae}}", "", 78,
      "a.yaml: objective.inside.name is unknown: the objective elbo has no inside, only beta"),
    Wrong(
      "objective: {name: augmented, inside: {name: nested-dropout, ratio: 2}}", "", 78,
      "a.yaml: objective.inside.ratio is 2.0, expected more than 0, at most 1"),
    Wrong("", "--beta linear(1,2) ", 64, "--beta 'linear(1,2)': expected a number, linear("),
    Wrong("objective: {beta: true}", "", 78, "a.yaml: objective.beta is true, expected a number"),
    Wrong("objective: {beta: -1}", "", 78, "a.yaml: objective.beta is -1.0, expected 0 or more"),
    Wrong(
      "objective: {beta: 1e999}", "", 78,
      "a.yaml: objective.beta is 1e999, expected a number in range"),
    Wrong(
      "objective: 3", "", 78,
      "a.yaml: objective is 3, expected a group of beta, freeBits, name, samples, warmupSteps"),
    Wrong("data: 3", "", 78, "a.yaml: data is 3, expected a text"),
    Wrong("data: nonsense", "", 78, "a.yaml: data: cannot understand the data source \"nonsense\""),
    Wrong("bytes: gray", "", 78, "a.yaml: bytes is 'gray', expected pictures or numbers"),
    Wrong("", "--bytes 1", 64, "--bytes '1': expected pictures or numbers"),
    Wrong("transform: blur", "", 78, "a.yaml: transform: cannot understand the transform \"blur\""),
    Wrong(
      "schedule: never", "", 78,
      "a.yaml: schedule is 'never', expected constant, cosine, step, plateau"),
    Wrong(
      "optimizer: {name: lion}", "", 78,
      "a.yaml: optimizer.name is 'lion', expected adam, adamw, adamax, sgd, rmsprop"),
    Wrong(
      "model: {architecture: gan}", "", 78,
      "a.yaml: model.architecture is 'gan', expected mlp, mlp-autoencoder,"),
    Wrong(
      "model: {architecture: 3}", "", 78,
      "a.yaml: model.architecture is 3, expected the name of the network"),
    Wrong(
      "model: {likelihood: poisson}", "", 78,
      "a.yaml: model.likelihood is 'poisson', expected bernoulli,"),
    Wrong("model: {hidden: 3}", "", 78, "a.yaml: model.hidden is 3, expected a list"),
    Wrong(
      "model: {hidden: [3, x]}", "", 78,
      "a.yaml: model.hidden is [3, 'x'], expected a list of whole numbers"),
    Wrong(
      "model: {hidden: [3, 1.5]}", "", 78,
      "a.yaml: model.hidden is [3, 1.5], expected a list of whole numbers"),
    Wrong("model: {hidden: [0]}", "", 78, "a.yaml: model.hidden is [0], expected positive widths"),
    Wrong(
      "model: {hidden: [100000, 100000]}", "", 78, "a.yaml: model.parameters is 2"),
    Wrong(
      "model: {architecture: conv64}", "", 78,
      "a.yaml: model.inputShape is [8, 8, 1], expected height and width that the network conv can"),
    Wrong(
      "model: {inputShape: [4, 4, 1]}", "", 65,
      "data npy:data.npy: examples of shape [8, 8, 1], but the model is for [4, 4, 1]"),
    Wrong("a.b: 3", "", 78, "a.yaml: line 1: a key is one word without dots"),
    Wrong("epochs: 1\nepochs: 2", "", 78, "a.yaml: line 1: epochs more than once"),
    Wrong("epochs: [1", "", 78, "a.yaml: line 2, column 1: did not find expected"),
    Wrong("- 1\n- 2", "", 78, "a.yaml: found [1, 2], expected settings such as 'epochs: 10'"),
    Wrong("epochs: *x", "", 78, "a.yaml: line 1, column 9: found undefined alias"),
    // Flags are reported as flags, whatever the file says.
    Wrong("epochs: 3", "--epochs 0", 64, "--epochs 0: expected 1 to 1000000000"),
    Wrong("epochs: 3", "--beta=-1", 64, "--beta -1.0: expected 0 or more"),
    Wrong("data: nonsense", "--data what", 64, "cannot understand the data source \"what\""),
    Wrong(
      "model: {architecture: conv}", "--model resnet --latent 5", 64,
      "--latent 5: the network resnet has no latentSize, only architecture, blocks,"),
    Wrong("", "--model conv --hidden 5,6", 64, "--hidden [5, 6]: expected a whole number"),
    Wrong("", "--set model.hidden", 64, "--set 'model.hidden': expected KEY=VALUE"),
    Wrong("", "--set model.hidden=[", 64, "--set 'model.hidden=[': expected KEY=VALUE"),
    Wrong("", "--set colour=red", 64, "--set colour 'red': a run has no colour, only"),
    Wrong("", "--set epochs=x", 64, "--set epochs 'x': expected a whole number"),
    Wrong("", "--config none.yaml", 66, "none.yaml: there is no such file"),
    Wrong("", "--config nothing", 66, "nothing: there is no such file"),
    Wrong("", "--config large.yaml", 78, "large.yaml: more than 65536 bytes"),
    Wrong("", "--config many.yaml", 78, "many.yaml: more than 10000 values"),
    Wrong("", "--config deep.yaml", 78, "deep.yaml: line 1, column"),
    Wrong("", "--config data.npy", 78, "data.npy: "),
  ]

  @Test func wrongFiles() throws {
    try withTemporaryFolder { folder in
      try writePictures(20, to: "\(folder)/data.npy")
      try Folder.create("\(folder)/nothing")
      try write(String(repeating: "# \n", count: 30_000), "\(folder)/large.yaml")
      // References to references: a few lines that stand for a million values.
      func tenfold(_ level: Int) -> String {
        let references = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
        return "- &a\(level) [\(references)]"
      }
      let ladder = (1..<7).map { tenfold($0) }
      try write((["- &a0 1"] + ladder).joined(separator: "\n"), "\(folder)/many.yaml")
      try write("a: " + String(repeating: "[", count: 20_000), "\(folder)/deep.yaml")
      for wrong in ConfigurationTests.wrongs {
        try write(wrong.text, "\(folder)/a.yaml")
        let ended = try Tool.train.run(
          ["--set", "data=npy:data.npy", "--config", "a.yaml", "--out", "run"].filter {
            !(wrong.text.hasPrefix("data:") && ($0 == "--set" || $0.hasPrefix("data=")))
          } + wrong.arguments.split(separator: " ").map(String.init), in: folder)
        let call = "\(wrong.text) \(wrong.arguments): \(ended.code) \(ended.errors)"
        #expect(ended.code == wrong.code && !ended.bySignal && ended.output.isEmpty, "\(call)")
        #expect(ended.errors.hasPrefix("latent-train: \(wrong.sentence)"), "\(call)")
        #expect(ended.errorLines.count == 1, "\(call)")
      }
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/run"), "nothing was begun")
    }
  }

  /// A chain on the command line is what a file says in groups; what is said of the innermost reaches it.
  @Test func wrappers() throws {
    try withTemporaryFolder { folder in
      try writePictures(40, to: "\(folder)/data.npy")
      try write(
        """
        data: npy:data.npy
        objective:
          name: augmented
          clean: true
          inside: {name: nested-dropout, ratio: 0.5, inside: {beta: 3}}
        """, "\(folder)/a.yaml")
      let text = try printed(["--config", "a.yaml"], in: folder)
      #expect(
        text.contains(
          """
          objective:
            brightness: 0
            clean: true
            flips: 0
            inside:
              inside:
                beta: 3
                freeBits: 0
                name: elbo
                samples: 1
                warmupSteps: 500
              name: nested-dropout
              probability: 1
              ratio: 0.5
            name: augmented
            noise: 0
            shift: 2

          """))
      let chain = ["--data", "npy:data.npy", "--objective", "augmented:nested-dropout:elbo"]
      let flags = [
        "--set", "objective.clean=true", "--set", "objective.inside.ratio=0.5", "--beta", "3",
      ]
      #expect(try printed(chain + flags, in: folder) == text)
      // A flag's name goes over a file's, level by level.
      let named = ["--config", "a.yaml", "--set", "objective.inside.inside.name=iwae"]
      let other = try Tool.train.run(named + ["--print-config"], in: folder)
      #expect(
        other.errors.hasPrefix(
          "latent-train: a.yaml: objective.inside.inside.beta is unknown: the objective iwae has no beta, "
        ))

      let run = chain + flags + smallRun + ["--epochs", "1", "--out", "run"]
      try Tool.train.run(run, in: folder).succeeded()
      try Tool.train.run(
        ["--resume", "--config", "run/config.yaml", "--epochs", "2", "--out", "run", "--quiet"],
        in: folder
      ).succeeded()
      let ended = try Tool.train.run(["--resume", "--beta", "4", "--out", "run"], in: folder)
      #expect(
        ended.errors
          == "latent-train: a run keeps its settings: objective.inside.inside.beta is 3, "
          + "but 4 was asked for; only epochs and patience may change\n")
      let refused = try Tool.train.run(
        ["--data", "npy:data.npy", "--objective", "equivariant", "--out", "none"], in: folder)
      #expect(refused.code == 78 && refused.errorLines.count == 1)
      #expect(refused.errors.contains("objective 'equivariant' needs pictures and latents"))
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/none"))
    }
  }

  /// A run keeps its settings; saying the same again is no contradiction.
  @Test func resuming() throws {
    try withTemporaryFolder { folder in
      try writePictures(40, to: "\(folder)/data.npy")
      let flags = ["--data", "npy:data.npy", "--model", "conv"] + smallRun
      try Tool.train.run(flags + ["--out", "run"], in: folder).succeeded()
      try Tool.train.run(flags + ["--resume", "--out", "run"], in: folder).succeeded()
      try Tool.train.run(
        ["--resume", "--config", "run/config.yaml", "--epochs", "3", "--out", "run", "--quiet"],
        in: folder
      ).succeeded()
      let text = try String(contentsOfFile: "\(folder)/run/config.yaml", encoding: .utf8)
      #expect(text.contains("epochs: 3\n"))
      for (arguments, words) in [
        (["--beta", "2"], "objective.beta is 1, but 2 was asked for"),
        (["--model", "mlp"], "model.architecture is 'conv', but 'mlp' was asked for"),
        (["--set", "model.channels=[5]"], "model.channels is [64], but [5] was asked for"),
      ] {
        let ended = try Tool.train.run(["--resume", "--out", "run"] + arguments, in: folder)
        #expect(ended.code == 64 && ended.errorLines.count == 1)
        #expect(
          ended.errors == "latent-train: a run keeps its settings: \(words); "
            + "only epochs and patience may change\n")
      }
    }
  }

  /// The schedule stays that of the beginning, however long the run becomes, and its configuration is
  /// that of a run which ends in the same bytes.
  @Test(arguments: ["cosine", "step"]) func scheduleOfALongerRun(schedule: String) throws {
    try withTemporaryFolder { folder in
      try writePictures(40, to: "\(folder)/data.npy")
      let flags = ["--data", "npy:data.npy", "--schedule", schedule] + smallRun
      try Tool.train.run(flags + ["--out", "run"], in: folder).succeeded()
      let first = try String(contentsOfFile: "\(folder)/run/config.yaml", encoding: .utf8)
      try write(first, "\(folder)/first.yaml")
      let sentence = "the \(schedule) schedule remains that of 2 epochs, not of"
      for (epochs, arguments) in [(3, ["--epochs", "3"]), (5, ["--epochs", "5"]), (5, [])] {
        let ended = try Tool.train.run(["--resume", "--out", "run"] + arguments, in: folder)
        ended.succeeded()
        #expect(ended.errorLines.contains("\(sentence) \(epochs)"), "\(ended.errors)")
      }
      let last = "checkpoint-000000015.h5"
      let text = try String(contentsOfFile: "\(folder)/run/config.yaml", encoding: .utf8)
      #expect(text.contains("scheduleEpochs: 2\n") && text.contains("epochs: 5\n"))
      try Tool.train.run(
        ["--config", "run/config.yaml", "--threads", "1", "--out", "new"], in: folder
      ).succeeded()
      #expect(try bytes("\(folder)/new/\(last)") == bytes("\(folder)/run/\(last)"))
      // The file of the beginning is no contradiction, but another schedule is.
      try Tool.train.run(
        ["--resume", "--config", "first.yaml", "--epochs", "5", "--quiet", "--out", "run"],
        in: folder
      ).succeeded()
      #expect(try String(contentsOfFile: "\(folder)/run/config.yaml", encoding: .utf8) == text)
      let ended = try Tool.train.run(
        ["--resume", "--set", "scheduleEpochs=5", "--out", "run"], in: folder)
      #expect(ended.code == 64 && ended.errors.contains("scheduleEpochs is 2, but 5 was asked for"))
    }
  }

  /// A checkpoint of the first version, whose settings were one flat list.
  @Test func checkpointsOfTheFirstVersion() throws {
    try withTemporaryFolder { folder in
      try writePictures(40, to: "\(folder)/data.npy")
      try Tool.train.run(
        ["--data", "npy:data.npy", "--out", "run", "--average", "0.5", "--warmup-steps", "0"]
          + smallRun, in: folder
      ).succeeded()
      let newest = try RunFolder.newest(in: "\(folder)/run")
      var old = newest.checkpoint
      old.texts["run"] = """
        {"average" : 0.5, "batchSize" : 16, "beta" : 1, "data" : "npy:data.npy", "epochs" : 2,
         "freeBits" : 0, "learningRate" : 0.001,
         "model" : {"architecture" : "mlp", "hidden" : [12], "inputShape" : [8, 8, 1],
           "latentSize" : 2, "likelihood" : "bernoulli"},
         "optimizer" : "adam", "samples" : 1, "schedule" : "constant", "seed" : 0,
         "transform" : "none", "validation" : 0.1, "warmupSteps" : 0}
        """
      let settings = try printed(["--resume", "--out", "run"], in: folder)
      try old.write(to: newest.path)
      #expect(try printed(["--resume", "--out", "run"], in: folder) == settings)
      let ended = try Tool.generate.run(
        ["run", "--checkpoint", "latest", "--out", "a.npy"], in: folder)
      ended.succeeded()
      try Tool.train.run(
        ["--resume", "--epochs", "3", "--quiet", "--out", "run"], in: folder
      ).succeeded()
      old.texts["run"] = old.texts["run"]?.replacingOccurrences(
        of: "\"beta\" : 1", with: "\"beta\" : -1")
      try old.write(to: "\(folder)/odd.h5")
      let odd = try Tool.generate.run(
        ["run", "--checkpoint", "odd.h5", "--out", "a.npy"], in: folder)
      #expect(odd.code == 65 && odd.errors.contains("odd.h5: objective.beta is -1.0"))
    }
  }

  static let pages: [(tool: Tool, flag: String, page: String)] = [
    (.train, "--print-models", "models.md"), (.evaluate, "--print-metrics", "evaluation.md"),
  ]

  @Test("Pages of docs/ are what the code says", arguments: pages)
  func writtenPages(tool: Tool, flag: String, name: String) throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().path
    let ended = try tool.run([flag], in: folder)
    let page = try String(contentsOfFile: "\(folder)/docs/\(name)", encoding: .utf8)
    #expect(ended.output == page, "\(tool.rawValue) \(flag) > docs/\(name)")
  }
}
