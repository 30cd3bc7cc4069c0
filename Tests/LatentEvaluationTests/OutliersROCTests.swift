// The curve and its area: known values, laws, scikit-learn.

import Foundation
import Latent
import Testing

@Suite struct OutliersROCTests {
  @Test("Equal scores: one half; separated: 1 or 0; one pair in four ordered and one tie")
  func exact() {
    let same = [1.0, 2, 2, 5]
    #expect(ROC(inliers: same, outliers: same).area.value == 0.5)
    #expect(ROC(inliers: [1, 1], outliers: [1, 1, 1]).area.value == 0.5)
    #expect(ROC(inliers: [1, 2], outliers: [3, 4]).area.value == 1)
    #expect(ROC(inliers: [3, 4], outliers: [1, 2]).area.value == 0)
    #expect(ROC(inliers: [1, 3], outliers: [2, 1]).area.value == 0.375)
    #expect(ROC(inliers: [1], outliers: [2, 3]).area.standardError == nil)
    #expect(ROC(inliers: [-.infinity, 0], outliers: [.infinity]).area.value == 1)
  }

  @Test("Changed kinds turn the area round, monotone maps do nothing")
  func laws() {
    let reference = SamplesReference.all
    let (a, b) = (reference.inliers, reference.outliers)
    let area = ROC(inliers: a, outliers: b).area
    #expect(ROC(inliers: b, outliers: a).area.value.isClose(1 - area.value))
    let mapped = ROC(inliers: a.map { exp($0) }, outliers: b.map { exp($0) })
    #expect(mapped.area.value == area.value && mapped.area.standardError == area.standardError)
    #expect(
      mapped.falseAcceptance() == ROC(inliers: a, outliers: b).falseAcceptance())
  }

  @Test("scikit-learn, and the variance pair by pair")
  func reference() throws {
    let reference = SamplesReference.all
    let curve = ROC(inliers: reference.inliers, outliers: reference.outliers)
    #expect(curve.area.value.isClose(reference.auroc))
    #expect(try #require(curve.area.standardError).isClose(reference.aurocError))
    #expect(curve.falseAcceptance().isClose(reference.falseAcceptance))
  }

  @Test("The limit lets at least the share pass, ties included")
  func limit() {
    let twenty = (1...20).map { Double($0) }
    let curve = ROC(inliers: twenty, outliers: [18.5, 19, 19.5, 25])
    #expect(curve.falseAcceptance() == 0.5)
    #expect(curve.falseAcceptance(accepting: 1) == 0.75)
    #expect(ROC(inliers: [3], outliers: [1, 3, 4, 5]).falseAcceptance() == 0.5)
  }

  @Test("Scores by name become numbers with chance and ceiling")
  func measurements() {
    let found = OutlierScore.measure(
      inliers: [.typicality: Tensor([0, 1]), .regret: Tensor([0, 1])],
      outliers: [.typicality: Tensor([2, 3])], settings: ["model": "x"])
    #expect(found.map(\.metric) == [.auroc, .falseAcceptance])
    #expect(found.allSatisfy { $0.part == "typicality" && $0.normalized == 1 && $0.count == 4 })
    #expect(found[0].settings == ["model": "x"])
  }

  @Test("Typicality is two-sided, the criterion is variance minus mean")
  func scores() {
    let typicality = OutlierScore.typicality(Tensor([-3, -5, -9]), entropy: 5)
    #expect(typicality.doubles == [2, 0, 4])
    let waic = OutlierScore.waic(Tensor([-1, -2, -3, -2], shape: [2, 2]))
    #expect(waic.doubles == [4, 2])
  }

  @Test("NaN has no rank")
  func nan() async {
    await #expect(processExitsWith: .failure) { _ = ROC(inliers: [.nan], outliers: [1]) }
  }
}
