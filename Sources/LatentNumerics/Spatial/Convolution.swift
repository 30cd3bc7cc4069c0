// Convolutions of channels-last arrays, cut into pieces whose number depends on the sizes alone.
// A piece is a run of examples, or of rows of a single example. oneDNN works on pieces in float32
// where it has a kernel; otherwise patches become the rows of a matrix product (Chellapilla, Puri
// and Simard 2006), in blocks that stay in the second-level cache.

import CLatentDNN
import CLatentKernels

/// One convolution of exact sizes.
struct Convolution {
  var sizes: latent_convolution
  let dtype: DType
  /// The type in which oneDNN reads the image.
  var rowType = RowType.float32

  /// Fewer multiply-adds than this are not worth a second thread; a piece has about as many as the
  /// second number.
  static let worthTwo = 500_000
  static let pieceWork = 20_000_000
  /// Bytes of patches that are made before they are multiplied.
  static let blockBytes = 256 << 10
  /// Up to so many channels at the image end, oneDNN's gradient of the input is slower than a
  /// product and a sum of patches (measured: 3 to 5 times).
  static let fewChannels = 4

  init(
    _ geometry: ConvolutionGeometry, batch: Int, input: SIMD3<Int>, inputChannels: Int,
    output: SIMD3<Int>, outputChannels: Int, dtype: DType
  ) {
    self.dtype = dtype
    func three(_ v: SIMD3<Int>) -> (Int64, Int64, Int64) { (Int64(v.x), Int64(v.y), Int64(v.z)) }
    sizes = latent_convolution(
      batch: Int64(batch), in_channels: Int64(inputChannels), out_channels: Int64(outputChannels),
      groups: Int64(geometry.groups), in: three(input), out: three(output),
      kernel: three(geometry.kernel), stride: three(geometry.stride),
      dilation: three(geometry.dilation), before: three(geometry.before),
      after: three(geometry.after))
  }

  var batch: Int { Int(sizes.batch) }
  var groups: Int { Int(sizes.groups) }
  var inputChannels: Int { Int(sizes.in_channels) }
  var outputChannels: Int { Int(sizes.out_channels) }
  /// Positions of one example.
  var inputPositions: Int { Int(sizes.in.0 * sizes.in.1 * sizes.in.2) }
  var outputPositions: Int { Int(sizes.out.0 * sizes.out.1 * sizes.out.2) }
  /// Elements of one patch of one group.
  var patch: Int {
    Int(sizes.kernel.0 * sizes.kernel.1 * sizes.kernel.2) * inputChannels / groups
  }
  var multiplyAdds: Int { batch * outputPositions * outputChannels * patch }
  /// Whether a patch is one input position, so that input and patches are the same matrix.
  var isPointwise: Bool {
    patch * groups == inputChannels && inputPositions == outputPositions && groups == 1
      && sizes.before == (0, 0, 0) && sizes.stride == (1, 1, 1)
  }

  /// How many pieces the work is worth.
  var wantedPieces: Int {
    if multiplyAdds < 2 * Convolution.worthTwo { return 1 }
    return evenPieces(multiplyAdds / Convolution.pieceWork)
  }
}

extension Convolution {
  /// A run of examples, or of rows of the one example, with the convolution that it is by itself.
  struct Piece {
    let whole: Convolution
    /// Elements of input and output before the piece's first.
    let inputOffset, outputOffset: Int
  }

  private func piece(examples: Range<Int>) -> Piece {
    var part = self
    part.sizes.batch = Int64(examples.count)
    return Piece(
      whole: part, inputOffset: examples.lowerBound * inputPositions * inputChannels,
      outputOffset: examples.lowerBound * outputPositions * outputChannels)
  }

  /// The pieces that write disjoint parts of the output (or of the input, for its gradient).
  func pieces(writingInput: Bool) -> [Piece] {
    let wanted = wantedPieces
    let rows = Int(writingInput ? sizes.in.1 : sizes.out.1)
    if wanted == 1 || batch > 1 || sizes.in.0 != 1 || sizes.out.0 != 1 || rows < 4 {
      let count = min(batch, wanted)
      return (0..<count).map {
        piece(examples: ($0 * batch / count)..<(($0 + 1) * batch / count))
      }
    }
    let count = min(wanted, rows / 2, 4)
    return (0..<count).map { index in
      let range = (index * rows / count)..<((index + 1) * rows / count)
      return writingInput ? piece(inputRows: range) : piece(outputRows: range)
    }
  }

