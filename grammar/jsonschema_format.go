package grammar

import "sync"

// sharedGrammar has the rules that a schema's grammar takes in where it needs them. A date
// is RFC 3339's full-date from the year 1 on, which is the first of many programs, with the
// right number of days in each month. A host is RFC 1123's
// with at most 5 labels of 25 letters and digits, so that it keeps to 253 characters, and
// no two hyphens together, which would be an encoding; a mailbox is RFC 5321's without
// quotes and with a domain of two labels or more, as validators want it, and so is a URL; a
// URI is RFC 3986's without a user and with a host that is not empty.
const sharedGrammar = `
string ::= "\"" char* "\""
char ::= [^"\\\x00-\x1F] | "\\" ["\\bfnrt] | "\\u00" ("0" [0-7bef] | "1" [0-9a-f])
escape ::= "\\" ["\\bfnrt] | "\\u00" ("0" [0-7bef] | "1" [0-9a-f])
boolean ::= "true" | "false"
any ::= any-object | any-array | string | number | boolean | "null"
any-object ::= "{" (any-member ("," any-member)*)? "}"
any-member ::= string ":" any
any-array ::= "[" (any ("," any)*)? "]"
date ::= year "-" month-day | leap-year "-02-29"
year ::= "000" [1-9] | "00" [1-9] [0-9] | "0" [1-9] [0-9]{2} | [1-9] [0-9]{3}
leap-year ::= [0-9]{2} ("0" [48] | [2468] [048] | [13579] [26]) | ("0" [48] | [2468] [048] | [13579] [26]) "00"
month-day ::= ("0" [13578] | "1" [02]) "-" (day-28 | "29" | "3" [01]) | ("0" [469] | "11") "-" (day-28 | "29" | "30") | "02-" day-28
day-28 ::= "0" [1-9] | "1" [0-9] | "2" [0-8]
time ::= clock ":" [0-5] [0-9] ("." [0-9]{1,18})? ([Zz] | [+\-] clock)
clock ::= ([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9]
date-time ::= date [Tt] time
duration ::= "P" (duration-date ("T" duration-time)? | "T" duration-time | [0-9]+ "W")
duration-date ::= [0-9]+ ("Y" ([0-9]+ "M" ([0-9]+ "D")?)? | "M" ([0-9]+ "D")? | "D")
duration-time ::= [0-9]+ ("H" ([0-9]+ "M" ([0-9]+ "S")?)? | "M" ([0-9]+ "S")? | "S")
uuid ::= hex{8} "-" hex{4} "-" hex{4} "-" hex{4} "-" hex{12}
hex ::= [0-9a-fA-F]
ipv4 ::= octet "." octet "." octet "." octet
octet ::= [0-9] | [1-9] [0-9] | "1" [0-9]{2} | "2" ([0-4] [0-9] | "5" [0-5])
ipv6 ::= (group ":"){6} ipv6-end | "::" (group ":"){5} ipv6-end | group? "::" (group ":"){4} ipv6-end | ((group ":"){0,1} group)? "::" (group ":"){3} ipv6-end | ((group ":"){0,2} group)? "::" (group ":"){2} ipv6-end | ((group ":"){0,3} group)? "::" group ":" ipv6-end | ((group ":"){0,4} group)? "::" ipv6-end | ((group ":"){0,5} group)? "::" group | ((group ":"){0,6} group)? "::"
ipv6-end ::= group ":" group | ipv4
group ::= hex{1,4}
hostname ::= (label "."){0,4} top-label
top-label ::= [a-zA-Z] ("-"? [a-zA-Z0-9]){0,24}
label ::= [a-zA-Z0-9] ("-"? [a-zA-Z0-9]){0,24}
email ::= atom ("." atom){0,2} "@" (label "."){1,4} top-label
atom ::= [a-zA-Z0-9!#$%&'*+/=?^_\x60{|}~\-]{1,20}
uri ::= scheme ":" ("//" authority ("/" segment)* | "/" (segment-one ("/" segment)*)? | segment-one ("/" segment)*) uri-rest
url ::= ("https" | "http" | "ftp") "://" (label "."){1,4} [a-zA-Z]{2,25} (":" ([1-9] [0-9]{1,3} | [1-5] [0-9]{4}))? (("/" segment)+ uri-rest)?
uri-rest ::= ("?" uri-query)? ("#" uri-query)?
scheme ::= [a-zA-Z] [a-zA-Z0-9+.\-]*
authority ::= (uri-name | "[" ipv6 "]") (":" ([1-9] [0-9]{0,3} | [1-5] [0-9]{4}))?
uri-name ::= ([a-zA-Z0-9._~!$&'()*+,;=\-] | "%" hex hex)+
segment ::= uri-char*
segment-one ::= uri-char+
uri-char ::= [a-zA-Z0-9._~!$&'()*+,;=:@\-] | "%" hex hex
uri-query ::= (uri-char | [/?])*
uri-reference ::= uri | "//" authority ("/" segment)* uri-rest | "/" (segment-one ("/" segment)*)? uri-rest | uri-name ("/" segment)* uri-rest | uri-rest
json-pointer ::= ("/" ([^"\\\x00-\x1F/~] | "~" [01])*)*
base64 ::= (base64-char{4})* (base64-char{2} "==" | base64-char{3} "=")?
base64-char ::= [A-Za-z0-9+/]
`

