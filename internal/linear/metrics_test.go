package linear

import (
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func near(t *testing.T, name string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s is %v, want %v", name, got, want)
	}
}

// sklearn.metrics.f1_score(t, p, labels=range(5), average="macro", zero_division=0), where i = np.arange(200),
// p = (i*3)%4 and t = (i*5+i//7)%4.
func TestMacroF1(t *testing.T) {
	var truth, predicted []int
	for i := range 200 {
		predicted = append(predicted, i*3%4)
		truth = append(truth, (i*5+i/7)%4)
	}
	near(t, "macro-F1", MacroF1(truth, predicted, 5), 0.19992901928309476, 1e-12)
	near(t, "macro-F1 of none", MacroF1([]int{0, 1}, []int{-1, -1}, 2), 0, 0)
	near(t, "macro-F1 of all", MacroF1([]int{0, 1}, []int{0, 1}, 2), 1, 0)
	near(t, "macro-F1 of no rows", MacroF1(nil, nil, 2), 0, 0)
}

// sklearn.metrics.f1_score(t, p, average="macro", zero_division=0) of t[i, c] = (i*(c+2))%3 == 0 and
// p[i, c] = (i*(c+1)+i//7)%4 == 0 of 50 rows and 5 classes, column 3 of both 0.
func TestMacroF1Sets(t *testing.T) {
	truth, predicted := make([][]int, 50), make([][]int, 50)
	for i := range 50 {
		for _, c := range []int{0, 1, 2, 4} {
			if i*(c+2)%3 == 0 {
				truth[i] = append(truth[i], c)
			}
			if (i*(c+1)+i/7)%4 == 0 {
				predicted[i] = append(predicted[i], c)
			}
		}
	}
	near(t, "macro-F1", MacroF1Sets(truth, predicted, 5), 0.30682382133995034, 1e-12)
}

// Two bins: confidences of 0.2 and 0.4 with one right of two, and 0.5, 0.9 and 1 with all right.
func TestCalibrationError(t *testing.T) {
	got := CalibrationError([]float64{0.2, 0.9, 0.4, 1, 0.5}, []bool{true, true, false, true, true}, 2)
	near(t, "calibration error", got, (2*math.Abs(0.5-0.3)+3*math.Abs(1-0.8))/5, 1e-12)
	near(t, "calibration error of nothing", CalibrationError(nil, nil, 10), 0, 0)
	near(t, "beyond the ends", CalibrationError([]float64{-1, 2}, []bool{false, true}, 3), 1, 1e-12)
}

func TestFolds(t *testing.T) {
	groups := make([]int, 1000)
	for i := range groups {
		groups[i] = i % 90 * (i % 3) // group 0 is large
	}
	folds := Folds(1000, 5, groups, 7)
	of := map[int]int{}
	sizes := make([]int, 5)
	for i, f := range folds {
		if known, ok := of[groups[i]]; ok && known != f {
			t.Fatalf("group %d is in folds %d and %d", groups[i], known, f)
		}
		of[groups[i]] = f
		sizes[f]++
	}
	if most := slices.Max(sizes[:]); slices.Min(sizes) < 150 || most > slices.Max([]int{count(groups, 0), 200}) {
		t.Errorf("folds of %v rows", sizes)
	}
	if !reflect.DeepEqual(folds, Folds(1000, 5, groups, 7)) {
		t.Error("the same seed gives other folds")
	}
	if reflect.DeepEqual(folds, Folds(1000, 5, groups, 8)) {
		t.Error("another seed gives the same folds")
	}
	single := Folds(10, 3, nil, 1)
	slices.Sort(single)
	if want := []int{0, 0, 0, 0, 1, 1, 1, 2, 2, 2}; !reflect.DeepEqual(single, want) {
		t.Errorf("folds of single rows %v", single)
	}
}

func count(all []int, v int) (n int) {
	for _, a := range all {
		if a == v {
			n++
		}
	}
	return n
}

// formulaScores are the columns of formulaData.
func formulaScores() [][]float64 {
	d, _, _ := formulaData()
	scores := make([][]float64, len(d.Dense))
	for i, row := range d.Dense {
		scores[i] = float64s(row)
	}
	return scores
}

// scipy.optimize.minimize_scalar of (logsumexp(X/T, axis=1) - (X/T)[i, label]).mean(), where label is i%6 for each third row and
// otherwise the highest column.
func TestFitTemperature(t *testing.T) {
	scores := formulaScores()
	labels := make([]int, len(scores))
	for i, row := range scores {
		labels[i] = i % 6
		if i%3 > 0 {
			labels[i] = slices.Index(row, slices.Max(row))
		}
	}
	near(t, "temperature", FitTemperature(scores, labels), 3.3895403, 1e-6)
	near(t, "temperature where all is right", FitTemperature([][]float64{{1, 0}, {0, 3}}, []int{0, 1}), 1e-3, 0)
	near(t, "temperature where all is wrong", FitTemperature([][]float64{{1, 0}, {0, 3}}, []int{1, 0}), 1e3, 0)
	near(t, "temperature of nothing", FitTemperature([][]float64{{math.NaN(), 0}, {1, 1}}, []int{0, 1}), 1, 0)
}