  private var rowStride: Int { Int(sizes.stride.1) }
  private var reach: Int { Int(sizes.dilation.1 * (sizes.kernel.1 - 1) + 1) }

  /// Rows `output` of the output see rows `input` of the input; rows beyond become padding.
  private func piece(outputRows output: Range<Int>) -> Piece {
    let first = output.lowerBound * rowStride - Int(sizes.before.1)
    let end = (output.upperBound - 1) * rowStride - Int(sizes.before.1) + reach
    let input = min(max(first, 0), Int(sizes.in.1) - 1)..<max(min(end, Int(sizes.in.1)), 1)
    return piece(input: input, output: output, before: input.lowerBound - first)
  }

  /// Rows `input` of the input are seen by rows `output` of the output; what else those see becomes
  /// padding.
  private func piece(inputRows input: Range<Int>) -> Piece {
    let before = Int(sizes.before.1)
    let lower = (input.lowerBound + before - reach + 1 + rowStride - 1) / rowStride
    let upper = (input.upperBound - 1 + before) / rowStride + 1
    let first = max(0, min(lower, Int(sizes.out.1) - 1))
    let output = first..<max(first + 1, min(upper, Int(sizes.out.1)))
    return piece(
      input: input, output: output,
      before: input.lowerBound - (output.lowerBound * rowStride - before)
    )
  }

  private func piece(input: Range<Int>, output: Range<Int>, before: Int) -> Piece {
    var part = self
    part.sizes.in.1 = Int64(input.count)
    part.sizes.out.1 = Int64(output.count)
    part.sizes.before.1 = Int64(before)
    part.sizes.after.1 = Int64(
      max(0, (output.count - 1) * rowStride + reach - input.count - before))
    return Piece(
      whole: part, inputOffset: input.lowerBound * Int(sizes.in.2) * inputChannels,
      outputOffset: output.lowerBound * Int(sizes.out.2) * outputChannels)
  }
}

// MARK: - By oneDNN

extension Convolution {
  /// The plan for exactly these sizes, where there is one and it is the fastest way.
  private func plan(
    _ direction: latent_dnn_direction, hasBias: Bool = false, relu: Bool = false
  ) -> OpaquePointer? {
    guard dtype == .float32, sizes.before.0 >= 0, sizes.before.1 >= 0, sizes.before.2 >= 0,
      sizes.after.0 >= 0, sizes.after.1 >= 0, sizes.after.2 >= 0
    else { return nil }
    if (direction == LATENT_DNN_BACKWARD_DATA || direction == LATENT_DNN_TRANSPOSED)
      && inputChannels <= Convolution.fewChannels
    {
      return nil
    }
    var shape = latent_dnn_convolution(
      batch: sizes.batch, in_channels: sizes.in_channels, out_channels: sizes.out_channels,
      groups: sizes.groups, in: sizes.in, out: sizes.out, kernel: sizes.kernel,
      stride: sizes.stride, dilation: sizes.dilation, before: sizes.before, after: sizes.after,
      direction: direction, has_bias: hasBias, relu: relu, type: rowType.kernel)
    return rowType.withScales { latent_dnn_convolution_plan(&shape, $0) }
  }

  /// One plan for each piece, all with the weights in one layout; nil where oneDNN cannot.
  func plans(
    _ pieces: [Piece], _ direction: latent_dnn_direction, hasBias: Bool = false, relu: Bool = false
  ) -> [OpaquePointer]? {
    var found: [OpaquePointer] = []
    for piece in pieces {
      guard let plan = piece.whole.plan(direction, hasBias: hasBias, relu: relu) else { return nil }
      if let first = found.first,
        latent_dnn_weights_layout(first) != latent_dnn_weights_layout(plan)
      {
        return nil
      }
      found.append(plan)
    }
    return found.isEmpty ? nil : found
  }
}

// MARK: - By patches and products

extension Convolution {
  /// Rows of patches in a block.
  var blockRows: Int {
    max(16, min(4096, Convolution.blockBytes / max(1, patch * dtype.size)))
  }

  private func element(_ pointer: UnsafeRawPointer, _ offset: Int) -> UnsafeRawPointer {
    pointer + offset * dtype.size
  }

