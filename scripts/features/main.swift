// Trains the feature network `latent-features-1` that evaluation compares samples by:
//
//     swift run -c release latent-features MNIST_FOLDER Sources/CLatentFeatures/latent-features-1.h5
//
// It learns, from one layer of 64 features, which digit it sees, or which sprite: shape, scale, rotation, place and
// hue; and how a picture was spoiled, if it was: by blur, noise or a hole, which is how samples of models differ from
// data. In the end the features are scaled to mean 0 and variance 1 over clean pictures. About six minutes on two
// cores; the file is the same for the same machine.

import Foundation
import Latent

/// What is asked of a picture, and the outputs that answer it.
enum Question: Int, CaseIterable {
  case digit, shape, scale, hue, damage, rotation, place

  var outputs: Int { [10, 3, 6, 8, 4, 2, 2][rawValue] }
  var range: Range<Int> {
    let first = Question.allCases[..<rawValue].reduce(0) { $0 + $1.outputs }
    return first..<first + outputs
  }
  static let outputs = allCases.reduce(0) { $0 + $1.outputs }
}

/// The features and the layer that answers questions from them.
struct Student: Module {
  var network: PictureNetwork
  var answers: Linear

  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&network, "network")
    visitor.visit(&answers, "answers")
  }

  /// `[batch, 32, 32, 3] -> [batch, outputs]`.
  func callAsFunction(_ x: Tensor) -> Tensor { answers(silu(network(x))) }
}

/// Pictures as the network takes them, and what is known of each: a label, or a row of factors.
struct Album {
  let pictures, known: Tensor

  init(_ pictures: Tensor, _ known: Tensor) {
    self.pictures = pictures
    self.known = known
  }

  /// All examples of a set.
  init(_ data: some Dataset, field: String) throws {
    let batch = try data.batch(0..<data.count)
    self.init(try PictureFeatures.prepared(Tensor(batch.inputs)), Tensor(batch[field]))
  }

  /// `count` of them, each drawn from all.
  func some(_ count: Int, using random: inout RandomStream) -> Album {
    let all = UInt64(pictures.shape[0])
    let rows = Tensor((0..<count).map { _ in Int32(random.next(upperBound: all)) })
    return Album(pictures.gathering(rows), known.gathering(rows))
  }
}

/// Pictures, digits first, then as many sprites, with what is to be said of them.
struct Lesson {
  var pictures: Tensor
  /// Labels by question, int32 `[rows]`, of the rows that the question is asked about.
  var labels: [Question: Tensor] = [:]
  /// Numbers by question, `[rows, outputs]`.
  var targets: [Question: Tensor] = [:]
  let count: Int

  /// Of as many digits as sprites.
  init(_ digits: Album, _ sprites: Album, grid: SpriteGrid) {
    count = digits.pictures.shape[0]
    pictures = Tensor.concatenate([digits.pictures, sprites.pictures], axis: 0)
    labels[.digit] = digits.known
    let factors = sprites.known.doubles
    let size = grid.factors.count
    func column(_ name: String) -> [Double] {
      let place = grid.factors.firstIndex { $0.name == name } ?? 0
      return (0..<count).map { factors[$0 * size + place] }
    }
    func levels(_ values: [Double], _ perUnit: Double, from start: Double = 0) -> Tensor {
      Tensor(values.map { Int32((($0 - start) * perUnit).rounded()) })
    }
    labels[.shape] = levels(column("shape"), 1)
    labels[.scale] = levels(column("scale"), 10, from: 0.5)
    labels[.hue] = levels(column("hue"), 8)
    // A square looks the same after a quarter of a turn, an ellipse after half of one.
    let symmetry = [4.0, 2, 1]
    let rotation = zip(column("shape"), column("rotation")).flatMap {
      (shape: Double, angle: Double) -> [Float] in
      let turned: Double = angle * symmetry[Int(shape)]
      return [Float(cos(turned)), Float(sin(turned))]
    }
    targets[.rotation] = Tensor(rotation, shape: [count, 2])
    let place = zip(column("x"), column("y")).flatMap { (x: Double, y: Double) -> [Float] in
      [Float(2 * x - 1), Float(2 * y - 1)]
    }
    targets[.place] = Tensor(place, shape: [count, 2])
  }

