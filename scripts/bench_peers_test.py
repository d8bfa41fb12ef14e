#!/usr/bin/env python3
"""Tests what `make bench-peers` computes and decides, without a model and without a server."""
import contextlib
import copy
import json
import os
import sys
import tempfile
import unittest

import bench_card
import bench_peers
import bench_report
import bench_server
import check_card
from bench_report import OURS, PEER, SPEED, Row
from bench_server import Answer, Settings

TAXONOMY = bench_card.load_taxonomy(os.path.join(bench_peers.TOP, "dataset", "taxonomy.json"))
ROW = {"id": "a", "text": "I was so relieved when the ferry finally showed up!"}


def conforms(value, schema):
    """As far as our schema uses JSON Schema. Key order counts: llama-server writes the keys in the schema's order."""
    if "enum" in schema:
        return value in schema["enum"]
    kind = schema["type"]
    if kind == "object":
        assert schema["additionalProperties"] is False and schema["required"] == list(schema["properties"])
        return list(value) == schema["required"] and all(conforms(value[k], s) for k, s in schema["properties"].items())
    if kind == "array":
        return schema["minItems"] <= len(value) <= schema["maxItems"] and all(conforms(v, schema["items"]) for v in value)
    if kind == "string":
        return isinstance(value, str) and schema["minLength"] <= len(value) <= schema["maxLength"]
    return isinstance(value, int if kind == "integer" else float) and schema["minimum"] <= value <= schema["maximum"]


def answer():
    return bench_card.example_answer(TAXONOMY, *bench_card.EXAMPLES[1])


class Card(unittest.TestCase):
    def test_examples_are_what_the_schema_and_the_card_ask_for(self):
        schema = bench_card.answer_schema(TAXONOMY)
        for example in bench_card.EXAMPLES:
            given = bench_card.example_answer(TAXONOMY, *example)
            self.assertTrue(conforms(given, schema), given)
            record = bench_card.record_from_answer(json.dumps(given), {"id": "x", "text": example[0]}, "m.gguf")
            self.assertEqual(list(check_card.faults(record, set())), [])
            self.assertTrue(bench_card.is_aligned(record))

    def test_schema_refuses(self):
        schema = bench_card.answer_schema(TAXONOMY)
        for name, spoil in {
            "an emotion of another taxonomy": lambda a: a["predictions"].append("hunger"),
            "no prediction": lambda a: a["predictions"].clear(),
            "another label": lambda a: a["data"]["labels"].append("B-LOC"),
            "a subtype in lower case": lambda a: a["data"]["spans"][0].update(subtype="relief"),
            "a value of another attribute": lambda a: a["data"]["spans"][0]["attrs"].update(certainty="high"),
            "an attribute left out": lambda a: a["data"]["spans"][0]["attrs"].pop("source"),
            "one more key": lambda a: a.update(text="x"),
        }.items():
            given = answer()
            spoil(given)
            self.assertFalse(conforms(given, schema), name)

    def test_schema_has_every_value_of_the_taxonomy(self):
        text = json.dumps(bench_card.answer_schema(TAXONOMY))
        for attribute in TAXONOMY["attributes"]:
            self.assertIn(json.dumps([value["name"] for value in attribute["values"]]), text)
        for emotion in TAXONOMY["emotions"]:
            self.assertIn(f'"{emotion["name"]}"', text)
            self.assertIn(f'"{emotion["name"].capitalize()}"', text)
            self.assertIn(emotion["name"], bench_card.system_prompt(TAXONOMY))

    def test_chat(self):
        messages = bench_card.chat_messages(TAXONOMY, "Hello.")
        self.assertEqual([m["role"] for m in messages], ["system", "user", "assistant", "user", "assistant", "user"])
        self.assertEqual(messages[-1]["content"], "Hello.")

    def test_alignment(self):
        for name, spoil in {
            "a token left out": lambda d: (d["tokens"].pop(4), d["labels"].pop(4)),
            "a token misspelt": lambda d: d["tokens"].__setitem__(0, "i"),
            "an empty token": lambda d: (d["tokens"].append(""), d["labels"].append("O")),
            "a label too few": lambda d: d["labels"].pop(),
            "a label without its span": lambda d: d["labels"].__setitem__(8, "B-EMO"),
            "I after O": lambda d: d["labels"].__setitem__(9, "I-EMO"),
            "a span elsewhere": lambda d: d["spans"][0].update(start=1),
            "another quote": lambda d: d["spans"][0].update(text="relieved"),
            "no span": lambda d: d["spans"].clear(),
            "an index as text": lambda d: d["spans"][0].update(start="2"),
            "no tokens": lambda d: d.update(tokens=[]),
        }.items():
            record = bench_card.record_from_answer(json.dumps(answer()), ROW, "m")
            self.assertTrue(bench_card.is_aligned(record))
            spoil(record["data"])
            self.assertFalse(bench_card.is_aligned(record), name)

    def test_alignment_does_not_ask_for_true_values(self):
        record = bench_card.record_from_answer(json.dumps(answer()), ROW, "m")
        record["predictions"] = ["grief"]
        self.assertTrue(bench_card.is_aligned(record))
        self.assertTrue(list(check_card.faults(record, set())))

    def test_answers_that_are_no_records(self):
        whole = json.dumps(answer())
        for text in ("", "null", "[]", "7", '"data"', "{}", whole[:-1], whole + "}",
                     '{"predictions":[],"data":{}}', '{"predictions":[],"data":{"spans":[1]}}'):
            self.assertIsNone(bench_card.record_from_answer(text, ROW, "m"), text)
        self.assertTrue(bench_card.is_json('[["neutral"]]'))
        self.assertFalse(bench_card.is_json('[["neutral"'))

    def test_confidence_may_be_a_whole_number(self):
        given = answer()
        given["data"]["spans"][0]["attrs"]["confidence"] = 1
        self.assertTrue(bench_card.is_aligned(bench_card.record_from_answer(json.dumps(given), ROW, "m")))


