// Parallel loops over the one thread pool.

import CLatentBLAS
import CLatentDNN
import CLatentKernels

/// The threads that computations run on.
public enum Threads {
  /// How many threads share the work; results are the same bits for any number. The default is
  /// the environment's `LATENT_THREADS`, else the CPUs this process may run on.
  public static var count: Int {
    get { Int(latent_pool_threads()) }
    set { latent_pool_set_threads(Int32(newValue)) }
  }

  /// What can change the last bits of a result: recorded in checkpoints.
  public static var kernelFamily: String {
    let blas = String(cString: latent_blas_kernels())
    return "OpenBLAS \(blas)" + (latent_dnn_available() ? " + oneDNN" : "")
  }
}

/// Runs `body(i)` for every `i` in `0..<count`, each once, on the pool; returns when all are done.
public func parallelFor(_ count: Int, _ body: (Int) -> Void) {
  withoutActuallyEscaping(body) { body in
    var body = body
    withUnsafeMutablePointer(to: &body) { pointer in
      latent_parallel(Int64(count), pointer) { context, index in
        context.unsafelyUnwrapped.assumingMemoryBound(to: ((Int) -> Void).self)
          .pointee(Int(index))
      }
    }
  }
}

/// How many pieces work is cut into that is worth about `wanted`: a power of two from 2 to 16, so that
/// no thread of two, four or eight is left with one piece more than the others.
func evenPieces(_ wanted: Int) -> Int {
  var pieces = 2
  while pieces < 16 && 2 * pieces <= wanted { pieces *= 2 }
  return pieces
}
