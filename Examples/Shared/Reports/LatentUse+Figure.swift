// What each latent carries, as a chart.

import Foundation
import Latent

extension LatentUse {
  /// The most dimensions that have a bar each.
  private static let shown = 128

  /// A bar for each dimension, the one that carries most first.
  public var figure: Page.Figure {
    let order = nats.indices.sorted { (nats[$0], $1) > (nats[$1], $0) }.prefix(LatentUse.shown)
    let titles = order.map { names.isEmpty ? "\($0)" : names[$0] }
    let rest = nats.count > order.count ? " The \(order.count) largest of \(nats.count)." : ""
    return Page.Figure(
      .chart(
        Chart(
          "What each \(names.isEmpty ? "latent" : "level") carries",
          x: .categories(titles, title: names.isEmpty ? "latent" : ""),
          y: Chart.Axis("divergence from the prior", unit: "nats"),
          marks: [Chart.Bars(order.map { nats[$0] })])),
      caption: "\(description).\(rest)")
  }
}
