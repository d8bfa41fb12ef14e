package main

import (
	"fmt"
	"io"
	"strings"
	"unicode"
)

// The quality of what is tagged was measured for English alone. Whether an input is English is told by its most frequent words: small
// words that every text has and that other languages have not. No list of languages is needed for what has another script.

// languageTexts is how many texts are looked at, the first of a run.
const languageTexts = 200

// englishWords are frequent words of English, of chat too, that are not as frequent in another language.
var englishWords = wordSet(`the and that this with for you your yours are have has had not but what when why who how
	they them their there then than was were been being from would could should will can just like about know think really very
	get got good great love hate hope thanks thank please sorry it its it's i i'm i've i'll i'd im ive we we're our us he he's she she's his her him
	my mine myself all any some one ones out of to is isn't isnt do does did don't dont doesn't didn't didnt can't cant won't wouldn't
	if because as at be by or so too up no yes yeah now only even more most much never always every other people time day
	way thing things right well back going gonna want wanna see look make made much many still here where which while also
	after before into over down off again these those lol omg wow hey oh guy guys man bro fuck fucking shit damn hell
	that's thats what's there's they're you're youre you've you'll let's lets who's how's nice happy sad bad best better
	feel feels need say said says thought work life year years first last new old same little lot sure true wrong
	someone something anyone anything everyone everything nothing enjoy congrats welcome haha cool name happened today tomorrow
	wait stop take took give gave come came went go makes making looks looking getting trying try ever though through
	am an on in me she'll it'll aren't wasn't haven't hasn't couldn't shouldn't ain't`)

// foreignWords are frequent words of other languages in Latin script that are none of English.
var foreignWords = wordSet(`ich du er sie wir ihr mich dich mir dir sich uns euch das der dem den des ein eine einen einem einer
	und oder aber nicht kein keine ist sind bin bist war waren hat haben habe hast wird werden kann muss mit von zu zum zur auf für
	aus bei nach wie was wenn dass weil auch noch nur schon sehr mehr so total immer nie wieder heute morgen gut danke bitte ja nein
	mein meine dein deine hier jetzt doch mal endlich warum über
	je tu il elle nous vous ils elles le les une des du et ou mais ne pas est sont suis es était avec pour dans sur par que qui quoi ce
	cette ça c'est j'ai mon ma mes ton ta ses son très plus trop bien merci oui non aussi tout tous faire fait au aux en moi toi
	el la los las un una unos y o pero no es son soy eres está están estoy con por para en de del que qué como cómo muy más
	mi mis tu su sus me te se lo le ya sí también todo toda todos gracias hoy hay esto esta este eso porque cuando siempre nunca
	il lo gli le uno una e ed ma non è sono sei siamo con per di del della dei nel nella che chi cosa come molto più anche tutto
	mio mia tuo tua suo questa questo quello mi ti si ci grazie oggi sempre mai perché quando ho hai ha abbiamo
	eu ele ela nós eles o os as um uma do da dos das no na nos nas mas não é são estou está com por para que muito mais meu minha
	obrigado obrigada sim também tudo hoje isso você
	ik jij je hij zij wij jullie de het een en of maar niet geen is zijn ben was heb hebt heeft met van voor op aan bij naar
	wat wie waar waarom ook nog wel zo heel altijd nooit weer vandaag goed dank ja nee mijn jouw dit dat deze
	jag du han hon vi ni det den en ett och eller men inte är var har hade med av för på till från om som så också bara mycket
	mig dig min din tack ja nej idag alltid aldrig jeg ikke er og på til av meg deg mye alltid aldri
	ja ty on ona my wy oni to jest są nie tak ale i w na z do od po za się co kto jak bardzo już tylko mnie ciebie mi
	bir bu şu ve ile için çok ama değil ben sen biz siz onlar ne var yok mi mı gibi daha en hiç
	minä sinä hän me te he ja mutta ei on oli olen olet se tämä että kun niin myös vain hyvin
	az egy és nem van vagyok hogy de is ez nagyon már csak
	yang dan di ke dari ini itu tidak saya aku kamu dia ada akan dengan untuk sangat
	là và của không có tôi bạn này được một những cho`)

func wordSet(text string) map[string]bool {
	set := map[string]bool{}
	for _, word := range strings.Fields(text) {
		set[word] = true
	}
	return set
}

func init() {
	for word := range englishWords {
		delete(foreignWords, word)
	}
}

// A language, as far as it matters here.
type language int

const (
	unclear language = iota
	english
	foreign
)

// languageOf judges a text. It is unclear where its words say nothing, as in a text of one name.
func languageOf(text string) language {
	letters, latin := 0, 0
	for _, r := range text {
		if unicode.IsLetter(r) {
			letters++
			if unicode.Is(unicode.Latin, r) {
				latin++
			}
		}
	}
	if letters > latin*2 { // more than half of another script
		return foreign
	}
	words, ours, theirs := 0, 0, 0
	text = strings.ReplaceAll(strings.ToLower(text), "’", "'")
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return r != '\'' && !unicode.IsLetter(r) && !unicode.IsMark(r) }) {
		words++
		switch word = strings.Trim(word, "'"); {
		case englishWords[word]:
			ours++
		case foreignWords[word], strings.ContainsFunc(word, func(r rune) bool { return r > unicode.MaxASCII }):
			theirs++
		}
	}
	switch {
	case ours > theirs:
		return english
	case theirs > ours, words >= 8 && ours == 0:
		return foreign
	}
	return unclear
}

// A languageCheck judges the first texts of an input, and warns once where most of them are foreign. Its methods do nothing on nil.
type languageCheck struct {
	stderr io.Writer
	texts  int
	counts [3]int
	done   bool
}

func newLanguageCheck(stderr io.Writer) *languageCheck { return &languageCheck{stderr: stderr} }

// add takes a text into account.
func (c *languageCheck) add(text string) {
	if c == nil || c.done {
		return
	}
	c.texts++
	c.counts[languageOf(text)]++
	if c.texts == languageTexts {
		c.end()
	}
}

// end judges what there was.
func (c *languageCheck) end() {
	if c == nil || c.done {
		return
	}
	c.done = true
	if 2*c.counts[foreign] > c.texts-c.counts[unclear] {
		fmt.Fprintln(c.stderr, "emospan: warning: most of the texts are not in English, the only language that was measured; look at some records before you use them")
	}
}
