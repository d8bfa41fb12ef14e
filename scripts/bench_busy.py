#!/usr/bin/env python3
"""What emospan does beside other programs that take the processor. `make bench-busy`.

Tags the same texts beside 0, 1, 2 and 4 busy loops (--loops) and prints records per second, a column for each executable: this
checkout's, and each that --with names, as one of an earlier commit. They take turns within a round. Beside the medians stands the
fair share: the rate of the idle machine times the part of it that the scheduler's weights leave to so many threads. The machine
should be idle otherwise: the load average before each count of loops is printed. The model writes its answers, without a calibration.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
EMOSPAN = os.path.join(TOP, "bin", "emospan")


def options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--loops", type=lambda s: [int(n) for n in s.split(",")], default=[0, 1, 2, 4], help="(default 0,1,2,4; 0 is always measured)")
    p.add_argument("--rounds", type=int, default=3, help="(default 3)")
    p.add_argument("--model", default="", help="name in the store or GGUF file (default: the default model)")
    p.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="(default: one a core)")
    p.add_argument("--texts", default=os.path.join(TOP, "examples", "bench.txt"))
    p.add_argument("--limit", type=int, default=24, help="texts of the file (default 24)")
    p.add_argument("--with", dest="others", action="append", default=[], metavar="NAME=EXE", help="another executable to measure in turn")
    args = p.parse_args()
    args.sides = [("emospan", EMOSPAN)] + [tuple(o.split("=", 1)) for o in args.others]
    if any(len(s) != 2 for s in args.sides):
        p.error("--with takes NAME=EXE")
    if min(args.loops) < 0 or min(args.rounds, args.threads, args.limit) < 1:
        p.error("the numbers must be positive")
    args.loops = sorted({0, *args.loops})
    return args


def without_calibration(executable):
    """The flags for the model to write the answers. An older emospan has no --calibrate none, and writes them anyway."""
    shown = subprocess.run([executable, "tag", "--help"], stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout
    return ["--calibrate", "none"] if "auto|none" in shown else []


def rate(args, executable, folder):
    """Records per second, from the first text to the last: start and loading are not in it."""
    out = os.path.join(folder, "out.jsonl")
    command = [executable, "tag", *without_calibration(executable), args.texts, "--limit", str(args.limit), "--out", out, "--force", "--quiet", "--progress", "never", "--threads", str(args.threads)]
    run = subprocess.run(command + (["--model", args.model] if args.model else []), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if run.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit code {run.returncode}: {run.stderr.strip()}")
    with open(out + ".manifest.json", encoding="utf-8") as f:
        return json.load(f)["records_per_second"]


def beside(loops, measure):
    """Runs measure beside so many busy loops."""
    processes = [subprocess.Popen([sys.executable, "-S", "-c", "while True: pass"]) for _ in range(loops)]
    try:
        time.sleep(0.5)
        return measure()
    finally:
        for p in processes:
            p.kill()
            p.wait()


def main():
    args = options()
    cores = len(os.sched_getaffinity(0))
    print(f"{args.threads} threads on {cores} cores, {args.limit} texts, {args.rounds} rounds; records/s, median (all)\n")
    print("| busy loops | load before | fair share | " + " | ".join(name for name, _ in args.sides) + " |")
    print("|---|---|---|" + "---|" * len(args.sides))
    idle = {}
    with tempfile.TemporaryDirectory(prefix="emospan-busy-") as folder:
        for name, executable in args.sides:  # the files are in the system's cache then
            rate(args, executable, folder)
        for loops in args.loops:
            rates = {name: [] for name, _ in args.sides}
            load = os.getloadavg()[0]
            for _ in range(args.rounds):
                for name, executable in args.sides:
                    rates[name].append(beside(loops, lambda e=executable: rate(args, e, folder)))
            medians = {name: statistics.median(r) for name, r in rates.items()}
            idle = idle or medians
            share = min(1, cores / (args.threads + loops)) / min(1, cores / args.threads)
            cells = [f"{medians[n]:.2f} ({', '.join(f'{r:.2f}' for r in rates[n])}): {medians[n] / (idle[n] * share):.2f} of its share" for n in rates]
            print(f"| {loops} | {load:.1f} | {share:.2f} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