  /// Colours digits, turns pictures into negatives and spoils half of them.
  mutating func vary(using random: inout RandomStream) {
    let all = 2 * count
    func chosen(_ share: Double, _ rows: Int) -> Tensor {
      (random.uniformTensor([rows, 1, 1, 1]) .< share).converted(to: .float32)
    }
    var light = (pictures + 1) * 0.5
    // Digits in any colour, half of them.
    let colored = chosen(0.5, count)
    let paint = random.uniformTensor([count, 1, 1, 3]) * colored + (1 - colored)
    light = light * Tensor.concatenate([paint, paint.onesLike], axis: 0)
    let negative = chosen(0.25, all)
    light = light * (1 - negative) + (1 - light) * negative
    // Damage: 0 none (half of the pictures), 1 blur, 2 noise, 3 a hole.
    let lots = random.uniform([all]).doubles
    let kinds: [Int32] = lots.map { lot in
      lot < 0.5 ? 0 : Int32(1 + 6 * (lot - 0.5))
    }
    func only(_ kind: Int32) -> Tensor {
      Tensor(kinds.map { $0 == kind ? Float(1) : 0 }, shape: [all, 1, 1, 1])
    }
    let strength = random.uniformTensor([all, 1, 1, 1])
    let soft = light.resized(to: [12, 12], .linear()).resized(to: [32, 32], .linear())
    let noise = random.normalTensor(light.shape) * (strength * 0.2 + 0.02)
    let corners = random.uniform([all, 2]).doubles
    var hole = [Float](repeating: 0, count: all * 32 * 32)
    for row in 0..<all where kinds[row] == 3 {
      let (top, left) = (Int(corners[2 * row] * 22), Int(corners[2 * row + 1] * 22))
      for y in top..<top + 10 {
        for x in left..<left + 10 { hole[(row * 32 + y) * 32 + x] = 1 }
      }
    }
    let gray = random.uniformTensor([all, 1, 1, 1])
    let mask = Tensor(hole, shape: [all, 32, 32, 1])
    let blur = only(1) * (strength * 0.7 + 0.3)
    light = light + (soft - light) * blur + noise * only(2)
    light = light + (gray - light) * mask
    pictures = light.clamped(to: 0...1) * 2 - 1
    labels[.damage] = Tensor(kinds)
  }

  /// The rows that a question is asked about.
  private func rows(_ question: Question) -> Range<Int> {
    switch question {
    case .digit: 0..<count
    case .damage: 0..<2 * count
    default: count..<2 * count
    }
  }

  private func answers(_ all: Tensor, _ question: Question) -> Tensor {
    all.sliced(0, rows(question)).sliced(1, question.range)
  }

  /// The sum over questions of cross-entropies and mean squares.
  func loss(_ all: Tensor) -> Tensor {
    var sum = Tensor.scalar(0)
    for question in Question.allCases {
      if let labels = labels[question] {
        let logits = answers(all, question)
        sum = sum - Categorical(logits: logits).logProbability(of: labels).mean()
      } else if let targets = targets[question] {
        sum = sum + square(answers(all, question) - targets).mean() * 4
      }
    }
    return sum
  }

  /// Shares of right labels, and root mean squares of numbers.
  func marks(_ all: Tensor) -> [(Question, Double)] {
    Question.allCases.compactMap { question in
      let found = answers(all, question)
      if let labels = labels[question] {
        let right = zip(found.argMax(axis: 1).doubles, labels.doubles).count { $0 == $1 }
        return (question, Double(right) / Double(labels.count))
      }
      return targets[question].map { (question, sqrt(square(found - $0).mean()).item) }
    }
  }
}

func text(_ marks: [(Question, Double)]) -> String {
  marks.map { "\($0.0) \(String(format: "%.3f", $0.1))" }.joined(separator: ", ")
}

let arguments = CommandLine.arguments
guard (3...4).contains(arguments.count),
  let steps = Int(arguments.count > 3 ? arguments[3] : "8000")
else {
  print("usage: latent-features MNIST_FOLDER OUTPUT.h5 [STEPS]")
  exit(64)
}
let half = 64
let grid = SpriteGrid(hasColor: true)
let mnist = try MNIST(folder: arguments[1])
let digits = try Album(Subset(mnist.training, indices: Array(0..<20_000)), field: Field.labels)
let sprites = try Album(
  Sprites(side: 32, count: 20_000, seed: 1, hasColor: true), field: Field.factors)
let root = RandomStream(seed: 1).split("latent-features-1")

var random = root.split("weights")
var student = Student(
  network: PictureNetwork(using: &random),
  answers: Linear(PictureNetwork.features, Question.outputs, using: &random))
var optimizer = Adam(learningRate: 2e-3)
let start = ContinuousClock.now
for step in 0..<steps {
  var draws = root.split(UInt64(step))
  var lesson = Lesson(
    digits.some(half, using: &draws), sprites.some(half, using: &draws), grid: grid)
  lesson.vary(using: &draws)
  optimizer.learningRate = 1e-3 * (1 + cos(.pi * Double(step) / Double(steps)))
  let (loss, gradients) = valueAndGradient(at: student) { lesson.loss($0(lesson.pictures)) }
  optimizer.update(&student, along: gradients)
  if (step + 1) % 200 == 0 {
    print("step \(step + 1), loss \(loss.item), \(ContinuousClock.now - start)")
    print("  \(text(lesson.marks(student(lesson.pictures))))")
  }
}

var exam = Lesson(
  try Album(Subset(mnist.test, indices: Array(0..<2000)), field: Field.labels),
  try Album(
    Sprites(side: 32, count: 2000, seed: 1, skipping: 20_000, hasColor: true),
    field: Field.factors),
  grid: grid)
let features = student.network(exam.pictures)
let mean = features.mean(axes: [0])
let deviation = sqrt(square(features - mean).mean(axes: [0]))
var draws = root.split("exam")
exam.vary(using: &draws)
print("unseen pictures: \(text(exam.marks(student(exam.pictures))))")

// The layer itself is scaled, so that nobody has to do it after it.
var network = student.network
network.projection.weight = network.projection.weight / deviation.expandingDimension(at: 1)
network.projection.bias = network.projection.bias.map { ($0 - mean) / deviation }
let checkpoint = Checkpoint(
  arrays: network.namedArrays,
  texts: ["about": "Latent's feature network latent-features-1; see scripts/features/main.swift"])
try checkpoint.write(to: arguments[2])
print("\(network.parameterCount) numbers in \(arguments[2])")
