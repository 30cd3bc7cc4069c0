// A trained model behind requests of which nothing is known: one JSON array of numbers a line on standard
// input, one line of JSON with its latent on standard output.
//
//   serve-model RUN [THREADS]        1 thread for each request by default
//
// A run is opened once and is a value: any number of threads may use it at the same time. What comes
// from outside is asked for its shape first (`InputForm`), so that a wrong request is an answer and not
// the end of the program.

import Foundation
import Latent

guard let path = CommandLine.arguments.dropFirst().first else {
  FileHandle.standardError.write(Data("serve-model: the folder of a run is missing\n".utf8))
  exit(64)
}
let run: Run
do {
  run = try Run(path: path)
} catch {
  FileHandle.standardError.write(Data("serve-model: \(error)\n".utf8))
  exit(66)
}
// For short latencies the threads of the library are few: with several requests at a time, one each.
Threads.count = CommandLine.arguments.dropFirst(2).first.flatMap { Int($0) } ?? 1

// Asked once: a request is compared with it without touching the model.
let input = run.input

/// The latent of one request, or what is wrong with it.
func answer(_ line: String, _ model: some LatentVariableModel) -> String {
  do {
    let numbers = try JSONDecoder().decode([Double].self, from: Data(line.utf8))
    let flat = Tensor(numbers.map { Float($0) })
    guard flat.count == input.shape.count else {
      throw InputError.wrongShape(what: "inputs", found: flat.shape, expected: input.shape)
    }
    let x = try input.checked(flat.reshaped([1] + input.shape))
    let codes = model.codes(of: x)
    return "{\"latent\": [" + codes.doubles.map { "\($0)" }.joined(separator: ", ") + "]}"
  } catch let error as InputError {
    return "{\"error\": \"\(error)\"}"
  } catch {
    return "{\"error\": \"a request is a list of \(input.shape.count) numbers\"}"
  }
}

while let line = readLine() {
  try FileHandle.standardOutput.write(contentsOf: Data((answer(line, run.model) + "\n").utf8))
}