  /// Patches of rows `range` of all output rows of all examples, for one group.
  private func makePatches(
    _ range: Range<Int>, group: Int, _ x: UnsafeRawPointer, _ patches: UnsafeMutableRawPointer
  ) {
    var sizes = sizes
    let channels = inputChannels / groups
    forEachExample(range) { example, positions, row in
      latent_patches(
        dtype.kernel, &sizes, Int64(positions.lowerBound), Int64(positions.upperBound),
        Int64(group * channels), Int64(channels),
        element(x, example * inputPositions * inputChannels), patches + row * patch * dtype.size)
    }
  }

  /// Calls with each example that `range` of all output rows touches, the positions of it, and where
  /// these begin in the range.
  func forEachExample(_ range: Range<Int>, _ body: (Int, Range<Int>, Int) -> Void) {
    var row = range.lowerBound
    while row < range.upperBound {
      let example = row / outputPositions
      let end = min(range.upperBound, (example + 1) * outputPositions)
      let start = example * outputPositions
      body(example, (row - start)..<(end - start), row - range.lowerBound)
      row = end
    }
  }

  /// Calls with each block of the output rows `range`, each group, and their patches: in `scratch`,
  /// or the input itself where a patch is one position.
  private func forEachBlock(
    _ range: Range<Int>, _ x: UnsafeRawPointer, _ scratch: UnsafeMutableRawPointer,
    _ body: (_ block: Range<Int>, _ group: Int, _ patches: UnsafeRawPointer) -> Void
  ) {
    for start in stride(from: range.lowerBound, to: range.upperBound, by: blockRows) {
      let block = start..<min(start + blockRows, range.upperBound)
      for group in 0..<groups {
        if isPointwise {
          body(block, group, element(x, block.lowerBound * inputChannels))
        } else {
          makePatches(block, group: group, x, scratch)
          body(block, group, UnsafeRawPointer(scratch))
        }
      }
    }
  }

  /// The output of rows `range`.
  func forward(
    rows range: Range<Int>, _ x: UnsafeRawPointer, _ w: UnsafeRawPointer,
    _ y: UnsafeMutableRawPointer, _ scratch: UnsafeMutableRawPointer
  ) {
    let outputs = outputChannels / groups
    forEachBlock(range, x, scratch) { block, group, patches in
      Gemm.serial(
        .right, block.count, outputs, patch, patches, patch,
        element(w, group * outputs * patch), patch,
        y + (block.lowerBound * outputChannels + group * outputs) * dtype.size, outputChannels,
        dtype)
    }
  }

  /// The cotangent of the input of this piece, from that of the output.
  func inputGradient(
    _ y: UnsafeRawPointer, _ w: UnsafeRawPointer, _ x: UnsafeMutableRawPointer,
    _ scratch: UnsafeMutableRawPointer
  ) {
    let rows = batch * outputPositions
    let outputs = outputChannels / groups
    if isPointwise {
      return Gemm.serial(
        [], rows, inputChannels, outputChannels, y, outputChannels, w, inputChannels, x,
        inputChannels, dtype)
    }
    var sizes = sizes
    let channels = inputChannels / groups
    latent_fill(dtype.kernel, Int64(batch * inputPositions * inputChannels), 0, x)
    for start in stride(from: 0, to: rows, by: blockRows) {
      let block = start..<min(start + blockRows, rows)
      for group in 0..<groups {
        Gemm.serial(
          [], block.count, patch, outputs,
          element(y, block.lowerBound * outputChannels + group * outputs), outputChannels,
          element(w, group * outputs * patch), patch, scratch, patch, dtype)
        forEachExample(block) { example, positions, row in
          latent_patches_add(
            dtype.kernel, &sizes, Int64(positions.lowerBound), Int64(positions.upperBound),
            Int64(group * channels), Int64(channels), 0, sizes.in.1,
            scratch + row * patch * dtype.size,
            x + example * inputPositions * inputChannels * dtype.size)
        }
      }
    }
  }

  /// Adds the weights' cotangent from rows `range` to `w`, which starts as zero.
  func weightGradient(
    rows range: Range<Int>, _ x: UnsafeRawPointer, _ y: UnsafeRawPointer,
    _ w: UnsafeMutableRawPointer, _ scratch: UnsafeMutableRawPointer
  ) {
    let outputs = outputChannels / groups
    forEachBlock(range, x, scratch) { block, group, patches in
      Gemm.serial(
        .left, outputs, patch, block.count,
        element(y, block.lowerBound * outputChannels + group * outputs), outputChannels, patches,
        patch, w + group * outputs * patch * dtype.size, patch, dtype, adding: true)
    }
  }
}
