// Transposed convolutions of odd geometries beside their definition: every input element adds its
// multiple of the kernel to the places that it reaches (Dumoulin and Visin 2016, chapter 4), and what
// lies in the cut-off margins is dropped. The definition in this file agreed to 1e-12 with PyTorch 2.15
// on cases of each kind (scripts/references/transposed.py).

import LatentAutodiff
import LatentLayers
import LatentNumerics
import Testing

/// One transposed convolution with up to three axes.
private struct Geometry: CustomStringConvertible {
  var axes: Int
  var batch: Int
  var channels, outputs, groups: Int
  var size, kernel, stride, dilation, padding, outputPadding: [Int]

  var description: String {
    "\(axes) axes, batch \(batch), \(channels) to \(outputs) in \(groups) groups, size \(size), kernel "
      + "\(kernel), stride \(stride), dilation \(dilation), padding \(padding), output padding "
      + "\(outputPadding)"
  }

  /// A geometry that PyTorch allows, odd ones more often than not; nil where the result is empty.
  static func random(_ random: inout Random) -> Geometry? {
    let (axes, groups) = (random.within(1...3), random.within(1...2))
    func each(_ range: ClosedRange<Int>) -> [Int] { (0..<axes).map { _ in random.within(range) } }
    let (stride, dilation) = (each(1...4), each(1...4))
    let result = Geometry(
      axes: axes, batch: random.within(1...3), channels: groups * random.within(1...3),
      outputs: groups * random.within(1...6), groups: groups, size: each(1...(axes == 3 ? 4 : 7)),
      kernel: each(1...(axes == 3 ? 3 : 5)), stride: stride, dilation: dilation,
      padding: each(0...3),
      outputPadding: (0..<axes).map { random.within(0...(max(stride[$0], dilation[$0]) - 1)) })
    return result.outputSize.contains { $0 < 1 } ? nil : result
  }

  var outputSize: [Int] {
    (0..<axes).map {
      (size[$0] - 1) * stride[$0] - 2 * padding[$0] + dilation[$0] * (kernel[$0] - 1) + 1
        + outputPadding[$0]
    }
  }

  /// Whether some axis pads by a stride or more.
  var isOdd: Bool { (0..<axes).contains { outputPadding[$0] >= stride[$0] } }
}

/// A generator of a few lines, so that the cases are the same everywhere.
private struct Random {
  var state: UInt64
  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state >> 33
  }
  mutating func within(_ range: ClosedRange<Int>) -> Int {
    range.lowerBound + Int(next() % UInt64(range.count))
  }
  mutating func numbers(_ count: Int) -> [Double] {
    (0..<count).map { _ in Double(next() % 2001) / 1000 - 1 }
  }
}

/// The output, and the gradients of its product with `g`, from the definition.
private func definition(
  _ c: Geometry, _ x: [Double], _ w: [Double], _ b: [Double], _ g: [Double]
) -> (output: [Double], dx: [Double], dw: [Double], db: [Double]) {
  func positions(_ sizes: [Int]) -> [[Int]] {
    sizes.reduce([[]]) { all, size in all.flatMap { some in (0..<size).map { some + [$0] } } }
  }
  let (inputs, taps, targets) = (positions(c.size), positions(c.kernel), positions(c.outputSize))
  let (inEach, outEach) = (c.channels / c.groups, c.outputs / c.groups)
  var output = (0..<(c.batch * targets.count * c.outputs)).map { b[$0 % c.outputs] }
  var (dx, dw, db) = (x.map { _ in 0.0 }, w.map { _ in 0.0 }, b.map { _ in 0.0 })
  for (index, value) in g.enumerated() { db[index % c.outputs] += value }
  for example in 0..<c.batch {
    for (i, input) in inputs.enumerated() {
      for (k, tap) in taps.enumerated() {
        var target = 0
        var isInside = true
        for axis in 0..<c.axes {
          let place = input[axis] * c.stride[axis] - c.padding[axis] + tap[axis] * c.dilation[axis]
          isInside = isInside && (0..<c.outputSize[axis]).contains(place)
          target = target * c.outputSize[axis] + place
        }
        if !isInside { continue }
        for channel in 0..<c.channels {
          let from = (example * inputs.count + i) * c.channels + channel
          for each in 0..<outEach {
            let weight = (channel * taps.count + k) * outEach + each
            let to =
              (example * targets.count + target) * c.outputs + channel / inEach * outEach + each
            output[to] += x[from] * w[weight]
            dx[from] += g[to] * w[weight]
            dw[weight] += g[to] * x[from]
          }
        }
      }
    }
  }
  return (output, dx, dw, db)
}

