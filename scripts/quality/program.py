"""Runs emospan, and keeps what it wrote: with --keep a run that was cut goes on where it ended."""
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time

from data import TOP, byte_place

READ = 500  # texts that emospan read takes at a time
EMOSPAN = os.path.join(TOP, "bin", "emospan")


class Failed(Exception):
    """emospan or its output is not as it should be; the message says how."""


def say(*words):
    print("quality:", *words, file=sys.stderr, flush=True)


def digest(path):
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def write_json(path, value):
    with open(path + ".part", "w", encoding="utf-8") as f:
        json.dump(value, f, ensure_ascii=False)
    os.replace(path + ".part", path)


def read_json(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def read_lines(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def write_lines(path, rows):
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def waits(process):
    """Whether a process still runs after a minute."""
    try:
        process.wait(60)
        return False
    except subprocess.TimeoutExpired:
        return True


class Program:
    """emospan with a folder for what it writes. A file of the folder is made once."""

    def __init__(self, folder, limit, data):
        os.makedirs(folder, exist_ok=True)
        self.folder = folder
        if not os.access(EMOSPAN, os.X_OK):
            raise Failed("no bin/emospan; run make")
        self.made = {"emospan": digest(EMOSPAN), "limit": limit, "data": os.path.abspath(data)}
        note = self.path("made.json")
        if os.path.exists(note) and read_json(note) != self.made:
            raise Failed(f"{folder} holds results of another executable, limit or data: name another folder, or remove it")
        write_json(note, self.made)

    def path(self, name):
        return os.path.join(self.folder, name)

    def kept(self, name, make):
        """The JSON value of a file of the folder, made where it is not there."""
        path = self.path(name + ".json")
        if not os.path.exists(path):
            write_json(path, make())
        return read_json(path)

    def run(self, *command):
        """Runs emospan, and says every minute that it still does."""
        start = time.monotonic()
        say("emospan", *(os.path.basename(word) if os.sep in word else word for word in command))
        with tempfile.TemporaryFile("w+", errors="replace") as errors:
            process = subprocess.Popen([EMOSPAN, *command], stdin=subprocess.DEVNULL, stderr=errors)
            try:
                while waits(process):
                    say(f"emospan {command[0]}: {round((time.monotonic() - start) / 60)} min so far")
            finally:
                process.terminate()
                process.wait()
            errors.seek(0)
            if process.returncode:
                raise Failed(f"emospan {command[0]}: exit code {process.returncode}: {errors.read().strip()[-400:]}")
        say(f"emospan {command[0]}: took {time.monotonic() - start:.0f} s")

    def inputs(self, name, rows):
        path = self.path(name + ".input.jsonl")
        write_lines(path, rows)
        return path

    def tag(self, name, model, texts, *flags):
        """The records of texts, None for a text that was rejected, and the manifest."""
        out = self.path(f"{file_name(model)}.{name}.jsonl")
        if not os.path.exists(out):
            source = self.inputs(name, [{"src_id": t["id"], "text": t["text"]} for t in texts])
            part = out.removesuffix(".jsonl") + ".part.jsonl"
            self.run("tag", "-q", "-m", model, source, "-o", part, "--manifest", out + ".manifest.json", "--rejects", out + ".rejects.jsonl", "--resume", *flags)
            os.replace(part, out)
        records = {r["src_id"]: r for r in read_lines(out)}
        manifest = read_json(out + ".manifest.json")
        if manifest["records"] != len(texts):
            raise Failed(f"{out}: {len(texts)} texts, but the manifest says {manifest['records']}")
        return [records.get(t["id"]) for t in texts], manifest

    def read(self, name, model, texts, with_spans=True):
        """What emospan read says of texts and their spans; without spans, of each text as a whole. Some texts at a time, for a cut run."""
        return [r for n in range(0, len(texts), READ) for r in self.read_some(f"{name}.{n}", model, texts[n:n + READ], with_spans)]

    def read_some(self, name, model, texts, with_spans):
        out = self.path(f"{file_name(model)}.{name}.readings.jsonl")
        if not os.path.exists(out):
            rows = [{"id": t["id"], "text": t["text"], "spans": [byte_place(t["text"], s["start"], s["end"]) for s in t["spans"] if with_spans]} for t in texts]
            self.run("read", "-m", model, self.inputs(name, rows), "-o", out + ".part", "--force")
            os.replace(out + ".part", out)
        readings = read_lines(out)
        if [r["id"] for r in readings] != [t["id"] for t in texts]:
            raise Failed(f"{out} is not of these texts")
        return readings

    def calibration(self, name, model, *flags):
        """A calibration of the model, fitted here."""
        out = self.path(f"{file_name(model)}.{name}.calibration.json")
        if not os.path.exists(out):
            self.run("calibrate", "-m", model, "-o", out, "--force", *flags)
        return out


def file_name(model):
    return os.path.basename(model).removesuffix(".gguf").replace(":", "-")


def fitted_to(manifest):
    return manifest["calibration"]["texts"] if manifest["calibration"] else "nothing: the model writes"
