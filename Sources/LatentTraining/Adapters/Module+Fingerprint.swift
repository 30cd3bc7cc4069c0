// By what parameters are recognised, to the bit: factors mean something beside the weights that they were
// trained beside, and nothing beside others of the same shapes.

import LatentLayers
import LatentNumerics
import LatentStorage

extension Module {
  /// SHA-256 of all parameters and buffers with their paths, types and shapes, in hexadecimal: the same
  /// for the same numbers, in any order of visiting.
  public var fingerprint: String {
    // A digest of digests, so that nothing is put together in memory.
    let digests = namedArrays.sorted { $0.key < $1.key }.flatMap { path, array in
      let form = "\(path) \(array.dtype) \(array.shape)\n"
      return Array(form.utf8).withUnsafeBytes { SHA256.digest($0) }
        + array.withUnsafeBytes { SHA256.digest($0) }
    }
    return digests.withUnsafeBytes { SHA256.digest($0) }
      .map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
