// The code of the article about figures.

import Foundation
import Latent
import Testing

@Suite struct FigureArticles {
  @Test func figures() throws {
    let points = (1...5).map { (x: Double($0), y: 100 / Double($0)) }
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("report.html").path

    let loss = Chart(
      "Loss", x: Chart.Axis("epoch", isWhole: true), y: Chart.Axis("loss", unit: "nats"),
      marks: [Chart.Line("training", points)])
    let figure = Page.Figure(.chart(loss), caption: "The mean over the examples of an epoch.")
    let page = Page(title: "A run", sections: [Page.Section("Training", [.figures([figure])])])
    try page.write(to: path)
    #expect(try String(contentsOfFile: path, encoding: .utf8).contains("<h2"))
  }
}
