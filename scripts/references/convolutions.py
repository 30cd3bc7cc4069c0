"""Expected values of convolutions, by PyTorch in float64: inputs follow `wave`, outputs are stored.

  python3 scripts/references/convolutions.py > Tests/LatentLayersTests/Resources/convolutions.json
"""
import json
import math

import torch

torch.set_default_dtype(torch.float64)


def wave(shape, phase):
    n = math.prod(shape)
    i = torch.arange(n, dtype=torch.float64)
    return torch.sin(i * 0.7 + phase).reshape(shape)


# axes, transposed, batch, channels, outputs, input sizes, kernel, stride, padding, dilation, groups, output padding
CASES = [
    (2, 0, 2, 1, 3, (7, 6), (3, 3), (1, 1), (1, 1), (1, 1), 1, None),
    (2, 0, 2, 3, 4, (8, 8), (4, 4), (2, 2), (1, 1), (1, 1), 1, None),
    (2, 0, 1, 3, 8, (9, 7), (3, 3), (2, 2), (1, 1), (1, 1), 1, None),
    (2, 0, 1, 16, 16, (8, 8), (3, 3), (1, 1), (1, 1), (1, 1), 1, None),
    (2, 0, 3, 5, 7, (5, 6), (1, 1), (1, 1), (0, 0), (1, 1), 1, None),
    (2, 0, 2, 4, 6, (10, 9), (3, 5), (2, 1), (1, 2), (1, 1), 1, None),
    (2, 0, 2, 4, 6, (11, 12), (3, 3), (1, 1), (2, 2), (2, 2), 1, None),
    (2, 0, 2, 4, 8, (7, 7), (3, 3), (1, 1), (1, 1), (1, 1), 2, None),
    (2, 0, 2, 6, 6, (7, 7), (3, 3), (1, 1), (1, 1), (1, 1), 6, None),
    (2, 0, 2, 6, 12, (7, 5), (3, 2), (2, 2), (0, 1), (1, 1), 3, None),
    (2, 0, 1, 2, 3, (4, 4), (4, 4), (1, 1), (0, 0), (1, 1), 1, None),
    (2, 0, 1, 2, 3, (3, 3), (5, 5), (1, 1), (2, 2), (1, 1), 1, None),
    (2, 0, 2, 3, 2, (6, 6), (2, 2), (3, 3), (0, 0), (1, 1), 1, None),
    (2, 0, 2, 3, 2, (13, 11), (3, 3), (3, 2), (0, 1), (2, 1), 1, None),
    (2, 0, 1, 32, 32, (16, 16), (4, 4), (2, 2), (1, 1), (1, 1), 1, None),
    (2, 0, 4, 32, 17, (6, 6), (3, 3), (1, 1), (1, 1), (1, 1), 1, None),
    (2, 0, 2, 17, 33, (5, 5), (3, 3), (1, 1), (1, 1), (1, 1), 1, None),
    (2, 0, 1, 8, 8, (6, 6), (2, 2), (2, 2), (0, 0), (1, 1), 1, None),
    (2, 0, 2, 2, 5, (9, 9), (7, 7), (2, 2), (3, 3), (1, 1), 1, None),
    (2, 0, 1, 1, 1, (5, 5), (3, 3), (1, 1), (1, 1), (1, 1), 1, None),
    (2, 0, 5, 1, 2, (4, 9), (1, 3), (1, 2), (0, 1), (1, 1), 1, None),
    (2, 0, 1, 3, 4, (1, 8), (1, 3), (1, 1), (0, 1), (1, 1), 1, None),
    (2, 1, 2, 3, 1, (7, 6), (3, 3), (1, 1), (1, 1), (1, 1), 1, (0, 0)),
    (2, 1, 2, 4, 3, (4, 4), (4, 4), (2, 2), (1, 1), (1, 1), 1, (0, 0)),
    (2, 1, 2, 8, 1, (7, 7), (4, 4), (2, 2), (1, 1), (1, 1), 1, (0, 0)),
    (2, 1, 1, 8, 3, (5, 4), (3, 3), (2, 2), (1, 1), (1, 1), 1, (1, 1)),
    (2, 1, 2, 4, 6, (5, 6), (3, 5), (2, 3), (1, 2), (1, 1), 1, (1, 2)),
    (2, 1, 2, 4, 6, (5, 5), (3, 3), (1, 1), (2, 2), (2, 2), 1, (0, 0)),
    (2, 1, 2, 6, 4, (5, 5), (3, 3), (2, 2), (1, 1), (1, 1), 2, (0, 1)),
    (2, 1, 2, 6, 6, (4, 5), (3, 3), (2, 2), (1, 1), (1, 1), 6, (1, 0)),
    (2, 1, 1, 16, 16, (8, 8), (4, 4), (2, 2), (1, 1), (1, 1), 1, (0, 0)),
    (2, 1, 1, 32, 5, (4, 4), (4, 4), (2, 2), (1, 1), (1, 1), 1, (0, 0)),
    (2, 1, 3, 5, 7, (5, 6), (1, 1), (1, 1), (0, 0), (1, 1), 1, (0, 0)),
    (2, 1, 1, 2, 3, (3, 3), (2, 2), (3, 3), (0, 0), (1, 1), 1, (2, 1)),
    (2, 1, 2, 3, 2, (1, 1), (4, 4), (1, 1), (0, 0), (1, 1), 1, (0, 0)),
    (2, 1, 1, 17, 33, (5, 5), (3, 3), (1, 1), (1, 1), (1, 1), 1, (0, 0)),
    (2, 1, 2, 3, 5, (6, 3), (2, 3), (2, 1), (0, 1), (1, 1), 1, (0, 0)),
    (2, 1, 1, 64, 64, (4, 4), (4, 4), (2, 2), (1, 1), (1, 1), 1, (0, 0)),
    (1, 0, 2, 3, 4, (9,), (3,), (1,), (1,), (1,), 1, None),
    (1, 0, 2, 1, 4, (16,), (5,), (2,), (2,), (1,), 1, None),
    (1, 0, 3, 4, 4, (12,), (3,), (1,), (2,), (2,), 1, None),
    (1, 0, 1, 6, 9, (10,), (4,), (3,), (0,), (1,), 3, None),
    (1, 0, 1, 16, 32, (20,), (3,), (1,), (1,), (1,), 1, None),
    (1, 0, 2, 5, 5, (7,), (1,), (1,), (0,), (1,), 1, None),
    (1, 0, 2, 8, 8, (11,), (3,), (2,), (1,), (3,), 8, None),
    (1, 1, 2, 3, 4, (9,), (3,), (1,), (1,), (1,), 1, (0,)),
    (1, 1, 2, 4, 1, (8,), (4,), (2,), (1,), (1,), 1, (0,)),
    (1, 1, 2, 4, 6, (5,), (5,), (3,), (2,), (1,), 2, (1,)),
    (1, 1, 1, 3, 2, (6,), (3,), (2,), (0,), (2,), 1, (1,)),
    (1, 1, 1, 16, 16, (10,), (4,), (2,), (1,), (1,), 1, (0,)),
    (3, 0, 1, 2, 3, (4, 5, 6), (3, 3, 3), (1, 1, 1), (1, 1, 1), (1, 1, 1), 1, None),
    (3, 0, 2, 1, 4, (6, 6, 6), (4, 4, 4), (2, 2, 2), (1, 1, 1), (1, 1, 1), 1, None),
    (3, 0, 1, 4, 4, (5, 4, 5), (3, 2, 1), (2, 1, 1), (1, 0, 0), (1, 1, 1), 2, None),
    (3, 0, 1, 3, 2, (5, 6, 7), (2, 3, 2), (1, 2, 1), (0, 1, 1), (2, 1, 1), 1, None),
    (3, 0, 1, 16, 16, (4, 4, 4), (3, 3, 3), (1, 1, 1), (1, 1, 1), (1, 1, 1), 1, None),
    (3, 0, 2, 3, 3, (3, 3, 3), (1, 1, 1), (1, 1, 1), (0, 0, 0), (1, 1, 1), 1, None),
    (3, 1, 1, 3, 2, (4, 3, 3), (3, 3, 3), (1, 1, 1), (1, 1, 1), (1, 1, 1), 1, (0, 0, 0)),
    (3, 1, 2, 4, 1, (3, 3, 3), (4, 4, 4), (2, 2, 2), (1, 1, 1), (1, 1, 1), 1, (0, 0, 0)),
    (3, 1, 1, 4, 6, (2, 3, 4), (2, 3, 3), (2, 2, 1), (0, 1, 1), (1, 1, 1), 2, (1, 1, 0)),
    (3, 1, 1, 8, 8, (2, 2, 3), (3, 1, 2), (1, 2, 2), (1, 0, 0), (1, 1, 1), 1, (0, 1, 0)),
]


