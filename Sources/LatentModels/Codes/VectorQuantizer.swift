// A code book: vectors that are learned, each standing for all vectors that are nearest to it (van den Oord, Vinyals and
// Kavukcuoglu 2017, "Neural discrete representation learning").

import LatentAutodiff
import LatentLayers
import LatentNumerics

/// A code book `[code, number]` with the nearest code of each vector.
///
/// `commitment` = |z - e|² with e a constant, summed over a vector and averaged over all of a batch, counts `commitment`
/// (equation 3's beta; the other term, |z - e|² with z a constant, is `codebook` and counts 1). With moving averages
/// (appendix A.1) there is no such term: of the vectors that a code was nearest to, number N and sum M are averaged,
/// `N <- g N + (1 - g) n`, `M <- g M + (1 - g) s`, and the code becomes `M / ((N + eps) / (sum N + K eps) sum N)`. What
/// is averaged is N itself, not the smoothed one.
///
/// Training alone changes buffers. Its first batch says where codes start (`kmeans`), and a code whose N falls below
/// `restart` becomes a vector of the batch, with N = `restart`.
public struct VectorQuantizer: Quantizer {
  /// The codes, `[code, number]`: a buffer where they are averages, else trained.
  public var book: Tensor
  /// How far codes were put away from `book` at the start or at a restart, which no gradient did; nil where that does not
  /// happen to trained codes.
  public var moved: Tensor?
  /// N, `[code]`; nil where nobody asks for it.
  public var counts: Tensor?
  /// M, `[code, number]`; nil where codes are trained.
  public var sums: Tensor?
  /// 0 before the codes were put where the first batch is, then 1; nil where they are not.
  public var started: Tensor?
  /// The numbers of the rule.
  public let settings: VectorCodes

  /// Codes that are uniform within ±1 / codes, until there are data.
  public init(_ settings: VectorCodes, dimension: Int, using random: inout RandomStream) {
    self.settings = settings
    let limit = 1 / Double(settings.codes)
    book = Initializer.uniform(limit: limit)([settings.codes, dimension], using: &random)
    let restarts = settings.restart > 0
    if settings.isAveraged { sums = Tensor(book.array.copy()) }
    if settings.isAveraged || restarts { counts = .ones([settings.codes]) }
    if !settings.isAveraged && (restarts || settings.kmeans > 0) { moved = book.zerosLike }
    if settings.kmeans > 0 { started = .zeros([1]) }
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    if settings.isAveraged {
      visitor.visitBuffer(&book, "book")
    } else {
      // Distances are computed with it.
      visitor.enterArithmetic()
      visitor.visit(&book, "book")
      visitor.leaveArithmetic()
    }
    visitor.visitBuffer(&moved, "moved")
    visitor.visitBuffer(&counts, "counts")
    visitor.visitBuffer(&sums, "sums")
    visitor.visitBuffer(&started, "started")
  }

  public var dimension: Int { book.shape[1] }
  public var codeCounts: [Int] { [settings.codes] }

  /// The codes, `[code, number]`.
  public var codes: Tensor { moved.map { book + $0 } ?? book }

  public func codes(at indices: Tensor, _ dtype: DType) -> Tensor {
    codes.gathering(indices.reshaped([indices.shape[0]])).converted(to: dtype)
  }

  public func quantized(_ z: Tensor, _ context: inout LayerContext) -> Quantized {
    // A pass that sees vectors twice finds the codes that the first ones left.
    var codes =
      settings.isAveraged
      ? context.current(book) : moved.map { book + context.current($0) } ?? book
    let starts =
      context.isTraining && (started.map { context.current($0).item == 0 } ?? false)
    if starts { codes = start(at: z, &context) }
    let indices = nearestCodes(to: z, among: codes)
    let chosen = codes.gathering(indices)
    if context.isTraining && !starts { follow(z, indices, codes.detached, &context) }
    var losses: [Quantized.Loss] = []
    if settings.gradient != .diveq {
      losses.append(("commitment", meanSquaredDistance(z, chosen.detached), settings.commitment))
      if !settings.isAveraged {
        losses.append(("codebook", meanSquaredDistance(z.detached, chosen), 1))
      }
    }
    return Quantized(
      codes: chosen, indices: indices.expandingDimension(at: 1), losses: losses)
  }

  public func passed(
    from z: Tensor, to codes: Tensor, stage: Int, _ context: inout LayerContext
  ) -> Tensor {
    switch settings.gradient {
    case .straightThrough: codes.withDerivative(of: z)
    case .rotation: rotated(from: z, to: codes)
    case .diveq:
      context.isTraining
        ? diverted(from: z, to: codes, variance: settings.noise, using: &context.random)
        : codes.withDerivative(of: z)
    }
  }

  // MARK: Buffers

  /// Lets the codes start at the centres of z, and returns them.
  private func start(at z: Tensor, _ context: inout LayerContext) -> Tensor {
    let (centers, sizes) = kMeans(
      of: z, count: settings.codes, iterations: settings.kmeans, using: &context.random)
    // An empty centre has the weight of a single vector, as all codes had before.
    let counts = maximum(sizes, sizes.onesLike)
    put(centers, counts, &context)
    if let started { context.update(started) { $0.onesLike } }
    // A trained code is where it was put, and a function of `book` as ever.
    return settings.isAveraged ? centers : book + (centers - book.detached)
  }

