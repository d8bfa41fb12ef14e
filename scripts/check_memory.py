#!/usr/bin/env python3
"""Whether memory stays as it is as files grow: check_memory.py EMOSPAN MODEL. `make test-memory`.

Tags texts with a small MODEL, then makes files of a hundred thousand and of a million records from what came out, and runs each command over
both. Its peak of memory may grow by so many bytes for each record more; --help lists them. Ends with 'N passed, N failed'.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# What a command may keep of each record: ids are told apart by 16 bytes in tables that are 75 to 87 percent full; compare has an index of
# the reference, 16 bytes a record, in Go's heap.
BYTES = {"validate": 24, "export conll": 24, "export parquet": 24, "report": 24, "compare": 40, "tag": 24}
SLACK = 24 << 20  # of the Go heap, whose peak depends on when it is collected


def options():
    limits = ", ".join(f"{command} {n}" for command, n in BYTES.items())
    p = argparse.ArgumentParser(description=__doc__, epilog=f"bytes a record: {limits}; and {SLACK >> 20} MiB in all",
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("emospan")
    p.add_argument("model", help="GGUF file")
    p.add_argument("--counts", type=lambda s: [int(n) for n in s.split(",")], default=[100_000, 1_000_000], help="(default 100000,1000000)")
    p.add_argument("--tag-counts", type=lambda s: [int(n) for n in s.split(",")], default=[1_000, 10_000], help="texts for tag (default 1000,10000)")
    return p.parse_args()


def run(command):
    """Seconds and the peak of resident memory in bytes."""
    begin = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    complaint = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"memory: {' '.join(command)} ended with {process.returncode}: {complaint.decode(errors='replace')[-500:]}")
    return time.monotonic() - begin, used.ru_maxrss * 1024


def multiply(lines, count, path):
    """Writes lines over and over, each with an id of its own."""
    parts = [line.split('"src_id":"', 1)[1].split('"', 1)[1] for line in lines]
    with open(path, "w", encoding="utf-8") as f:
        for n in range(count):
            f.write(f'{{"src_id":"text-{n}"{parts[n % len(parts)]}')


def main():
    args = options()
    failed = 0
    with tempfile.TemporaryDirectory(prefix="memory-") as folder:
        def at(name):
            return os.path.join(folder, name)

        first = at("first.jsonl")
        subprocess.run([args.emospan, "tag", "-q", "--threads", "1", "-m", args.model, os.path.join(TOP, "examples", "bench.txt"), "-o", first, "--limit", "100"], check=True)
        with open(first, encoding="utf-8") as f:
            lines = f.readlines()
        with open(os.path.join(TOP, "examples", "bench.txt"), encoding="utf-8") as f:
            texts = f.read().splitlines()
        peaks = {}
        for count in args.counts:
            records = at(f"{count}.jsonl")
            multiply(lines, count, records)
            for name, command in {
                "validate": ["validate", records],
                "export conll": ["export", records, "--to", "conll", "-o", at("out.conll"), "--force"],
                "export parquet": ["export", records, "--to", "parquet", "-o", at("out.parquet"), "--force"],
                "report": ["report", records, "-o", at("out.html"), "--force"],
                "compare": ["compare", records, records],
            }.items():
                peaks.setdefault(name, []).append((count, *run([args.emospan, *command])))
            os.remove(records)
        for count in args.tag_counts:
            with open(at("texts.jsonl"), "w", encoding="utf-8") as f:
                for n in range(count):
                    f.write(json.dumps({"id": f"text-{n}", "text": texts[n % len(texts)]}) + "\n")
            peaks.setdefault("tag", []).append((count, *run([args.emospan, "tag", "-q", "--threads", "1", "-m", args.model, at("texts.jsonl"), "-o", at("tagged.jsonl"), "--force"])))
        print("| command | records | seconds | peak MiB | bytes a record more |\n|---|---|---|---|---|")
        for name, found in peaks.items():
            for i, (count, seconds, peak) in enumerate(found):
                more = ""
                if i > 0:
                    before, _, low = found[i - 1]
                    more = f"{(peak - low) / (count - before):.1f}"
                    if peak - low > BYTES[name] * (count - before) + SLACK:
                        more += f": more than {BYTES[name]}"
                        failed += 1
                print(f"| {name} | {count:,} | {seconds:.1f} | {peak / 2**20:.0f} | {more} |")
        print(f"{len(peaks) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
