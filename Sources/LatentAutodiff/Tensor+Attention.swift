// Attention as one operation with its derivative by hand: no head is ever split off, and of the
// scores only the softmax is kept.

import LatentNumerics

/// Scaled dot-product attention in `heads` parts of the width (Vaswani et al. 2017):
/// `softmax(q k^T / sqrt(width / heads) + mask) v`.
///
/// queries `[batch, queries, width]`, keys and values `[batch, keys, width]` give
/// `[batch, queries, width]`.
/// - Parameters:
///   - isCausal: query i sees only the keys up to `i + keys - queries`
///   - mask: added to the scores, `[batch, heads, queries, keys]` or what broadcasts to it;
///     -infinity hides a key, and a query from which every key is hidden gives zeros
public func attention(
  queries: Tensor, keys: Tensor, values: Tensor, heads: Int, isCausal: Bool = false,
  mask: Tensor? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  attention([queries, keys, values], heads, isCausal, mask, file, line)
}

/// Attention of a sequence to itself from packed projections: `[batch, length, 3 * width]`,
/// queries, keys and values of a position side by side, give `[batch, length, width]`.
public func selfAttention(
  _ projection: Tensor, heads: Int, isCausal: Bool = false, mask: Tensor? = nil,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  attention([projection], heads, isCausal, mask, file, line)
}

private func attention(
  _ operands: [Tensor], _ heads: Int, _ isCausal: Bool, _ mask: Tensor?, _ file: StaticString,
  _ line: UInt
) -> Tensor {
  let geometry = AttentionGeometry(
    operands.map(\.array), heads: heads, isCausal: isCausal, mask: mask?.array, file: file,
    line: line)
  if let mask, mask.isRecorded { return composed(operands, geometry, mask) }
  let records = operands.contains { $0.isRecorded }
  let (output, weights) = geometry.output(of: operands.map(\.array), savingWeights: records)
  return Tensor.record("attention", operands, output, saving: .inputs) { g, call in
    if call.isHigherOrder { return call.cotangents(g) { composed($0, geometry, mask) } }
    let parts = operands.indices.map { call[$0].array }
    let gradients = geometry.gradients(of: parts, weights: weights, cotangent: g.array)
    return gradients.enumerated().map { call.needs($0) ? Tensor($1) : nil }
  }
}

/// The same as matrix products and a softmax, each recorded.
private func composed(
  _ operands: [Tensor], _ geometry: AttentionGeometry, _ mask: Tensor?
) -> Tensor {
  let parts = geometry.isPacked ? operands[0].split(into: 3, axis: -1) : operands
  let split = parts.map {
    $0.reshaped([geometry.batch, $0.shape[1], geometry.heads, geometry.headSize])
      .permuted([0, 2, 1, 3])
  }
  var scores = matmul(split[0], split[1], transpose: .right) * geometry.scale
  if let mask { scores += mask }
  let dtype = scores.dtype
  if geometry.isCausal {
    let (queries, keys) = (geometry.queries, geometry.keys)
    let last = Tensor.range(queries, dtype).reshaped([queries, 1]) + Double(keys - queries)
    let visible = Tensor.range(keys, dtype).reshaped([1, keys]) .<= last
    scores = Tensor.where(visible, scores, .scalar(-.infinity, dtype))
  }
  let hidden = scores.detached.max(axes: [-1], keepingDimensions: true) .== -.infinity
  let weights = softmax(Tensor.where(hidden, .scalar(0, dtype), scores)) * (1 - hidden)
  return matmul(weights, split[2]).permuted([0, 2, 1, 3])
    .reshaped([geometry.batch, geometry.queries, geometry.width])
}

/// Queries and keys of packed projections (or whatever the first `columns` of the last axis hold)
/// turned by the angles of their positions (Su et al. 2021): `[..., length, width] -> [..., length,
/// width]`, where the first position of the sequence is number `start`.
public func rotated(
  _ x: Tensor, by angles: RotaryAngles, columns: Int, from start: Int = 0
) -> Tensor {
  rotated(x, angles.table(start..<(start + x.shape[-2]), x.dtype), columns, inverse: false)
}

private func rotated(_ x: Tensor, _ table: NDArray, _ columns: Int, inverse: Bool) -> Tensor {
  let result = x.array.rotatingPairs(by: table, columns: columns, inverse: inverse)
  return Tensor.record("rotate", x, result, saving: []) { g, _ in
    [rotated(g, table, columns, inverse: !inverse)]
  }
}
