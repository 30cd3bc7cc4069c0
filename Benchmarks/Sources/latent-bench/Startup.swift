import Latent
struct Startup {
  init(threads: Int) throws {}
  func remove() {}
  func once() throws -> Double { 0 }
  static func child(_ s: String) throws {}
}
