// Reports in a real browser, as readers meet them: in light and dark, on wide and narrow screens, in print, without a
// mouse and without eyes. `LATENT_SCREENSHOTS=FOLDER` keeps what the browser shows.

import Foundation
import Latent
import LatentCommands
import Testing

@Suite(.enabled(if: Chromium.path != nil, "needs Debian's package chromium"), .serialized)
struct ReportPageTests {
  private static let pages = ["run", "comparison", "charts"]

  /// Opens each kind of report.
  private func withPages(_ body: (Chromium, _ page: String, _ path: String) throws -> Void) throws {
    try withTemporaryFolder { folder in
      try writePictures(64, to: "\(folder)/data.npy")
      try NPY.write(
        NDArray((0..<64).map { Int32($0 % 2) }, shape: [64]), to: "\(folder)/labels.npy")
      try Tool.train.run(
        ["--data", "npy:data.npy:labels.npy", "--out", "run"] + smallRun, in: folder
      ).succeeded()
      try FileManager.default.copyItem(
        atPath: "\(folder)/run/report.html", toPath: "\(folder)/run.html")
      try EvaluationReportTests.comparison.page.write(to: "\(folder)/comparison.html")
      try ChartGallery.page.write(to: "\(folder)/charts.html")
      let browser = try Chromium(in: folder)
      defer { browser.close() }
      for page in ReportPageTests.pages { try body(browser, page, "\(folder)/\(page).html") }
    }
  }

  private func keep(_ browser: Chromium, _ name: String) throws {
    guard let folder = ProcessInfo.processInfo.environment["LATENT_SCREENSHOTS"] else { return }
    try Folder.create(folder)
    try AtomicFile.write(browser.screenshot(), to: "\(folder)/\(name).png")
  }

