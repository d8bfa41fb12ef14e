#!/usr/bin/env python3
"""Tests what check_demo.py counts, with made-up records, and that examples/sentences.gold.jsonl keeps its own rules."""
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

import demo_gold

EXAMPLES = os.path.join(demo_gold.TOP, "examples")


def read_lines(name):
    with open(os.path.join(EXAMPLES, name), encoding="utf-8", newline="\n") as f:
        return f.read().splitlines()


def gold(text, emotions, words=(), certainty="asserted", temporality="present", source="self", targets=("",)):
    if emotions == "neutral":
        certainty = temporality = source = targets = ""
    return {"line": 1, "text": text, "emotions": emotions.split(), "words": list(words), "certainty": certainty.split(),
            "temporality": temporality.split(), "source": source.split(), "targets": list(targets)}


def record(text, predictions, *spans):
    """Each span is its text, and attributes that are not asserted, present, self and without a target."""
    tokens = re.findall(r"\w+(?:'\w+)?|[^\w\s]", text)
    made = []
    for quote, attrs in spans:
        words = re.findall(r"\w+(?:'\w+)?|[^\w\s]", quote)
        start = next(i for i in range(len(tokens)) if tokens[i:i + len(words)] == words)
        made.append({"subtype": "Joy", "start": start, "end": start + len(words) - 1, "text": quote, "attrs": {
            "certainty": "asserted", "temporality": "present", "source": "self", "target_text": "", "target_relation": "none", **attrs}})
    return {"text": text, "predictions": predictions.split(), "data": {"tokens": tokens, "spans": made}}


def counted(*pairs):
    """Each row as (right, of, the constant, what it gets right)."""
    return {r.what: tuple(r[1:]) for r in demo_gold.count([r for r, _ in pairs], [g for _, g in pairs])}


