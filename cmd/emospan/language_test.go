package main

import (
	"strings"
	"testing"
)

// Sentences as people write them to each other, those of one language together.
var sentencesOf = map[string]string{
	"English": `I can't believe you did that!
Great job everyone, see you on Monday.
My brother is so annoying today.
No way, this made my week.
lol that's exactly what I thought
Why would they paint it brown?
Happy birthday, old friend!
Der Spiegel wrote about our town, I am so proud.
That was the worst pasta alla norma I have ever eaten.
We waited two hours and nobody came.
Not sure if I should laugh or cry.
C'est la vie, I guess you can't win them all.`,
	"German": `Das nervt mich total
Ich freue mich so auf das Wochenende!
Warum ist der Zug schon wieder zu spät?
Endlich Feierabend, was für ein Tag.
Danke, das war wirklich nett von dir.
Meine Schwester hat gestern geheiratet.
So ein Mist, der Akku ist leer.
Wir vermissen dich alle sehr.
Keine Ahnung, wie das passieren konnte.
Der Kuchen schmeckt großartig!
Mir ist langweilig und kalt.
Niemand hört mir zu.`,
	"French": `Je suis tellement content pour toi !
Pourquoi le train est encore en retard ?
C'est vraiment n'importe quoi.
Merci beaucoup, ça me touche.
Ma sœur s'est mariée hier.
J'en ai marre de cette pluie.
Quelle belle surprise ce matin !
On ne m'écoute jamais.
Il me manque tous les jours.
Le gâteau était délicieux.`,
	"Spanish": `¡Qué alegría verte por aquí!
No soporto a mi vecino.
¿Por qué nadie me escucha?
Muchas gracias, me has alegrado el día.
Estoy muy cansada de esperar el autobús.
La película me hizo llorar.
Te echo mucho de menos.
Otra vez se ha roto el ascensor.
Hoy ha sido un día perfecto.
Me da miedo la oscuridad.`,
	"Italian": `Che bella sorpresa!
Sono davvero arrabbiato con lui.
Perché nessuno mi ascolta?
Grazie mille, sei stato gentile.
Il treno è di nuovo in ritardo.
Mi manchi tanto.
Oggi è stata una giornata perfetta.
Non ne posso più di questa pioggia.
La torta era buonissima.
Ho paura del buio.`,
	"Portuguese": `Estou muito feliz por você!
Por que ninguém me ouve?
Obrigada, isso me ajudou muito.
O ônibus está atrasado de novo.
Sinto saudades da minha avó.
Que dia maravilhoso!
Não aguento mais esta chuva.
Meu irmão não para de gritar.`,
	"Dutch": `Ik ben zo blij voor je!
Waarom luistert er niemand naar mij?
Dank je wel, dat was heel lief.
De trein is weer eens te laat.
Wat een prachtige dag vandaag!
Ik mis mijn oma elke dag.
Mijn buurman maakt altijd lawaai.
Daar word ik echt moe van.`,
	"Polish": `Jestem bardzo szczęśliwa!
Dlaczego nikt mnie nie słucha?
Dziękuję, to było bardzo miłe.
Pociąg znowu się spóźnia.
Boję się ciemności.
Tęsknię za moją babcią.
Co za piękny dzień!
Mam już dość tego deszczu.`,
	"Turkish": `Senin için çok mutluyum!
Neden kimse beni dinlemiyor?
Teşekkür ederim, bu çok nazikti.
Otobüs yine geç kaldı.
Bugün ne kadar güzel bir gün!
Karanlıktan çok korkuyorum.
Büyükannemi her gün özlüyorum.
Bu yağmurdan bıktım artık.`,
	"Russian": `Как же я рада тебя видеть!
Почему меня никто не слушает?
Спасибо, это было очень мило.
Поезд опять опаздывает.
Я боюсь темноты.
Какой прекрасный день!
Мне надоел этот дождь.
Скучаю по бабушке.`,
	"Japanese": `会えて本当に嬉しいです！
どうして誰も聞いてくれないの？
ありがとう、とても助かりました。
電車がまた遅れている。
暗いところが怖い。
今日は最高の一日だった。
この雨にはもううんざりだ。
おばあちゃんに会いたい。`,
	"Arabic": `أنا سعيد جدا لرؤيتك!
لماذا لا يسمعني أحد؟
شكرا لك، كان ذلك لطيفا.
القطار متأخر مرة أخرى.
أخاف من الظلام.
يا له من يوم جميل!
لقد مللت من هذا المطر.
أشتاق إلى جدتي كل يوم.`,
}

// TestLanguage: each file of one language is told from English, and no single sentence of English is called another language.
func TestLanguage(t *testing.T) {
	for language, text := range sentencesOf {
		sentences := strings.Split(text, "\n")
		var said strings.Builder
		whole := newLanguageCheck(&said)
		counts := [3]int{}
		for _, s := range sentences {
			counts[languageOf(s)]++
			whole.add(s)
		}
		if said.Len() > 0 {
			t.Errorf("%s: judged after %d sentences", language, whole.texts)
		}
		whole.end()
		whole.end()
		want := 1
		if language == "English" {
			want = 0
		}
		if got := strings.Count(said.String(), "not in English"); got != want {
			t.Errorf("%s: called foreign %d times, %v", language, got, counts)
		}
		wrong := counts[english]
		if language == "English" {
			wrong = counts[foreign]
		}
		if wrong > 0 || counts[unclear] > len(sentences)/3 {
			t.Errorf("%s: %d sentences unclear, %d English, %d foreign", language, counts[unclear], counts[english], counts[foreign])
		}
	}
}

// TestLanguageMixed: a third of sentences in another language is not most of an input; after languageTexts the judgement stands.
func TestLanguageMixed(t *testing.T) {
	ours, theirs := strings.Split(sentencesOf["English"], "\n"), strings.Split(sentencesOf["German"], "\n")
	var said, saidOfGerman strings.Builder
	mixed, german := newLanguageCheck(&said), newLanguageCheck(&saidOfGerman)
	for i := range 3 * languageTexts {
		text := ours[i%len(ours)]
		if i%3 == 0 {
			text = theirs[i/3%len(theirs)]
		}
		mixed.add(text)
		german.add(theirs[i%len(theirs)])
		if got := saidOfGerman.Len() > 0; got != (i+1 >= languageTexts) {
			t.Errorf("German is called foreign after %d texts: %v", i+1, got)
		}
	}
	mixed.end()
	german.end()
	if said.Len() > 0 || strings.Count(saidOfGerman.String(), "\n") != 1 {
		t.Errorf("of a third in German it says %q, of German %q", &said, &saidOfGerman)
	}
}
