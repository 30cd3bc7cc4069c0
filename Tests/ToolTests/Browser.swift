// Chromium without a window, led by its DevTools protocol over two pipes: messages are JSON, each ended by a zero byte.

import Foundation
import Testing

/// A browser with one page.
final class Browser {
  /// Where Debian has it.
  static let path = "/usr/bin/chromium"
  static var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: path) }

  private let process = Process()
  private let commands: FileHandle
  private let answers: FileHandle
  private var buffer = Data()
  private var number = 0
  private var session: String?
  /// Methods and parameters of what the browser told by itself.
  private(set) var events: [(method: String, parameters: [String: Any])] = []

  /// Starts it with a profile of its own in `folder`.
  init(in folder: String) throws {
    let pipes = ["\(folder)/commands", "\(folder)/answers"]
    for pipe in pipes { mkfifo(pipe, 0o600) }
    let flags = [
      "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
      "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update",
      "--hide-scrollbars", "--remote-debugging-pipe", "--user-data-dir=\(folder)/profile",
    ]
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = [
      "-c",
      "exec \(Browser.path) \(flags.joined(separator: " ")) about:blank 3<\(pipes[0]) 4>\(pipes[1])",
    ]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    // In the order of the shell, which waits for the other end of each.
    commands = try #require(FileHandle(forWritingAtPath: pipes[0]))
    answers = try #require(FileHandle(forReadingAtPath: pipes[1]))
    let target = try call("Target.createTarget", ["url": "about:blank"])
    let attached = try call(
      "Target.attachToTarget", ["targetId": target["targetId"] ?? "", "flatten": true])
    session = attached["sessionId"] as? String
    for domain in ["Page", "Runtime", "Log", "Network"] { try call("\(domain).enable") }
  }

  func close() {
    _ = try? call("Browser.close")
    process.waitUntilExit()
  }

  // MARK: Messages

  struct Refusal: Error, CustomStringConvertible {
    let description: String
  }

  /// The result of a command.
  @discardableResult
  func call(_ method: String, _ parameters: [String: Any] = [:]) throws -> [String: Any] {
    number += 1
    var message: [String: Any] = ["id": number, "method": method, "params": parameters]
    message["sessionId"] = session
    try commands.write(contentsOf: JSONSerialization.data(withJSONObject: message) + [0])
    while true {
      let answer = try receive()
      if answer["id"] as? Int == number {
        if let error = answer["error"] { throw Refusal(description: "\(method): \(error)") }
        return answer["result"] as? [String: Any] ?? [:]
      }
      if let method = answer["method"] as? String {
        events.append((method, answer["params"] as? [String: Any] ?? [:]))
      }
    }
  }

  private func receive() throws -> [String: Any] {
    while true {
      if let end = buffer.firstIndex(of: 0) {
        let message = buffer[..<end]
        buffer = Data(buffer[buffer.index(after: end)...])
        return try JSONSerialization.jsonObject(with: message) as? [String: Any] ?? [:]
      }
      let chunk = answers.availableData
      if chunk.isEmpty { throw Refusal(description: "the browser has ended") }
      buffer += chunk
    }
  }

  // MARK: What a user does and sees

  /// The value of an expression, which may be a promise.
  @discardableResult
  func value(_ expression: String) throws -> Any? {
    let answer = try call(
      "Runtime.evaluate",
      ["expression": expression, "awaitPromise": true, "returnByValue": true])
    if let exception = answer["exceptionDetails"] {
      throw Refusal(description: "\(expression): \(exception)")
    }
    return (answer["result"] as? [String: Any])?["value"]
  }

  func text(_ selector: String) throws -> String {
    try value("document.querySelector('\(selector)').textContent") as? String ?? ""
  }

  /// Waits until an expression is true, at most 20 seconds.
  func wait(_ expression: String, _ location: SourceLocation = #_sourceLocation) throws {
    let deadline = Date() + 20
    while try value(expression) as? Bool != true {
      if Date() > deadline {
        throw Refusal(description: "never true: \(expression) (\(location))")
      }
      usleep(20_000)
    }
  }

  func open(_ url: String) throws { try call("Page.navigate", ["url": url]) }

  func resize(_ width: Int, _ height: Int) throws {
    try call(
      "Emulation.setDeviceMetricsOverride",
      ["width": width, "height": height, "deviceScaleFactor": 1, "mobile": false])
  }

  func prefer(_ scheme: String) throws {
    try call(
      "Emulation.setEmulatedMedia",
      ["features": [["name": "prefers-color-scheme", "value": scheme]]])
  }

  /// A mouse at places of the page: pressed at the first, moved through all, released at the last.
  func drag(_ places: [(x: Double, y: Double)]) throws {
    func mouse(_ type: String, _ place: (x: Double, y: Double), _ buttons: Int) throws {
      try call(
        "Input.dispatchMouseEvent",
        [
          "type": type, "x": place.x, "y": place.y, "button": "left", "buttons": buttons,
          "clickCount": 1,
        ])
    }
    try mouse("mousePressed", places[0], 1)
    for place in places.dropFirst() { try mouse("mouseMoved", place, 1) }
    try mouse("mouseReleased", places[places.count - 1], 0)
  }

  func press(_ key: String) throws {
    for type in ["keyDown", "keyUp"] {
      let code = ["ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Enter": 13]
      try call(
        "Input.dispatchKeyEvent",
        ["type": type, "key": key, "code": key, "windowsVirtualKeyCode": code[key] ?? 0])
    }
  }

  /// A picture of the whole page.
  func screenshot(to path: String) throws {
    let answer = try call("Page.captureScreenshot", ["captureBeyondViewport": true])
    let data = try #require(Data(base64Encoded: answer["data"] as? String ?? ""))
    try data.write(to: URL(fileURLWithPath: path))
  }
}