  @Test("Both schemes, no message, no request, every picture shown")
  func schemes() throws {
    try withPages { browser, page, path in
      try browser.size(1280, 900)
      for (scheme, palette) in [("light", Palette.light), ("dark", .dark)] {
        try browser.media("", ["prefers-color-scheme": scheme])
        try browser.open(file: path)
        let paper = palette.paper
        #expect(
          try browser.value("getComputedStyle(document.body).backgroundColor", as: String.self)
            == "rgb(\(paper.red), \(paper.green), \(paper.blue))")
        #expect(
          try browser.value(
            "[...document.images].filter(i => !i.complete || i.naturalWidth == 0).length",
            as: Int.self)
            == 0)
        try keep(browser, "\(page)-\(scheme)")
        let messages = browser.events.filter {
          ["Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown"].contains(
            $0.method)
        }
        #expect(messages.isEmpty, "\(messages)")
        let requests = browser.events.filter { $0.method == "Network.requestWillBeSent" }
          .compactMap { ($0.parameters["request"] as? [String: Any])?["url"] as? String }
          .filter { !$0.hasPrefix("data:") }
        #expect(requests == ["file://\(path)"])
      }
    }
  }

  @Test("Narrow screens are not left, and texts of charts lie inside, beside each other")
  func layout() throws {
    try withPages { browser, page, path in
      for width in [1440, 800, 360] {
        try browser.size(width, 900)
        try browser.open(file: path)
        #expect(
          try browser.value("document.documentElement.scrollWidth", as: Int.self) <= width,
          "\(page) at \(width)")
        try keep(browser, "\(page)-\(width)")
      }
      let outside = """
        [...document.querySelectorAll('svg.chart')].flatMap(s => [...s.querySelectorAll('text')].filter(t => {
          const a = t.getBoundingClientRect(), b = s.getBoundingClientRect();
          return a.left < b.left - 1 || a.right > b.right + 1 || a.top < b.top - 1 || a.bottom > b.bottom + 1;
        }).map(t => t.textContent))
        """
      #expect(try browser.value(outside, as: [String].self) == [])
      // Names within the plot may lie on its marks, but on no other text.
      let overlapping = """
        [...document.querySelectorAll('svg.chart')].flatMap(s => {
          const texts = [...s.querySelectorAll('text')].map(t => [t.textContent, t.getBoundingClientRect()]);
          return texts.flatMap(([t, a], i) => texts.slice(0, i).filter(([u, b]) =>
            Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
              && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4).map(([u]) => t + ' | ' + u));
        })
        """
      try browser.size(1280, 900)
      #expect(try browser.value(overlapping, as: [String].self) == [])
    }
  }

  @Test("Headings in order, identities unique, links that lead somewhere, texts for pictures")
  func structure() throws {
    try withPages { browser, _, path in
      try browser.open(file: path)
      let levels = try browser.value(
        "[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(h => +h.tagName[1])",
        as: [Int].self)
      #expect(levels.first == 1 && levels.count { $0 == 1 } == 1)
      #expect(zip(levels, levels.dropFirst()).allSatisfy { $1 <= $0 + 1 }, "\(levels)")
      let counts = """
        [
          [...document.images].filter(i => !i.alt.trim()).length,
          [...document.querySelectorAll('[id]')].length
            - new Set([...document.querySelectorAll('[id]')].map(e => e.id)).size,
          [...document.links].filter(a => !a.hash || !document.getElementById(a.hash.slice(1))).length,
          document.querySelectorAll('script').length,
        ]
        """
      #expect(try browser.value(counts, as: [Int].self) == [0, 0, 0, 0])
    }
  }

  @Test("Whatever a screen reader stops at has a name")
  func names() throws {
    try withPages { browser, page, path in
      try browser.open(file: path)
      let tree = try browser.call("Accessibility.getFullAXTree")["nodes"] as? [[String: Any]] ?? []
      func text(_ node: [String: Any], _ key: String) -> String {
        (node[key] as? [String: Any])?["value"] as? String ?? ""
      }
      let seen = tree.filter { $0["ignored"] as? Bool != true }
      let roles = Dictionary(grouping: seen) { text($0, "role") }
      for role in ["image", "img", "link", "checkbox", "region", "table", "navigation", "heading"] {
        for node in roles[role] ?? [] { #expect(!text(node, "name").isEmpty, "\(role) in \(page)") }
      }
      let pictures = (roles["image"] ?? []) + (roles["img"] ?? [])
      #expect(!pictures.isEmpty && roles["navigation"]?.count == 1)
      // Charts say what they show.
      let charts = pictures.filter { !text($0, "description").isEmpty }
      #expect(!charts.isEmpty)
    }
  }

  @Test("Keys reach everything in the order in which it is read, and it is seen where they are")
  func keyboard() throws {
    try withPages { browser, page, path in
      try browser.size(1280, 900)
      try browser.open(file: path)
      let all = "[...document.querySelectorAll('a[href],input,[tabindex=\"0\"]')]"
      let count = try browser.value("\(all).length", as: Int.self)
      for index in 0..<count {
        try browser.press("Tab", code: 9)
        #expect(
          try browser.value("\(all).indexOf(document.activeElement)", as: Int.self) == index,
          "\(page)")
        #expect(
          try browser.value(
            "getComputedStyle(document.activeElement).outlineStyle", as: String.self)
            == "solid")
      }
      // The first stop leads past the contents.
      #expect(try browser.value("\(all)[0].getAttribute('href')", as: String.self) == "#content")
    }
  }

  @Test("Animations move, are held by their switch, and do not move for who asks or prints")
  func motion() throws {
    try withPages { browser, page, path in
      try browser.media("", [:])
      try browser.open(file: path)
      if page != "run" { return }
      func shown() throws -> [String] {
        try browser.value(
          """
          [...document.querySelectorAll('.animation')].map(a => [...a.querySelectorAll('img')]
            .filter(i => getComputedStyle(i).display != 'none').map(i => i.className).join())
          """)
      }
      #expect(try shown() == ["moving", "moving"])
      let frames = try browser.value(
        """
        Promise.all([...document.querySelectorAll('.moving')].map(async i => {
          const bytes = Uint8Array.from(atob(i.src.split(',')[1]), c => c.charCodeAt(0));
          const decoder = new ImageDecoder({data: bytes, type: 'image/png'});
          await decoder.tracks.ready;
          await decoder.decode({frameIndex: decoder.tracks.selectedTrack.frameCount - 1});
          return decoder.tracks.selectedTrack.frameCount;
        }))
        """, as: [Int].self)
      // There and back without the ends twice: 2 n - 2 of 16 and 17.
      #expect(frames == [30, 32])
      _ = try browser.value("document.querySelector('.animation input').focus(), 1", as: Int.self)
      try browser.press(" ", code: 32)
      #expect(try shown() == ["held", "moving"])
      try browser.media("", ["prefers-reduced-motion": "reduce"])
      #expect(try shown() == ["held", "held"])
      try browser.media("print", ["prefers-color-scheme": "dark"])
      #expect(try shown() == ["held", "held"])
      // Paper is white whatever the screen is, and has no contents to click on.
      #expect(
        try browser.value("getComputedStyle(document.body).backgroundColor", as: String.self)
          == "rgb(255, 255, 255)")
      #expect(
        try browser.value(
          "getComputedStyle(document.querySelector('nav')).display", as: String.self)
          == "none")
      try keep(browser, "\(page)-print")
      try browser.media("", [:])
    }
  }
}
