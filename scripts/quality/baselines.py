"""What the program is held against: a word list, logistic regression over words, and simple rules for spans and targets."""
import numpy as np

from data import demo_gold

# A few words for each emotion, written for this script.
WORDS = {
    "admiration": "admire admirable amazing awesome brilliant excellent impressive incredible respect talented wonderful great",
    "amusement": "lol lmao haha hahaha funny hilarious laugh laughed laughing joke",
    "anger": "angry anger furious hate hated hates rage mad fuck fucking",
    "annoyance": "annoying annoyed irritating irritated frustrating frustrated ugh tired",
    "approval": "agree agreed right exactly true yes good",
    "caring": "care careful safe help hug take",
    "confusion": "confused confusing unsure understand why huh",
    "curiosity": "curious wonder wondering what how who",
    "desire": "want wanted wants wish wished crave need",
    "disappointment": "disappointed disappointing unfortunately letdown sadly",
    "disapproval": "disagree wrong no not bad shouldn't",
    "disgust": "disgusting disgusted gross nasty sick vile",
    "embarrassment": "embarrassed embarrassing ashamed awkward cringe shame",
    "excitement": "excited exciting wow thrilled yay",
    "fear": "afraid scared scary terrified terrifying fear frightened horror",
    "gratitude": "thanks thank grateful thankful appreciate",
    "grief": "mourn mourning grief rip died death",
    "joy": "happy happiness glad joy joyful enjoy enjoyed delighted fun smile",
    "love": "love loved loves loving adore beloved",
    "nervousness": "nervous worried worry worrying anxious anxiety",
    "optimism": "hope hopes hopefully hoping optimistic",
    "pride": "proud pride",
    "realization": "realize realized realise realised noticed remember",
    "relief": "relief relieved phew finally",
    "remorse": "sorry regret guilty apologize apologies",
    "sadness": "sad sadness crying cry cried depressed lonely miserable tears unhappy",
    "surprise": "surprised surprising surprise shocked unexpected omg astonished",
}
EMOTION_OF = {word: emotion for emotion, words in WORDS.items() for word in words.split()}
STRENGTHS = (1, 4, 16)  # logistic regression's C, of which the best on a quarter of the train rows is taken
SEED = 1


def words_of(text):
    return [w.strip(".,;:!?\"'()[]*") for w in text.casefold().replace("’", "'").split()]


def listed_emotions(text):
    """The emotions whose words stand in a text; neutral where none does."""
    return sorted({EMOTION_OF[w] for w in words_of(text) if w in EMOTION_OF}) or ["neutral"]


def listed_tokens(tokens):
    return {i for i, t in enumerate(tokens) if t.casefold().replace("’", "'") in EMOTION_OF}


def next_phrase(tokens, last):
    """The first run of content words behind token number last, up to the end of the sentence; the empty set where there is none."""
    run = set()
    for i in range(last + 1, len(tokens)):
        if demo_gold.is_content(tokens[i]):
            run.add(i)
        elif run or tokens[i] in (".", "!", "?"):
            break
    return run


def labels_above(scores, threshold):
    """The labels above their thresholds; the one that comes nearest where none is."""
    chosen = scores >= threshold
    empty = ~chosen.any(axis=1)
    chosen[empty, (scores - threshold)[empty].argmax(axis=1)] = True
    return chosen


def best_thresholds(scores, truth):
    """For each label the threshold with the best F1."""
    grid = np.arange(0.02, 0.92, 0.01)
    found = []
    for s, t in zip(scores.T, truth.T):
        chosen = s[:, None] >= grid
        hits = (chosen & t[:, None]).sum(axis=0)
        found.append(grid[np.argmax(2 * hits / np.maximum(chosen.sum(axis=0) + t.sum(), 1))])
    return np.array(found)


def fit(features, truth, c):
    """A logistic regression for each label, None for one that all rows or none have."""
    from sklearn.linear_model import LogisticRegression

    return [LogisticRegression(C=c, solver="liblinear").fit(features, t) if 0 < t.sum() < len(t) else None for t in truth.T]


def probabilities(models, features):
    return np.column_stack([m.predict_proba(features)[:, 1] if m else np.zeros(features.shape[0]) for m in models])


def bag_of_words(train, rows, names):
    """The labels of rows with their probabilities, by TF-IDF of words and word pairs. C and thresholds come from a quarter of train."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.metrics import f1_score

    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2)
    features = words.fit_transform([r["text"] for r in train])
    truth = np.array([[n in r["labels"] for n in names] for r in train])
    order = np.random.default_rng(SEED).permutation(len(train))
    held, rest = order[: len(train) // 4], order[len(train) // 4:]
    best = (-1, None, None)
    for c in STRENGTHS:
        scores = probabilities(fit(features[rest], truth[rest], c), features[held])
        thresholds = best_thresholds(scores, truth[held])
        f1 = f1_score(truth[held], labels_above(scores, thresholds), average="macro", zero_division=0)
        best = max(best, (f1, c, thresholds), key=lambda b: b[0])
    _, c, thresholds = best
    scores = probabilities(fit(features, truth, c), words.transform([r["text"] for r in rows]))
    chosen = labels_above(scores, thresholds)
    labels = [[(n, float(p)) for n, p, on in zip(names, s, row) if on] for s, row in zip(scores, chosen)]
    return {"c": c, "rows": len(train), "labels": labels}
