#!/usr/bin/env python3
"""Pooling, resampling, pixel shuffle and padding of PyTorch in float64, channels last.

Writes Tests/LatentAutodiffTests/Resources/spatial.json. Inputs and cotangents follow a rule, so
that only results are stored: element i of the input of case k is
((2531 i + 97 k) mod 4099) / 2050 - 1, of its cotangent ((1543 i + 31 k + 7) mod 4093) / 2047 - 1.
Of each result its shape, its first twelve elements, the sum, the sum of squares and the product
with the rule of cotangents for k = 0 are kept.
"""

import json
import pathlib

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)


def rule(count, factor, shift, modulus):
    i = torch.arange(count, dtype=torch.int64)
    return ((factor * i + shift) % modulus).double() / ((modulus + 1) // 2) - 1


def first(x):
    """Channels first, as PyTorch computes."""
    return x.permute(0, x.dim() - 1, *range(1, x.dim() - 1))


def last(x):
    return x.permute(0, *range(2, x.dim()), 1).contiguous()


def case(op, shape, **options):
    return {"op": op, "shape": shape, **options}


def pool(case, x):
    n, kernel = x.dim() - 2, case["kernel"]
    settings = {"stride": case.get("stride"), "padding": case.get("padding", 0)}
    settings["ceil_mode"] = case.get("roundsUp", False)
    if case["op"] == "max":
        settings["dilation"] = case.get("dilation", 1)
        return [F.max_pool1d, F.max_pool2d, F.max_pool3d][n - 1](x, kernel, **settings)
    function = [F.avg_pool1d, F.avg_pool2d, F.avg_pool3d][n - 1]
    return function(x, kernel, count_include_pad=case.get("countsPadding", True), **settings)


def run(case, x):
    n, op = x.dim() - 2, case["op"]
    if op in ("max", "average"):
        return pool(case, x)
    if op == "adaptiveMax":
        functions = [F.adaptive_max_pool1d, F.adaptive_max_pool2d, F.adaptive_max_pool3d]
        return functions[n - 1](x, case["size"])
    if op == "adaptiveAverage":
        functions = [F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d]
        return functions[n - 1](x, case["size"])
    if op in ("resize", "upsample"):
        settings = {"mode": "nearest"}
        if case["method"] == "linear":
            settings = {
                "mode": ["linear", "bilinear", "trilinear"][n - 1],
                "align_corners": case.get("alignCorners", False),
            }
        if op == "resize":
            return F.interpolate(x, size=case["size"], **settings)
        return F.interpolate(x, scale_factor=case["scale"], **settings)
    if op == "shuffle":
        return F.pixel_shuffle(x, case["factor"])
    if op == "unshuffle":
        return F.pixel_unshuffle(x, case["factor"])
    if op == "pad":
        amounts = [amount for pair in reversed(case["amounts"]) for amount in pair]
        mode = {"zero": "constant"}.get(case["mode"], case["mode"])
        return F.pad(x, amounts, mode=mode)
    raise ValueError(op)


def digest(x):
    flat = x.reshape(-1)
    weights = rule(flat.numel(), 1543, 7, 4093)
    values = flat[:12].tolist()
    return {
        "shape": list(x.shape),
        "first": values,
        "sums": [flat.sum().item(), (flat * flat).sum().item(), (flat * weights).sum().item()],
    }


cases = []
for op in ("max", "average"):
    cases += [
        case(op, [2, 8, 3], kernel=[2]),
        case(op, [1, 11, 1], kernel=[3], stride=[2], padding=[1]),
        case(op, [2, 6, 8, 3], kernel=[2, 2]),
        case(op, [2, 7, 5, 1], kernel=[3, 3], stride=[2, 2], padding=[1, 1]),
        case(op, [1, 7, 9, 5], kernel=[3, 2], stride=[1, 3], padding=[1, 0]),
        case(op, [1, 5, 6, 37], kernel=[2, 3], stride=[3, 1]),
        case(op, [1, 9, 4, 2], kernel=[5, 4], stride=[2, 1], padding=[2, 2]),
        case(op, [1, 5, 4, 6, 3], kernel=[2, 2, 2]),
        case(op, [1, 5, 5, 4, 2], kernel=[3, 2, 3], stride=[2, 1, 2], padding=[1, 1, 0]),
    ]
cases += [
    case(
        "average", [2, 7, 5, 3], kernel=[3, 3], stride=[2, 2], padding=[1, 1],
        countsPadding=False,
    ),
    case("average", [1, 9, 2], kernel=[4], stride=[3], padding=[2], countsPadding=False),
    case("average", [1, 4, 5, 5, 1], kernel=[2, 3, 2], padding=[1, 1, 1], countsPadding=False),
]
for op in ("max", "average"):
    cases += [
        case(op, [1, 8, 2], kernel=[3], stride=[2], roundsUp=True),
        case(op, [1, 9, 2], kernel=[2], stride=[3], padding=[1], roundsUp=True),
        case(op, [2, 6, 7, 3], kernel=[3, 2], stride=[2, 2], padding=[1, 1], roundsUp=True),
        case(op, [1, 5, 6, 4, 2], kernel=[2, 3, 2], stride=[2, 2, 3], roundsUp=True),
    ]
cases += [
    case(
        "average", [1, 8, 6, 2], kernel=[3, 3], stride=[2, 2], padding=[1, 1], roundsUp=True,
        countsPadding=False,
    ),
    case("max", [1, 11, 2], kernel=[3], stride=[1], dilation=[2]),
    case("max", [2, 9, 8, 3], kernel=[3, 2], stride=[2, 1], padding=[1, 1], dilation=[2, 3]),
    case("max", [1, 10, 7, 1], kernel=[2, 3], stride=[3, 2], dilation=[3, 2], roundsUp=True),
    case("max", [1, 6, 7, 5, 2], kernel=[2, 3, 2], stride=[1, 2, 2], dilation=[2, 1, 3]),
]
for op in ("adaptiveMax", "adaptiveAverage"):
    cases += [
        case(op, [2, 11, 3], size=[4]),
        case(op, [2, 7, 9, 3], size=[3, 4]),
        case(op, [1, 8, 6, 1], size=[1, 1]),
        case(op, [1, 3, 4, 19], size=[5, 7]),
        case(op, [1, 5, 4, 6, 2], size=[2, 3, 4]),
    ]
cases += [
    case("upsample", [2, 5, 3], method="nearest", scale=[2]),
    case("upsample", [2, 4, 5, 3], method="nearest", scale=[2, 2]),
    case("upsample", [1, 3, 4, 33], method="nearest", scale=[2, 2]),
    case("upsample", [1, 4, 3, 1], method="nearest", scale=[3, 2]),
    case("upsample", [1, 2, 3, 4, 2], method="nearest", scale=[2, 2, 2]),
    case("resize", [1, 5, 7, 3], method="nearest", size=[8, 4]),
    case("resize", [1, 9, 6, 1], method="nearest", size=[4, 13]),
]
for corners in (False, True):
    settings = {"method": "linear", "alignCorners": corners}
    cases += [
        case("upsample", [2, 5, 3], scale=[2], **settings),
        case("upsample", [2, 4, 5, 3], scale=[2, 2], **settings),
        case("upsample", [1, 3, 4, 20], scale=[3, 2], **settings),
        case("upsample", [1, 2, 3, 4, 2], scale=[2, 2, 2], **settings),
        case("resize", [1, 5, 7, 3], size=[8, 4], **settings),
        case("resize", [1, 9, 6, 1], size=[4, 13], **settings),
        case("resize", [1, 4, 5, 2], size=[1, 9], **settings),
        case("resize", [1, 1, 5, 2], size=[4, 5], **settings),
    ]
cases += [
    case("shuffle", [2, 3, 2, 12], factor=2),
    case("shuffle", [1, 2, 3, 9], factor=3),
    case("unshuffle", [2, 4, 6, 3], factor=2),
    case("unshuffle", [1, 6, 3, 2], factor=3),
]
for mode in ("zero", "reflect", "replicate", "circular"):
    cases += [
        case("pad", [2, 6, 3], mode=mode, amounts=[[2, 1]]),
        case("pad", [2, 4, 5, 1], mode=mode, amounts=[[1, 1], [2, 2]]),
        case("pad", [1, 3, 4, 34], mode=mode, amounts=[[2, 0], [1, 3]]),
        case("pad", [1, 3, 4, 3, 2], mode=mode, amounts=[[1, 2], [0, 3], [2, 1]]),
    ]

for k, entry in enumerate(cases):
    count = torch.Size(entry["shape"]).numel()
    x = rule(count, 2531, 97 * k, 4099).reshape(entry["shape"]).requires_grad_()
    y = last(run(entry, first(x)))
    cotangent = rule(y.numel(), 1543, 31 * k + 7, 4093).reshape(y.shape)
    (gradient,) = torch.autograd.grad(y, x, cotangent)
    entry["output"] = digest(y.detach())
    entry["gradient"] = digest(gradient)

path = pathlib.Path(__file__).parents[2] / "Tests/LatentAutodiffTests/Resources/spatial.json"
lines = ",\n".join(json.dumps(entry) for entry in cases)
path.write_text(f"[\n{lines}\n]\n")
print(f"{len(cases)} cases, PyTorch {torch.__version__}")
