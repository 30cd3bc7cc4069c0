#!/usr/bin/env python3
"""Trains every ready network with every likelihood for 500 steps and measures what it shows.

Pictures are smooth scenes of 32 by 32: a background that runs from one colour to another and a blob
whose place and colour vary. Texts say the same of a scene in words. All settings but the model and
the likelihood are the defaults. Each row of the table is one run, on examples it was not trained on:

    R2       share of the pixels' variance around the data's mean image that the reconstructions
             explain; of texts, the share of letters that are right
    place    share of the variance of the blob's place that a linear map of the reconstruction's
             contrasts explains, fitted on half of the examples and measured on the others; of texts,
             words of places that are right
    colour   the same of the blob's colour, from the reconstruction at its place
    KL       nats; a plain autoencoder has none

    python3 scripts/campaigns/learning.py --tools .build/release --out /tmp/learning
        [--only conv/normal,gru-text/categorical] [--steps 500] [--train "..."]

Needs numpy, h5py and the release build of the tools. Figures follow from the seed, not from the machine.
"""

import argparse
import json
import os
import subprocess

import h5py
import numpy as np

COUNT, HELD, BATCH = 3000, 400, 128
PICTURES = ["mlp", "mlp-autoencoder", "gated-mlp", "conv", "resnet"]
LIKELIHOODS = ["bernoulli", "continuous-bernoulli", "normal", "unit-normal"]
TEXTS = ["transformer-text", "gru-text"]
COLOURS = ["red", "green", "blue", "white", "black", "yellow"]
PLACES = ["top", "middle", "bottom", "left", "right"]


def scenes(count, seed, side=32):
    """Bytes [count, side, side, 3] and the factors x, y, red, green, blue of each blob."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:side, 0:side] / (side - 1)
    images = np.empty((count, side, side, 3), np.uint8)
    factors = np.empty((count, 5), np.float32)
    for i in range(count):
        top, bottom = random.uniform(0.15, 0.85, (2, 3))
        blob = random.uniform(0, 1, 3)
        share = np.clip(y + random.uniform(-0.5, 0.5) * (x - 0.5), 0, 1)[..., None]
        picture = (1 - share) * top + share * bottom
        cx, cy = random.uniform(0.15, 0.85, 2)
        width = random.uniform(0.18, 0.26)
        weight = np.exp(-(((x - cx) ** 2 + (y - cy) ** 2) / (2 * width**2)) ** 2)[..., None]
        picture = (1 - weight) * picture + weight * blob
        picture = picture + random.normal(0, 0.02, picture.shape)
        images[i] = np.clip(picture * 255, 0, 255).round()
        factors[i] = [cx, cy, *blob]
    return images, factors


def sentences(count, seed, length=48):
    """Lines of `length` bytes, and the place and colour that each names."""
    random = np.random.default_rng(seed)
    lines, words = [], []
    for _ in range(count):
        colour, place = random.choice(COLOURS), random.choice(PLACES)
        sky, number = random.choice(COLOURS), random.integers(2, 10)
        text = f"{colour} {place} ball with {number} dots, {sky} ground"
        lines.append(text.ljust(length - 1) + "\n")
        words.append((colour, place))
    return "".join(lines), words


def run(*command, cwd):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr}")
    return done


def explained(features, targets):
    """R2 of a ridge regression, fitted on the first half and measured on the second."""
    half = len(features) // 2
    x = np.c_[features, np.ones(len(features))]
    a, b = x[:half], targets[:half]
    weights = np.linalg.solve(a.T @ a + 1e-2 * np.eye(x.shape[1]), a.T @ b)
    rest = targets[half:]
    error = ((x[half:] @ weights - rest) ** 2).sum()
    return 1 - error / ((rest - rest.mean(0)) ** 2).sum()


def place(pictures, factors):
    """Where a picture differs from its own mean colour; the blob may be the darker part."""
    small = pictures.reshape(-1, 8, 4, 8, 4, 3).mean((2, 4))
    distance = ((small - np.median(small, (1, 2), keepdims=True)) ** 2).sum(-1).reshape(-1, 64)
    share = distance / (distance.sum(1, keepdims=True) + 1e-9)
    return explained(share, factors[:, :2])


def colour(pictures, factors):
    """What is seen at the blob's place."""
    column, row = (factors[:, :2] * (pictures.shape[1] - 1)).round().astype(int).T
    return explained(pictures[np.arange(len(pictures)), row, column], factors[:, 2:])


