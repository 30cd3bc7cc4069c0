// A parameter that `visitParameters` forgets would never be trained nor saved; looking at the
// stored properties finds it. Reflection is used for this warning only. Two parameters of one name
// would be saved as one.

import LatentAutodiff
import LatentNumerics

extension Module {
  /// Paths under which `visitParameters` names more than one parameter or buffer.
  public var repeatedPaths: [String] {
    var seen: Set<String> = []
    var repeated: [String] = []
    for parameter in namedParameters where !seen.insert(parameter.path).inserted {
      if !repeated.contains(parameter.path) { repeated.append(parameter.path) }
    }
    return repeated
  }

  /// Stored floating-point tensors that `visitParameters` does not reach, by property path.
  public var unvisitedTensors: [String] {
    let visited = namedParameters.map(\.tensor.array)
    var forgotten: [String] = []
    func look(_ value: Any, _ path: String) {
      if let tensor = value as? Tensor {
        let isVisited = visited.contains { tensor.array.isView(of: $0, from: 0) }
        if tensor.dtype.isFloatingPoint && !isVisited { forgotten.append(path) }
        return
      }
      if value is NDArray { return }
      for (index, child) in Mirror(reflecting: value).children.enumerated() {
        let label = child.label ?? "\(index)"
        look(child.value, label == "some" ? path : path.isEmpty ? label : "\(path).\(label)")
      }
    }
    look(self, "")
    return forgotten
  }
}
