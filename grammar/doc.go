// Package grammar constrains the output of a language model to a grammar. Compile turns a
// grammar in GBNF, the notation of llama.cpp, into an automaton over bytes; NewConstraint
// joins it with the vocabulary of a tokenizer; a Matcher then follows one output, says
// with Mask which tokens may come next and with Forced which bytes must.
//
//	g, err := grammar.Compile(src)
//	c, err := grammar.NewConstraint(g, vocab)
//	m := c.NewMatcher()
//	for {
//		mask, err := m.Mask()
//		id := best(logits, mask)
//		err = m.AcceptToken(id)
//	}
//
// Rollback and Clone cost nothing, so a Matcher can follow drafts; Shortest ends an output
// that must not become longer.
//
// # Syntax
//
// A grammar is a list of rules, each ended by a line end or the end of the text:
//
//	name ::= expression
//
// A name is made of ASCII letters, digits and dashes. The rule root describes the whole
// output. If a name is defined twice, the last definition counts. The text is UTF-8.
//
//	"abc"        the text abc
//	[a-z_]       one code point, listed or in a range; - at either end stands for itself
//	[^a-z_]      one code point that is not listed
//	.            any one code point
//	name         what the rule of that name matches
//	<name>       the token with that text, angle brackets included
//	<[123]>      the token with that id
//	!<name>      any token but that one; also !<[123]>
//	(x)          x; line ends inside are blanks
//	x y          x, then y
//	x | y        x or y; either may be empty; line ends after | and ::= are blanks
//	x*           x, any number of times
//	x+           x, at least once
//	x?           x or nothing
//	x{m}         x, m times
//	x{m,}        x, at least m times
//	x{m,n}       x, m to n times
//	# comment    up to the end of the line
//
// A repetition applies to the one item before it: a whole literal, class, reference, token
// or group, or an item already repeated. An empty literal or class matches the empty
// string and cannot be repeated; an empty group can.
//
// Escapes, in literals and classes:
//
//	\xHH \uHHHH \UHHHHHHHH    the code point with that number (not a byte)
//	\n \r \t                  line feed, carriage return, tab
//	\\ \" \[ \] \-            the character itself
//
// # Tokens
//
// Literals and classes match the bytes of tokens, wherever tokens begin and end, also in
// the middle of a character. A token terminal such as <think> matches exactly one token as
// such: where a token begins, whatever its bytes are, and also if it has none. A negated
// terminal admits all others that do not end the generation, those without text included.
// Tokens that end the generation are allowed exactly where the output is complete, and
// match nothing else.
//
// # Differences from llama.cpp
//
// The language is that of llama.cpp, and so are the verdicts, but for what follows.
//
//   - An undefined rule, left recursion, also behind anything that matches the empty string,
//     or a missing root is always an error. A repetition of something that may be empty,
//     ("a" | "")*, is no left recursion.
//   - A class range whose end precedes its start, a class that matches nothing, {m,n} with
//     n < m, an escape beyond U+10FFFF, a surrogate in a literal, and invalid UTF-8 in the
//     grammar are errors.
//   - The bounds of {m,n} go up to 1,000,000,000; there m up to 2000, and a larger n is none.
//   - Only well-formed UTF-8 is matched: . and negated classes take no lone bytes, overlong
//     forms or surrogates, and a class that spans the surrogates not the start of one. No
//     output ends within a character. U+0000 is a code point like any other; there no token
//     that begins with it is allowed.
//   - The start of a character is allowed where some character that starts so is; there a
//     negated class refuses it if one that starts so is excluded.
//   - A token terminal is looked at only where a token begins, by the mask as by AcceptToken,
//     and matches a token that ends within a character too; the next text need not finish it.
//     One that names an end-of-generation token is an error of NewConstraint, as it could
//     match nothing.
//   - Control tokens are not text: the caller gives them no bytes, so that literals and
//     classes cannot spell them.
//
// # Frames
//
// A grammar that differs from output to output in a few places is compiled once as a Frame
// with holes, by CompileFrame; for each output a Filling says what the holes match, and
// Constraint.Fill joins the two without compiling anything. What has been found out about
// the frame is shared by all its fillings.
//
//	frame, err := grammar.CompileFrame(src, "quote")
//	c, err := grammar.NewConstraint(frame.Grammar(), vocab)
//	f := frame.NewFilling()
//	f.Hole("quote", f.Any(f.Literal("so glad", grammar.End), f.Literal("glad", grammar.End)))
//	filled, err := c.Fill(f)
//	m := filled.NewMatcher()
//
// # JSON Schema
//
// FromJSONSchema gives the GBNF of the JSON texts that a schema describes.
//
// # Limits
//
// A grammar text has at most 1 MiB, an expression 1000 levels, and a program, in which
// short repetitions are unrolled and others counted, 262,144 entries, as has a Filling.
// While matching, at most 16,384 calls of rules may be open (a call at the end of a rule
// does not count, so right recursion is free), at most 65,536 configurations reached at
// once, and a mask may take 33,554,432 of them. Going beyond is an error that says where,
// never a silent cut. A Constraint keeps about 32 MiB of states and 32 MiB of masks at
// most, and forgets the rest.
package grammar
