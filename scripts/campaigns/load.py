#!/usr/bin/env python3
"""Training steps while other programs take processors: median milliseconds, and those of a quiet machine.

    python3 scripts/campaigns/load.py --bench old=OLD/latent-bench --bench new=NEW/latent-bench

Each program is a fresh process in every round and the programs alternate, since timings vary more between
processes than within one. A busy program is a loop in a session of its own. Nothing else may run meanwhile."""

import argparse
import json
import statistics
import subprocess
import sys


def parse():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    a.add_argument("--bench", action="append", required=True, metavar="NAME=PATH")
    a.add_argument("--workloads", default="mlp,conv28,conv64,resnet64,seq")
    a.add_argument("--busy", default="0,1,2", help="numbers of busy programs")
    a.add_argument("--rounds", type=int, default=3)
    a.add_argument("--seconds", type=float, default=1)
    a.add_argument("--threads", type=int, default=2)
    return a.parse_args()


def measure(bench, workload, busy, args):
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"], start_new_session=True)
             for _ in range(busy)]
    try:
        text = subprocess.run(
            [bench, "--workload", workload, "--op", "train", "--seconds", str(args.seconds),
             "--threads", str(args.threads)], capture_output=True, text=True, check=True).stdout
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()
    return json.loads(text.strip().splitlines()[-1])["median_s"] * 1e3


def main():
    args = parse()
    benches = dict(b.split("=", 1) for b in args.bench)
    print("| workload | busy | " + " | ".join(benches) + " |")
    print("|---|--:|" + "--:|" * len(benches))
    for workload in args.workloads.split(","):
        for busy in map(int, args.busy.split(",")):
            times = {name: [] for name in benches}
            for _ in range(args.rounds):
                for name, bench in benches.items():
                    times[name].append(measure(bench, workload, busy, args))
            cells = (f"{statistics.median(t):.2f} ({min(t):.2f} to {max(t):.2f})"
                     for t in times.values())
            print(f"| {workload} | {busy} | " + " | ".join(cells) + " |", flush=True)


main()
