#!/usr/bin/env python3
"""The definition of Tests/LatentLayersTests/TransposedGeometryTests.swift beside PyTorch.

Random transposed convolutions of one, two and three axes in float64; a third of them pad their output by
a stride or more. Prints the largest difference of values and gradients.

    pip install torch
    python3 scripts/references/transposed.py
"""

import itertools
import random

import torch

torch.set_default_dtype(torch.float64)


def definition(x, w, b, g, stride, padding, dilation, groups):
    """PyTorch's axes: x [batch, channels, size...], w [channels, outputs / groups, kernel...]."""
    output = b.reshape([1, -1] + [1] * (x.dim() - 2)).expand_as(g).clone()
    dx, dw = torch.zeros_like(x), torch.zeros_like(w)
    in_each, out_each = x.shape[1] // groups, w.shape[1]
    for place in itertools.product(*map(range, x.shape[2:])):
        for tap in itertools.product(*map(range, w.shape[2:])):
            to = [i * s - p + k * d
                  for i, s, p, k, d in zip(place, stride, padding, tap, dilation)]
            if any(not 0 <= t < n for t, n in zip(to, g.shape[2:])):
                continue
            for channel in range(x.shape[1]):
                first = channel // in_each * out_each
                outputs = slice(first, first + out_each)
                value, weight = x[(slice(None), channel, *place)], w[(channel, slice(None), *tap)]
                there = (slice(None), outputs, *to)
                output[there] += value[:, None] * weight
                dx[(slice(None), channel, *place)] += g[there] @ weight
                dw[(channel, slice(None), *tap)] += value @ g[there]
    return output, dx, dw, g.sum(dim=[0] + list(range(2, g.dim())))


random.seed(1)
torch.manual_seed(1)
worst, count, odd = 0.0, 0, 0
while count < 60:
    axes, groups = random.randint(1, 3), random.randint(1, 2)
    def each(low, high):
        return [random.randint(low, high) for _ in range(axes)]
    size, kernel, stride, dilation = each(1, 4), each(1, 3), each(1, 4), each(1, 4)
    padding = each(0, 3)
    extra = [random.randint(0, max(s, d) - 1) for s, d in zip(stride, dilation)]
    shape = [(n - 1) * s - 2 * p + d * (k - 1) + 1 + e
             for n, s, p, d, k, e in zip(size, stride, padding, dilation, kernel, extra)]
    if min(shape) < 1:
        continue
    count += 1
    odd += any(e >= s for e, s in zip(extra, stride))
    channels, each_out = groups * random.randint(1, 3), random.randint(1, 3)
    x = torch.randn([2, channels] + size, requires_grad=True)
    w = torch.randn([channels, each_out] + kernel, requires_grad=True)
    b = torch.randn([groups * each_out], requires_grad=True)
    function = getattr(torch.nn.functional, f"conv_transpose{axes}d")
    y = function(x, w, b, stride, padding, extra, groups, dilation)
    g = torch.randn(y.shape)
    y.backward(g)
    found = definition(x.detach(), w.detach(), b.detach(), g, stride, padding, dilation, groups)
    for mine, theirs in zip(found, (y.detach(), x.grad, w.grad, b.grad)):
        worst = max(worst, (mine - theirs).abs().max().item())
print(f"{count} cases, {odd} padded by a stride or more: largest difference {worst:.1e}")
