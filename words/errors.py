"""The one error of this package: something typed that cannot be read.

Owns the error's shape. Refuses to know which texts are readable: each parser raises its own leaf.
"""

_EXCERPT_LENGTH = 40


class WordsError(ValueError):
    """Typed text that cannot be read, with a sentence that says what to type instead.

    `sentence` is an English msgid with named fields and `values` fills them, so that the reader's
    language can be applied late: `reader.say(error.sentence, **error.values)`. `str(error)` is English.
    """

    def __init__(self, sentence: str, /, **values: str | int) -> None:
        super().__init__(sentence.format(**values))
        self.sentence = sentence
        self.values = values


def excerpt(text: str) -> str:
    """What was typed, on one line and at most 40 characters, to be repeated in an error."""
    line = " ".join(text.split())
    return line if len(line) <= _EXCERPT_LENGTH else line[: _EXCERPT_LENGTH - 1] + "…"
