package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

// reportLayout is the layout of the reports that this version writes and reads.
const reportLayout = 1

// maxReport bounds a report's file, in bytes.
const maxReport = 16 << 20

var reportFormats = []string{"md", "csv", "json", "jsonl"}

// benchReport is what `bench` measured.
type benchReport struct {
	Layout int `json:"bench"`
	benchSetup
	Speeds       []benchSpeed       `json:"speeds"`
	Runs         []benchRun         `json:"runs"`
	Tuning       []benchRun         `json:"tuning,omitempty"` // what was tried in other sizes than the runs'
	WeightSpeeds map[string]float64 `json:"weight_speeds"`    // 10^9 multiply-adds a second of one thread, by the tensor type
	Formats      []formatReport     `json:"formats"`          // the model in other weight formats, estimated from these
	Hint         string             `json:"hint,omitempty"`
}

// benchSetup is what was measured, and on what.
type benchSetup struct {
	Emospan        string    `json:"emospan"`
	LlamaCPP       string    `json:"llama_cpp"`
	CPU            string    `json:"cpu"`
	CPUVariant     string    `json:"cpu_variant"`
	Device         string    `json:"device"`
	GPULayers      int       `json:"gpu_layers,omitempty"` // of the model that were on it in the first measurement, the output head counted as one
	Threads        int       `json:"threads"`
	Model          string    `json:"model"`
	ModelSHA256    string    `json:"model_sha256"`
	ModelSize      int64     `json:"model_size"` // bytes
	Parameters     int64     `json:"parameters"`
	Quantisation   string    `json:"quantisation"`
	FlashAttention string    `json:"flash_attention"` // off, on or auto, as llama-bench's -fa
	Prompt         string    `json:"prompt"`
	PromptSHA256   string    `json:"prompt_sha256"`
	Texts          int       `json:"texts"`
	TextsSHA256    string    `json:"texts_sha256"`
	Started        time.Time `json:"started"`
	LoadAverage    *float64  `json:"load_average,omitempty"` // of the minute before
}

// promptSpeed is the rate of promptTest, 0 where it was not measured.
func (r *benchReport) promptSpeed() float64 {
	for _, s := range r.Speeds {
		if s.Test == promptTest {
			return s.TokensPerSecond
		}
	}
	return 0
}

// noise warns of figures that say more about other programs than about the model, "" where there are none.
func (r *benchReport) noise() string {
	noisy, all, most := 0, 0, 0.0
	add := func(l *machineLoad) {
		all++
		if l.Noisy {
			noisy++
			most = max(most, l.lost())
		}
	}
	for i := range r.Speeds {
		add(&r.Speeds[i].machineLoad)
	}
	for _, runs := range [][]benchRun{r.Runs, r.Tuning} {
		for i := range runs {
			add(&runs[i].machineLoad)
		}
	}
	if noisy == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %s are noise: for up to %s of the time that a CPU was wanted other programs had it; measure again on a machine that does nothing else", noisy, plural(all, "measurement"), percent(most))
}

// writeReport writes the report where the options say, in their format.
func writeReport(stdout io.Writer, o benchOptions, r *benchReport) error {
	var out bytes.Buffer
	var err error
	switch o.format {
	case "json":
		err = printJSON(&out, r)
	case "jsonl":
		err = writeJSONLines(&out, r.rows())
	case "csv":
		err = writeCSV(&out, r.rows())
	default:
		r.writeMarkdown(&out)
	}
	if err != nil {
		return err
	}
	return writeOutput(stdout, o, out.Bytes())
}

// writeOutput writes data to --out, and leaves no file behind that holds only a part of it.
func writeOutput(stdout io.Writer, o benchOptions, data []byte) error {
	if o.out == "-" {
		_, err := stdout.Write(data)
		return err
	}
	f, err := os.OpenFile(o.out, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return fmt.Errorf("%w; name another file", err)
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err == nil {
		return nil
	}
	if info, serr := os.Lstat(o.out); serr == nil && info.Mode().IsRegular() {
		os.Remove(o.out)
	}
	return fmt.Errorf("%w; make room or name another file", err)
}

// rows are the measurements, each with the setup before it: for formats of one kind of line.
func (r *benchReport) rows() []any {
	var rows []any
	for _, s := range r.Speeds {
		rows = append(rows, struct {
			benchSetup
			benchSpeed
		}{r.benchSetup, s})
	}
	for _, run := range slices.Concat(r.Runs, r.Tuning) {
		rows = append(rows, struct {
			benchSetup
			benchRun
		}{r.benchSetup, run})
	}
	return rows
}

func writeJSONLines(w io.Writer, rows []any) error {
	for _, row := range rows {
		if err := printJSONLine(w, row); err != nil {
			return err
		}
	}
	return nil
}

// writeCSV writes a column for each name that any row has in JSON, in the order in which they come.
func writeCSV(w io.Writer, rows []any) error {
	var columns []string
	at := map[string]int{}
	var lines [][]string
	for _, row := range rows {
		text, err := json.Marshal(row)
		if err != nil {
			return err
		}
		var line []string
		d := json.NewDecoder(bytes.NewReader(text))
		for d.Token(); d.More(); {
			name, err := d.Token()
			if err != nil {
				return err
			}
			var value json.RawMessage
			if err := d.Decode(&value); err != nil {
				return err
			}
			cell := string(value)
			if value[0] == '"' {
				if err := json.Unmarshal(value, &cell); err != nil {
					return err
				}
			}
			i, known := at[name.(string)]
			if !known {
				i = len(columns)
				at[name.(string)] = i
				columns = append(columns, name.(string))
			}
			for len(line) <= i {
				line = append(line, "")
			}
			line[i] = cell
		}
		lines = append(lines, line)
	}
	c := csv.NewWriter(w)
	c.Write(columns)
	for _, line := range lines {
		c.Write(append(line, make([]string, len(columns)-len(line))...))
	}
	c.Flush()
	return c.Error()
}

// readReport reads a report in JSON.
func readReport(path string) (*benchReport, error) {
	if err := checkInput(path); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxReport))
	if err != nil {
		return nil, fmt.Errorf("%w; name a report of emospan bench", err)
	}
	r := new(benchReport)
	err = json.Unmarshal(text, r)
	switch {
	case err == nil && r.Layout > reportLayout:
		return nil, fmt.Errorf("%s is a report of a newer emospan; compare it with that", path)
	case err != nil || r.Layout != reportLayout:
		return nil, fmt.Errorf("%s is no report of emospan bench in JSON; make one with emospan bench -o NAME.json", path)
	}
	return r, nil
}
