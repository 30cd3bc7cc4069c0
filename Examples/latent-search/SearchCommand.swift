// latent-search: the examples whose latents are nearest to those of others.

import ArgumentParser
import Foundation
import Latent
import LatentCommands

struct SearchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "latent-search",
    abstract: "Finds the examples whose latents are nearest to another's.",
    usage: "latent-search <run> --query <numbers> [<options>] --out <out>",
    discussion: """
      Latents are compared by their Euclidean distance. Where the library was built
      with hnswlib they are found in a graph, which misses one now and then; the
      recall that is printed is the share of the true neighbours that were found.
      --exact compares with all, as is done without hnswlib.

      Data are changed by the run's transform where that is a threshold; what it
      draws at random (binarize) is left out.

      OUTPUT by the ending of --out
        .png   a row for each query: the example itself, then the nearest
        .csv   a line for each neighbour: query, rank, example, distance, label
               where known
        .txt   texts, a block for each query; - prints them

      EXAMPLE
        latent-search run/ --query 17 --out nearest.png
        latent-search run/ --data npy:new.npy --query 3,8 --count 5 --out nearest.csv
      """)

  @OptionGroup var folder: RunArguments
  @Option(help: "Among which examples (as latent-train's --data); the run's test data by default.")
  var data: String?
  @Option(help: "Numbers of the examples to search for, such as 17 or 3,8.") var query: String
  @Option(help: "How many neighbours of each.") var count = 10
  @Flag(help: "Compare with all examples instead of searching a graph.") var exact = false
  @Option(help: "The file to write: .png, .csv or .txt.", transform: pathName) var out: String
  @OptionGroup var overwriting: OverwriteArguments

  func validate() throws {
    try checkRange("count", count, 1...10_000)
    if !["png", "csv"].contains((out as NSString).pathExtension) && !Texts.areWritten(to: out) {
      throw ValidationError("--out '\(out)': expected a name that ends in .png, .csv or .txt")
    }
    _ = try queries()
  }

  private func queries() throws -> [Int] {
    try query.split(separator: ",", omittingEmptySubsequences: false).map { text in
      guard let number = Int(text), number >= 0 else {
        throw ValidationError("--query '\(query)': expected numbers such as 17 or 3,8")
      }
      return number
    }
  }

  func run() throws {
    let opened = try folder.open()
    try opened.checkOutput(out, arrays: [".csv"])
    try folder.checkOutput(
      out, overwriting, reading: opened, data: data ?? opened.configuration.data)
    try search(opened.model, opened)
  }

  private func search(_ model: some LatentVariableModel, _ opened: OpenRun) throws {
    let dataset = try opened.data(data)
    try opened.checkRange(of: dataset)
    let queries = try queries()
    if let outside = queries.first(where: { $0 >= dataset.count }) {
      throw CommandError(
        "example \(outside): \(dataset.name) has \(dataset.count) examples", .dataError)
    }
    if count >= dataset.count {
      throw CommandError(
        "--count \(count): \(dataset.name) has \(dataset.count) examples, the query among them",
        .dataError)
    }
    let cells = queries.count * (count + 1)
    try opened.checkSize("--count \(count)", count: cells, grid: cells, out: out)
    let (codes, labels) = try model.codes(of: dataset)
    let table = codes.flattened(from: 1).array
    let wanted = table.taking(NDArray(queries.map { Int32($0) }), axis: 0)
    // The query is its own nearest neighbour: one more is searched, and it is left out.
    let all = ExactNeighbors(table)
    let isExact = exact || !NeighborGraph.isAvailable
    let search: any NeighborSearch = isExact ? all : try NeighborGraph(table)
    let found = search.nearest(count + 1, to: wanted)
    let recall = isExact ? 1 : found.recall(of: all.nearest(count + 1, to: wanted))
    let (indices, distances) = (found.indices.int32s.map(Int.init), found.distances.doubles)
    let rows = queries.enumerated().map { row, query in
      Array(
        (row * (count + 1)..<(row + 1) * (count + 1)).map { (indices[$0], distances[$0]) }
          .filter { $0.0 != query }.prefix(count))
    }
    try write(rows, queries, labels, dataset, model, opened)
    if out == Texts.standardOutput { return }
    FileMark.set(on: out)
    let lists = rows.map { row in "[\(row.map { "\($0.0)" }.joined(separator: ", "))]" }
    let lengths = rows.map { row in "[\(row.map { "\($0.1)" }.joined(separator: ", "))]" }
    try printResult(
      "{\"examples\": \(dataset.count), \"queries\": \(queries), "
        + "\"neighbours\": [\(lists.joined(separator: ", "))], "
        + "\"distances\": [\(lengths.joined(separator: ", "))], \"exact\": \(isExact), "
        + "\"recall\": \(recall), \"out\": \(quoted(out))}\n")
  }

  private func write(
    _ rows: [[(example: Int, distance: Double)]], _ queries: [Int], _ labels: [Int]?,
    _ dataset: any Dataset, _ model: some LatentVariableModel, _ opened: OpenRun
  ) throws {
    if out.hasSuffix(".csv") {
      let lines = zip(queries, rows).flatMap { query, row in
        row.enumerated().map { rank, neighbor -> [Double] in
          [Double(query), Double(rank + 1), Double(neighbor.example), neighbor.distance]
            + (labels.map { [Double($0[neighbor.example])] } ?? [])
        }
      }
      let names = ["query", "rank", "example", "distance"] + (labels == nil ? [] : ["label"])
      return try CSV.write(
        NDArray(lines.flatMap { $0 }, shape: [lines.count, names.count]), columns: names, to: out)
    }
    let shown = zip(queries, rows).flatMap { [$0] + $1.map(\.example) }
    let examples = Tensor(try dataset.batch(at: shown).inputs)
    if Texts.areWritten(to: out) {
      return try Texts.write(Texts.blocks(Texts.lines(examples), of: count + 1), to: out)
    }
    try Pictures(model: model, inputShape: opened.configuration.model.inputShape)
      .write(examples, columns: count + 1, to: out)
  }
}
