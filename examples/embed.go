// Package examples holds the project's own texts for the program to measure with.
package examples

import _ "embed"

// Bench is bench.txt: 200 texts, one a line.
//
//go:embed bench.txt
var Bench string
