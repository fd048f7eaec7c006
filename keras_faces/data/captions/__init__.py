"""Sentences about faces, in English and Chinese: written from attributes, read again, and served in batches.

captions = Captions(["Male", "Smiling", "Wavy_Hair", "Brown_Hair", "Eyeglasses"])
captions.write([0, 1, 1, 1, 0])        "a smiling woman with wavy brown hair", or in other words
captions.read("一位微笑的女子，卷发")     {"Male": False, "Smiling": True, "Wavy_Hair": True}
"""

from .captions import LANGUAGES, Captions
from .grammar import ATTRIBUTES, GRAMMAR
from .vocabulary import LENGTH, UnknownWords, Vocabulary

__all__ = ["ATTRIBUTES", "GRAMMAR", "LANGUAGES", "LENGTH", "Captioned", "Captions", "UnknownWords", "Vocabulary"]


def __getattr__(name: str):
    if name == "Captioned":  # imports Keras
        from .captioned import Captioned

        return Captioned
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
