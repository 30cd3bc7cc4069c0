"""Reference numbers for Tests/LatentLayersTests/NormalizationTests.swift, from PyTorch in float64.

    python3 scripts/references/normalization.py > Tests/LatentLayersTests/Resources/normalization.json

Inputs follow from rules that the test repeats. Of each result three projections (weights
cos(0.37 (k + 1) i), k = 0, 1, 2) and the first twelve elements are stored.
"""

import json
import math

import torch
from torch.nn.utils import parametrizations

torch.set_default_dtype(torch.float64)

ACTIVATIONS = {
    "none": lambda x: x, "relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid,
    "gelu": torch.nn.functional.gelu, "silu": torch.nn.functional.silu,
    "softplus": torch.nn.functional.softplus, "elu": torch.nn.functional.elu,
}


def rule(shape, value):
    count = math.prod(shape)
    return torch.tensor([value(i) for i in range(count)]).reshape(shape)


def inputs(shape, step=0):
    return rule(shape, lambda i: 2 * math.sin(0.7 * i * i + step) + 0.1 * (i % 3) + 0.5)


def cotangent(shape):
    return rule(shape, lambda i: math.cos(1.3 * i * i + 0.2))


def scales(size):
    return rule([size], lambda i: 1 + 0.5 * math.cos(2.0 * i))


def shifts(size):
    return rule([size], lambda i: 0.3 * math.sin(3.0 * i + 1))


def weights(shape):
    return rule(shape, lambda i: math.sin(2.0 * i * i + 0.5 * i))


def first(x):
    """Channels last to channels first and back."""
    return x.movedim(-1, 1)


def last(x):
    return x.movedim(1, -1)


def reduced(x):
    x = x.detach().flatten()
    i = torch.arange(x.numel(), dtype=torch.float64)
    return [float((x * torch.cos(0.37 * (k + 1) * i)).sum()) for k in range(3)] + x[:12].tolist()


def derivatives(function, tensors):
    tensors = {name: t.clone().requires_grad_(True) for name, t in tensors.items()}
    y = function(**tensors)
    (y * cotangent(list(y.shape))).sum().backward()
    return {"y": reduced(y)} | {"d" + name: reduced(t.grad) for name, t in tensors.items()}


cases = []


def case(kind, shape, groups, activation, affine, expected):
    cases.append(dict(kind=kind, shape=shape, groups=groups, activation=activation, affine=affine,
                      expected=expected))


names = list(ACTIVATIONS)
number = 0
for shape, group_list in [
    ([2, 3, 4, 6], [1, 2, 3, 6]), ([1, 5, 8], [4, 8]), ([3, 1, 1, 12], [3]), ([2, 7, 10], [5]),
    ([4, 2, 2, 2, 3], [3, 1]), ([5, 8], [2]), ([1, 6, 5, 130], [13, 130]), ([2, 9, 1040], [8]),
    ([9, 4, 4, 16], [4]), ([1, 90, 90, 4], [2]), ([2, 61, 67, 3], [3]), ([2, 70, 300], [30]),
]:
    for groups in group_list:
        for affine in [True, False]:
            activation = names[number % len(names)]
            number += 1
            size = shape[-1]

            def function(x, scale=None, shift=None):
                y = torch.nn.functional.group_norm(first(x), groups, scale, shift, 1e-5)
                return ACTIVATIONS[activation](last(y))

            tensors = {"x": inputs(shape)}
            if affine:
                tensors |= {"scale": scales(size), "shift": shifts(size)}
            case("group", shape, groups, activation, affine, derivatives(function, tensors))

number = 0
for shape in [[6, 5], [4, 3, 3, 2], [2, 1, 1, 7], [3, 4, 130], [1, 5, 6], [2, 100, 90, 3]]:
    for affine in [True, False]:
        activation = names[number % len(names)]
        number += 1
        size = shape[-1]
        mean, variance = torch.zeros(size), torch.ones(size)
        result = {}

        def call(x, scale, shift, training):
            y = torch.nn.functional.batch_norm(
                first(x), mean, variance, scale, shift, training, 0.1, 1e-5)
            return ACTIVATIONS[activation](last(y))

        def function(x, scale=None, shift=None):
            return call(x, scale, shift, training)

        affines = {"scale": scales(size), "shift": shifts(size)} if affine else {}
        for step in range(4):
            training = step < 3
            tensors = {"x": inputs(shape, step)} | affines
            values = derivatives(function, tensors)
            result |= {f"{name}{step}": value for name, value in values.items()}
            result |= {f"mean{step}": reduced(mean), f"variance{step}": reduced(variance)}
        case("batch", shape, size, activation, affine, result)


class Product(torch.nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.weight = torch.nn.Parameter(weights(shape))

    def forward(self, x):
        return x @ self.weight.flatten(1).T


for shape in [[4, 5], [3, 2, 2, 2], [1, 6]]:
    rest = math.prod(shape[1:])
    x = inputs([3, rest])
    layer = parametrizations.weight_norm(Product(shape))
    length, direction = layer.parametrizations.weight.original0, layer.parametrizations.weight.original1
    with torch.no_grad():
        length.mul_(scales(shape[0]).reshape(length.shape))
    y = layer(x)
    (y * cotangent(list(y.shape))).sum().backward()
    case("weight", shape, 1, "none", True, {
        "y": reduced(y), "dscale": reduced(length.grad), "dweight": reduced(direction.grad)})

    layer = parametrizations.spectral_norm(Product(shape))
    part = layer.parametrizations.weight[0]
    unit = lambda v: v / v.norm()
    part._u.copy_(unit(scales(shape[0])))
    part._v.copy_(unit(shifts(rest)))
    original = layer.parametrizations.weight.original
    result = {}
    for step in range(4):
        layer.train(step < 3)
        original.grad = None
        y = layer(inputs([3, rest], step))
        (y * cotangent(list(y.shape))).sum().backward()
        result |= {f"y{step}": reduced(y), f"dweight{step}": reduced(original.grad),
                   f"left{step}": reduced(part._u), f"right{step}": reduced(part._v)}
    case("spectral", shape, 1, "none", True, result)

print("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]")
