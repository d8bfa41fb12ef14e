"""Tokens forwarded, records a second and memory of the default run beside that without a calibration."""
import os
import statistics
import subprocess
import time

from program import EMOSPAN, Failed, file_name, read_json, say
from tables import PURE

RUNS = {"default": [], "without a calibration": PURE}
TEXTS = 100
ROUNDS = 5


def measure(program, model, source, flags):
    """One run: what its manifest says, and the peak of its memory."""
    out = program.path("speed.jsonl")
    command = [EMOSPAN, "tag", "-q", "-m", model, source, "-o", out, "--force", *flags]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise Failed(f"emospan tag: exit code {process.returncode}: {errors.strip()[-400:]}")
    run = read_json(out + ".manifest.json")
    tokens = run["prompt_tokens"] + run["forced_tokens"] + run["sampled_tokens"]
    return {"tokens": tokens / run["records"], "rate": run["records_per_second"], "memory": usage.ru_maxrss / 1024, "seconds": time.perf_counter() - start}


def in_turn(program, model, source):
    rounds = {name: [] for name in RUNS}
    for number in range(ROUNDS):
        for name, flags in RUNS.items():
            say(f"speed of {model}, {name}, round {number + 1} of {ROUNDS}")
            rounds[name].append(measure(program, model, source, flags))
    return rounds


def spread(value, all_values):
    return {"value": value, "low": min(all_values), "high": max(all_values)}


def speed(run):
    texts = run.data.cut(run.data.goemotions("train.tsv", TEXTS))
    rows = []
    for model in run.models:
        source = run.program.inputs("speed", [{"src_id": t["id"], "text": t["text"]} for t in texts])
        rounds = run.program.kept(f"{file_name(model)}.speed", lambda: in_turn(run.program, model, source))
        rates = {name: [r["rate"] for r in of_run] for name, of_run in rounds.items()}
        old = rates["without a calibration"]
        for name, of_run in rounds.items():
            ratio = statistics.median(rates[name]) / statistics.median(old)
            rows.append({"who": model, "calibration": name, "n": len(texts), "rounds": len(of_run), "tokens": of_run[0]["tokens"],
                         "rate": spread(statistics.median(rates[name]), rates[name]),
                         "ratio": spread(ratio, [a / b for a, b in zip(rates[name], old)]),
                         "memory": spread(statistics.median(r["memory"] for r in of_run), [r["memory"] for r in of_run])})
    return rows
