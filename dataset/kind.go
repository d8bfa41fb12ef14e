package dataset

import "github.com/go-json-experiment/json/jsontext"

// KindName says for a message what a JSON value of this kind is; other stands for what is no value.
func KindName(kind jsontext.Kind, other string) string {
	switch kind {
	case 'n':
		return "null"
	case 't', 'f':
		return "a boolean"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case '{':
		return "an object"
	case '[':
		return "an array"
	}
	return other
}
