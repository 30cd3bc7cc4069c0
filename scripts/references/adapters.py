#!/usr/bin/env python3
"""Reference numbers for Tests/LatentOptimizersTests/AdapterStepTests.swift, from PyTorch in float64.

    pip install torch
    python3 scripts/references/adapters.py > Tests/LatentOptimizersTests/Resources/adapters.json

One layer with a low-rank adapter (Hu et al. 2021, equation 3: h = W x + scale B A x), three steps of Adam on
B and A alone. The fully connected layer goes the paper's way, by two products one after the other; the
convolutions by the corrected weight. Weights and inputs follow from a rule that the test repeats.
"""

import json
import math

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
RANK, SCALE, RATE, STEPS = 2, 1.5, 0.01, 3


def waves(shape, start, scale=1.0):
    return torch.tensor(
        [scale * math.sin(1.7 * i + start) for i in range(math.prod(shape))]).reshape(shape)


def linear(x, w, b, up, down):
    return F.linear(x, w, b) + SCALE * F.linear(F.linear(x, down), up)


def convolution(x, w, b, up, down):
    """Weights [outputs, kernel, kernel, channels], data channels last."""
    w = w + SCALE * (up @ down).reshape(w.shape)
    y = F.conv2d(x.permute(0, 3, 1, 2), w.permute(0, 3, 1, 2), b, stride=2, padding=1)
    return y.permute(0, 2, 3, 1)


def transposed(x, w, b, up, down):
    """Weights [channels, kernel, kernel, outputs], data channels last."""
    w = w + SCALE * (up @ down).T.reshape(w.shape)
    y = F.conv_transpose2d(x.permute(0, 3, 1, 2), w.permute(0, 3, 1, 2), b, stride=2, padding=1)
    return y.permute(0, 2, 3, 1)


def run(layer, x_shape, w_shape, outputs):
    x, w, b = waves(x_shape, 1), waves(w_shape, 2, 0.4), waves([outputs], 3, 0.2)
    down = waves([RANK, math.prod(w_shape) // outputs], 4, 0.5).requires_grad_()
    up = waves([outputs, RANK], 5, 0.3).requires_grad_()
    adam = torch.optim.Adam([down, up], lr=RATE)
    losses, gradients = [], None
    for _ in range(STEPS):
        loss = layer(x, w, b, up, down).square().mean()
        adam.zero_grad()
        loss.backward()
        losses.append(loss.item())
        gradients = gradients or [p.grad.flatten().tolist() for p in (down, up)]
        adam.step()
    return {
        "losses": losses, "downGradient": gradients[0], "upGradient": gradients[1],
        "down": down.flatten().tolist(), "up": up.flatten().tolist(),
    }


print(json.dumps({
    "linear": run(linear, [5, 4], [3, 4], 3),
    "convolution": run(convolution, [2, 4, 4, 3], [4, 3, 3, 3], 4),
    "transposed": run(transposed, [2, 3, 3, 3], [3, 4, 4, 2], 2),
}, indent=1))
