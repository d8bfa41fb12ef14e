package export

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/emospan/emospan/dataset"
)

// Names of brat's files beside the documents.
const (
	bratConfig = "annotation.conf"
	bratIDs    = "documents.tsv"
)

// bratFolder is how many documents a folder has at most: brat lists a folder
// on one page.
const bratFolder = 1000

// brat writes brat's standoff format (https://brat.nlplab.org/standoff.html):
// for each record a document NNNNNN.txt with its text and NNNNNN.ann with its
// spans, in folders of a thousand. Offsets count code points. Attributes are
// brat's, confidence and target_text a note of the span. documents.tsv has the
// id of each document's record.
type brat struct {
	notes
	dir    *folder
	part   string // the folder of a split
	names  Names
	attrs  []string
	at     layout
	ids    *os.File
	count  int
	torn   int // spans over several lines
	broken int // spans of line breaks alone
	crs    int // texts with carriage returns
	ann    bytes.Buffer
}

// openBrat begins a split; part is empty where there is one part alone.
func openBrat(dir *folder, part string, o Options) (Writer, error) {
	b := &brat{dir: dir, part: part, names: o.Names}
	for _, v := range o.Taxonomy.Attributes() {
		b.attrs = append(b.attrs, v.Name)
	}
	var err error
	if b.ids, err = dir.create(path.Join(part, bratIDs)); err != nil {
		return nil, err
	}
	_, err = b.ids.WriteString("document\tsrc_id\n")
	return b, err
}

var bratFile = regexp.MustCompile(`^(\w+/)?(documents\.tsv|\d{3,}/\d{6,}\.(txt|ann))$`)

// bratOwns reports whether an export writes a file or folder of this name.
func bratOwns(name string, dir bool) bool {
	if dir {
		return strings.Count(name, "/") < 2
	}
	return bratFile.MatchString(name)
}

func (b *brat) Write(r *dataset.Record) error {
	if err := b.at.set(r); err != nil {
		return err
	}
	name := fmt.Sprintf("%03d/%06d", b.count/bratFolder, b.count)
	b.count++
	b.ann.Reset()
	attr := 0
	for i := range r.Data.Spans {
		s := &r.Data.Spans[i]
		places, words := fragments(r.Text, b.at.span(s))
		if len(places) == 0 {
			b.broken++
			continue
		}
		if len(places) > 1 {
			b.torn++
		}
		fmt.Fprintf(&b.ann, "T%d\t%s %s\t%s\n", i+1, bratName(b.names.of(s)), strings.Join(places, ";"), strings.Join(words, " "))
		for _, key := range b.attrs {
			attr++
			fmt.Fprintf(&b.ann, "A%d\t%s T%d %s\n", attr, key, i+1, bratName(*s.Attrs.Field(key)))
		}
		note := "confidence " + strconv.FormatFloat(s.Attrs.Confidence, 'f', -1, 64)
		if s.Attrs.TargetText != "" {
			note += "; target " + strings.Map(oneLine, s.Attrs.TargetText)
		}
		fmt.Fprintf(&b.ann, "#%d\tAnnotatorNotes T%d\t%s\n", i+1, i+1, note)
	}
	if strings.ContainsRune(r.Text, '\r') {
		b.crs++
	}
	id, err := appendID(nil, r.SrcID)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(b.ids, "%s\t%s\n", name, id)
	return errors.Join(err, b.write(name+".txt", []byte(r.Text)), b.write(name+".ann", b.ann.Bytes()))
}

// write writes a file of the split. A million of them are not synced one by one.
func (b *brat) write(name string, data []byte) error {
	file, err := b.dir.create(path.Join(b.part, name))
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	return errors.Join(err, file.Close())
}

// fragments are the parts of a span between line breaks, since an annotation
// is one line: offsets in code points and the words themselves.
func fragments(text string, at place) (places, words []string) {
	from := at.from
	rest := text[at.start:at.end]
	for rest != "" {
		end := strings.IndexFunc(rest, isLineBreak)
		if end < 0 {
			end = len(rest)
		}
		n := utf8.RuneCountInString(rest[:end])
		if n > 0 {
			places, words = append(places, fmt.Sprintf("%d %d", from, from+n)), append(words, rest[:end])
		}
		from, rest = from+n, rest[end:]
		if rest != "" {
			_, size := utf8.DecodeRuneInString(rest)
			from, rest = from+1, rest[size:]
		}
	}
	return places, words
}

// isLineBreak reports whether Python's str.splitlines, by which brat reads its
// annotations, ends a line here.
func isLineBreak(r rune) bool {
	return r >= '\n' && r <= '\r' || r >= 0x1c && r <= 0x1e || r == 0x85 || r == 0x2028 || r == 0x2029
}

// oneLine replaces what would end a line or a column.
func oneLine(r rune) rune {
	if isLineBreak(r) || r == '\t' {
		return ' '
	}
	return r
}

// bratName is a name as brat's configuration and annotations take one: without
// white space and what has a meaning there.
func bratName(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_' {
			return r
		}
		return '_'
	}, name)
}

// bratConfiguration is annotation.conf: the spans' names and their attributes.
func bratConfiguration(o Options) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("[entities]\n")
	for _, name := range o.Names.all(o.Taxonomy) {
		fmt.Fprintln(&b, bratName(name))
	}
	b.WriteString("[relations]\n[events]\n[attributes]\n")
	for _, v := range o.Taxonomy.Attributes() {
		var values []string
		for _, value := range v.Values {
			values = append(values, bratName(value))
		}
		fmt.Fprintf(&b, "%s Arg:<ENTITY>, Value:%s\n", v.Name, strings.Join(values, "|"))
	}
	return b.Bytes(), nil
}

func (b *brat) Close() error {
	if b.torn > 0 {
		b.notes = append(b.notes, counted(b.torn, "span")+" over a line break, written as several fragments")
	}
	if b.broken > 0 {
		b.notes = append(b.notes, counted(b.broken, "span")+" of line breaks alone, left out")
	}
	if b.crs > 0 {
		b.notes = append(b.notes, counted(b.crs, "text")+" with carriage returns: a reader that turns \\r\\n into \\n shifts what follows; "+
			`in Python, open(path, newline="") keeps them`)
	}
	return b.ids.Close()
}
