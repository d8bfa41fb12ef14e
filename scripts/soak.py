#!/usr/bin/env python3
"""A long run under a memory limit, stopped and continued at random moments: does anything drift? `make soak`.

Tags --count texts, samples the process as it goes, and sends it SIGSTOP and SIGCONT at moments that --seed chooses. The memory
limit is a cgroup's where one can be made (as root, of cgroup v1 or v2), else RLIMIT_DATA. Records are told by the second and by
the second of processor time: on a shared machine only the latter says something of the program. At the end the second half of the
run is compared with its first, the records are counted against the inputs and validated, and a figure of it all is drawn.
"""
import argparse
import json
import os
import random
import resource
import shlex
import signal
import statistics
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TICKS = os.sysconf("SC_CLK_TCK")


def options():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("inputs", nargs="+", help="files of texts")
    p.add_argument("--exe", default=os.path.join(TOP, "bin", "emospan"))
    p.add_argument("--folder", required=True, help="for the output, the samples and the figure")
    p.add_argument("--count", type=int, default=10_000, help="texts (default 10000)")
    p.add_argument("--limit-mib", type=int, default=768, help="memory that the process may have (default 768)")
    p.add_argument("--every", type=float, default=5, help="seconds between samples (default 5)")
    p.add_argument("--pause", type=float, default=90, help="mean seconds between two stops (default 90)")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--drift", type=float, default=0.05, help="share by which the halves may differ (default 0.05)")
    p.add_argument("--tag-flags", type=shlex.split, default=[], metavar="FLAGS", help="more flags for emospan tag")
    args = p.parse_args()
    for path in args.inputs:
        if not os.path.exists(path):
            p.error(f"there is no {path}; name files of texts, or their folder by DATA")
    return args


class Limit:
    """A cgroup of the memory controller, or RLIMIT_DATA where there is none to be had."""

    def __init__(self, mib):
        self.size, self.folder = mib << 20, None
        with open("/proc/self/cgroup") as f:
            own = {name: path for line in f for _, name, path in [line.strip().split(":", 2)]}
        for root, file in (("/sys/fs/cgroup/memory" + own.get("memory", "/"), "memory.limit_in_bytes"),
                           ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup" + own.get("", "/"), "memory.max")):
            folder = os.path.join(root, f"emospan-soak-{os.getpid()}")
            try:
                os.mkdir(folder)
            except OSError:
                continue
            try:
                with open(os.path.join(folder, file), "w") as f:
                    f.write(str(self.size))
                self.folder, self.name = folder, f"cgroup {file}"
                return
            except OSError:
                os.rmdir(folder)
        self.name = "RLIMIT_DATA"

    def enter(self):
        if self.folder:
            with open(os.path.join(self.folder, "cgroup.procs"), "w") as f:
                f.write(str(os.getpid()))
        else:
            resource.setrlimit(resource.RLIMIT_DATA, (self.size, self.size))

    def close(self):
        if self.folder:
            os.rmdir(self.folder)


def status(pid):
    """Resident and of that anonymous memory in MiB, and seconds of processor time."""
    fields = {}
    with open(f"/proc/{pid}/status") as f:
        for line in f:
            name, _, value = line.partition(":")
            fields[name] = value.split()
    with open(f"/proc/{pid}/stat") as f:
        times = f.read().rsplit(")", 1)[1].split()
    return int(fields["VmRSS"][0]) / 1024, int(fields["RssAnon"][0]) / 1024, (int(times[11]) + int(times[12])) / TICKS


class Lines:
    """Counts the lines of a growing file, reading only what is new."""

    def __init__(self, path):
        self.path, self.at, self.count = path, 0, 0

    def now(self):
        if os.path.exists(self.path):
            with open(self.path, "rb") as f:
                f.seek(self.at)
                new = f.read()
            self.at, self.count = self.at + len(new), self.count + new.count(b"\n")
        return self.count


def run(args, out):
    limit = Limit(args.limit_mib)
    command = [args.exe, "tag", *args.inputs, "--out", out, "--limit", str(args.count), "--force", "--progress", "never", *args.tag_flags]
    print(f"soak: {shlex.join(command)}\nsoak: {limit.name} {args.limit_mib} MiB", flush=True)
    random.seed(args.seed)
    samples, stops, begin = [], [], time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=limit.enter)
    accepted, rejected = Lines(out), Lines(out + ".rejects.jsonl")
    stopped, paused = begin + random.expovariate(1 / args.pause), 0.0
    while process.poll() is None:
        try:
            rss, anon, cpu = status(process.pid)
        except (OSError, KeyError):
            break  # it ended meanwhile
        samples.append({"seconds": time.monotonic() - begin, "paused": paused, "rss": rss, "anon": anon, "cpu": cpu,
                        "accepted": accepted.now(), "rejected": rejected.now()})
        if time.monotonic() >= stopped:
            length = random.uniform(0.05, 8)
            process.send_signal(signal.SIGSTOP)
            time.sleep(length)
            process.send_signal(signal.SIGCONT)
            stops.append(time.monotonic() - begin)
            paused += length
            stopped = time.monotonic() + random.expovariate(1 / args.pause)
        time.sleep(args.every)
    code = process.wait()
    limit.close()
    return {"command": command, "limit": limit.name, "limit_mib": args.limit_mib, "code": code, "samples": samples, "stops": stops,
            "paused": paused, "seconds": time.monotonic() - begin, "accepted": accepted.now(), "rejected": rejected.now()}


