"""check_tables.py {pandas|polars|duckdb} RECORDS RECORDS.csv SPANS.csv RECORDS.parquet: reads the tables as docs/export.md says."""
import sys

from serving import Faults, close, read_lines, spans_of

reader, records, paths = sys.argv[1], read_lines(sys.argv[2]), sys.argv[3:]
if reader == "pandas":
    import pandas

    def table(path):
        frame = pandas.read_csv(path, dtype={"src_id": str}, keep_default_na=False)
        text = frame.select_dtypes(include=["object", "string"]).columns
        frame[text] = frame[text].apply(lambda column: column.str.removeprefix("'"))
        return frame.to_dict("records")

    def parquet(path):
        return pandas.read_parquet(path)[["src_id", "text"]].to_dict("records")
elif reader == "polars":
    import polars

    def table(path):
        frame = polars.read_csv(path, schema_overrides={"src_id": polars.String}, empty_string_is_null=False)
        return frame.with_columns(polars.col(polars.String).str.strip_prefix("'")).to_dicts()

    def parquet(path):
        return polars.read_parquet(path).select("src_id", "text").to_dicts()
else:
    import duckdb

    def rows(query, path):
        answer = duckdb.execute(query, [path])
        return [dict(zip((c[0] for c in answer.description), row)) for row in answer.fetchall()]

    def table(path):
        found = rows("SELECT * FROM read_csv(?, header = true, types = {'src_id': 'VARCHAR'})", path)
        return [{k: "" if v is None else v.removeprefix("'") if isinstance(v, str) else v for k, v in row.items()} for row in found]

    def parquet(path):
        return rows("SELECT src_id, text FROM read_parquet(?)", path)

faults = Faults()
got = table(paths[0])
faults.equal("rows", len(got), len(records))
for row, record in zip(got, records):
    want = {"src_id": record["src_id"], "text": record["text"], "predictions": ";".join(record["predictions"]), "spans": len(record["data"]["spans"])}
    faults.equal(record["src_id"], {key: row[key] for key in want}, want)
spans = iter(table(paths[1]))
count = 0
for record in records:
    for span, (start, end, name) in zip(record["data"]["spans"], spans_of(record, "emotion")):
        row = next(spans)
        count += 1
        faults.equal(f"{record['src_id']}: span", row["record_text"][row["char_start"]:row["char_end"]], span["text"])
        want = {"src_id": record["src_id"], "subtype": name, "text": span["text"], "confidence": span["attrs"]["confidence"],
                "intensity": span["attrs"]["intensity"], "target_text": span["attrs"]["target_text"]}
        faults.equal(f"{record['src_id']}: span", {key: row[key] for key in want}, want)
faults.equal("rows left", list(spans), [])
faults.equal("parquet", parquet(paths[2]), [{"src_id": r["src_id"], "text": r["text"]} for r in records])
close(faults, len(got), count)