class Texts(unittest.TestCase):
    def read(self, name, content):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, name)
            with open(path, "w", encoding="utf-8", newline="") as f:
                f.write(content)
            return [(row["id"], row["text"]) for row in bench_card.read_texts(path)]

    def test_formats(self):
        self.assertEqual(self.read("a.tsv", 'One\t27\tx1\r\n"She said ""no"""\t2,3\tx2\n  \t1\tx3\n'),
                         [("x1", "One"), ("x2", 'She said "no"')])
        self.assertEqual(self.read("a.jsonl", '{"text":"One","id":7}\n\n{"src_id":"s","text":"Two"}\n{"text":"Three"}\n'),
                         [("7", "One"), ("s", "Two"), ("3", "Three")])
        self.assertEqual(self.read("a.txt", "One\n\n Two \n"), [("1", "One"), ("3", "Two")])

    def test_spread(self):
        rows = list(range(10))
        for count, want in [(1, [0]), (2, [0, 5]), (3, [0, 3, 6]), (4, [0, 2, 5, 7]), (10, rows), (11, rows), (0, rows)]:
            self.assertEqual(bench_card.spread(rows, count), want)


def run(seconds, **more):
    return {"records": 10, "seconds": seconds, "tagging_seconds": seconds, "rss": 100 << 20, "prompt_tokens": 200, "written_tokens": 300,
            "parsed": 10, "aligned": 10, "valid": 10, "settings": "", **more}


