#!/usr/bin/env python3
"""Start-up of a bundle beside that of its model's own file: bench_bundle.py [--runs N] SHAPE...

Each SHAPE is a name of `emospan models synthetic`; the model is written into a folder of this script's own and removed at the end.
One text with a short prompt is tagged from start to end on one thread, by file and by bundle in turn, with the files in the page
cache. Printed are medians of N runs, and the shortest: time, processor time, the largest resident set as the kernel counts it (mapped
weights included), and the largest proportional set of those looked at while it ran (/proc/PID/smaps_rollup), mapped files apart.
"""
import argparse, os, pathlib, statistics, subprocess, sys, tempfile, time

exe = pathlib.Path("bin/emospan").resolve()
template = pathlib.Path(__file__).resolve().parent / "labels.tmpl"
look_every = 0.1  # seconds between two looks at the proportional set


def rollup(pid):
    try:
        with open(f"/proc/{pid}/smaps_rollup") as f:
            fields = {line.split(":")[0]: int(line.split()[1]) for line in f if line.endswith("kB\n")}
    except OSError:  # it has ended
        return 0, 0
    return fields.get("Pss", 0) / 1024, fields.get("Pss_File", 0) / 1024


def run(command):
    start = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    most = (0, 0)
    while True:
        pid, status, used = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        most = max(most, rollup(process.pid))
        time.sleep(look_every)
    process.returncode = os.waitstatus_to_exitcode(status)
    message = process.stderr.read().decode()
    if process.returncode:
        sys.exit(f"{' '.join(map(str, command))}: exit code {process.returncode}, {message}")
    return {
        "seconds": time.monotonic() - start,
        "processor": used.ru_utime + used.ru_stime,
        "rss": used.ru_maxrss / 1024,
        "pss": most[0],
        "pss_file": most[1],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shapes", nargs="+", metavar="SHAPE")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--dir", help="folder for the models and bundles (default: one in the temporary folder)")
    args = parser.parse_args()
    print("| model | | time | shortest | processor time | resident, most | proportional, most | of which mapped |")
    print("|---|---|---|---|---|---|---|---|")
    for shape in args.shapes:
        with tempfile.TemporaryDirectory(dir=args.dir) as folder:
            folder = pathlib.Path(folder)
            environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
            model = subprocess.run([exe, "models", "synthetic", shape], env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
            bundle = folder / "bundle"
            subprocess.run([exe, "bundle", "-m", model, "-o", bundle], check=True, stdout=subprocess.DEVNULL)
            (folder / "in.txt").write_text("So glad.\n")
            rest = ["tag", "-q", "--threads", "1", "--parallel", "1", "--prompt", "simple", "--prompt-file", template, folder / "in.txt"]
            commands = {"file": [exe, *rest, "-m", model], "bundle": [bundle, *rest]}
            runs = {name: [] for name in commands}
            for command in commands.values():  # into the page cache
                run(command)
            for i in range(args.runs):
                for name in list(commands)[:: 1 if i % 2 == 0 else -1]:
                    runs[name].append(run(commands[name]))
            size = os.path.getsize(model) / 2**30
            for name, results in runs.items():
                middle = {key: statistics.median(r[key] for r in results) for key in results[0]}
                shortest = min(r["seconds"] for r in results)
                label = f"{shape}, {size:.2f} GiB" if name == "file" else ""
                print(f"| {label} | {name} | {middle['seconds']:.2f} s | {shortest:.2f} s | {middle['processor']:.2f} s | {middle['rss']:.0f} MiB | {middle['pss']:.0f} MiB | {middle['pss_file']:.0f} MiB |", flush=True)


main()
