#!/usr/bin/env python3
"""Times the masks of emospan's grammar engine and of llguidance over the same texts, token by token, in one run.

The Go benchmark GrammarWalks makes the walks and times our side; this script takes llguidance through the same tokens over the
same vocabulary. It counts the masks that are new to our engine in each walk, on both sides. Every walk begins with a fresh
grammar, is made three times, and the shortest time of each mask counts. What each library computes once for a vocabulary is not
in the times of masks; it is printed by itself.
"""

import base64
import ctypes
import importlib.metadata
import json
import os
import subprocess
import sys
import tempfile
import time

import llguidance
from llguidance.gbnf_to_lark import any_to_lark

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
REPEATS = 3
# The grammars that FromJSONSchema writes: no white space that is optional.
OPTIONS = {"item_separator": ",", "key_separator": ":", "whitespace_flexible": False}


class Tokenizer:
    """What llguidance asks of a tokenizer: its vocabulary. Text is split byte by byte, which only forced tokens would need."""

    def __init__(self, pieces, eos):
        self.tokens = pieces
        self.eos_token_id = eos
        self.bos_token_id = None
        self.special_token_ids = [i for i, piece in enumerate(pieces) if not piece]
        self.byte_ids = {piece[0]: i for i, piece in enumerate(pieces) if len(piece) == 1}

    def __call__(self, text):
        return [self.byte_ids[b] for b in (text if isinstance(text, bytes) else text.encode())]


def ours(path):
    """Runs the benchmark, which writes its walks to path."""
    command = [os.environ.get("GO", "go"), "test", "-run", "^$", "-bench", "^BenchmarkGrammarWalks$", "-benchtime", "1x", "./cmd/emospan", "-walks.out", path]
    subprocess.run(command, cwd=ROOT, check=True, stdout=sys.stderr)
    with open(path, "rb") as f:
        return json.load(f)


def grammar_of(walk):
    """The walk's grammar in Lark. no_forcing: a mask has all tokens that are allowed, also where only one text can follow."""
    if walk.get("schema"):
        lark = "start: %json " + json.dumps({"x-guidance": OPTIONS, **walk["schema"]})
    else:
        lark = any_to_lark(walk["gbnf"])
    return llguidance.LLMatcher.grammar_from_lark('%llguidance {"no_forcing": true}\n' + lark)


def theirs(tokenizer, walk, size):
    """The nanoseconds of each mask, or a line that says why there are none."""
    grammar = grammar_of(walk)
    mask = (ctypes.c_uint32 * ((size + 31) // 32))()
    at, length = ctypes.addressof(mask), ctypes.sizeof(mask)
    times = [None] * len(walk["tokens"])
    for _ in range(REPEATS):
        matcher = llguidance.LLMatcher(tokenizer, grammar)
        if matcher.is_error():
            return matcher.get_error()
        for i, token in enumerate(walk["tokens"]):
            start = time.perf_counter_ns()
            matcher.unsafe_compute_mask_ptr(at, length)
            took = time.perf_counter_ns() - start
            times[i] = took if times[i] is None else min(times[i], took)
            if not mask[token >> 5] >> (token & 31) & 1 or not matcher.consume_token(token):
                return f"token {i} is not allowed"
    return times


def row(name, side, times):
    times = sorted(t / 1000 for t in times)
    at = lambda q: times[int(q * (len(times) - 1))]
    slow = sum(t > 1000 for t in times)
    print(f"{name:<12} {side:<11} {len(times):>6} {at(0.5):>8.1f} {at(0.99):>8.1f} {sum(times) / len(times):>8.1f} {times[-1]:>8.1f} {slow:>6}")


def main():
    with tempfile.TemporaryDirectory() as folder:
        data = ours(os.path.join(folder, "walks.json"))
    pieces = [base64.b64decode(piece) if piece else b"" for piece in data["pieces"]]
    for id in data["eog"]:
        pieces[id] = b"<end %d>" % id
    start = time.perf_counter()
    tokenizer = llguidance.LLTokenizer(llguidance.TokenizerWrapper(Tokenizer(pieces, data["eog"][0])), eos_token=data["eog"])
    made = time.perf_counter() - start

    known, refused = {}, {}
    for walk in data["walks"]:
        times = theirs(tokenizer, walk, len(pieces))
        if isinstance(times, str):
            refused[walk["name"]] = times
            continue
        own, other = known.setdefault(walk["set"], ([], []))
        for i, new in enumerate(walk["new"]):
            if new:
                own.append(walk["times"][i])
                other.append(times[i])
    print(f"llguidance {importlib.metadata.version('llguidance')}, {len(pieces)} tokens; new masks, microseconds")
    print(f"{'':<12} {'':<11} {'masks':>6} {'p50':>8} {'p99':>8} {'mean':>8} {'max':>8} {'> 1 ms':>6}")
    for name, (own, other) in known.items():
        row(name, "emospan", own)
        row("", "llguidance", other)
    print(f"once for a vocabulary: emospan {data['vocab_ms']:.0f} ms, llguidance {made * 1000:.0f} ms")
    for name, why in refused.items():
        print(f"left out on both sides: {name}: llguidance: {why.splitlines()[0]}")
    if len(refused) * 4 > len(data["walks"]):
        sys.exit("bench_masks: llguidance refuses more than a quarter of the walks; they no longer compare the same thing")


if __name__ == "__main__":
    main()
