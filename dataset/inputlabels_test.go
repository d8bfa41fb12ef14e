package dataset

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

// TestGoEmotionsOrder holds the built-in order against the ids that GoEmotions' files have.
func TestGoEmotionsOrder(t *testing.T) {
	want := strings.Fields(`admiration amusement anger annoyance approval caring confusion curiosity desire disappointment
		disapproval disgust embarrassment excitement fear gratitude grief joy love nervousness optimism pride realization
		relief remorse sadness surprise neutral`)
	var got []string
	for _, e := range Default().Emotions() {
		got = append(got, e.Name)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestLabels(t *testing.T) {
	tests := []struct {
		name, format, input, field string
		want                       []string // nil where the row is bad
		code, message              string
	}{
		{name: "names", format: "jsonl", input: `{"text":"a","labels":["joy","Happiness","MAD"]}`, want: []string{"joy", "anger"}},
		{name: "numbers", format: "jsonl", input: `{"text":"a","labels":[17,0]}`, want: []string{"joy", "admiration"}},
		{name: "one string", format: "jsonl", input: `{"text":"a","labels":"joy, let-down,"}`, want: []string{"joy", "disappointment"}},
		{name: "one number", format: "jsonl", input: `{"text":"a","labels":27}`, want: []string{"neutral"}},
		{name: "none", format: "jsonl", input: `{"text":"a","labels":[]}`, want: []string{}},
		{name: "no field", format: "jsonl", input: `{"text":"a"}`, want: []string{}},
		{name: "predictions", format: "jsonl", input: `{"text":"a","predictions":["fear"]}`, want: []string{"fear"}},
		{name: "labels before predictions", format: "jsonl", input: `{"text":"a","predictions":["foo"],"labels":["joy"]}`, want: []string{"joy"}},
		{name: "and behind them", format: "jsonl", input: `{"text":"a","labels":["joy"],"predictions":["foo"]}`, want: []string{"joy"}},
		{name: "null and predictions", format: "jsonl", input: `{"text":"a","labels":null,"predictions":["joy"]}`, want: []string{"joy"}},
		{name: "predictions on request", format: "jsonl", field: "predictions", input: `{"text":"a","labels":["fear"],"predictions":["joy"]}`, want: []string{"joy"}},
		{name: "an unknown name", format: "jsonl", input: `{"id":"i","text":"a","labels":["joy","hunger"]}`, code: CodeInputUnknownLabel,
			message: `in:1: want an emotion of the taxonomy goemotions or a number below 28, found "hunger" at /labels`},
		{name: "a number too high", format: "jsonl", input: `{"text":"a","labels":[28]}`, code: CodeInputUnknownLabel, message: `found "28"`},
		{name: "a number that is none", format: "jsonl", input: `{"text":"a","labels":[1.5]}`, code: CodeInputUnknownLabel, message: `found "1.5"`},
		{name: "an object", format: "jsonl", input: `{"text":"a","labels":{"joy":1}}`, code: CodeInputType, message: "want an array of names, found an object at /labels"},
		{name: "an object in it", format: "jsonl", input: `{"text":"a","labels":["joy",{}]}`, code: CodeInputType, message: "want a name, found an object at /labels/1"},
		{name: "twice", format: "jsonl", input: `{"text":"a","labels":[],"labels":[]}`, code: CodeInputRepeated, message: "at /labels"},
		{name: "a long name", format: "jsonl", input: `{"text":"a","labels":["` + strings.Repeat("é", 99) + `"]}`, code: CodeInputUnknownLabel, message: `found "` + strings.Repeat("é", 20) + `…"`},

		{name: "a column", format: "csv", input: "text,labels\na,\"joy, fear\"\n", want: []string{"joy", "fear"}},
		{name: "a column of Python lists", format: "csv", input: "text,labels\na,\"['joy', 'fear']\"\n", want: []string{"joy", "fear"}},
		{name: "a column of JSON arrays", format: "csv", input: "text,labels\na,\"[\"\"joy\"\", 14]\"\n", want: []string{"joy", "fear"}},
		{name: "an empty cell", format: "csv", input: "text,labels\na,\n", want: []string{}},
		{name: "a column of predictions", format: "tsv", input: "text\tpredictions\na\tjoy\n", want: []string{"joy"}},
		{name: "an unknown name in a column", format: "csv", input: "text,gold\na,hunger\n", field: "gold", code: CodeInputUnknownLabel, message: `in:2: want`},

		{name: "GoEmotions", format: "goemotions", input: "a\t4,27\tx\n", want: []string{"approval", "neutral"}},
		{name: "GoEmotions, out of range", format: "goemotions", input: "a\t4,28\tx\n", code: CodeInputUnknownLabel, message: `in:1: want an emotion of the taxonomy goemotions or a number below 28, found "28" at /labels`},
		{name: "GoEmotions, far out of range", format: "goemotions", input: "a\t99999999999999999999\tx\n", code: CodeInputUnknownLabel, message: `"99999999999999999999"`},
		{name: "text", format: "txt", input: "a\n", want: []string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			opts := ReaderOptions{Format: Format(tt.format), LabelsField: tt.field, Labels: Default()}
			r, err := NewReader(strings.NewReader(tt.input), "in", opts)
			if err != nil {
				t.Fatal(err)
			}
			in, err := r.Next()
			var bad *LineError
			switch {
			case tt.want != nil:
				if err != nil || strings.Join(in.Labels, " ") != strings.Join(tt.want, " ") {
					t.Errorf("got %q, %v", in.Labels, err)
				}
			case !errors.As(err, &bad) || bad.Reason.Code != tt.code || !strings.Contains(err.Error(), tt.message):
				t.Errorf("got %q, %v, want %s: %s", in.Labels, err, tt.code, tt.message)
			}
			opts.Labels = nil
			r, err = NewReader(strings.NewReader(tt.input), "in", opts)
			if err != nil {
				t.Fatal(err)
			}
			if in, err := r.Next(); err != nil || in.Labels != nil {
				t.Errorf("without being asked for: %q, %v", in.Labels, err)
			}
		})
	}
}

func TestGenerated(t *testing.T) {
	for _, tt := range []struct {
		format, input string
		want          bool
	}{
		{"jsonl", `{"text":"a","model":"m","provider":"p","predictions":["joy"]}`, true},
		{"jsonl", `{"text":"a","provider":"p"}`, true},
		{"jsonl", `{"predictions":[],"text":"a","model":"m"}`, true},
		{"jsonl", `{"text":"a","model":"m"}`, false},
		{"jsonl", `{"text":"a","provider":"","model":"","predictions":["joy"]}`, false},
		{"jsonl", `{"text":"a","provider":null,"model":7,"predictions":["joy"]}`, false},
		{"jsonl", `{"text":"a","labels":["joy"]}`, false},
		{"csv", "text,provider\na,p\n", true},
		{"csv", "text,provider\na,\n", false},
		{"csv", "text,model,predictions\na,m,joy\n", true},
		{"csv", "text,model\na,m\n", false},
		{"txt", "provider\n", false},
	} {
		r, err := NewReader(strings.NewReader(tt.input), "in", ReaderOptions{Format: Format(tt.format)})
		if err != nil {
			t.Fatal(err)
		}
		if in, err := r.Next(); err != nil || in.Generated != tt.want {
			t.Errorf("%s: %v, %v", tt.input, in.Generated, err)
		}
	}
}
