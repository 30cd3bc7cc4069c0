// Data that are possible under a likelihood and yet seldom meant: said once, with the way out.

import Foundation
import LatentDistributions
import LatentModels

/// Something odd about data, in a sentence.
public struct DataNote: Sendable, Equatable, CustomStringConvertible {
  /// What may be odd about data.
  public enum Kind: Sendable, Hashable {
    /// All numbers are the same.
    case constant
    /// They use a small part of a bounded support.
    case smallPart
    /// A density is to describe numbers that are 0 and 1 only, where it can grow without bound.
    case binary
    /// Classes or counts where measurements are expected.
    case whole
    /// Their scale is far from that of a network's weights, or of the likelihood.
    case scale
  }

  /// What is odd.
  public let kind: Kind
  public let description: String

  /// `description` is the sentence.
  public init(_ kind: Kind, _ description: String) {
    self.kind = kind
    self.description = description
  }
}

extension DataStatistics {
  /// What is odd about numbers inside the support of a likelihood; `deviation` is its own, where it is
  /// normal.
  func notes(for likelihood: LikelihoodSupport, deviation: Double?) -> [DataNote] {
    let (support, name) = (likelihood.support, likelihood.name)
    guard count > 0 else { return [] }
    let range = "numbers from \(shown(smallest)) to \(shown(largest))"
    if smallest == largest {
      return [
        DataNote(
          .constant,
          "every number that was looked at is \(shown(smallest)): there is nothing to learn")
      ]
    }
    if support.isBounded && support.takesFractions {
      return boundedNotes(support, name, range)
    }
    return !support.lowest.isFinite && !support.highest.isFinite
      ? unboundedNotes(name, deviation, range) : []
  }

  private func boundedNotes(
    _ support: Support, _ likelihood: String, _ range: String
  ) -> [DataNote] {
    let byte = 1.0 / 255
    if support.lowest == 0 && support.highest == 1 && smallest == 0
      && abs(largest - byte) < byte / 100
    {
      return [
        DataNote(
          .smallPart,
          "the data are 0 and 1/255 only, as bytes of 0 and 1 divided by 255: store them as "
            + "booleans or floats where they mean 0 and 1")
      ]
    }
    if (largest - smallest) * 8 < support.highest - support.lowest {
      return [
        DataNote(
          .smallPart,
          "the data are \(range), a small part of what \(likelihood) takes, \(support): counts "
            + "in bytes, which are divided by 255, or pictures of another depth? Store them as "
            + "floats of the range that is meant")
      ]
    }
    if !support.isDiscrete && isWhole {
      return [
        DataNote(
          .binary,
          "the data are \(shown(support.lowest)) and \(shown(support.highest)) only, where the "
            + "density of \(likelihood) grows without bound: the likelihood for them is bernoulli")
      ]
    }
    return []
  }

  private func unboundedNotes(
    _ likelihood: String, _ scale: Double?, _ range: String
  ) -> [DataNote] {
    let deviation = totalMoments.deviation ?? 0
    if smallest >= 0 && largest > 31 && largest <= 65_535 && (isWhole || largest <= 255) {
      let depth = largest <= 255 ? 255 : 65_535
      return [
        DataNote(
          .scale,
          "the data are \(range), as of pictures that were not divided by \(depth): networks learn "
            + "best from numbers whose deviation is about 1, found \(rounded(deviation))")
      ]
    }
    if isWhole && smallest >= 0 && largest > 1 {
      return [
        DataNote(
          .whole,
          "the data are whole \(range), which \(likelihood) takes for measurements: classes, such "
            + "as labels, are no inputs of it")
      ]
    }
    if deviation > 10 || deviation < 0.01 {
      return [
        DataNote(
          .scale,
          "the data are \(range) with a deviation of \(rounded(deviation)): networks learn best "
            + "from numbers whose deviation is about 1; scale them")
      ]
    }
    // Around the means, which a decoder has that has learned nothing else.
    if let scale, let own = moments.deviation, scale > 4 * own {
      return [
        DataNote(
          .scale,
          "the data deviate by \(rounded(own)) from their mean, but the likelihood by "
            + "\(rounded(scale)), so that it sees little in them: start its scale at that of the data "
            + "(the likelihood normal, initialize(on:)), or scale the data")
      ]
    }
    return []
  }

  private func rounded(_ value: Double) -> String { String(format: "%.3g", value) }
}
