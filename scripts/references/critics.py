"""Reference numbers for Tests/LatentModelsTests/Objectives/CriticTests.swift, from PyTorch in float64.

    python3 scripts/references/critics.py

A critic of pictures and one of vectors: logits, gradient penalties, and sums of squares of their
derivatives by each weight. Weights and inputs follow from a rule that the test repeats.
"""

import math

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)


def waves(shape, start):
    return torch.tensor([math.sin(1.7 * i + start) for i in range(math.prod(shape))]).reshape(shape)


def parameter(shape, start, scale=1.0):
    return (scale * waves(shape, start)).requires_grad_()


def report(name, critic, parameters, x):
    x = x.requires_grad_()
    logits = critic(x)
    (slope,) = torch.autograd.grad(logits.sum(), x, create_graph=True)
    excess = slope.flatten(1).norm(dim=1) - 1
    print(name, "logits", logits.flatten().tolist())
    for kind, penalty in ("two-sided", excess.square().mean()), ("one-sided", excess.relu().square().mean()):
        gradients = torch.autograd.grad(penalty, parameters, retain_graph=True, allow_unused=True)
        squares = [0.0 if g is None else g.square().sum().item() for g in gradients]
        print(name, kind, penalty.item(), squares)


kernel, bias = parameter([3, 4, 4, 2], 1, 0.3), parameter([3], 2)
weight, last = parameter([1, 48], 3, 0.3), parameter([1], 4)


def pictures(x):
    h = F.conv2d(x.movedim(-1, 1), kernel.movedim(-1, 1), bias, stride=2, padding=1)
    h = F.leaky_relu(h, 0.2).movedim(1, -1)
    return F.linear(h.flatten(1), weight, last)


report("pictures", pictures, [kernel, bias, weight, last], waves([2, 8, 8, 2], 5))

layers = [(parameter([5, 3], 1), parameter([5], 2)), (parameter([1, 5], 3), parameter([1], 4))]


def vectors(x):
    (w0, b0), (w1, b1) = layers
    return F.linear(F.leaky_relu(F.linear(x, w0, b0), 0.2), w1, b1)


report("vectors", vectors, [p for pair in layers for p in pair], waves([4, 3], 5))
