package models

import (
	"fmt"
	"strings"
)

// CalibrationSuffix ends the name of a model's calibration (package tagger).
const CalibrationSuffix = ".calibration.json"

// CalibrationPath returns where the calibration of a model lies, whether or not
// there is one: in the store for a model of the store or of Ollama, else beside
// the model's file, as model.calibration.json beside model.gguf. It is an error for a model that lies in a larger file, and
// for one of Ollama's where there is no store.
func (s *Store) CalibrationPath(m Model) (string, error) {
	switch {
	case m.Part != nil:
		return "", fmt.Errorf("the model %s lies in %s, beside which there is no place for a calibration", m.Name, m.Path)
	case m.Entry == nil && m.Digest == "":
		return strings.TrimSuffix(m.Path, ".gguf") + CalibrationSuffix, nil
	case s.homeless != nil:
		return "", fmt.Errorf("no place for a calibration: %w", s.homeless)
	}
	return s.path(m.Name, CalibrationSuffix), nil
}
