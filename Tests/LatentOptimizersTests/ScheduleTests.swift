// Learning rates over a run: PyTorch's numbers and closed forms.

import Foundation
import LatentOptimizers
import Testing

@Suite struct ScheduleTests {
  @Test func constant() {
    for step in [0, 1, 1000] { #expect(ConstantSchedule().factor(step: step) == 1) }
  }

  /// `torch.optim.lr_scheduler.StepLR(step_size=3, gamma=0.5)`.
  @Test func stepsArePyTorchs() {
    let schedule = StepSchedule(every: 3, decay: 0.5)
    let expected = [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125]
    #expect((0..<10).map(schedule.factor(step:)) == expected)
  }

  /// `ReduceLROnPlateau(factor=0.5, patience=2, threshold=1e-4, min_lr=0.1)`, NaN among the losses.
  @Test func plateauIsPyTorchs() {
    let losses = [
      10, 9, 9.5, 8.99995, 9.2, 9.3, 8, 8.1, 8.2, 8.3, 8.4, 8.5, 8.6, 8.7, 7.9999, 7.5, 7.6, 7.7,
      7.8, .nan, 7.9,
    ]
    let expected = [
      1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125, 0.125, 0.125, 0.125, 0.125,
      0.125, 0.1, 0.1, 0.1,
    ]
    var schedule = ReduceOnPlateau(decay: 0.5, patience: 2, threshold: 1e-4, floor: 0.1)
    #expect(schedule.factor(step: 0) == 1)
    for (epoch, (loss, factor)) in zip(losses, expected).enumerated() {
      schedule.observe(validationLoss: loss)
      #expect(schedule.factor(step: epoch) == factor, "epoch \(epoch), loss \(loss)")
    }
  }

  /// Losses below zero (densities) count as better when they fall, by a part of their size.
  @Test func plateauWithNegativeLosses() {
    var schedule = ReduceOnPlateau(decay: 0.5, patience: 0, threshold: 0.1)
    schedule.observe(validationLoss: -100)
    #expect(schedule.factor(step: 0) == 1)
    schedule.observe(validationLoss: -111)
    #expect(schedule.factor(step: 0) == 1, "11 % better")
    schedule.observe(validationLoss: -120)
    #expect(schedule.factor(step: 0) == 0.5, "8 % better: not enough")
  }

  @Test func cosineWithWarmup() {
    let (warmup, total, floor) = (5, 25, 0.1)
    let schedule = CosineSchedule(warmup: warmup, total: total, floor: floor)
    for step in 0..<40 {
      let expected: Double
      if step < warmup {
        expected = Double(step + 1) / 5
      } else if step >= total {
        expected = floor
      } else {
        expected = floor + 0.9 * (1 + cos(Double.pi * Double(step - warmup) / 20)) / 2
      }
      let error = abs(schedule.factor(step: step) - expected)
      #expect(error < 1e-15, "step \(step): \(error)")
    }
    #expect(schedule.factor(step: warmup) == 1 && schedule.factor(step: warmup - 1) == 1)
    #expect(abs(schedule.factor(step: 15) - 0.55) < 1e-15, "half way")
  }

  @Test func cosineAtTheEdges() {
    #expect(CosineSchedule(total: 10).factor(step: 0) == 1)
    #expect(CosineSchedule(total: 10).factor(step: 10) == 0)
    #expect(CosineSchedule(total: 10).factor(step: .max) == 0)
    #expect(CosineSchedule(warmup: 10, total: 10).factor(step: 9) == 1)
    #expect(CosineSchedule(warmup: 10, total: 5).factor(step: 20).isFinite)
    #expect(CosineSchedule(total: 0).factor(step: 3) == 0)
  }

  /// What a checkpoint does: a plateau goes on from where it was.
  @Test func codableRoundTrips() throws {
    func again<Schedule: LearningRateSchedule>(_ schedule: Schedule) throws -> Schedule {
      try JSONDecoder().decode(Schedule.self, from: JSONEncoder().encode(schedule))
    }
    var plateau = ReduceOnPlateau(decay: 0.5, patience: 1)
    for loss in [3, 4, 5.0] { plateau.observe(validationLoss: loss) }
    var restored = try again(plateau)
    for loss in [5, 5, 5, 2, 3, 3.0] {
      plateau.observe(validationLoss: loss)
      restored.observe(validationLoss: loss)
      #expect(restored.factor(step: 0) == plateau.factor(step: 0), "loss \(loss)")
    }
    let untouched = try again(ReduceOnPlateau())
    #expect(untouched.best == .greatestFiniteMagnitude)
    let cosine = CosineSchedule(warmup: 2, total: 9, floor: 0.1)
    #expect(try again(cosine).factor(step: 5) == cosine.factor(step: 5))
    #expect(try again(StepSchedule(every: 3)).factor(step: 7) == pow(0.1, 2))
  }
}
