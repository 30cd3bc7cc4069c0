import LatentFigures
import Testing

@Suite struct HTMLTests {
  @Test("Text of any kind is shown and never read")
  func escaping() {
    #expect(HTML.escaped("<b a='1' c=\"2\">&") == "&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;")
    #expect(HTML.escaped("z\u{E9}ro") == "z\u{E9}ro")
  }
}