@Suite struct TransposedGeometryTests {
  private static func layer<Rank: SpatialRank>(
    _ c: Geometry, _ rank: Rank.Type, _ values: ([Double], [Double])
  ) -> TransposedConvolution<Rank> {
    var random = RandomStream(seed: 0)
    var layer = TransposedConvolution<Rank>(
      c.channels, c.outputs, kernel: .axes(c.kernel), stride: .axes(c.stride),
      padding: .axes(c.padding), outputPadding: .axes(c.outputPadding),
      dilation: .axes(c.dilation), groups: c.groups, using: &random)
    layer.weight = Tensor(values.0, shape: layer.weight.shape)
    layer.bias = Tensor(values.1)
    return layer
  }

  private static func compare<Rank: SpatialRank>(
    _ c: Geometry, _ rank: Rank.Type, _ random: inout Random
  ) {
    let shape = Shape([c.batch] + c.size + [c.channels])
    let weights = c.channels * c.kernel.reduce(1, *) * c.outputs / c.groups
    let (x, w, b) = (
      random.numbers(shape.count), random.numbers(weights), random.numbers(c.outputs)
    )
    let outputShape = Shape([c.batch] + c.outputSize + [c.outputs])
    let g = random.numbers(outputShape.count)
    let expected = definition(c, x, w, b, g)
    let layer = layer(c, rank, (w, b))
    for (type, tolerance) in [(DType.float64, 1e-9), (.float32, 2e-4)] {
      let typed = layer.converted(to: type)
      let (input, cotangent) = (
        Tensor(x, shape: shape).converted(to: type),
        Tensor(g, shape: outputShape).converted(to: type)
      )
      let output = typed(input)
      #expect(output.shape == outputShape, "\(c)")
      if output.shape != outputShape { return }
      let (_, slopes, _) = valueAndGradient(
        at: [input] + typed.parameters,
        withAuxiliary: { parts in
          var copy = typed
          copy.setParameters(Array(parts.dropFirst()))
          return ((copy(parts[0]) * cotangent).sum(), ())
        })
      let pairs = [
        ("output", output.doubles, expected.output),
        ("input gradient", slopes[0]?.doubles ?? [], expected.dx),
        ("weight gradient", slopes[1]?.doubles ?? [], expected.dw),
        ("bias gradient", slopes[2]?.doubles ?? [], expected.db),
      ]
      for (what, found, wanted) in pairs {
        let error = zip(found, wanted).map { abs($0 - $1) }.max() ?? 0
        #expect(
          found.count == wanted.count && error < tolerance, "\(what): \(error), \(type), \(c)")
      }
    }
  }

  @Test func agreeWithTheDefinition() {
    var random = Random(state: 120)
    var (count, odd) = (0, 0)
    while count < 120 {
      guard let c = Geometry.random(&random) else { continue }
      count += 1
      odd += c.isOdd ? 1 : 0
      switch c.axes {
      case 1: TransposedGeometryTests.compare(c, OneAxis.self, &random)
      case 2: TransposedGeometryTests.compare(c, TwoAxes.self, &random)
      default: TransposedGeometryTests.compare(c, ThreeAxes.self, &random)
      }
    }
    #expect(odd >= 20, "cases that pad by a stride or more: \(odd)")
  }

  /// Large enough for several pieces and for oneDNN's plans.
  @Test func largeOnesAgreeToo() {
    var random = Random(state: 7)
    for (stride, dilation, extra) in [(2, 3, 2), (1, 4, 3), (3, 4, 3), (2, 2, 1)] {
      let c = Geometry(
        axes: 2, batch: 2, channels: 16, outputs: 16, groups: 1, size: [12, 11], kernel: [3, 3],
        stride: [stride, stride], dilation: [dilation, dilation], padding: [1, 2],
        outputPadding: [extra, extra])
      TransposedGeometryTests.compare(c, TwoAxes.self, &random)
    }
  }

  /// PyTorch's rule, axis by axis.
  @Test(arguments: [(1, 1, 1), (2, 1, 2), (1, 3, 3), (2, 3, 3)])
  func tooMuchPaddingIsRefused(stride: Int, dilation: Int, extra: Int) async throws {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) { [stride, dilation, extra] in
      var random = RandomStream(seed: 0)
      _ = ConvTranspose2D(
        1, 1, kernel: 3, stride: .axes([5, stride]), outputPadding: .axes([0, extra]),
        dilation: .axes([1, dilation]), using: &random)
    }
    let text = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
    #expect(text.contains("expected less than the larger of the two"), "\(text.prefix(300))")
  }
}
