// The files of the page, which the binary holds.

/// What a browser is served besides answers.
enum WebPage {
  /// By their paths.
  static let files: [String: HTTPResponse] = [
    "/": page("text/html", PackageResources.index_html),
    "/style.css": page("text/css", PackageResources.style_css),
    "/icon.svg": page("image/svg+xml", PackageResources.icon_svg),
    "/main.js": page("text/javascript", PackageResources.main_js),
    "/api.js": page("text/javascript", PackageResources.api_js),
    "/map.js": page("text/javascript", PackageResources.map_js),
    "/sliders.js": page("text/javascript", PackageResources.sliders_js),
    "/strips.js": page("text/javascript", PackageResources.strips_js),
    "/views.js": page("text/javascript", PackageResources.views_js),
  ]

  private static func page(_ type: String, _ body: [UInt8]) -> HTTPResponse {
    HTTPResponse(type: "\(type); charset=utf-8", body: body)
  }
}
