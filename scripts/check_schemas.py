#!/usr/bin/env python3
"""Reads what TestSchemaFolder found out about a folder of schemas, validates the random texts of the grammars with another validator
(jsonschema-rs, formats included) and prints a table: check_schemas.py REPORT. Exits 1 where a grammar has a text or a value that its schema
does not allow.
"""
import json
import re
import sys
from collections import Counter
from decimal import Decimal

import jsonschema_rs

COLUMNS = [
    ("folder", "folder"), ("schemas", "schemas"), ("compiled", "compiled"), ("coverage", "%"), ("refused", "refused"), ("failed", "too large"),
    ("texts", "texts"), ("bad_texts", "invalid"), ("invalid", "invalid values"), ("unsound", "accepted"), ("valid", "valid values"),
    ("accepted", "accepted"),
]
SHOWN = 20  # faults, and reasons of refusals


def faults_of(finding, counts):
    """The texts and values that the grammar should not have, each as a line."""
    for value in finding["Unsound"] or []:
        counts["unsound"] += 1
        yield f"{finding['file']}: an invalid value is accepted: {value}"
    try:
        validator = jsonschema_rs.validator_for(finding["schema"], validate_formats=True)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        counts["unread"] += 1
        print(f"{finding['file']}: not validated, as the validator does not take the schema: {str(error).splitlines()[0]}", file=sys.stderr)
        return
    for text in finding["Texts"] or []:
        counts["texts"] += 1
        value = json.loads(text, parse_float=Decimal)
        if not validator.is_valid(value):
            counts["bad_texts"] += 1
            reason = str(next(validator.iter_errors(value))).splitlines()[0]
            yield f"{finding['file']}: {text[:300]}: {reason[:300]}"


def kind_of(finding):
    """The keyword and the reason of a refusal, without what is the schema's own."""
    reason = re.sub(r"`[^`]*`|#/\S*|\b\d+\b", "…", finding["refused"]).split(": ")
    keyword = finding.get("at", "")
    return f"{keyword if not keyword.isdigit() else 'branch'}: {': '.join(reason[:2])}"[:150]


def main():
    folders, refusals, faults, unread = {}, Counter(), [], 0
    with open(sys.argv[1], encoding="utf-8") as report:
        for line in report:
            finding = json.loads(line)
            folder = finding["file"].split("/")[0] if "/" in finding["file"] else "."
            counts = folders.setdefault(folder, Counter())
            counts["schemas"] += 1
            if "refused" in finding:
                counts["refused"] += 1
                refusals[kind_of(finding)] += 1
            elif "failed" in finding:
                counts["failed"] += 1
            else:
                counts["compiled"] += 1
                counts.update(invalid=finding["Invalid"], valid=finding["Valid"], accepted=finding["Accepted"])
                faults += faults_of(finding, counts)
                unread += counts.pop("unread", 0)
    if len(folders) > 1:
        total = Counter()
        for counts in folders.values():
            total.update(counts)
        folders["all"] = total
    rows = [[title for _, title in COLUMNS]]
    for folder, counts in folders.items():
        share = f"{100 * counts['compiled'] / counts['schemas']:.1f}"
        rows.append([{"folder": folder, "coverage": share}.get(key, str(counts[key])) for key, _ in COLUMNS])
    widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS))]
    for row in rows:
        print("  ".join(cell.ljust(widths[i]) if i == 0 else cell.rjust(widths[i]) for i, cell in enumerate(row)))
    for kind, number in refusals.most_common(SHOWN):
        print(f"{number:6}  {kind}")
    for fault in faults[:SHOWN]:
        print(fault, file=sys.stderr)
    if unread:
        print(f"schemas whose texts were not validated: {unread}", file=sys.stderr)
    if faults:
        sys.exit(f"test-schemas: {len(faults)} texts and values are accepted that are not valid")


if __name__ == "__main__":
    main()
