#!/usr/bin/env python3
"""Measures how well records agree with what people annotated, and writes docs/measurements/quality.md. `make quality`.

Needs bin/emospan, the models in the store, and the data in the folder DATA (default ../shared/data). Every text is looked at by each run
that is whole, so a run should be the only one: try changes with --limit 20. With --keep DIR the records, the readings and the
calibrations stay in DIR, and the same command goes on where a cut run ended.
"""
import argparse
import os
import sys
import tempfile

import document
import metrics
import speed
import tables
from data import TOP, Data, Missing
from program import Failed, Program, read_json, say, write_json

TABLES = {
    "speed": speed.speed, "demo": tables.demo, "emotions": tables.emotions, "spans": tables.spans,
    "certainty": tables.attribute("certainty"), "temporality": tables.attribute("temporality"), "source": tables.attribute("source"),
    "intensity": tables.intensity, "valence": tables.valence, "targets": tables.targets,
}
PAGE = os.path.join(TOP, "docs", "measurements", "quality.md")


def options():
    p = argparse.ArgumentParser(prog="scripts/quality", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--models", default="smollm2-135m,gemma3-270m", help="comma-separated names or files (default smollm2-135m,gemma3-270m)")
    p.add_argument("--only", metavar="NAMES", default=",".join(TABLES), help="some tables, comma-separated, of: " + ", ".join(TABLES))
    p.add_argument("--limit", type=int, default=0, metavar="N", help="the first N texts of each set, for a trial; the page is then printed")
    p.add_argument("--no-fits", action="store_true", help="leave out the calibrations that the run would fit itself, which take long")
    p.add_argument("--keep", metavar="DIR", help="keep what was written there, and go on with what is there")
    p.add_argument("--out", metavar="FILE", help="where the page goes, - for standard output (default: docs/measurements/quality.md, or - with --limit or where tables are missing)")
    args = p.parse_args()
    args.only = args.only.split(",")
    unknown = sorted(set(args.only) - set(TABLES))
    if unknown:
        p.error(f"no table {', '.join(unknown)}")
    if args.limit < 0:
        p.error("--limit takes a positive number")
    return args


def measure(args, folder):
    data = Data(os.path.join(TOP, os.environ.get("DATA") or "../shared/data"), args.limit)
    data.check()
    program = Program(folder, args.limit, data.folder)
    name = program.path("results.json")
    kept = read_json(name) if os.path.exists(name) else {"tables": {}, "fitted": {}}
    run = tables.Run(program, data, args.models.split(","), not args.no_fits, kept["fitted"])
    for number, table in enumerate(args.only, 1):
        say(f"table {number} of {len(args.only)}: {table}")
        kept["tables"][table] = TABLES[table](run)
        write_json(name, kept)
    page = document.document(kept["tables"], kept["fitted"], metrics.SAMPLES, args.limit)
    whole = not args.limit and not args.no_fits and set(kept["tables"]) == set(TABLES)
    publish(page, args.out or (PAGE if whole else "-"))


def publish(page, out):
    if out == "-":
        print(page, end="")
        return
    os.makedirs(os.path.dirname(os.path.abspath(out)), exist_ok=True)
    with open(out, "w", encoding="utf-8") as f:
        f.write(page)
    say("wrote", os.path.relpath(out))


def main():
    args = options()
    try:
        if args.keep:
            measure(args, args.keep)
        else:
            with tempfile.TemporaryDirectory(prefix="emospan-quality-") as folder:
                measure(args, folder)
    except (Missing, Failed, OSError) as error:
        sys.exit(f"quality: {error}")
    except KeyboardInterrupt:
        sys.exit("quality: interrupted" + ("; the same command goes on from here" if args.keep else ""))


if __name__ == "__main__":
    main()