def last(t):
    """Channels after the spatial axes."""
    return t.movedim(1, -1)


def reduced(t):
    """Sums that tell any two arrays of test size apart: plain, and weighted by a wave."""
    t = t.contiguous().flatten()
    w = torch.cos(torch.arange(t.numel(), dtype=torch.float64) * 1.3)
    return [t.sum().item(), (t * w).sum().item(), (t * t).sum().item(), t[0].item(), t[-1].item()]


rows = []
for axes, transposed, n, c, o, size, k, s, p, d, g, extra in CASES:
    x = wave((n, *size, c), 0.1).movedim(-1, 1).contiguous().requires_grad_()
    shape = (c, *k, o // g) if transposed else (o, *k, c // g)
    w = (wave(shape, 0.2) * 0.5).movedim(-1, 1).contiguous().requires_grad_()
    b = wave((o,), 0.3).requires_grad_()
    if transposed:
        f = [None, torch.nn.functional.conv_transpose1d, torch.nn.functional.conv_transpose2d,
             torch.nn.functional.conv_transpose3d][axes]
        y = f(x, w, b, s, p, extra, g, d)
    else:
        f = [None, torch.nn.functional.conv1d, torch.nn.functional.conv2d, torch.nn.functional.conv3d][axes]
        y = f(x, w, b, s, p, d, g)
    y = torch.tanh(y)
    cot = wave(tuple(last(y).shape), 0.4).movedim(-1, 1)
    gx, gw, gb = torch.autograd.grad((y * cot).sum(), [x, w, b])
    rows.append(dict(
        axes=axes, transposed=bool(transposed), batch=n, channels=c, outputs=o, size=size, kernel=k,
        stride=s, padding=p, dilation=d, groups=g, outputPadding=extra or [0] * axes,
        outputSize=list(last(y).shape), output=reduced(last(y)), inputGradient=reduced(last(gx)),
        weightGradient=reduced(last(gw)), biasGradient=reduced(gb)))
print("[\n" + ",\n".join(json.dumps(r) for r in rows) + "\n]")
