package tagger

import "strings"

// English words that show no emotion by themselves.
var functionWords = wordSet(`a an the this that these those
 i me my mine myself we us our ours ourselves you your yours yourself yourselves he him his himself she her hers herself it its itself
 they them their theirs themselves one who whom whose which what someone somebody something anyone anybody anything everyone everybody
 everything nobody nothing
 and or but nor so yet if then than because as while when where why how though although until unless since whether
 of in on at by for with about against between into onto through during before after above below to from up down out off over under again
 further toward towards across along around behind beside near per via upon within without
 am is are was were be been being do does did doing done have has had having will would shall should can could may might must ought cannot
 not no n't ain't isn't aren't wasn't weren't don't doesn't didn't haven't hasn't hadn't won't wouldn't shan't shouldn't can't couldn't
 mightn't mustn't dont doesnt didnt isnt wasnt cant wont
 i'm i've i'd i'll im ive id ill you're you've you'd you'll youre he's he'd he'll she's she'd she'll it's it'd it'll its we're we've we'd we'll
 they're they've they'd they'll theyre that's that'd that'll thats there's there'd here's what's whats who's who'd how's where's let's lets
 there here now just too also only very really quite rather even still already ever all any both each some such own same other another more
 most few many much lot lots ok okay oh well yes no yeah
 u ur r im gonna wanna gotta`)

var selfWords = wordSet(`i me my mine myself i'm i've i'd i'll im ive we us our ours ourselves we're we've`)

var anyPronoun = wordSet(`he him his she her hers it its they them their theirs you your yours this that these those who one u ur`)

func isFunctionWord(word string) bool {
	return functionWords[strings.ReplaceAll(strings.ToLower(word), "’", "'")]
}

// English words that stand before what they belong to, so that no phrase ends with one.
var leading = wordSet(`a an the my our your his her its their of in at by for with about than to from into onto as and or but if that who which
 because while when where is are was were be am been very so too more most i'm i we he she they`)
