"""Reference numbers for Tests/LatentModelsTests/Objectives/DistortionTests.swift, from PyTorch in float64.

    python3 scripts/references/structural_similarity.py    (needs torch)

Prints MS-SSIM of two pictures of 44 x 46 pixels and 2 channels (three scales) and of 28 x 28 x 1 (two), by
convolution with the whole window, and the sum and the largest element of its derivative.
"""

import torch
from torch.nn.functional import avg_pool2d, conv2d

torch.set_default_dtype(torch.float64)
EXPONENTS = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]


def pictures(height, width, channels):
    i = torch.arange(2 * height * width * channels)
    x = 0.5 + 0.3 * torch.sin(0.7 * i) + 0.1 * torch.cos(0.013 * i)
    y = 0.8 * x + 0.1 * torch.cos(0.3 * i) + 0.05
    return [p.reshape(2, height, width, channels).permute(0, 3, 1, 2) for p in (x, y)]


def ms_ssim(x, y):
    count, side = 0, min(x.shape[2:])
    while side >= 11 and count < 5:
        count, side = count + 1, side // 2
    weights = torch.tensor(EXPONENTS[:count])
    weights = weights / weights.sum()
    line = torch.exp(-((torch.arange(11) - 5.0) ** 2) / (2 * 1.5**2))
    window = torch.outer(line, line)
    window = (window / window.sum()).expand(x.shape[1], 1, 11, 11)

    def local(v):
        return conv2d(v, window, groups=x.shape[1])

    result = 1
    for scale in range(count):
        mx, my = local(x), local(y)
        vx, vy, c = local(x * x) - mx**2, local(y * y) - my**2, local(x * y) - mx * my
        term = (2 * c + 0.03**2) / (vx + vy + 0.03**2)
        if scale == count - 1:
            term = term * (2 * mx * my + 0.01**2) / (mx**2 + my**2 + 0.01**2)
        result = result * term.mean((2, 3)) ** weights[scale]
        x, y = avg_pool2d(x, 2), avg_pool2d(y, 2)
    return result.mean(1)


for size in [(44, 46, 2), (28, 28, 1)]:
    x, y = pictures(*size)
    y.requires_grad_()
    value = ms_ssim(x, y)
    (slope,) = torch.autograd.grad(value.sum(), y)
    print(size, [f"{v:.12f}" for v in value.tolist()], f"{slope.sum():.12e} {slope.abs().max():.12e}")