const (
	stringRule  = "string"
	charRule    = "char"
	escapeRule  = "escape"
	anyRule     = "any"
	booleanRule = "boolean"
	integerRule = "integer"
	numberRule  = "number"
)

// formats are the formats of strings that are understood, and the rules for them. What has
// a wider meaning than its rule is narrowed to that.
var formats = map[string]string{
	"date": "date", "time": "time", "date-time": "date-time", "iso-time": "time", "iso-date-time": "date-time", "duration": "duration",
	"uuid": "uuid", "ipv4": "ipv4", "ip-address": "ipv4", "ipv6": "ipv6",
	"hostname": "hostname", "host-name": "hostname", "idn-hostname": "hostname", "email": "email", "idn-email": "email",
	"uri": "uri", "iri": "uri", "url": "url", "uri-reference": "uri-reference", "iri-reference": "uri-reference",
	"json-pointer": "json-pointer", "byte": "base64",
}

// refusedFormats are those that the specification or a common validator knows besides.
var refusedFormats = map[string]bool{
	"regex": true, "uri-template": true, "relative-json-pointer": true, "json-pointer-uri-fragment": true, "color": true,
}

// numberFormats are the formats of numbers.
var numberFormats = map[string]func(s *schema){
	"int32": func(s *schema) {
		s.integersOnly()
		for _, text := range []string{"-2147483648", "2147483647"} {
			s.bounds = append(s.bounds, bound{at: s.format, value: parseDecimal(text), upper: text[0] != '-'})
		}
	},
	"int64": (*schema).integersOnly,
}

// integersOnly leaves out of the types numbers that are no integers.
func (s *schema) integersOnly() {
	if s.types&typeInteger != 0 {
		s.types &^= typeFraction
	}
	s.speaks |= typeNumber
}

// formatName returns the format, empty if there is none.
func (s *schema) formatName() string {
	if s.format == nil {
		return ""
	}
	return s.format.text
}

// sharedRules returns the rules that grammars share, by name.
var sharedRules = sync.OnceValue(func() map[string]*Rule {
	all := "root ::= any escape"
	for _, rule := range formats {
		all += " " + rule
	}
	s, err := Parse(sharedGrammar + "integer ::= \"0\"\nnumber ::= \"0\"\n" + all)
	if err != nil {
		panic(err)
	}
	rules := map[string]*Rule{}
	for _, r := range s.Rules {
		rules[r.Name] = r
	}
	rules[integerRule] = &Rule{Name: integerRule, Expr: integer(nil)}
	rules[numberRule] = &Rule{Name: numberRule, Expr: anyNumber()}
	delete(rules, rootRule)
	return rules
})

// shared returns a reference to a shared rule. It adds the rule and those that it needs.
func (b *schemaBuilder) shared(name string) *Expr {
	if b.known[name] == nil {
		r := sharedRules()[name]
		b.known[name] = r
		b.library = append(b.library, r)
		b.addShared(r.Expr)
	}
	return call(name)
}

// addShared adds the shared rules to which e refers.
func (b *schemaBuilder) addShared(e *Expr) {
	if e.Op == OpRule {
		b.shared(e.Text)
	}
	for _, sub := range e.Sub {
		b.addShared(sub)
	}
}
