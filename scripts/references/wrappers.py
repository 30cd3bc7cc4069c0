"""Pictures made smaller and turned, by PyTorch: the expected values of
Tests/LatentModelsTests/Objectives/Wrappers/EquivarianceTests.swift.

    python3 scripts/references/wrappers.py

Prints for each (scale in parts of 32, quarter turns against the clock, size) of x = sin(1.7 i + 1), i counting the
elements of [2, size, size, 3]: the height and width, the sum of squares and the sum with weights cos(0.3 i) of the result,
channels last.
"""

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)


def moved(x, scale, turns):
    x = x.permute(0, 3, 1, 2)
    if scale != 32:
        x = F.interpolate(x, scale_factor=scale / 32, mode="bilinear", align_corners=False)
    return torch.rot90(x, turns, dims=[2, 3]).permute(0, 2, 3, 1)


for scale, turns, size in [(32, 1, 8), (32, 2, 8), (32, 3, 8), (8, 0, 8), (12, 1, 8), (20, 2, 16), (28, 3, 8)]:
    x = torch.sin(1.7 * torch.arange(2 * size * size * 3) + 1).reshape(2, size, size, 3)
    y = moved(x, scale, turns)
    weights = torch.cos(0.3 * torch.arange(y.numel()))
    total = (y.flatten() * weights).sum().item()
    print(f"({scale}, {turns}, {size}, {y.shape[1]}, {y.square().sum().item()!r}, {total!r}),")
