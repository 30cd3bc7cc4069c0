// Several modules in one file: a generator and its critic, a teacher and a student.

import LatentLayers
import LatentNumerics
import LatentStorage

extension Checkpoint {
  /// Puts the parameters and buffers of `module` under `name`, in place of what was there.
  ///
  /// ```swift
  /// var checkpoint = Checkpoint()
  /// checkpoint.store(model, as: "model")
  /// checkpoint.store(critic, as: "critic")
  /// try checkpoint.write(to: "both.h5")
  /// ```
  public mutating func store(_ module: some Module, as name: String) {
    for path in arrays.keys where path.hasPrefix("\(name)/") { arrays[path] = nil }
    for (path, array) in module.namedArrays { arrays["\(name)/\(path)"] = array }
  }

  /// Gives `module` the parameters and buffers that were stored as `name`.
  /// - Throws: `ParameterMismatch` with every path that disagrees; the module is then unchanged.
  @discardableResult
  public func load(
    _ module: inout some Module, from name: String, partial: Bool = false
  ) throws -> LoadedParameters {
    try module.load(arrays(under: "\(name)/"), partial: partial)
  }
}
