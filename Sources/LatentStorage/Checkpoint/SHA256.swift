// The digest of checkpoints.

import CLatentDigest

package enum SHA256 {
  /// The 32 bytes of the SHA-256 digest (FIPS 180-4).
  package static func digest(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
    var result = [UInt8](repeating: 0, count: 32)
    latent_sha256(bytes.baseAddress, bytes.count, &result)
    return result
  }
}
