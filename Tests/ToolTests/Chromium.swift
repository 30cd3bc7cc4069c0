// A browser without a window, driven by the DevTools protocol: JSON messages that end in a zero byte, through two named
// pipes that the shell gives the browser as its files 3 and 4.

import Foundation
import Latent
import Testing

final class Chromium {
  /// Where Debian's package `chromium` has it; nil where it is not installed.
  static let path = ["/usr/bin/chromium", "/usr/bin/chromium-browser"]
    .first { FileManager.default.isExecutableFile(atPath: $0) }

  /// What the browser reports by itself.
  struct Event {
    let method: String
    let parameters: [String: Any]
  }

  private let process = Process()
  private let commands, answers: Int32
  private var session: String?
  private var count = 0
  private var unread: [UInt8] = []
  private(set) var events: [Event] = []

  /// Starts the browser with all that it keeps below `folder`.
  init(in folder: String) throws {
    for name in ["commands", "answers"] {
      try #require(mkfifo("\(folder)/\(name)", 0o600) == 0, "errno \(errno)")
    }
    // For both, so that neither side waits for the other to open them.
    commands = Foundation.open("\(folder)/commands", O_RDWR)
    answers = Foundation.open("\(folder)/answers", O_RDWR)
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = [
      "-c", "exec \"$0\" \"$@\" 3<commands 4>answers 2>/dev/null", try #require(Chromium.path),
      "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
      "--disable-background-networking", "--user-data-dir=\(folder)/profile",
      "--remote-debugging-pipe", "about:blank",
    ]
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    let target = try call("Target.createTarget", ["url": "about:blank"])["targetId"] as? String
    let attached = try call(
      "Target.attachToTarget", ["targetId": try #require(target), "flatten": true])
    session = try #require(attached["sessionId"] as? String)
    try call("Emulation.setScrollbarsHidden", ["hidden": true])
    for domain in ["Page", "Runtime", "Log", "Network", "Accessibility"] {
      try call("\(domain).enable")
    }
  }

  func close() {
    session = nil
    _ = try? call("Browser.close")
    let deadline = Date() + 5
    while process.isRunning && Date() < deadline { usleep(10_000) }
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    process.waitUntilExit()
    Foundation.close(commands)
    Foundation.close(answers)
  }

  /// Sends a command and waits for its result; events that come before it are kept.
  @discardableResult
  func call(_ method: String, _ parameters: [String: Any] = [:]) throws -> [String: Any] {
    count += 1
    var message: [String: Any] = ["id": count, "method": method, "params": parameters]
    if let session { message["sessionId"] = session }
    let bytes = [UInt8](try JSONSerialization.data(withJSONObject: message)) + [0]
    var sent = 0
    while sent < bytes.count {
      let written = bytes[sent...].withUnsafeBytes { write(commands, $0.baseAddress, $0.count) }
      try #require(written > 0, "errno \(errno)")
      sent += written
    }
    while true {
      let answer = try next("the answer to \(method)")
      if answer["id"] as? Int != count { continue }
      if let error = answer["error"] { Issue.record("\(method): \(error)") }
      return answer["result"] as? [String: Any] ?? [:]
    }
  }

  /// The next message; an event is kept besides.
  private func next(_ awaited: String) throws -> [String: Any] {
    while true {
      if let end = unread.firstIndex(of: 0) {
        let data = Data(unread[..<end])
        unread.removeSubrange(...end)
        let message = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        if let method = message["method"] as? String {
          events.append(
            Event(method: method, parameters: message["params"] as? [String: Any] ?? [:]))
        }
        return message
      }
      var descriptor = pollfd(fd: answers, events: Int16(POLLIN), revents: 0)
      try #require(poll(&descriptor, 1, 60_000) == 1, "\(awaited) did not come within a minute")
      var buffer = [UInt8](repeating: 0, count: 1 << 16)
      let count = read(answers, &buffer, buffer.count)
      try #require(count > 0, "errno \(errno)")
      unread += buffer[..<count]
    }
  }

  /// Opens a file as a page, forgets earlier events and waits until everything is loaded.
  func open(file: String) throws {
    events = []
    try call("Page.navigate", ["url": "file://\(file)"])
    while !events.contains(where: { $0.method == "Page.loadEventFired" }) {
      _ = try next("the end of loading")
    }
  }

  /// What a reader asks for: `features` such as `prefers-color-scheme`.
  func media(_ type: String = "", _ features: [String: String] = [:]) throws {
    try call(
      "Emulation.setEmulatedMedia",
      ["media": type, "features": features.map { ["name": $0, "value": $1] }])
  }

  func size(_ width: Int, _ height: Int) throws {
    try call(
      "Emulation.setDeviceMetricsOverride",
      ["width": width, "height": height, "deviceScaleFactor": 1, "mobile": false])
  }

  /// The value of an expression of the page, as JSON.
  func value<Value>(_ expression: String, as type: Value.Type = Value.self) throws -> Value {
    let answer = try call(
      "Runtime.evaluate",
      ["expression": expression, "returnByValue": true, "awaitPromise": true])
    let result = answer["result"] as? [String: Any]
    return try #require(
      result?["value"] as? Value, "\(expression): \(answer["exceptionDetails"] ?? result ?? [:])")
  }

  func press(_ key: String, code: Int) throws {
    for type in ["rawKeyDown", "keyUp"] {
      try call(
        "Input.dispatchKeyEvent",
        ["type": type, "key": key, "code": key, "windowsVirtualKeyCode": code])
    }
  }

  /// The whole page as PNG.
  func screenshot() throws -> [UInt8] {
    let answer = try call(
      "Page.captureScreenshot", ["captureBeyondViewport": true, "format": "png"])
    let text = try #require(answer["data"] as? String)
    return [UInt8](try #require(Data(base64Encoded: text)))
  }
}
