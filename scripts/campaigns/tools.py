#!/usr/bin/env python3
"""Trains a run of every objective, posterior and prior, and opens each with every tool.

Names are those of `latent-train --print-models`. Every objective is trained with the posterior it needs, every posterior
and every prior with the objective `elbo`, or `ae` or `vimco` where the bound is refused, codes with `vq`: one epoch of
small sprites each. Each run is then resumed for another epoch, encoded, generated from, interpolated in, quantised and evaluated.
A row of the table is one run. A tool that ends with an exit code and a sentence of its own has `refused` (the sentences
stand below the table), one that ends otherwise has `FAILED`, and then so does the campaign.

    python3 scripts/campaigns/tools.py --tools .build/release --out /tmp/tools [--only objective/elbo,posterior/iaf]

Needs the release build of the tools alone.
"""

import argparse
import os
import re
import subprocess
import sys

# What an objective asks of a run beside its name.
NEEDS = {
    "spherical": ["--posterior", "sphere-point"],
    "equivariant": ["--model", "resnet"],
    "vq": ["--posterior", "codes"],
    # As many more degrees of freedom as an example has numbers.
    "t3": ["--posterior", "student", "--set", "model.posterior.degreesOfFreedom=266"],
    "sparse": ["--model", "sparse", "--set", "model.posterior.active=3"],
    "matryoshka": ["--model", "sparse", "--set", "model.posterior.active=3"],
    "gan": ["--likelihood", "unit-normal"],
}
COMMON = ["--data", "sprites:16", "--epochs", "1", "--quiet"]


def names(page, title):
    """The first column of the table below a heading of the page of models."""
    section = page.partition(f"\n## {title}")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \|", section, re.M)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tools", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    os.makedirs(options.out, exist_ok=True)
    only = [name for name in options.only.split(",") if name]
    sentences, failures = [], []

    def call(row, tool, *arguments):
        ended = subprocess.run(
            [f"{options.tools}/latent-{tool}", *arguments], capture_output=True, text=True, timeout=600)
        if ended.returncode == 0:
            return "ok"
        text = ended.stderr.strip().splitlines()
        known = ended.returncode in (64, 65, 70, 78) and text
        sentences.append(f"{row}, {tool}: exit {ended.returncode}: {' '.join(text[-2:])}")
        if not known:
            failures.append(row)
        return "refused" if known else "FAILED"

    page = subprocess.run(
        [f"{options.tools}/latent-train", "--print-models"], capture_output=True, text=True, check=True).stdout
    runs = [(f"objective/{name}", ["--objective", name] + NEEDS.get(name, [])) for name in names(page, "Objectives")]
    runs += [(f"posterior/{name}", ["--posterior", name]) for name in names(page, "Posteriors")]
    runs += [(f"prior/{name}", ["--prior", name]) for name in names(page, "Priors")]
    runs += [(f"codes/{name}", ["--codes", name, "--objective", "vq"])
             for name in names(page, "Codes")]
    print("| run | train | resume | encode | generate | interpolate | quantize | evaluate | annealing, outliers |\n"
          + "|---" * 9 + "|", flush=True)
    for row, arguments in runs:
        if only and row not in only:
            continue
        folder = f"{options.out}/{row.replace('/', '-')}"
        results = []
        # The bound is not for everyone: points, code books and coins have objectives of their own.
        others = [] if row.startswith(("objective", "codes")) else [["--objective", "ae"], ["--objective", "vimco"]]
        for objective in [[], *others]:
            latents = [] if "resnet" in arguments else ["--latent", "12"]
            trained = call(row, "train", *COMMON, *latents, *arguments, *objective, "--out", folder)
            if trained != "refused":
                break
        results.append(trained)
        if trained == "ok":
            results.append(call(row, "train", "--resume", "--epochs", "2", "--quiet", "--out", folder))
            results.append(call(row, "encode", folder, "--limit", "64", "--out", f"{folder}/codes.h5"))
            results.append(call(row, "generate", folder, "--out", f"{folder}/samples.png"))
            results.append(call(row, "interpolate", folder, "--rows", "2", "--out", f"{folder}/path.png"))
            results.append(call(row, "quantize", folder, "--to", "int8", "--out", f"{folder}-int8"))
            results.append(call(row, "evaluate", folder, "--examples", "100", "--draws", "20", "--quiet"))
            results.append(call(row, "evaluate", folder, "--examples", "40", "--parts", "annealing,outliers", "--quiet",
                                "--temperatures", "5", "--annealed", "4", "--against", "sprites:16"))
        print(f"| {row} | {' | '.join(results)} |", flush=True)
    print("\n" + "\n".join(sentences))
    sys.exit(1 if failures else 0)


main()
