// Adapters from the shell: trained beside a run that stays as it is, resumed, opened by every tool, saved
// alone, merged, and refused where they do not belong.

import Foundation
import Latent
import Testing

@Suite struct AdaptTests {
  private func words(_ text: String) -> [String] { text.split(separator: " ").map(String.init) }

  private func train(_ text: String, in folder: String) throws -> Ended {
    try Tool.train.run(words("--data npy:data.npy \(text)") + smallRun, in: folder)
  }

  private func encoded(_ run: String, in folder: String) throws -> [Double] {
    try Tool.encode.run(words("\(run) --data npy:data.npy --overwrite --out z.npy"), in: folder)
      .succeeded()
    return try NPY.read("\(folder)/z.npy").doubles
  }

  @Test func fromTrainingToMerging() throws {
    try withTemporaryFolder { folder in
      try writePictures(64, to: "\(folder)/data.npy")
      try train("--out base --average 0.9", in: folder).succeeded()
      try writePictures(64, to: "\(folder)/data.npy", seed: 2)
      let adapt = "--from base --adapt ** --rank 2 --set adapters.scale=3 --learning-rate 0.01"
      try train("\(adapt) --average 0.5 --out tuned", in: folder).succeeded()
      // The weights of the base are in the run, to the bit.
      let base = try Run(path: "\(folder)/base").model.namedArrays
      let tuned = try Checkpoint(contentsOf: "\(folder)/tuned/best.h5")
      for (path, array) in base {
        #expect(tuned.arrays["model/\(path)"] == array && tuned.arrays["average/\(path)"] == array)
      }
      #expect(tuned.arrays["model/decoder.output.weight.up"]?.shape == [64, 2])
      let moments = tuned.arrays(under: "optimizer/").values.map(\.count)
      #expect(moments.allSatisfy { $0 < base["decoder.output.weight"]?.count ?? 0 })
      // Stopped and resumed it is the same run.
      try train("\(adapt) --average 0.5 --out halves --epochs 1", in: folder).succeeded()
      try Tool.train.run(words("--resume --epochs 2 --out halves --quiet"), in: folder).succeeded()
      let halves = try Run(path: "\(folder)/halves", checkpoint: .latest)
      #expect(
        try halves.model.namedArrays
          == Run(path: "\(folder)/tuned", checkpoint: .latest).model.namedArrays)
      // Every way to open them computes the same, and not what the base does.
      let codes = try encoded("tuned", in: folder)
      #expect(try codes != encoded("base", in: folder))
      #expect(try codes == encoded("base --adapters tuned/adapters.h5", in: folder))
      let merged = try Tool.merge.run(words("tuned --out merged"), in: folder)
      merged.succeeded()
      let facts = try merged.json()
      #expect(facts["weights"] as? Int == 4 && facts["rank"] as? Int == 2)
      #expect(facts["scale"] as? Double == 3 && facts["out"] as? String == "merged/best.h5")
      try Tool.merge.run(words("base --adapters tuned/adapters.h5 --out both"), in: folder)
        .succeeded()
      for run in ["merged", "both"] {
        #expect(try encoded(run, in: folder) == codes)
        let checkpoint = try Checkpoint(contentsOf: "\(folder)/\(run)/best.h5")
        #expect(Set(checkpoint.arrays.keys) == Set(base.keys.map { "model/\($0)" }))
        #expect(checkpoint.texts[SavedAdapters.textName] == nil)
        #expect(checkpoint.texts["trainer"] == nil)
      }
      for run in ["tuned", "base --adapters tuned/adapters.h5"] {
        try Tool.generate.run(words("\(run) --overwrite --out a.npy"), in: folder).succeeded()
        try Tool.interpolate.run(words("\(run) --overwrite --out b.npy"), in: folder).succeeded()
      }
      let small = try Tool.quantize.run(words("tuned --to int8 --out small"), in: folder)
      small.succeeded()
      let quantized = try encoded("small", in: folder)
      #expect(zip(quantized, codes).allSatisfy { abs($0 - $1) < 0.1 })
      // What was merged can be begun with.
      try train("--from merged --adapt decoder.output.weight --out again", in: folder).succeeded()
    }
  }

  /// Nothing need be said of the model again.
  @Test func modelOfTheBase() throws {
    try withTemporaryFolder { folder in
      try writePictures(64, to: "\(folder)/data.npy")
      try Tool.train.run(
        words(
          "--data npy:data.npy --model conv --set model.channels=[4] --likelihood normal --hidden 6 "
            + "--latent 3 --epochs 1 --quiet --out base"), in: folder
      ).succeeded()
      let adapt = "--data npy:data.npy --from base --adapt encoder.** --rank 2 --epochs 1 --quiet"
      try Tool.train.run(words("\(adapt) --out tuned"), in: folder).succeeded()
      let (base, tuned) = (try Run(path: "\(folder)/base"), try Run(path: "\(folder)/tuned"))
      #expect(tuned.configuration.model == base.configuration.model)
      #expect(tuned.adapters?.weights.first == "encoder.convolutions.0.weight")
      let other = try Tool.train.run(words("\(adapt) --latent 5 --out other"), in: folder)
      #expect(other.code == 65 && other.errors.contains("do not fit the model"), "\(other)")
    }
  }

  @Test func refused() throws {
    try withTemporaryFolder { folder in
      try writePictures(64, to: "\(folder)/data.npy")
      try train("--out base", in: folder).succeeded()
      try train("--seed 5 --out other", in: folder).succeeded()
      try train("--from base --adapt encoder.** --rank 1 --out tuned", in: folder).succeeded()
      try Tool.quantize.run(words("base --to bfloat16 --out small"), in: folder).succeeded()
      let trainings: [(String, Int32, String)] = [
        ("--adapt **", 64, "adapters are trained beside the weights of another run: give --from"),
        ("--rank 3", 64, "say with --adapt what is adapted"),
        (
          "--from base --adapt decodr.**", 78,
          "no weight that can be adapted is called 'decodr.**': there are encoder.hidden.0.weight, "
        ),
        (
          "--from base --adapt ** --rank 5", 78,
          "rank 5: the weight encoder.head.weight is a matrix 4 x 12, expected 1 to 4; of this rank can be "
            + "encoder.hidden.0.weight"
        ),
        ("--from base --adapt ** --rank 0", 64, "--rank 0: expected 1 to"),
        (
          "--from base --adapt ** --set adapters.scale=0", 64,
          "--set adapters.scale 0.0: expected more than 0"
        ),
        (
          "--from base --load decoder.** --adapt decoder.**", 65,
          "the model has encoder.hidden.0.weight, which is not loaded from base"
        ),
        ("--from small --adapt **", 78, "is of low precision: adapt the model that it was made"),
        (
          "--from base --adapt decoder.** --rank 2 --objective lagging", 78,
          "needs an adapter of encoder.** or prior.**: found adapters of decoder.hidden.0.weight"
        ),
      ]
      for (text, code, sentence) in trainings {
        let ended = try train("\(text) --out new", in: folder)
        #expect(ended.code == code && ended.errors.contains(sentence), "\(text): \(ended)")
        #expect(!FileManager.default.fileExists(atPath: "\(folder)/new"), "\(text)")
      }
      let openings: [(String, Int32, String)] = [
        ("base", 65, "base/best.h5 has no adapters: give those that were trained from it with"),
        (
          "other --adapters tuned/adapters.h5", 65,
          "adapters tuned/adapters.h5: they belong to parameters of fingerprint "
        ),
        (
          "base --adapters other/best.h5", 65, "adapters other/best.h5: there are none in this file"
        ),
        ("base --adapters none.h5", 66, "none.h5"),
        ("tuned --out base", 64, "already holds a run"),
      ]
      for (text, code, sentence) in openings {
        let out = text.contains("--out") ? "" : "--out new"
        let ended = try Tool.merge.run(words("\(text) \(out)"), in: folder)
        #expect(ended.code == code && ended.errors.contains(sentence), "\(text): \(ended)")
        #expect(ended.output.isEmpty)
      }
      // A file that is still needed is not written over.
      let ended = try Tool.generate.run(
        words("base --adapters tuned/adapters.h5 --out tuned/adapters.h5 --overwrite"), in: folder)
      #expect(ended.code == 64, "\(ended)")
      try Data(bytes("\(folder)/tuned/adapters.h5")).write(
        to: URL(fileURLWithPath: "\(folder)/alone.h5"))
      let same = try Tool.generate.run(
        words("base --adapters alone.h5 --out alone.h5 --overwrite"), in: folder)
      #expect(same.code == 64 && same.errors.contains("still needed"), "\(same)")
    }
  }
}
