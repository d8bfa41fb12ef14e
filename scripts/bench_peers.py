#!/usr/bin/env python3
"""Compares emospan with llama-server on one machine: the same model file and the same texts, in turn. `make bench-peers`.

llama-server writes the card's record under a JSON schema or, in the rows "form", our compact answer under our own prompt and
grammar. A short sweep finds the slots, flash attention and KV layout that serve it best. It is started, and its slots hold
the chat's beginning, before its clock starts; emospan's clock includes its start, the model's loading and the prompt's
prefix. Answers of the whole record, on either side, are asked for on fewer of the texts, evenly spread over them; records per
second are compared.

One thing runs at a time. Each round runs everything once, the sides in turn; the table has medians, and the ratios are taken
within rounds. They mean something on a machine that does nothing else. Needs bin/emospan and what `make peers` builds.
"""
import argparse
import functools
import itertools
import json
import os
import platform
import shlex
import signal
import sys
import tempfile

import bench_card
import bench_report
import bench_server
import bench_sides
from bench_report import OURS, PEER, SPEED, Row
from bench_sides import EMOSPAN, PEERS, TOP, Unavailable, say

LONGEST_ANSWER = {"schema": 700, "form": 400}  # tokens

ROWS = [
    Row("compact", "records/s, `compact`, same file", ("schema", "same"), ("compact", "same"), 8, 10),
    Row("compact-best", "records/s, `compact`, best format of each", ("schema", "best"), ("compact", "best"), 12),
    Row("compact-over", "records/s, `compact`, our best format over the peer on the same file",
        ("schema", "same"), ("compact", "best"), 15, 25),
    Row("form", "records/s, the same compact form on both sides, same file", ("form", "same"), ("compact", "same"), 1.8),
    Row("form-best", "records/s, the same compact form on both sides, best format of each", ("form", "best"), ("compact", "best"), 3),
    Row("aligned", "records/s, `aligned`, same file", ("schema", "same"), ("aligned", "same"), 2.5),
    Row("aligned-best", "records/s, `aligned`, best format of each", ("schema", "best"), ("aligned", "best"), 5),
    Row("schema", "records/s, `schema` (same fields), same file", ("schema", "same"), ("schema", "same"), 1.7),
    Row("schema-best", "records/s, `schema` (same fields), best format of each", ("schema", "best"), ("schema", "best"), 2.5),
    Row("records", "aligned records, `compact`", ("schema", "same"), ("compact", "same"), 1, unit="aligned"),
    Row("records-aligned", "aligned records, `aligned`", ("schema", "same"), ("aligned", "same"), 1, unit="aligned"),
    Row("forwarded", "tokens forwarded per second ÷ llama-bench pp512, `compact`, same file",
        (), ("compact", "same"), 0.75, unit="pp512"),
    Row("forwarded-best", "tokens forwarded per second ÷ llama-bench pp512, `compact`, our best format",
        (), ("compact", "best"), 0.75, unit="pp512"),
    Row("rss", "peak RSS, `compact`, same file", ("schema", "same"), ("compact", "same"), 1.1, unit="bytes"),
]