func TestChoose(t *testing.T) {
	nan := math.NaN()
	for _, test := range []struct {
		name       string
		scores     []float64
		thresholds []float64
		neutral    int
		most       int
		want       []int
	}{
		{"strongest first", []float64{1, 3, 0}, []float64{0.5, 1, 1}, 2, 0, []int{1, 0}},
		{"at most", []float64{1, 3, 0}, []float64{0.5, 1, 1}, 2, 1, []int{1}},
		{"relative to the threshold", []float64{5, 3}, []float64{4.5, 1}, -1, 1, []int{1}},
		{"reaching is enough", []float64{1, 0}, []float64{1, 1}, -1, 0, []int{0}},
		{"neutral beside another", []float64{1, 9}, []float64{1, 1}, 1, 0, []int{0}},
		{"neutral alone", []float64{0, 9}, []float64{1, 1}, 1, 0, []int{1}},
		{"neutral is nearest", []float64{-2, 0}, []float64{1, 1}, 1, 0, []int{1}},
		{"another is nearest", []float64{0, -2}, []float64{1, 1}, 1, 0, []int{0}},
		{"ties", []float64{1, 1, 1}, []float64{0, 0, 0}, -1, 2, []int{0, 1}},
		{"NaN", []float64{nan, 0, 2}, []float64{0, 1, 1}, -1, 0, []int{2}},
		{"only NaN", []float64{nan, nan}, []float64{0, 1}, -1, 0, []int{0}},
		{"no class", nil, nil, 0, 0, nil},
	} {
		if got := Choose(test.scores, test.thresholds, test.neutral, test.most); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func TestThresholds(t *testing.T) {
	// With as many labels a text as the best thresholds give, these are the thresholds: class 0 divides at 2.5, class 1 at 0.25.
	scores := [][]float64{{4, 1, 0}, {3, -1, 0}, {2, 0.5, 0}, {1, 0, 3}}
	truth := [][]int{{0, 1}, {0}, {1}, {2}}
	if got, want := Thresholds(scores, truth, 2, 1.25), []float64{2.5, 0.25, 1.5}; !nearAll(got, want, 0.5) {
		t.Errorf("thresholds %v, want about %v", got, want)
	} else if got[0]-got[1] != 2.25 || got[2]-got[0] != -1 {
		t.Errorf("thresholds %v, want those of %v with a common shift", got, want)
	}
	// The mean number of labels is the wanted one, as near as ties of a grid of scores allow.
	all := formulaScores()
	sets := make([][]int, len(all))
	for i := range sets {
		sets[i] = []int{i % 6, (i + 1) % 6}[:1+i%2]
	}
	for _, perText := range []float64{0, 1, 1.17, 2, 3.5, 5, 9} {
		thresholds := Thresholds(all, sets, 5, perText)
		labels := 0
		for _, row := range all {
			labels += len(Choose(row, thresholds, 5, 0))
		}
		near(t, "labels a text", float64(labels)/200, min(max(perText, 1), 5), 0.0051)
	}
	for c, threshold := range Thresholds([][]float64{{1, 5, math.NaN()}, {2, 6, math.NaN()}}, [][]int{{0}, nil}, -1, 1) {
		if !finite(threshold) {
			t.Errorf("class %d: threshold %v", c, threshold)
		}
	}
	if got := Thresholds(nil, nil, 0, 1); got != nil {
		t.Errorf("thresholds of no rows %v", got)
	}
}

func nearAll(got, want []float64, tolerance float64) bool {
	return slices.EqualFunc(got, want, func(a, b float64) bool { return math.Abs(a-b) <= tolerance })
}

func TestPack(t *testing.T) {
	w := [][]float32{{1, -0.5, 0.001, 0}, {0, 0, 0, 0}, {math.MaxFloat32, -math.MaxFloat32, 1, 0}, {1e-45, 0, -1e-45, 0}}
	text, err := json.Marshal(Pack(w))
	if err != nil {
		t.Fatal(err)
	}
	var p Packed
	if err := json.Unmarshal(text, &p); err != nil {
		t.Fatal(err)
	}
	got, err := p.Unpack()
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range w {
		largest := float64(slices.Max(row))
		for j, v := range row {
			if math.Abs(float64(got[i][j])-float64(v)) > largest/250 && v > 1e-40 {
				t.Errorf("number %d of row %d is %v, was %v", j, i, got[i][j], v)
			}
		}
	}
	if again := Pack(got[:2]); !reflect.DeepEqual(again.Values, Pack(w[:2]).Values) {
		t.Error("packing what was packed changes it")
	}
	for _, w := range [][][]float32{{}, {{}, {}}} {
		if got, err := Pack(w).Unpack(); err != nil || len(got) != len(w) {
			t.Errorf("%v becomes %v, %v", w, got, err)
		}
	}
	for _, w := range [][][]float32{{{1}, {1, 2}}, {{float32(math.NaN())}}, {{float32(math.Inf(-1))}}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%v is packed", w)
				}
			}()
			Pack(w)
		}()
	}
}

func TestUnpackErrors(t *testing.T) {
	for text, want := range map[string]string{
		`{"scales":[],"values":"AAAA"}`:      "3 values without a scale",
		`{"values":"AAAA"}`:                  "3 values without a scale",
		`{"scales":[1,1],"values":"AAAA"}`:   "3 values in 2 rows",
		`{"scales":[-1],"values":"AAAA"}`:    "the scale of row 0 is -1",
		`{"scales":[3e38],"values":"AAAA"}`:  "the scale of row 0 is 3e+38",
		`{"scales":[1],"values":"AICA"}`:     "-128",
		`{"scales":[1e39],"values":"AAAA"}`:  "float32",
		`{"scales":[1],"values":"A"}`:        "base64",
		`{"scales":[null,1],"values":"///"}`: "base64",
	} {
		var p Packed
		err := json.Unmarshal([]byte(text), &p)
		if err == nil {
			_, err = p.Unpack()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	if _, err := (Packed{Scales: []float32{float32(math.NaN())}}).Unpack(); err == nil {
		t.Error("a scale of NaN is accepted")
	}
}
