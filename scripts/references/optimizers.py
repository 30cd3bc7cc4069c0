#!/usr/bin/env python3
"""Where torch.optim takes the two parameters of Tests/LatentOptimizersTests (`Pair`) in five steps.

Numbers are float64 and exact in binary. The second parameter has no gradient at step 2: PyTorch leaves it
and its state alone there. Prints the tables of OptimizerRows.swift.

    pip install torch
    python3 scripts/references/optimizers.py
"""

import torch

RULES = [
    ("SGD", torch.optim.SGD, dict(lr=0.1)),
    ("SGD weight decay", torch.optim.SGD, dict(lr=0.1, weight_decay=0.05)),
    ("SGD momentum", torch.optim.SGD, dict(lr=0.1, momentum=0.9)),
    ("SGD dampening", torch.optim.SGD, dict(lr=0.1, momentum=0.8, dampening=0.3, weight_decay=0.05)),
    ("SGD Nesterov", torch.optim.SGD, dict(lr=0.1, momentum=0.9, weight_decay=0.05, nesterov=True)),
    ("Adam", torch.optim.Adam, dict(lr=0.01)),
    ("Adam weight decay", torch.optim.Adam,
     dict(lr=0.01, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.05)),
    ("AdamW", torch.optim.AdamW, dict(lr=0.01, weight_decay=0.05)),
    ("Adamax", torch.optim.Adamax, dict(lr=0.01)),
    ("Adamax weight decay", torch.optim.Adamax,
     dict(lr=0.01, betas=(0.8, 0.9), eps=1e-3, weight_decay=0.05)),
    ("RMSprop", torch.optim.RMSprop, dict(lr=0.01)),
    ("RMSprop weight decay", torch.optim.RMSprop,
     dict(lr=0.01, alpha=0.9, eps=1e-3, weight_decay=0.05)),
    ("RMSprop centered", torch.optim.RMSprop, dict(lr=0.01, centered=True)),
    ("RMSprop momentum", torch.optim.RMSprop, dict(lr=0.01, momentum=0.9)),
    ("RMSprop centered momentum", torch.optim.RMSprop,
     dict(lr=0.01, alpha=0.9, momentum=0.8, weight_decay=0.05, centered=True)),
]


def parameter(index, shape):
    count = torch.Size(shape).numel()
    values = [((5 * i + index) % 7 - 3) / 4 for i in range(count)]
    return torch.tensor(values, dtype=torch.float64).reshape(shape).requires_grad_()


def gradient(step, index, shape):
    if index == 1 and step == 2:
        return None
    count = torch.Size(shape).numel()
    values = [((7 * i + 5 * step + 3 * index) % 11 - 5) / 8 for i in range(count)]
    return torch.tensor(values, dtype=torch.float64).reshape(shape)


for name, rule, settings in RULES:
    shapes = ([2, 3], [4])
    parameters = [parameter(index, shape) for index, shape in enumerate(shapes)]
    optimizer = rule(parameters, **settings)
    for step in range(5):
        for index, each in enumerate(parameters):
            each.grad = gradient(step, index, shapes[index])
        optimizer.step()
    numbers = [repr(v) for each in parameters for v in each.detach().flatten().tolist()]
    print(name)
    for start in range(0, len(numbers), 4):
        print("      " + ", ".join(numbers[start:start + 4]) + ",")