def train(tools, folder, model, likelihood, data, steps, more):
    name = f"{model}-{likelihood}"
    run("rm", "-rf", name, cwd=folder)
    share = 0.1
    per_epoch = round(COUNT * (1 - share)) // BATCH
    done = run(
        f"{tools}/latent-train", "--data", data, "--model", model, "--likelihood", likelihood,
        "--epochs", str(round(steps / per_epoch)), "--out", name, *more, cwd=folder)
    with open(f"{folder}/{name}/summary.json") as file:
        return name, json.load(file), done.stderr


def pairs(count):
    return ",".join(f"{i}:{i + 1}" for i in range(0, count, 2))


def measure_pictures(tools, folder, name, held, factors, mean):
    run(
        f"{tools}/latent-interpolate", name, "--data", "hdf5:held.h5:images", "--pairs",
        pairs(HELD), "--steps", "2", "--path", "linear", "--out", "shown.npy", cwd=folder)
    shown = np.load(f"{folder}/shown.npy").reshape(held.shape)
    r2 = 1 - ((shown - held) ** 2).sum() / ((held - mean) ** 2).sum()
    return r2, place(shown, factors), colour(shown, factors)


def measure_texts(tools, folder, name, words):
    run(
        f"{tools}/latent-interpolate", name, "--data", "text:held.txt:48", "--pairs", pairs(HELD),
        "--steps", "2", "--path", "linear", "--out", "shown.npy", cwd=folder)
    shown = np.load(f"{folder}/shown.npy").reshape(HELD, 48).astype(np.uint8)
    held = np.frombuffer(open(f"{folder}/held.txt", "rb").read(), np.uint8).reshape(HELD, 48)
    texts = [bytes(row).decode("latin1").split() for row in shown]
    colours = np.mean([t[:1] == [w[0]] for t, w in zip(texts, words)])
    places = np.mean([t[1:2] == [w[1]] for t, w in zip(texts, words)])
    return (shown == held).mean(), places, colours


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tools", default=".build/release")
    parser.add_argument("--out", required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--train", default="", help="further arguments of latent-train")
    arguments = parser.parse_args()
    tools, folder = os.path.abspath(arguments.tools), os.path.abspath(arguments.out)
    os.makedirs(folder, exist_ok=True)
    images, _ = scenes(COUNT, seed=1)
    held, factors = scenes(HELD, seed=2)
    for name, array in ("scenes", images), ("held", held):
        with h5py.File(f"{folder}/{name}.h5", "w") as file:
            file["images"] = array
    text, _ = sentences(COUNT, seed=1)
    held_text, words = sentences(HELD, seed=2)
    for name, content in ("scenes", text), ("held", held_text):
        with open(f"{folder}/{name}.txt", "w") as file:
            file.write(content)
    mean, held = images.mean(0) / 255.0, held / 255.0
    pictures = [(m, l) for m in PICTURES for l in LIKELIHOODS]
    chosen = pictures + [(m, "categorical") for m in TEXTS]
    if arguments.only:
        chosen = [tuple(pair.split("/")) for pair in arguments.only.split(",")]
    print("| network | likelihood | R2 | place | colour | KL | used latents |")
    print("|---|---|--:|--:|--:|--:|--:|", flush=True)
    for model, likelihood in chosen:
        isText = model in TEXTS
        data = "text:scenes.txt:48" if isText else "hdf5:scenes.h5:images"
        name, summary, _ = train(
            tools, folder, model, likelihood, data, arguments.steps, arguments.train.split())
        figures = (
            measure_texts(tools, folder, name, words)
            if isText
            else measure_pictures(tools, folder, name, held, factors, mean)
        )
        kl = summary["natsPerExample"].get("validation_kl")
        used = summary.get("activeLatents")
        shown = " | ".join(f"{figure:.2f}" for figure in figures)
        print(
            f"| {model} | {likelihood} | {shown} | {'' if kl is None else f'{kl:.1f}'} | "
            f"{'' if used is None else used} |", flush=True)


if __name__ == "__main__":
    main()