class Report(unittest.TestCase):
    RUNS = {
        (PEER, "schema", "/m"): [run(50.0, valid=0, aligned=1), run(40.0, valid=0, aligned=1), run(100.0, valid=0, aligned=1)],
        (OURS, "compact", "/m"): [run(5.0), run(5.0), run(8.0, rss=130 << 20)],
        (SPEED, "", "/m"): [{"tokens_per_second": speed} for speed in (100.0, 125.0, 125.0)],
    }
    KEYS = [(PEER, "schema", "/m"), (OURS, "compact", "/m"), (SPEED, "", "/m")]

    def figures(self, row, keys=None, reasons=()):
        return bench_report.main_table([(row, keys or self.KEYS)], self.RUNS, dict(reasons))

    def test_ratio_is_the_median_of_the_rounds(self):
        text, (figures,) = self.figures(Row("r", "R", (), (), 8, 10))
        self.assertEqual(figures["ratios"], [10.0, 8.0, 12.5])
        self.assertIn("| R | 0.20 (0.10–0.25) | 2.00 (1.25–2.00) | 10.00x (8.00–12.50) | ≥ 8x, 10x hoped for: reached |", text)
        text, (figures,) = self.figures(Row("r", "R", (), (), 11))
        self.assertFalse(figures["reached"])
        self.assertIn("≥ 11x: not reached", text)

    def test_forwarded(self):
        _, (figures,) = self.figures(Row("r", "R", (), (), 0.75, unit="pp512"), [None, *self.KEYS[1:]])
        self.assertEqual(figures["ratios"], [1.0, 0.8, 0.5])
        self.assertTrue(figures["reached"])

    def test_memory_is_better_where_it_is_less(self):
        for goal, reached in [(1.1, True), (0.9, False)]:
            _, (figures,) = self.figures(Row("r", "R", (), (), goal, unit="bytes"))
            self.assertEqual((figures["ratios"], figures["reached"]), ([1.0, 1.0, 1.3], reached))

    def test_aligned_records(self):
        text, (figures,) = self.figures(Row("r", "R", (), (), 1, unit="aligned"))
        self.assertIn("10 parsed, 1 aligned, 0 valid of 10", text)
        self.assertTrue(figures["reached"])

    def test_what_is_not_there_says_why(self):
        reason = {self.KEYS[1]: "emospan has no command x"}
        text, (figures,) = self.figures(Row("r", "R", (), (), 8), reasons=reason)
        self.assertIn("not available: emospan has no command x", text)
        self.assertEqual(figures, {"row": "r", "unavailable": "emospan has no command x"})
        text, _ = self.figures(Row("r", "R", (), (), 8), keys=[(PEER, "form", "/m"), self.KEYS[1], None])
        self.assertIn("not available: nothing was measured", text)

    def test_limit(self):
        self.assertEqual(list(bench_report.limits(self.RUNS)), [
            "- m: pp512 125 tokens/s ÷ 50.0 tokens forwarded a record = 2.50 records/s; emospan compact reaches 2.00, 0.80 of it"])

    def test_file_names(self):
        self.assertEqual(bench_report.file_name("/store/llama3-%514_0.gguf"), "llama3-Q4_0.gguf")

    def test_cells_cannot_break_the_table(self):
        self.assertEqual(bench_card.markdown_table(["a"], [["x|y\nz"]]), "| a |\n|---|\n| x\\|y z |")


class FakeServer(contextlib.nullcontext):
    def __init__(self, seconds):
        super().__init__(self)
        self.seconds = seconds

    def warm_up(self, request):
        pass

    def answers(self, requests):
        return [Answer("", 1, 10) for _ in requests], self.seconds


class Sweep(unittest.TestCase):
    def test_grid_then_the_other_layout_of_the_best_two(self):
        tried = []

        def start(settings):
            tried.append(settings)
            return FakeServer(8 - settings.slots + settings.flash_attention + (0 if settings.unified else -0.5))

        results = bench_server.sweep(start, ["request"] * 3, [1, 4])
        self.assertEqual([(s.slots, s.flash_attention, s.unified) for s in tried],
                         [(1, False, True), (1, True, True), (4, False, True), (4, True, True), (4, False, False), (4, True, False)])
        self.assertEqual(results[0], (30 / 3.5, Settings(4, False, False)))
        self.assertEqual(str(results[0][1]), "4 slots, flash attention off, split KV")
        self.assertEqual([speed for speed, _ in results], sorted((speed for speed, _ in results), reverse=True))

    def test_shortened(self):
        for request in (bench_server.schema_request([], {}, 700), bench_server.grammar_request([1], "root ::= \"a\"", 400)):
            before = copy.deepcopy(request)
            path, body = bench_server.shortened(request, 9)
            self.assertEqual((path, request), (request[0], before))
            self.assertEqual([body.get(key) for key in ("max_tokens", "n_predict") if key in body], [9])
            self.assertEqual(bench_server.shortened(request, 999), request)

    def test_a_server_that_ends_at_its_start(self):
        server = bench_server.Server(sys.executable, "m", Settings(1, False, False), 1, 512)
        with self.assertRaisesRegex(bench_server.PeerError, "ended at its start"):
            with server:
                self.fail("it is not ready")
        self.assertIsNotNone(server.process.returncode)


if __name__ == "__main__":
    unittest.main()
