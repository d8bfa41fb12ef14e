"""Reads the data sets, and puts spans on a text's tokens. A text is a dictionary with an id, a text, a doc and what people said of it."""
import csv
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(1, os.path.dirname(HERE))

import demo_gold  # noqa: E402  (it lies in the folder above)

FIELDS = ["uds", "ewt_emo", "gum", "eltea17_tok", "reman_attr", "tweetspan", "brighter", "emobank"]
FILES = ["goemotions/emotions.txt", "goemotions/dev.tsv", "goemotions/train.tsv", "reman/spans.jsonl", *(f"fields/{name}.jsonl" for name in FIELDS)]
DEV_ROWS = 1000
SMOKE_TRAIN = 100  # with --limit N, so many times N rows of the train set


class Missing(Exception):
    """A file of the data is not there; the message says which."""


class Data:
    """The sets of one folder; with a limit, the first texts of each."""

    def __init__(self, folder, limit=0):
        self.folder, self.limit = folder, limit

    def check(self):
        for name in FILES:
            if not os.path.exists(os.path.join(self.folder, name)):
                raise Missing(f"no {name} in {self.folder}: name the data's folder by DATA")

    def cut(self, rows):
        return rows[:self.limit] if self.limit else rows

    def lines(self, name):
        with open(os.path.join(self.folder, name), encoding="utf-8") as f:
            return [json.loads(line) for line in f]

    def label_names(self):
        with open(os.path.join(self.folder, "goemotions", "emotions.txt"), encoding="utf-8") as f:
            return f.read().split()

    def goemotions(self, name, count=None):
        """Rows of a GoEmotions file. A text may hold line breaks."""
        labels = self.label_names()
        with open(os.path.join(self.folder, "goemotions", name), encoding="utf-8", newline="") as f:
            rows = [{"id": r[2], "doc": r[2], "text": r[0], "labels": [labels[int(i)] for i in r[1].split(",")]} for r in csv.reader(f, delimiter="\t")]
        return rows[:count]

    def dev(self):
        return self.cut(self.goemotions("dev.tsv", DEV_ROWS))

    def train(self):
        return self.goemotions("train.tsv", self.limit * SMOKE_TRAIN or None)

    def reman_unseen(self):
        """A third of every other text with an emotion. The others were looked at when the way to find spans was chosen."""
        with_emotion = [r for r in self.lines("reman/spans.jsonl") if any(s["kind"] == "emotion" for s in r["spans"])]
        rows = with_emotion[1::2][1::3]
        return self.cut([as_text(r, [s for s in r["spans"] if s["kind"] == "emotion"]) for r in rows])

    def field_set(self, name, keep=lambda row: True):
        """The texts of a field set that keep says are to be read."""
        return self.cut([as_text(r, r["spans"]) for r in self.lines(f"fields/{name}.jsonl") if keep(r)])


def as_text(row, spans):
    return {**row, "id": row["src_id"], "doc": document(row), "spans": spans}


def document(row):
    """What a text is part of: the named document, the book of a text of REMAN, or else the text itself."""
    if "doc" in row:
        return row["doc"]
    return row["src_id"].split("|")[0]


def byte_place(text, start, end):
    """Characters to bytes of UTF-8."""
    first = len(text[:start].encode())
    return {"start": first, "end": first + len(text[start:end].encode())}


def tokens_of(text, tokens, spans):
    """The numbers of the tokens that have a character in one of the spans, whose places are characters."""
    places = demo_gold.token_places(text, tokens)
    return {i for i, (a, b) in enumerate(places) if any(a < s["end"] and b > s["start"] for s in spans)}


def written_tokens(record):
    """The numbers of the tokens in any span of a record."""
    return {i for s in record["data"]["spans"] for i in range(s["start"], s["end"] + 1)}