  /// Lets N, M and with them codes follow the vectors of a batch, and restarts codes that are hardly used.
  private func follow(
    _ z: Tensor, _ indices: Tensor, _ codes: Tensor, _ context: inout LayerContext
  ) {
    guard let counts else { return }
    let (number, decay) = (settings.codes, settings.decay)
    let batch = assigned(z, to: indices, codes: number)
    context.update(counts, toward: batch.counts, by: 1 - decay)
    let averaged = context.current(counts)
    var codes = codes
    if let sums {
      context.update(sums, toward: batch.sums, by: 1 - decay)
      let total = averaged.sum()
      let epsilon = settings.epsilon
      let smoothed = (averaged + epsilon) / (total + Double(number) * epsilon) * total
      codes = context.current(sums) / smoothed.reshaped([number, 1])
      context.update(book) { _ in codes }
    }
    if settings.restart > 0 {
      let drawn = z.detached.gathering(drawnRows(of: z, number, using: &context.random))
      let isDead = averaged .< settings.restart
      let isDeadRow = isDead.reshaped([number, 1]).broadcast(to: codes.shape)
      put(
        Tensor.where(isDeadRow, drawn, codes),
        Tensor.where(isDead, averaged.onesLike * settings.restart, averaged), sumsOf: isDeadRow,
        &context)
    }
  }

  /// Puts codes somewhere, with N; M of those rows is N times the code.
  private func put(
    _ codes: Tensor, _ newCounts: Tensor, sumsOf rows: Tensor? = nil,
    _ context: inout LayerContext
  ) {
    if let counts { context.update(counts) { _ in newCounts } }
    if let moved {
      let old = book.detached
      context.update(moved) { current in
        let new = codes - old
        return rows.map { Tensor.where($0, new, current) } ?? new
      }
    }
    if let sums {
      context.update(book) { _ in codes }
      context.update(sums) { current in
        let new = codes * newCounts.reshaped([settings.codes, 1])
        return rows.map { Tensor.where($0, new, current) } ?? new
      }
    }
  }
}

/// |x - y|², summed over vectors `[vector, number]` and averaged over them.
func meanSquaredDistance(_ x: Tensor, _ y: Tensor) -> Tensor {
  square(x - y).sum() * (1 / Double(x.shape[0]))
}

/// A code book in words.
public struct VectorCodes: CodesDescription {
  /// What moves codes.
  public enum Learning: String, SettingWord {
    /// Moving averages of the vectors they stand for.
    case ema
    /// The gradient of their distance from these.
    case loss
  }

  public static let name = "vq"
  public static let origin = Origin(
    "a code book: the nearest of so many learned vectors",
    paper: "van den Oord et al. 2017; arXiv 2410.06424, 2509.26469", equation: "3, A.1; 4; 7",
    test: "LatentModelsTests/Codes/VectorQuantizerTests.swift")

  /// The number of codes.
  public var codes = 512
  /// The numbers of a vector; 0 for all of a place.
  public var dimension = 0
  /// What moves codes; of no meaning with the gradient `diveq`, which moves them by itself.
  public var learning = Learning.ema
  /// How a derivative passes.
  public var gradient = CodeGradient.straightThrough
  /// What the distance of vectors from their codes counts; of no meaning with `diveq`.
  public var commitment = 0.25
  /// What of N and M is kept in a step.
  public var decay = 0.99
  /// Added to N before dividing by it.
  public var epsilon = 1e-5
  /// Iterations of k-means on the first batch, which say where codes start; none where 0.
  public var kmeans = 10
  /// Codes of a smaller N become vectors of the batch; never where 0.
  public var restart = 0.0
  /// The variance of the direction's noise, of `diveq`.
  public var noise = 5e-3

  public init() {}

  public var vectorSize: Int { dimension }

  /// Whether codes are moving averages.
  var isAveraged: Bool { learning == .ema && gradient != .diveq }

  public func validate() throws {
    let limit = ModelDescription.maximumParameters
    try check((1...limit).contains(codes), "codes", codes, "1 to \(limit)")
    try check(vectorSize: dimension, "dimension")
    try check(weight: commitment, "commitment")
    try check((0..<1).contains(decay), "decay", decay, "0 ..< 1")
    try check(epsilon > 0 && epsilon.isFinite, "epsilon", epsilon, "more than 0")
    try check((0...10_000).contains(kmeans), "kmeans", kmeans, "0 to 10000")
    try check(weight: restart, "restart")
    try check(weight: noise, "noise")
    try check(
      gradient != .diveq || restart > 0, "restart", restart,
      "more than 0 with the gradient diveq, which never moves a code that no vector is near to")
  }

  public func validate(dimension: Int) throws {
    try check(codes: codes, dimension: dimension)
    try check(
      gradient != .rotation || dimension > 1, "gradient", "rotation of one number",
      "another for vectors of one number, or a dimension of 2 or more")
  }

  public func parameterCount(dimension: Int) -> Double {
    isAveraged ? 0 : Double(codes) * Double(dimension)
  }

  public func makeQuantizer(
    dimension: Int, using random: inout RandomStream
  ) -> any Quantizer { VectorQuantizer(self, dimension: dimension, using: &random) }
}
