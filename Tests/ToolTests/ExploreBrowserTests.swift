// The page of latent-explore in a real browser: by mouse, by keyboard, by file.
//
// With LATENT_SCREENSHOTS=FOLDER in the environment it leaves pictures of itself there.

import Foundation
import Latent
import Testing

@Suite(.enabled(if: Browser.isInstalled)) struct ExploreBrowserTests {
  /// Opens the page of a run, waits until it is ready, and expects afterwards that nothing in it failed and nothing came
  /// from elsewhere.
  private func withPage(
    _ run: String, in folder: String, _ body: (Browser, ExploreServer) throws -> Void
  ) throws {
    try ExploreServer.serving(run, in: folder) { server in
      let browser = try Browser(in: folder)
      defer { browser.close() }
      try browser.resize(1400, 1000)
      try browser.open(server.url)
      try browser.wait("document.querySelector('main')?.getAttribute('aria-busy') === 'false'")
      try browser.wait("document.querySelector('#decoded').childElementCount === 1")
      try body(browser, server)
      #expect(try browser.value("document.querySelector('#alert').hidden") as? Bool == true)
      for (method, parameters) in browser.events {
        #expect(method != "Runtime.exceptionThrown" && method != "Log.entryAdded", "\(parameters)")
        if method == "Network.requestWillBeSent" {
          let url = (parameters["request"] as? [String: Any])?["url"] as? String ?? ""
          #expect(url.hasPrefix(server.url) || url.hasPrefix("blob:\(server.url)"), "\(url)")
        }
      }
    }
  }

  /// The bytes of the picture that is shown, as numbers of its canvas.
  private let shown = """
    (() => { const p = document.querySelector('#decoded img'); const c = new OffscreenCanvas(8, 8);
    const d = c.getContext('2d'); d.drawImage(p, 0, 0); return [...d.getImageData(0, 0, 8, 8).data].join(); })()
    """

  private func changes(_ browser: Browser, _ body: () throws -> Void) throws {
    let before = try #require(try browser.value(shown) as? String)
    try body()
    try browser.wait("\(shown) !== '\(before)'")
  }

  /// The middle of an element of the page.
  private func place(of selector: String, _ browser: Browser) throws -> (x: Double, y: Double) {
    let numbers = try browser.value(
      """
      (() => { const e = document.querySelector('\(selector)'); e.scrollIntoView({ block: 'center' });
      const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; })()
      """)
    let place = try #require(numbers as? [Double])
    return (place[0], place[1])
  }

  private func click(_ selector: String, _ browser: Browser) throws {
    try browser.drag([place(of: selector, browser)])
  }

  @Test func walk() throws {
    try ExploreTests.withRun { folder in
      try withPage("run", in: folder) { browser, _ in
        #expect(try browser.text("#name") == "run")
        #expect(try browser.text("#facts").contains("64 examples"))
        #expect(try browser.text("#status") == "Example 0, label 0")
        try browser.wait("!document.querySelector('#original').hidden")
        #expect(try browser.text("#order").contains("divergence"))
        try browser.wait("document.querySelectorAll('#neighbors img').length === 12")
        // A slider by the keyboard.
        try browser.value("document.querySelector('#sliders input').focus()")
        try changes(browser) { for _ in 0..<60 { try browser.press("ArrowRight") } }
        // The map by the mouse: a drag, and a click on a point.
        let middle = try place(of: "#map", browser)
        try changes(browser) {
          try browser.drag(
            (0...10).map { (middle.x - 60 + 12 * Double($0), middle.y + 4 * Double($0)) })
        }
        // The map by the keyboard.
        try browser.value("document.querySelector('#map').focus()")
        try changes(browser) { for _ in 0..<20 { try browser.press("ArrowLeft") } }
        try browser.press("Enter")
        try browser.wait(
          "/^Example \\d+, label [01]$/.test(document.querySelector('#status').textContent)")
        // Draws, and back to the middle.
        try changes(browser) {
          try click("#draw", browser)
          try browser.wait("document.querySelector('#status').textContent === 'Draw 1'")
        }
        try changes(browser) { try click("#middle", browser) }
        // A neighbour.
        try browser.wait("document.querySelectorAll('#neighbors img').length === 12")
        usleep(300_000)
        try click("#neighbors button", browser)
        try browser.wait("document.querySelector('#status').textContent.startsWith('Example ')")
        // A path from there to a draw.
        try click("#from", browser)
        try click("#draw", browser)
        try browser.wait("document.querySelector('#status').textContent === 'Draw 2'")
        try click("#to", browser)
        try browser.wait("document.querySelectorAll('#path img').length === 9")
        try click("#path li:nth-child(5) button", browser)
        try browser.wait("document.querySelector('#status').textContent === 'Step 4 of the path'")
        try screenshots(browser, "picture")
      }
    }
  }

  @Test func uploads() throws {
    try ExploreTests.withRun { folder in
      let row = try NPY.read("\(folder)/data.npy").rows(7..<8).reshaped([8, 8])
      try NPY.write(row, to: "\(folder)/mine.npy")
      try withPage("run", in: folder) { browser, server in
        try choose("\(folder)/mine.npy", browser)
        try browser.wait("document.querySelector('#status').textContent.startsWith('mine.npy')")
        let text = try browser.text("#sliders output")
        let z = try server.get("/api/example/7").numbers("z")
        let first = try #require(
          (try server.get("/api/run").json()["sliders"] as? [[String: Any]])?.first?["index"]
            as? Int)
        #expect(text == String(format: "%.2f", z[first]))
      }
      // A refusal is shown in the server's words.
      try Data("GIF89a".utf8).write(to: URL(fileURLWithPath: "\(folder)/a.gif"))
      try ExploreServer.serving("run", in: folder) { server in
        let inner = "\(folder)/second"
        try Folder.create(inner)
        let browser = try Browser(in: inner)
        defer { browser.close() }
        try browser.open(server.url)
        try browser.wait("document.querySelector('main')?.getAttribute('aria-busy') === 'false'")
        try choose("\(folder)/a.gif", browser)
        try browser.wait("!document.querySelector('#alert').hidden")
        #expect(try browser.text("#alert").contains("PNG"))
      }
    }
  }

  private func choose(_ file: String, _ browser: Browser) throws {
    let document = try browser.call("DOM.getDocument")
    let root = (document["root"] as? [String: Any])?["nodeId"] ?? 0
    let node = try browser.call("DOM.querySelector", ["nodeId": root, "selector": "#upload"])
    try browser.call("DOM.setFileInputFiles", ["files": [file], "nodeId": node["nodeId"] ?? 0])
  }

  /// Texts as texts.
  @Test func texts() throws {
    try withTemporaryFolder { folder in
      try ExploreTests.trainText(in: folder)
      try withPage("run", in: folder) { browser, _ in
        try browser.wait("document.querySelector('#decoded pre')?.textContent.length > 0")
        try browser.value("document.querySelector('#text').value = 'few small words.'")
        try click("#text-form button", browser)
        try browser.wait("document.querySelector('#status').textContent.startsWith('Your text')")
        try screenshots(browser, "text")
      }
    }
  }

  /// Tables as bars, series as lines.
  @Test(arguments: ["table", "series"]) func numbers(kind: String) throws {
    try withTemporaryFolder { folder in
      try ExploreTests.trainNumbers(shape: kind == "table" ? [80, 6] : [80, 10, 2, 2], in: folder)
      try withPage("run", in: folder) { browser, _ in
        let (mark, count) = kind == "table" ? ("rect", 6) : ("polyline", 2)
        try browser.wait("document.querySelectorAll('#decoded \(mark)').length === \(count)")
        try screenshots(browser, kind)
      }
    }
  }

  /// Light, dark and narrow; no part of the page is wider than it.
  private func screenshots(_ browser: Browser, _ name: String) throws {
    let folder = ProcessInfo.processInfo.environment["LATENT_SCREENSHOTS"]
    for (scheme, width) in [("light", 1400), ("dark", 1400), ("light", 900), ("dark", 380)] {
      try browser.prefer(scheme)
      try browser.resize(width, 1000)
      usleep(300_000)
      let isWithin = "document.documentElement.scrollWidth <= innerWidth"
      #expect(try browser.value(isWithin) as? Bool == true, "\(name), \(width) pixels")
      if let folder {
        try browser.screenshot(to: "\(folder)/\(name)-\(scheme)-\(width).png")
      }
    }
  }
}
