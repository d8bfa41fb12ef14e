"""The tables of bench_peers.py, from what each run of each round measured."""
import dataclasses
import os
import statistics
import urllib.parse

import bench_card

OURS, PEER, SPEED = "emospan", "llama-server", "llama-bench pp512"


@dataclasses.dataclass(frozen=True)
class Row:
    """One comparison. Its sides name a form of answer and a file: the same, or the best of that side's."""
    name: str
    title: str
    peer: tuple
    ours: tuple
    goal: float
    hoped: float = None
    unit: str = "records/s"


# A run is known by (program, form, path); its figures are a list with a dictionary for each round.
def rate(run):
    return run["records"] / run["seconds"]


def forwarded_rate(run):
    return (run["prompt_tokens"] + run["written_tokens"]) / run["tagging_seconds"]


def forwarded_per_record(run):
    return (run["prompt_tokens"] + run["written_tokens"]) / run["records"]


def file_name(path):
    """As people know the file; the model store escapes capitals."""
    return urllib.parse.unquote(os.path.basename(path))


def ranged(values, digits=2, unit=""):
    middle, low, high = bench_card.median_and_range(values)
    text = f"{middle:.{digits}f}{unit}"
    return text if len(values) == 1 else f"{text} ({low:.{digits}f}–{high:.{digits}f})"


def quality(run):
    texts = [f"{run['parsed']} parsed"] + [f"{run[key]} {key}" for key in ("aligned", "valid") if key in run]
    return ", ".join(texts) + f" of {run['records']}"


def compare(row, peer, ours, speed):
    """The cells of both sides, the ratios of the rounds, and whether the goal is reached."""
    if row.unit == "aligned":
        share = [run["valid"] / run["records"] for run in ours]
        return quality(peer[-1]), quality(ours[-1]), None, min(share) >= row.goal
    if row.unit == "pp512":
        theirs, mine = [run["tokens_per_second"] for run in speed], list(map(forwarded_rate, ours))
        found = bench_card.ratios(mine, theirs)
        return f"{ranged(theirs, 0)} pp512", f"{ranged(mine, 0)} tokens/s", found, statistics.median(found) >= row.goal
    if row.unit == "bytes":
        found = bench_card.ratios([run["rss"] for run in ours], [run["rss"] for run in peer])
        sides = (ranged([run["rss"] / 2**20 for run in side], 0) + " MiB" for side in (peer, ours))
        return *sides, found, statistics.median(found) <= row.goal
    found = bench_card.ratios(map(rate, ours), map(rate, peer))
    sides = (ranged([rate(run) for run in side]) for side in (peer, ours))
    return *sides, found, statistics.median(found) >= row.goal


def goal(row):
    if row.unit == "aligned":
        return "all"
    text = f"{'≤' if row.unit == 'bytes' else '≥'} {row.goal:g}{'' if row.unit == 'pp512' else 'x'}"
    return text + (f", {row.hoped:g}x hoped for" if row.hoped else "")


def main_table(rows, runs, reasons):
    """The Markdown, and the same for JSON. rows are pairs of Row and the keys of its sides: peer, ours, pp512."""
    lines, figures = [], []
    for row, keys in rows:
        missing = [reasons[key] for key in keys if key in reasons]
        sides = [runs.get(key, []) for key in keys]
        if missing or not all(side for side, key in zip(sides, keys) if key):
            reason = "; ".join(dict.fromkeys(missing)) or "nothing was measured"
            lines.append([row.title, "", f"not available: {reason}", "", goal(row)])
            figures.append({"row": row.name, "unavailable": reason})
            continue
        theirs, ours, ratios, reached = compare(row, *sides)
        unit = "" if row.unit == "pp512" else "x"
        verdict = f"{goal(row)}: {'reached' if reached else 'not reached'}"
        lines.append([row.title, theirs, ours, ranged(ratios, 2, unit) if ratios else "", verdict])
        figures.append({"row": row.name, PEER: theirs, OURS: ours, "ratios": ratios, "goal": row.goal, "reached": reached})
    head = ["", "llama-server, best settings", "emospan", "ratio: median (range) of the rounds", "to reach"]
    return bench_card.markdown_table(head, lines), figures


def run_table(runs):
    lines = []
    for (program, form, path), rounds in runs.items():
        if program == SPEED or not rounds:
            continue
        last, records = rounds[-1], rounds[-1]["records"]
        lines.append([
            f"{program} {form}, {file_name(path)}", records, ranged([run["seconds"] for run in rounds], 1),
            ranged(list(map(rate, rounds))),
            f"{last['prompt_tokens'] / records:.0f} + {last['written_tokens'] / records:.0f}",
            f"{statistics.median(run['written_tokens'] / run['seconds'] for run in rounds):.0f}",
            f"{max(run['rss'] for run in rounds) / 2**20:.0f}", quality(last), last["settings"],
        ])
    head = ["run", "texts", "seconds", "records/s", "tokens a record: prompt + written", "written tokens/s", "peak RSS, MiB",
            "records", "settings"]
    return bench_card.markdown_table(head, lines)


def limits(runs):
    """How fast the model alone would be, if every token went through it at the speed of a long prompt."""
    for (program, form, path), rounds in runs.items():
        speeds = runs.get((SPEED, "", path))
        if (program, form) != (OURS, "compact") or not rounds or not speeds:
            continue
        speed = statistics.median(run["tokens_per_second"] for run in speeds)
        tokens = statistics.median(map(forwarded_per_record, rounds))
        reached = statistics.median(map(rate, rounds))
        yield (f"- {file_name(path)}: pp512 {speed:.0f} tokens/s ÷ {tokens:.1f} tokens forwarded a record = "
               f"{speed / tokens:.2f} records/s; emospan compact reaches {reached:.2f}, {reached * tokens / speed:.2f} of it")


def sweep_table(sweeps):
    """sweeps: (form, path, settings, tokens per second), best first for each form and path."""
    lines = [[form, file_name(path), settings, f"{speed:.1f}"] for form, path, settings, speed in sweeps]
    return bench_card.markdown_table(["form", "file", "settings", "written tokens/s"], lines)


def page(environment, notes, main, runs, sweeps):
    parts = ["# emospan and llama-server", "\n".join(f"- {name}: {value}" for name, value in environment.items())]
    parts += ["\n".join(f"- {note}" for note in notes), main]
    found = list(limits(runs))
    if found:
        parts += ["## Limit of the machine", "\n".join(found)]
    parts += ["## Each run: median (range) of the rounds", run_table(runs)]
    if sweeps:
        parts += ["## llama-server's settings, from the sweep", sweep_table(sweeps)]
    return "\n\n".join(parts) + "\n"
