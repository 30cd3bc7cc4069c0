// Convolutions for the table of operations.

import LatentAutodiff
import LatentNumerics

extension Operation {
  static let convolutions: [Operation] = {
    let plain = ConvolutionGeometry(rank: 2, kernel: 3, before: 1)
    let strided = ConvolutionGeometry(
      rank: 2, kernel: [3, 2], stride: [2, 1], before: [1, 0], dilation: [1, 2], groups: 2)
    let line = ConvolutionGeometry(rank: 1, kernel: 4, stride: 2, before: 1)
    let volume = ConvolutionGeometry(rank: 3, kernel: 2, stride: 2)
    return [
      Operation(
        name: "convolution", inputs: [.normal([2, 4, 3, 2]), .normal([3, 3, 3, 2]), .normal([3])]
      ) { convolution($0[0], weight: $0[1], bias: $0[2], activation: .gelu, plain) },
      Operation(
        name: "convolution in groups",
        inputs: [.normal([1, 5, 5, 4]), .normal([6, 3, 2, 2]), .normal([6])]
      ) { convolution($0[0], weight: $0[1], bias: $0[2], activation: .tanh, strided) },
      Operation(name: "convolution of lines", inputs: [.normal([2, 8, 2]), .normal([3, 4, 2])]) {
        convolution($0[0], weight: $0[1], activation: .softplus, line)
      },
      Operation(
        name: "convolution of volumes",
        inputs: [.normal([1, 2, 4, 2, 1]), .normal([2, 2, 2, 2, 1])]
      ) { convolution($0[0], weight: $0[1], volume) },
      Operation(
        name: "transposed convolution",
        inputs: [.normal([2, 3, 2, 4]), .normal([4, 3, 2, 2]), .normal([4])]
      ) {
        transposedConvolution(
          $0[0], weight: $0[1], bias: $0[2], activation: .silu, strided, outputSize: [1, 5, 4])
      },
      Operation(
        name: "transposed convolution of lines", inputs: [.normal([2, 4, 3]), .normal([3, 4, 2])]
      ) { transposedConvolution($0[0], weight: $0[1], line, outputSize: [1, 1, 8]) },
    ]
  }()
}
