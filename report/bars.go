package report

import "html/template"

// bars is a bar chart that is a table: each row has a name, its numbers, and a bar in SVG, so the numbers are there to read and to
// copy, and the chart is as wide as there is room.
type bars struct {
	Title string
	Desc  string
	Of    string // what a row is
	Unit  string // what is counted
	Rows  []bar
	Total int
}

type bar struct {
	Name    string
	Class   string       // of the bar's colour
	Link    template.URL // the state of the filters that shows these records; "" for none
	Meaning string       // of the name, where it needs one
	Note    string       // a last line
	Count   int

	Part  string  // of the total
	Width float64 // in per cent of the widest
}

// laidOut fills in what follows from the counts.
func (b bars) laidOut() bars {
	most := 1
	for _, row := range b.Rows {
		most = max(most, row.Count)
	}
	for i := range b.Rows {
		row := &b.Rows[i]
		row.Width = round(100 * float64(row.Count) / float64(most))
		row.Part = percent(row.Count, b.Total)
	}
	return b
}