def halves(result):
    """(name, unit, first half, second half) by records, the first tenth left out: the start is not the run."""
    total = result["accepted"] + result["rejected"]
    rows = [s for s in result["samples"] if s["accepted"] + s["rejected"] >= total / 10]
    middle = min(range(len(rows)), key=lambda n: abs(rows[n]["accepted"] + rows[n]["rejected"] - total * 0.55))
    parts = rows[:middle + 1], rows[middle:]

    def rate(part, of):
        records = [s["accepted"] + s["rejected"] for s in (part[0], part[-1])]
        return (records[1] - records[0]) / (of(part[-1]) - of(part[0]))

    def rejects(part):
        ends = part[0], part[-1]
        done = [s["accepted"] + s["rejected"] for s in ends]
        return 100 * (ends[1]["rejected"] - ends[0]["rejected"]) / (done[1] - done[0])

    figures = [
        ("resident memory, median", "MiB", lambda p: statistics.median(s["rss"] for s in p)),
        ("of that not of files, median", "MiB", lambda p: statistics.median(s["anon"] for s in p)),
        ("records a second, stops left out", "", lambda p: rate(p, lambda s: s["seconds"] - s["paused"])),
        ("records a second of processor time", "", lambda p: rate(p, lambda s: s["cpu"])),
        ("rejected", "%", rejects),
    ]
    return [(name, unit, of(parts[0]), of(parts[1])) for name, unit, of in figures]


def draw(result, path):
    import matplotlib
    matplotlib.use("svg")
    import matplotlib.pyplot as plt
    matplotlib.rcParams["svg.hashsalt"] = "soak"
    samples = result["samples"]
    minutes = [s["seconds"] / 60 for s in samples]
    figure, axes = plt.subplots(3, 1, figsize=(8, 7), sharex=True)
    axes[0].plot(minutes, [s["rss"] for s in samples], label="resident")
    axes[0].plot(minutes, [s["anon"] for s in samples], label="of that not of files")
    axes[0].axhline(result["limit_mib"], color="grey", linestyle="--", label=f"limit ({result['limit']})")
    axes[0].set(ylabel="MiB", ylim=(0, None))
    step = max(1, int(60 / max(1e-9, (samples[-1]["seconds"] - samples[0]["seconds"]) / len(samples))))

    def rates(of):
        done = [s["accepted"] + s["rejected"] for s in samples]
        return [None if n < step else (done[n] - done[n - step]) / max(1e-9, of(samples[n]) - of(samples[n - step])) for n in range(len(samples))]

    axes[1].plot(minutes, rates(lambda s: s["seconds"] - s["paused"]), label="records a second, stops left out")
    axes[1].plot(minutes, rates(lambda s: s["cpu"]), label="records a second of processor time")
    axes[1].set(ylabel="over a minute", ylim=(0, None))
    axes[2].plot(minutes, [s["rejected"] for s in samples], label="rejected, all together")
    axes[2].set(ylabel="texts", ylim=(0, max(10, result["rejected"] * 1.2)), xlabel="minutes")
    for axis in axes:
        for at in result["stops"]:
            axis.axvline(at / 60, color="grey", alpha=0.25, linewidth=0.6)
        axis.legend(loc="lower right", fontsize=8)
    figure.suptitle(f"{result['accepted'] + result['rejected']:,} texts, stopped and continued {len(result['stops'])} times (grey lines)", fontsize=10)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def main():
    args = options()
    os.makedirs(args.folder, exist_ok=True)
    out = os.path.join(args.folder, "soak.jsonl")
    result = run(args, out)
    with open(os.path.join(args.folder, "soak.json"), "w") as f:
        json.dump(result, f)
    faults = []
    if result["code"] != 0:
        faults.append(f"emospan tag ended with {result['code']}")
    if result["accepted"] + result["rejected"] != args.count:
        faults.append(f"{result['accepted']} records and {result['rejected']} rejects of {args.count} texts")
    print(f"{args.count} texts: {result['accepted']} accepted, {result['rejected']} rejected; {result['seconds'] / 60:.1f} minutes, "
          f"stopped and continued {len(result['stops'])} times, {result['paused']:.0f} s together")
    if len(result["samples"]) >= 100:
        print("| | first half | second half |\n|---|---|---|")
        for name, unit, first, second in halves(result):
            print(f"| {name} | {first:.2f} {unit} | {second:.2f} {unit} |")
            # The rate by the clock depends on what else the machine does; rejects are few and differ by chance.
            if name not in ("records a second, stops left out", "rejected") and abs(second - first) > args.drift * first:
                faults.append(f"{name}: {first:.2f} and {second:.2f} differ by more than {args.drift:.0%}")
        draw(result, os.path.join(args.folder, "soak.svg"))
    if subprocess.run([args.exe, "validate", out]).returncode != 0:
        faults.append("emospan validate finds faults")
    for fault in faults:
        print("FAIL " + fault)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
