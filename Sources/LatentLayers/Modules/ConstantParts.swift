// Parts that never change: the base of adapters, a network that is only looked through. Their parameters are buffers
// of whoever holds them: saved with them, moved by no rule, without a gradient.

import LatentAutodiff
import LatentNumerics

extension ParameterVisitor {
  /// Visits the parts of a module as something that never changes, without a name before theirs.
  package mutating func visitConstants(of module: inout some Module) {
    var seen = AsConstants(base: self)
    module.visitParameters(&seen)
    self = seen.base
  }
}

/// Shows parameters and buffers to another visitor as constants.
private struct AsConstants<Base: ParameterVisitor>: ParameterVisitor {
  var base: Base

  mutating func visit(_ parameter: inout Tensor, _ name: String) {
    base.visitConstant(&parameter, name)
  }
  mutating func visitBuffer(_ buffer: inout Tensor, _ name: String) {
    base.visitConstant(&buffer, name)
  }
  mutating func enterArithmetic() { base.enterArithmetic() }
  mutating func leaveArithmetic() { base.leaveArithmetic() }
  mutating func enter(_ name: String) { base.enter(name) }
  mutating func leave() { base.leave() }
}