def options():
    def counts(text):
        return [int(n) for n in text.split(",")]

    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--texts", metavar="FILE",
                   help="GoEmotions TSV, JSONL or a text a line (default: $DATA/goemotions/dev.tsv, else examples/bench.txt)")
    p.add_argument("--count", type=int, default=200, help="how many of the texts (default 200)")
    p.add_argument("--peer-count", type=int, default=32, metavar="M",
                   help="how many of them for whole records: llama-server's schema, emospan's aligned and schema; 0: all (default 32)")
    p.add_argument("--model", default="", help="name in the store or GGUF file (default: the default model)")
    p.add_argument("--rows", default="", help="which rows, comma-separated, of: " + ", ".join(row.name for row in ROWS))
    p.add_argument("--rounds", type=int, default=3, help="how often everything is run (default 3)")
    p.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)),
                   help="llama-server's and llama-bench's (default: the cores)")
    p.add_argument("--tag-flags", type=shlex.split, default=[], metavar="FLAGS",
                   help='more flags for emospan tag, as "--threads 1 --parallel 8"')
    p.add_argument("--slots", type=counts, default=[1, 2, 4, 8], help="llama-server's slot counts to try (default 1,2,4,8)")
    p.add_argument("--sweep-count", type=int, default=16, help="texts for each setting tried (default 16)")
    p.add_argument("--sweep-tokens", type=int, default=96, help="their longest answer (default 96)")
    p.add_argument("--out", action="append", default=[], metavar="FILE", help="also write FILE.md or FILE.json; may be given again")
    args = p.parse_args()
    chosen = args.rows.split(",") if args.rows else [row.name for row in ROWS]
    unknown = set(chosen) - {row.name for row in ROWS}
    if unknown:
        p.error(f"no row {', '.join(sorted(unknown))}")
    if min(args.count, args.rounds, args.threads, args.sweep_count, args.sweep_tokens, *args.slots) < 1 or args.peer_count < 0:
        p.error("the numbers must be positive")
    for path in args.out:
        if not path.endswith((".md", ".json")):
            p.error(f"--out {path}: a name that ends in .md or .json")
    args.rows = [row for row in ROWS if row.name in chosen]
    return args


def default_texts():
    path = os.path.join(TOP, os.environ.get("DATA") or "../shared/data", "goemotions", "dev.tsv")
    if os.path.exists(path):
        return path
    say("no goemotions/dev.tsv in the folder DATA; examples/bench.txt takes its place")
    return os.path.join(TOP, "examples", "bench.txt")


def cpu_model():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        return next((line.split(":")[1].strip() for line in f if line.startswith("model name")), platform.processor())