class Counts(unittest.TestCase):
    def test_emotion_is_the_first_prediction(self):
        text = "She was so late"
        annoyed = gold(text, "annoyance anger", ["late"])
        got = counted(
            (record(text, "annoyance joy"), annoyed),
            (record(text, "anger"), annoyed),
            (record(text, "joy annoyance"), annoyed),
            (record(text, "anger joy"), annoyed),
            (record(text, "neutral"), gold(text, "neutral")),
            (record(text, "fear"), gold(text, "neutral")),
        )
        self.assertEqual(got["emotion"], (4, 6, "annoyance", 4))

    def test_sign_is_that_of_every_prediction(self):
        text = "Rain on the wedding"
        sad, glad = gold(text, "sadness disappointment", ["Rain"]), gold(text, "joy", ["wedding"])
        got = counted(
            (record(text, "fear"), sad),
            (record(text, "neutral"), sad),
            (record(text, "surprise"), sad),
            (record(text, "sadness love"), sad),
            (record(text, "joy"), glad),
            (record(text, "anger"), glad),
            (record(text, "joy"), gold(text, "sadness joy", ["Rain"])),  # either sign is acceptable
            (record(text, "joy"), gold(text, "surprise", ["Rain"])),
            (record(text, "joy"), gold(text, "neutral")),
        )
        self.assertEqual(got["sign"], (4, 6, "negative", 4))

    def test_spans_meet_words_by_place(self):
        text = "The late train was late again, and I'm furious about the train"
        furious = gold(text, "anger", ["furious", "late again"])
        for spans, right in {
            ("furious",): 1,
            ("I'm furious about",): 1,
            ("about",): 0,
            ("I'm",): 0,
            ("late",): 0,  # the first of the two
            ("late again",): 1,
            ("furious", "train"): 1,
            ("furious", "The", "train"): 0,
            ("was late again, and I'm furious about the",): 1,  # eight words
            ("was late again, and I'm furious about the train",): 0,
            (): 0,
        }.items():
            with self.subTest(spans=spans):
                got = counted((record(text, "anger", *((s, {}) for s in spans)), furious))
                self.assertEqual(got["span"], (right, 1, "first content word", 0))

    def test_words_without_content_count_themselves(self):
        text = "No, how could they"
        for span, right in {"No": 1, "how": 1, ",": 0, "they": 0}.items():
            with self.subTest(span=span):
                self.assertEqual(counted((record(text, "anger", (span, {})), gold(text, "anger", ["No", "how"])))["span"][:2], (right, 1))

    def test_function_words_with_an_apostrophe(self):
        for token, content in {"I'm": False, "won’t": False, "Shouldn't": False, "'s": False, "n't": False, "baker's": True, "🙈": True, "!": False}.items():
            with self.subTest(token=token):
                self.assertEqual(demo_gold.is_content(token), content)
        text = "I'm glad"
        got = counted((record(text, "joy", ("I'm", {})), gold(text, "joy", [text])))
        self.assertEqual(got["span"], (0, 1, "first content word", 1))

    def test_words_that_stand_twice_may_be_met_twice(self):
        text = "Hot soup, hot bread and hot tea"
        self.assertEqual(counted((record(text, "joy", ("hot tea", {})), gold(text, "joy", ["hot"])))["span"][:2], (1, 1))

    def test_no_span_is_right_where_neutral_is_acceptable(self):
        text = "Rain again"
        got = counted((record(text, "neutral"), gold(text, "sadness neutral", ["Rain"])), (record(text, "neutral"), gold(text, "neutral")))
        self.assertEqual(got["span"], (1, 1, "first content word", 1))

    def test_attributes_are_those_of_every_span(self):
        text = "Maybe they were scared"
        scared = gold(text, "fear", ["scared"], "hedged", "past", "other group")
        asserted = gold(text, "fear", ["scared"])
        right = {"certainty": "hedged", "temporality": "past", "source": "group"}
        got = counted(
            (record(text, "fear", ("scared", right)), scared),
            (record(text, "fear", ("scared", right), ("Maybe", {})), scared),
            (record(text, "fear", ("scared", {**right, "source": "self"})), scared),
            (record(text, "fear", ("scared", {})), asserted),
            (record(text, "fear"), scared),  # no span to count
            (record(text, "fear", ("scared", right)), gold(text, "neutral")),  # nothing to find
        )
        self.assertEqual(got["certainty"], (3, 4, "hedged", 3))
        self.assertEqual(got["temporality"], (3, 4, "past", 3))
        self.assertEqual(got["source"], (2, 4, "other", 3))

    def test_targets(self):
        text = "The dog ate my cake"
        for named, targets, right in [
            ("the Dog", ["dog"], 1), ("dog", ["The dog"], 1), ("cake", ["my cake"], 0), ("", ["dog"], 0), ("", ["dog", ""], 1), ("dog", [""], 0),
        ]:
            with self.subTest(named=named, targets=targets):
                got = counted((record(text, "anger", ("ate", {"target_text": named}), ("cake", {})), gold(text, "anger", ["ate"], targets=targets)))
                self.assertEqual(got["target"][:2], (right, 1))
        got = counted((record(text, "anger", ("ate", {"target_text": "dog"}), ("cake", {"target_text": "my"})), gold(text, "anger", ["ate"], targets=["dog"])))
        self.assertEqual(got["target"], (0, 1, "dog", 1))

    def test_wants_more_than_the_constant_or_all(self):
        def row(what, right, constant):
            return demo_gold.Row(what, right, 10, "x", constant)

        self.assertEqual(demo_gold.not_above([row("emotion", 6, 5), row("certainty by value", 10, 10), row("certainty", 0, 9), row("span", 2, 1), row("target", 3, 2)]), [])
        self.assertEqual(demo_gold.not_above([row("emotion", 5, 5), row("certainty by value", 8, 10), row("target", 4, 9), row("source", 4, 9)]), ["emotion", "certainty by value", "target"])
        self.assertEqual(demo_gold.not_above([demo_gold.Row("span", 0, 0, "", 0)]), ["span"])

    def test_table(self):
        self.assertEqual(demo_gold.table([demo_gold.Row("span", 7, 58, "first content word", 26)]).splitlines(), [
            "                                                   right   of   a constant gets",
            "half of the spans or more meet the gold's words        7   58   26 (first content word)",
        ])

    def test_shown(self):
        records = [record(f"Text {n} is fine", "joy", ("fine", {"target_text": "Text", "target_relation": "cause"})) for n in range(1, 17)]
        records.append(record("Text 17", "neutral"))
        self.assertEqual(demo_gold.shown(records).splitlines(), [
            "5. Text 5 is fine", "   joy 'fine': asserted present self, cause: 'Text'", "17. Text 17", "   neutral, no span",
        ])


