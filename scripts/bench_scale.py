#!/usr/bin/env python3
"""Whether emospan's rate and memory stay as they are as the input grows. `make bench-scale`.

Writes a file of a million lines, the project's texts over and over, and tags the first so many of them, for each of --counts:
records per second over the whole run, without the start, and the peak of memory. Before that it measures how long the first
record takes to come out of a hundred lines and of the million: an input is streamed, so the two should be alike.
"""
import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
EMOSPAN = os.path.join(TOP, "bin", "emospan")


def options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--counts", type=lambda s: [int(n) for n in s.split(",")], default=[250, 500, 1000], help="(default 250,500,1000)")
    p.add_argument("--lines", type=int, default=1_000_000, help="of the file (default 1000000)")
    p.add_argument("--model", default="", help="name in the store or GGUF file (default: the default model)")
    p.add_argument("--tag-flags", type=shlex.split, default=[], metavar="FLAGS", help="more flags for emospan tag")
    args = p.parse_args()
    if min(*args.counts, args.lines) < 1 or max(args.counts) > args.lines:
        p.error("the numbers must be positive, and the counts no more than the lines")
    return args


def write_lines(path, texts, count):
    with open(path, "w", encoding="utf-8") as f:
        for n in range(count):
            f.write(texts[n % len(texts)] + "\n")


def command(args, path, *more):
    flags = ["--model", args.model] if args.model else []
    return [EMOSPAN, "tag", path, "--quiet", "--progress", "never", *flags, *args.tag_flags, *more]


def first_record(args, path):
    """Seconds until the first line of output; the process is ended then."""
    start = time.perf_counter()
    with subprocess.Popen(command(args, path), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        line = process.stdout.readline()
        seconds = time.perf_counter() - start
        process.kill()
    json.loads(line)
    return seconds


def run(args, path, count, folder):
    out = os.path.join(folder, "out.jsonl")
    process = subprocess.Popen(command(args, path, "--limit", str(count), "--out", out, "--force"), stdin=subprocess.DEVNULL)
    _, status, resources = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"bench-scale: emospan tag ended with {process.returncode}")
    with open(out + ".manifest.json", encoding="utf-8") as f:
        manifest = json.load(f)
    if manifest["records"] != count:
        sys.exit(f"bench-scale: {manifest['records']} records of {count} texts")
    return manifest["seconds"], resources.ru_maxrss / 1024


def main():
    args = options()
    with open(os.path.join(TOP, "examples", "bench.txt"), encoding="utf-8") as f:
        texts = f.read().splitlines()
    with tempfile.TemporaryDirectory(prefix="bench-scale-") as folder:
        path, few = os.path.join(folder, "texts.txt"), os.path.join(folder, "few.txt")
        write_lines(path, texts, args.lines)
        write_lines(few, texts, 100)
        first_record(args, few)  # brings the model's file into memory
        print(f"first record: {first_record(args, few):.2f} s of 100 lines, {first_record(args, path):.2f} s of {args.lines:,}", flush=True)
        print("| records | records/s | peak MiB |\n|---|---|---|", flush=True)
        for count in args.counts:
            seconds, peak = run(args, path, count, folder)
            print(f"| {count:,} | {count / seconds:.2f} | {peak:.0f} |", flush=True)


if __name__ == "__main__":
    main()
