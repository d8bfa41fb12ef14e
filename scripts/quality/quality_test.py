#!/usr/bin/env python3
"""Tests what scripts/quality computes, with made-up texts: places, figures, intervals, baselines, the page."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

import numpy as np

import baselines
import document
import metrics
import tables
from data import FILES, Data, Missing, byte_place, document as document_of, tokens_of


def record(tokens, *spans):
    return {"data": {"tokens": tokens.split(), "spans": [{"subtype": "Joy", "start": a, "end": b, "attrs": {"confidence": 0.9, **attrs}} for a, b, attrs in spans]}}


class Places(unittest.TestCase):
    def test_characters_to_bytes(self):
        text = "Ça va 👍 ça"
        for start, end in [(0, 2), (3, 5), (6, 7), (8, 10), (0, 10)]:
            place = byte_place(text, start, end)
            self.assertEqual(text.encode()[place["start"]:place["end"]].decode(), text[start:end])

    def test_tokens_of_spans(self):
        text, tokens = "So glad, so glad!", ["So", "glad", ",", "so", "glad", "!"]
        self.assertEqual(tokens_of(text, tokens, [{"start": 3, "end": 7}]), {1})
        self.assertEqual(tokens_of(text, tokens, [{"start": 6, "end": 10}]), {1, 2, 3})  # parts of tokens
        self.assertEqual(tokens_of(text, tokens, [{"start": 12, "end": 16}, {"start": 0, "end": 2}]), {0, 4})
        self.assertEqual(tokens_of(text, tokens, []), set())

    def test_documents(self):
        self.assertEqual([document_of(r) for r in ({"src_id": "a-1", "doc": "a"}, {"src_id": "8551|863"}, {"src_id": "t1"})], ["a", "8551", "t1"])

    def test_target_is_the_nearest_of_its_kind(self):
        tokens = ["the", "dog", "bit", "the", "dog", "'s", "friend"]
        self.assertEqual(tables.place_of(tokens, "the dog", 2), {3, 4})
        self.assertEqual(tables.place_of(tokens, "the dog", 0), {0, 1})
        self.assertEqual(tables.place_of(tokens, "dog's friend", 0), {4, 5, 6})
        for phrase in ("you", "", "og bit"):
            self.assertEqual(tables.place_of(tokens, phrase, 0), set())


class Figures(unittest.TestCase):
    def test_classes(self):
        found = metrics.classes(["a", "a", "b", "b"], ["x", "x", "y", "y"], ["x", "y", "y", "z"])
        self.assertEqual((found["n"], found["documents"], found["values"]), (4, 2, ["x", "y"]))
        self.assertAlmostEqual(found["macro"]["value"], (2 / 3 + 1 / 2) / 2)  # z only misses
        self.assertAlmostEqual(found["accuracy"]["value"], 0.5)

    def test_label_sets_count_all_labels(self):
        found = metrics.label_sets("abc", [["x"], ["x", "y"], ["y"]], [["x"], ["x"], []], ["x", "y", "z"])
        self.assertAlmostEqual(found["macro"]["value"], 1 / 3)
        self.assertAlmostEqual(found["micro"]["value"], 2 * 2 / (2 + 4))
        self.assertAlmostEqual(found["labels"]["value"], 2 / 3)
        self.assertAlmostEqual(found["people"], 4 / 3)

    def test_tokens(self):
        found = metrics.tokens("ab", [{0, 1}, {2}], [{1}, {2, 3}], [3, 4])
        self.assertEqual(found["tokens"], 3)
        for name in ("precision", "recall", "f1"):
            self.assertAlmostEqual(found[name]["value"], 2 / 3)
        self.assertIsNone(metrics.tokens([], [], [], [])["f1"]["value"])

    def test_calibration_error(self):
        pairs = [[(0.95, True), (0.05, False)], [(0.95, False)], []]
        # two in the last bin, sure 0.95 of which half is right; one in the first, sure 0.05 and wrong
        self.assertAlmostEqual(metrics.calibration_error("abc", pairs)["error"]["value"], (2 * 0.45 + 0.05) / 3)
        self.assertAlmostEqual(metrics.calibration_error("a", [[(1.0, True)]])["error"]["value"], 0)
        self.assertIsNone(metrics.calibration_error("a", [[]])["error"]["value"])

    def test_statistics_of_counts_are_the_values(self):
        """What the bootstrap computes is, of all documents, what scikit-learn says."""
        rng = np.random.default_rng(7)
        gold, given = (list(map(str, rng.integers(0, 4, 60))) for _ in range(2))
        values = sorted(set(gold))
        hits = np.array([[(g == v and p == v, g != v and p == v, g == v and p != v) for v in values] for g, p in zip(gold, given)])
        self.assertAlmostEqual(metrics.macro_of(hits)(hits.sum(axis=0).astype(float)), metrics.classes(gold, gold, given)["macro"]["value"])


class Intervals(unittest.TestCase):
    def test_documents_are_drawn_whole(self):
        right = [True] * 50 + [False] * 50
        each = metrics.share(range(100), right)
        two = metrics.share(["a"] * 50 + ["b"] * 50, right)
        self.assertEqual((each["value"], two["value"]), (0.5, 0.5))
        self.assertEqual((two["low"], two["high"]), (0, 1))
        self.assertAlmostEqual(each["low"], 0.4, delta=0.02)  # 0.5 - 1.96 * 0.05
        self.assertAlmostEqual(each["high"], 0.6, delta=0.02)

    def test_is_the_same_each_time(self):
        self.assertEqual(metrics.share(range(9), [1, 0, 0, 1, 1, 0, 1, 1, 1]), metrics.share(range(9), [1, 0, 0, 1, 1, 0, 1, 1, 1]))

    def test_labels_that_a_sample_lacks_are_left_out(self):
        counts = np.array([[[1, 0, 0], [0, 0, 0], [0, 0, 0]], [[0, 0, 0], [1, 0, 0], [0, 0, 0]]], dtype=float)
        macro = metrics.macro_of(counts)
        with np.errstate(invalid="ignore"):
            self.assertAlmostEqual(macro(counts[0]), 1 / 2)  # the third label stays a nought
            self.assertAlmostEqual(macro(counts.sum(axis=0)), 2 / 3)


class Baselines(unittest.TestCase):
    def test_word_list(self):
        self.assertEqual(baselines.listed_emotions("Thanks, I’m so SAD!"), ["gratitude", "sadness"])
        self.assertEqual(baselines.listed_emotions("A table."), ["neutral"])
        self.assertEqual(baselines.listed_tokens(["Sad", "table"]), {0})

    def test_words_are_of_one_emotion(self):
        words = [w for line in baselines.WORDS.values() for w in line.split()]
        self.assertEqual(len(words), len(set(words)))

    def test_next_phrase(self):
        tokens = "I hate the noisy old fridge in here . Dogs bark".split()
        self.assertEqual(baselines.next_phrase(tokens, 1), {3, 4, 5})
        self.assertEqual(baselines.next_phrase(tokens, 5), set())
        self.assertEqual(baselines.next_phrase(tokens, 10), set())

    def test_thresholds_and_labels(self):
        scores = np.array([[0.9, 0.1], [0.8, 0.4], [0.2, 0.3]])
        thresholds = baselines.best_thresholds(scores, np.array([[True, False], [True, True], [False, False]]))
        self.assertTrue(0.2 < thresholds[0] <= 0.8 and 0.3 < thresholds[1] <= 0.4)
        chosen = baselines.labels_above(scores, thresholds)
        self.assertEqual(chosen[:2].tolist(), [[True, False], [True, True]])
        self.assertEqual(chosen[2].sum(), 1)  # the nearest

    def test_bag_of_words(self):
        train = [{"text": f"so {w} today {i}", "labels": [label]} for i in range(40) for w, label in (("glad", "joy"), ("sad", "sadness"))]
        found = baselines.bag_of_words(train, [{"text": "glad"}, {"text": "so sad"}], ["joy", "sadness", "fear"])
        self.assertEqual([[n for n, _ in labels] for labels in found["labels"]], [["joy"], ["sadness"]])


class Tables(unittest.TestCase):
    def test_emotions_of(self):
        self.assertEqual(tables.emotions_of(record("so glad", (1, 1, {}), (0, 0, {}))), ["joy"])
        self.assertEqual(tables.emotions_of(record("so glad")), ["neutral"])
        self.assertEqual(tables.emotions_of(None), [])
        self.assertEqual(tables.sureness(record("so glad", (1, 1, {})), ["joy"]), [(0.9, True)])

    def test_attribute_row_has_its_constant(self):
        row = tables.attribute_row("set", "model", [("a", "past", "past"), ("b", "past", "present"), ("c", "present", "present")])
        self.assertEqual((row["constant"], row["n"]), ("past", 3))
        self.assertAlmostEqual(row["constant_macro"]["value"], 0.8 / 2)
        self.assertAlmostEqual(row["macro"]["value"], (2 / 3 + 2 / 3) / 2)

    def test_span_cases_leave_out_what_has_no_value(self):
        texts = [{"doc": "d", "spans": [{"certainty": "hedged"}, {}]}]
        readings = [{"spans": [{"values": {"certainty": "asserted"}}, {"values": {"certainty": "asserted"}}]}]
        self.assertEqual(tables.span_cases(texts, readings, "certainty"), [("d", "hedged", "asserted")])

    def test_text_valence(self):
        reading = {"chosen": ["neutral"], "spans": [{"values": {"valence": "pos"}}]}
        self.assertEqual(tables.text_valence(reading), "neu")
        self.assertEqual(tables.text_valence({**reading, "chosen": ["joy"]}), "pos")

    def test_targets(self):
        text = {"doc": "b", "text": "Ann hates the dog", "spans": [
            {"start": 4, "end": 9, "target": [{"start": 0, "end": 3, "relation": "experiencer"}, {"start": 10, "end": 17, "relation": "target"},
                                              {"start": 10, "end": 17, "relation": "cause"}]}]}
        tagged = record("Ann hates the dog", (1, 1, {"target_text": "dog", "target_relation": "cause"}))
        case, = tables.cases_of(text, tagged)
        self.assertEqual(case.roles, [({0}, {"experiencer"}), ({2, 3}, {"target", "cause"})])
        row, right = tables.target_row("model", [case], [{3}])
        self.assertEqual((row["precision"]["value"], row["recall"]["value"]), (1, 0.5))
        self.assertEqual(tables.relation_row("model", right)["accuracy"]["value"], 1)
        row, right = tables.target_row("nothing", [case], [set()])
        self.assertEqual((row["f1"]["value"], row["recall"]["value"], right), (0, 0, []))
        self.assertEqual(tables.role_met(case.roles, set())[1], {"target", "cause"})
        self.assertEqual(list(tables.cases_of(text, record("Ann hates the dog", (0, 0, {})))), [])


class Page(unittest.TestCase):
    def test_cells(self):
        self.assertEqual(document.cell({"value": 0.5, "low": 0.25, "high": 0.75}, 2), "0.50 (0.25–0.75)")
        self.assertEqual([document.cell(v, 3) for v in (None, "", 7, 0.5, "a|b", {"value": None})], ["–", "–", "7", "0.500", "a\\|b", "–"])

    def test_page_says_that_a_trial_is_one(self):
        rows = [tables.attribute_row("uds", "m", [("a", "past", "past")])]
        page = document.document({"temporality": rows}, {"m, default": "a corpus"}, 2000, limit=20)
        for part in ("first 20 texts", "| m, default | a corpus |", "## Temporality", "| uds | m | 1 | 1.000 (1.000–1.000) |"):
            self.assertIn(part, page)
        self.assertNotIn("trial", document.document({"temporality": rows}, {}, 2000))


class Command(unittest.TestCase):
    def test_data_that_is_missing_is_one_line(self):
        with tempfile.TemporaryDirectory() as folder:
            with self.assertRaises(Missing):
                Data(folder).check()
            done = subprocess.run([sys.executable, "-B", os.path.dirname(os.path.abspath(__file__)), "--limit", "1"], env={**os.environ, "DATA": folder}, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(done.stderr, f"quality: no {FILES[0]} in {folder}: name the data's folder by DATA\n")

    def test_sets_are_cut(self):
        with tempfile.TemporaryDirectory() as folder:
            os.mkdir(os.path.join(folder, "fields"))
            with open(os.path.join(folder, "fields", "uds.jsonl"), "w", encoding="utf-8") as f:
                f.writelines(json.dumps({"src_id": str(i), "text": "x", "spans": []}) + "\n" for i in range(5))
            rows = Data(folder, 2).field_set("uds", lambda r: r["src_id"] != "0")
        self.assertEqual([r["id"] for r in rows], ["1", "2"])


if __name__ == "__main__":
    unittest.main()