class Script(unittest.TestCase):
    """The whole script on records that are as the gold has them, and on spoilt ones."""

    def check(self, edit=lambda r: None, edit_gold=lambda g: None, options=()):
        golds = [gold(f"Such {e}{i} and worse", e, [f"{e}{i}"], certainty) for i in range(12)
                 for e, certainty in [("joy", "asserted"), ("anger", "hedged"), ("fear", "asserted"), ("love", "asserted"), ("pride", "asserted")]]
        for g in golds[:6]:
            g["temporality"], g["source"] = ["past"], ["other"]
        records = []
        for g in golds:
            span = (g["words"][0], {name: g[name][0] for name in demo_gold.ATTRIBUTES})
            records.append(record(g["text"], g["emotions"][0], span))
            records[-1]["data"]["spans"][0]["subtype"] = g["emotions"][0].capitalize()
        for r in records:
            edit(r)
        for g in golds:
            edit_gold(g)
        manifest = {"records": 60, "accepted": 60, "rejected": 0, "spans": 60, "calibration": None, "sampled_tokens": 999, "prompt_tokens": 999,
                    "emotions": {e: sum(r["predictions"][0] == e for r in records) for e in dict.fromkeys(r["predictions"][0] for r in records)}}
        with tempfile.TemporaryDirectory() as folder:
            for name, lines in {"texts.txt": [r["text"] for r in records], "texts.gold.jsonl": map(json.dumps, golds),
                                "out.jsonl": map(json.dumps, records), "out.jsonl.manifest.json": [json.dumps(manifest)]}.items():
                with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
                    f.writelines(line + "\n" for line in lines)
            script = os.path.join(demo_gold.TOP, "scripts", "check_demo.py")
            done = subprocess.run([sys.executable, "-B", script, *options, "texts.txt", "out.jsonl"], cwd=folder, capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    def spoil(self, **attrs):
        return lambda r: r["data"]["spans"][0]["attrs"].update(attrs)

    def test_right(self):
        code, output, errors = self.check()
        self.assertEqual((code, errors), (0, ""))
        for line in ["the first emotion is acceptable                       60   60   12 (joy)",
                     "every span's certainty is acceptable                  60   60   48 (asserted)",
                     "every span's temporality is acceptable                60   60   54 (present)",
                     "every span's source is acceptable                     60   60   54 (self)", "17. Such anger3 and worse\n   anger 'anger3': hedged present self"]:
            self.assertIn(line, output)

    def test_constants_fail(self):
        for attrs, low in [({"certainty": "asserted"}, "certainty by value"), ({"temporality": "present", "source": "self"}, "temporality by value, source by value"),
                           ({"target_text": "x"}, "target")]:
            with self.subTest(attrs=attrs):
                self.assertEqual(self.check(self.spoil(**attrs), options=["--lenient"])[::2], (0, ""))
                self.assertEqual(self.check(self.spoil(**attrs))[::2], (1, f"demo: not above what a constant gets: {low}\n"))

    def test_gold_of_other_texts(self):
        code, _, errors = self.check(edit_gold=lambda g: g.update(text=g["text"].upper()))
        self.assertEqual((code, errors), (1, "demo: texts.gold.jsonl is not of these texts; it needs a line for each, in order\n"))

    def test_without_gold(self):
        code, _, errors = self.check(options=["--gold", "none.jsonl"])
        self.assertEqual((code, errors[:21]), (1, "demo: none.jsonl: [Er"))


class Gold(unittest.TestCase):
    def test_is_of_the_sentences_and_keeps_its_rules(self):
        texts, golds = read_lines("sentences.txt"), [json.loads(line) for line in read_lines("sentences.gold.jsonl")]
        self.assertEqual([(g["line"], g["text"]) for g in golds], list(enumerate(texts, 1)))
        with open(os.path.join(demo_gold.TOP, "dataset", "taxonomy.json"), encoding="utf-8") as f:
            taxonomy = json.load(f)
        values = {a["name"]: {v["name"] for v in a["values"]} for a in taxonomy["attributes"]}
        values["emotions"] = {e["name"] for e in taxonomy["emotions"]}
        for g in golds:
            with self.subTest(line=g["line"]):
                self.assertEqual(list(g), ["line", "text", "emotions", "words", "certainty", "temporality", "source", "targets"])
                self.assertTrue(1 <= len(g["emotions"]) <= 4)
                for name in ["emotions", *demo_gold.ATTRIBUTES]:
                    self.assertLessEqual(set(g[name]), values[name])
                    self.assertEqual(len(set(g[name])), len(g[name]))
                for name in ["words", *demo_gold.ATTRIBUTES, "targets"]:
                    self.assertEqual(bool(g[name]), g["emotions"] != ["neutral"], name)
                for words in g["words"]:
                    self.assertIn(words, g["text"])
                for target in g["targets"]:
                    self.assertTrue(target in taxonomy["pronouns"] or re.search(rf"(?<!\w){re.escape(target)}(?!\w)", g["text"]) or not target, target)
                self.assertEqual(len(set(g["targets"])), len(g["targets"]))


if __name__ == "__main__":
    unittest.main()