class Bench:
    """One comparison: its files, llama-server's requests and settings, what was measured, and why something was not.

    A run is known by (program, form of answer, path). runs has a list for each, a dictionary a round; reasons says why a run,
    a form of llama-server's or the best format is not to be had.
    """

    def __init__(self, args, folder):
        self.args, self.folder = args, folder
        self.texts = args.texts or default_texts()
        self.rows = bench_card.read_texts(self.texts)[:args.count]
        if not self.rows:
            sys.exit(f"bench-peers: {self.texts} holds no texts")
        self.few = bench_card.spread(self.rows, args.peer_count)
        self.model = bench_sides.resolve_model(args.model)
        self.path = self.model["path"]
        self.peer_sides = {row.peer for row in args.rows if row.peer}
        self.our_sides = {row.ours for row in args.rows}
        self.requests, self.context = {}, {}  # by form
        self.settings, self.best = {}, {}  # by (form, path); by (program, form)
        self.sweeps, self.runs, self.reasons = [], {}, {}

    def server(self, path, settings, context):
        return bench_server.Server(os.path.join(PEERS, "llama-server"), path, settings, self.args.threads, context)

    def prepare(self):
        """Writes llama-server's requests, and sizes a slot's context to the longest of them with the longest answer."""
        taxonomy = bench_card.load_taxonomy(os.path.join(TOP, "dataset", "taxonomy.json"))
        schema = bench_card.answer_schema(taxonomy)
        chats = [bench_card.chat_messages(taxonomy, row["text"]) for row in self.few]
        self.requests["schema"] = [bench_server.schema_request(chat, schema, LONGEST_ANSWER["schema"]) for chat in chats]
        with self.server(self.path, bench_server.Settings(1, False, False), 512) as server:
            longest = {"schema": max(map(server.chat_tokens, chats))}
            if any(form == "form" for form, _ in self.peer_sides):
                try:
                    forms = [bench_sides.compact_form(row["text"], self.path) for row in self.rows]
                    prompts = [server.tokens(prompt) for prompt, _ in forms]
                    longest["form"] = max(map(len, prompts))
                    self.requests["form"] = [bench_server.grammar_request(prompt, gbnf, LONGEST_ANSWER["form"])
                                             for prompt, (_, gbnf) in zip(prompts, forms)]
                except Unavailable as error:
                    self.reasons["form"] = str(error)
        self.context = {form: -(-(tokens + LONGEST_ANSWER[form]) // 256) * 256 for form, tokens in longest.items()}

    def choose_formats(self):
        """The model in other formats where a row asks for the best; emospan's is the fastest in a first run."""
        if not any(which == "best" for _, which in self.peer_sides | self.our_sides):
            return []
        try:
            others = bench_sides.converted(self.model, os.path.join(self.folder, "models"))
        except Unavailable as error:
            self.reasons["best"] = str(error)
            return []
        speeds = {path: bench_sides.PromptSpeed(path, self.args.threads).measure()["tokens_per_second"]
                  for path in [self.path, *others]}
        say("pp512:", ", ".join(f"{bench_report.file_name(path)} {speed:.0f} tokens/s" for path, speed in speeds.items()))
        for form in sorted({form for form, which in self.our_sides if which == "best"}):
            say(f"looking for emospan's best format, {form}")
            texts = self.few if form != "compact" else bench_card.spread(self.rows, max(32, len(self.few)))
            rates = {}
            for path in speeds:
                try:
                    rates[path] = bench_report.rate(bench_sides.Emospan(form, path, texts, self.folder, self.args.tag_flags).measure())
                except Unavailable as error:
                    say(f"{bench_report.file_name(path)}: {error}")
            self.best[OURS, form] = max(rates or speeds, key=(rates or speeds).get)
        return others

    def choose_settings(self, others):
        """Finds what serves llama-server best in each form: a sweep on the file, the two best settings on its other formats."""
        for form in sorted({form for form, _ in self.peer_sides if form in self.requests}):
            requests = [bench_server.shortened(request, self.args.sweep_tokens)
                        for request in bench_card.spread(self.requests[form], self.args.sweep_count)]
            say(f"looking for llama-server's best settings, {form}")
            start = {path: functools.partial(self.server, path, context=self.context[form]) for path in [self.path, *others]}
            try:
                found = {self.path: bench_server.sweep(start[self.path], requests, self.args.slots)}
                best_two = [settings for _, settings in found[self.path][:2]]
                found.update({path: bench_server.try_settings(start[path], requests, best_two) for path in others})
            except bench_server.PeerError as error:
                self.reasons[form] = str(error)
                continue
            for path, results in found.items():
                self.sweeps += [(form, path, str(settings), speed) for speed, settings in results]
                self.settings[form, path] = results[0][1]
            self.best[PEER, form] = max(found, key=lambda path: found[path][0][0])

    def keys(self, row):
        """The runs that a row compares: llama-server's, emospan's, llama-bench's. Where one cannot be, reasons says why."""
        keys = []
        for program, side in ((PEER, row.peer), (OURS, row.ours)):
            if not side:
                keys.append(None)
                continue
            form, which = side
            reason = self.reasons.get("best") if which == "best" else None
            path = self.path if which == "same" else "best" if reason else self.best.get((program, form), "best")
            reason = program == PEER and self.reasons.get(form) or reason
            if reason:
                self.reasons[program, form, path] = reason
            keys.append((program, form, path))
        return [*keys, (SPEED, "", keys[1][2]) if row.unit == "pp512" else None]

    def texts_of(self, form):
        return self.rows if form in ("compact", "form") else self.few

    def measurement(self, key):
        program, form, path = key
        if program == SPEED:
            return bench_sides.PromptSpeed(path, self.args.threads)
        if program == OURS:
            return bench_sides.Emospan(form, path, self.texts_of(form), self.folder, self.args.tag_flags)
        start = functools.partial(self.server, path, self.settings[form, path], self.context[form])
        return bench_sides.Peer(start, path, str(self.settings[form, path]), self.requests[form], self.texts_of(form), self.folder)

    def measure(self, wanted):
        """Fills runs with what the keys name, round by round, the sides in turn; a run that fails is given up."""
        sides = [[key for key in wanted if key[0] == program] for program in (OURS, PEER, SPEED)]
        order = [key for group in itertools.zip_longest(*sides) for key in group if key]
        measurements = {key: self.measurement(key) for key in order}
        for n in range(self.args.rounds + 1):
            for key in (key for key in order if key not in self.reasons):
                program, form, path = key
                try:
                    if n == 0:
                        measurements[key].warm_up()
                        continue
                    run = measurements[key].measure()
                except (Unavailable, bench_server.PeerError) as error:
                    self.reasons[key] = str(error)
                    self.runs.pop(key, None)
                    say(f"{program} {form}: {error}")
                    continue
                self.runs.setdefault(key, []).append(run)
                figure = (f"{run['tokens_per_second']:.0f} tokens/s" if program == SPEED
                          else f"{bench_report.rate(run):.2f} records/s in {run['seconds']:.0f} s")
                say(f"round {n} of {self.args.rounds}: {' '.join(filter(None, key[:2]))}, {bench_report.file_name(path)}: {figure}")

    def environment(self):
        return {
            "CPU": f"{cpu_model()}, {len(os.sched_getaffinity(0))} cores",
            "system": f"{platform.platform()}, load {os.getloadavg()[0]:.1f} at the start",
            "model": f"{self.model['name']}, sha256 {self.model['sha256']}",
            "emospan": bench_sides.output(EMOSPAN, "version").strip().removeprefix("emospan ").replace("\n", ", "),
            "llama-server": bench_sides.output(os.path.join(PEERS, "llama-server"), "--version").strip().replace("\n", ", "),
        }

    def notes(self):
        return [
            f"{len(self.rows)} texts of {os.path.basename(self.texts)}, {bench_card.mean_length(self.rows):.0f} characters each; "
            f"llama-server's schema, and emospan's aligned and schema, get {len(self.few)} of them, evenly spread, "
            f"{bench_card.mean_length(self.few):.0f} characters each",
            f"rounds: {self.args.rounds}, the sides in turn; threads of llama-server and llama-bench: {self.args.threads}"
            + (f"; flags of emospan tag: {shlex.join(self.args.tag_flags)}" if self.args.tag_flags else ""),
            "llama-server is warm when its clock starts; emospan's clock includes its start, the model's loading and the "
            "prompt's prefix",
            "records/s counts texts answered on both sides, whether or not the answer passes the checks",
        ]

    def run(self):
        environment = self.environment()
        self.prepare()
        self.choose_settings(self.choose_formats())
        rows = [(row, self.keys(row)) for row in self.args.rows]
        wanted = [key for _, keys in rows for key in keys if key and key not in self.reasons]
        wanted += [(SPEED, "", key[2]) for key in wanted if key[:2] == (OURS, "compact")]
        self.measure(list(dict.fromkeys(wanted)))
        table, figures = bench_report.main_table(rows, self.runs, self.reasons)
        text = bench_report.page(environment, self.notes(), table, self.runs, self.sweeps)
        runs = [{"program": program, "form": form, "file": bench_report.file_name(path), "rounds": rounds}
                for (program, form, path), rounds in self.runs.items()]
        return text, {"environment": environment, "notes": self.notes(), "rows": figures, "runs": runs, "sweeps": self.sweeps}


def main():
    args = options()
    for program in (EMOSPAN, os.path.join(PEERS, "llama-server"), os.path.join(PEERS, "llama-bench")):
        if not os.path.exists(program):
            sys.exit(f"bench-peers: {os.path.relpath(program, TOP)} is not there; run make build peers")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as Ctrl-C: on the way out everything that was started is ended
    if os.getloadavg()[0] > 0.5:
        say(f"the machine is busy (load {os.getloadavg()[0]:.1f}); the figures will not mean much")
    try:
        with tempfile.TemporaryDirectory(prefix="emospan-peers-") as folder:
            text, data = Bench(args, folder).run()
    except (Unavailable, bench_server.PeerError) as error:
        sys.exit(f"bench-peers: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    print(text, end="")
    for path in args.out:
        with open(path, "w", encoding="utf-8") as f:
            f.write(text if path.endswith(".md") else json.dumps(data, indent=2) + "\n")


if __name__ == "__main__":
    main()
