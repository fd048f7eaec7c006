"""What can be said of a face, in English and Chinese: the grammar of the captions.

One line of the table is one phrase:

    place   what it says        English | other words        Chinese | other words

- *What it says*: attributes of CelebA; ``!Young`` says that a face is not young. After a question mark stands an
  attribute that must not be known to be missing: a woman without a beard is not called clean shaven.
- *Places*: "picture" (a ... photo), "adjective" (a ... woman), "noun", "hair" (... hair), "with" and "wearing".
- A *place with a tilde* may also be said to be missing: "without glasses".
- In Chinese a thing stands behind its verb and a dot: 戴·眼镜 becomes 戴着眼镜, and if it is missing 没戴眼镜.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TABLE = """
picture    Blurry                  blurry                                               模糊
picture    !Blurry                 sharp                                                清晰
noun       Male                    man | gentleman                                      男子 | 男人 | 男士
noun       !Male                   woman | lady                                         女子 | 女人 | 女士
noun       Male, Young             young man | boy                                      小伙子 | 男孩
noun       !Male, Young            young woman | girl                                   姑娘 | 女孩
adjective  Smiling                 smiling | cheerful                                   微笑 | 笑着
adjective  !Smiling                serious | unsmiling                                  严肃 | 不笑
adjective  Young                   young | youthful                                     年轻
adjective  !Young                  older | elderly                                      年长 | 上了年纪
adjective  Attractive              attractive | good looking                            迷人 | 好看
adjective  Chubby                  chubby | plump                                       胖乎乎 | 微胖
adjective  Bald                    bald                                                 秃头 | 光头
adjective  !No_Beard ?Male         bearded                                              留胡子
adjective  No_Beard ?Male          clean shaven                                         胡子刮干净
hair       Straight_Hair           straight                                             直发
hair       Wavy_Hair               wavy | curly                                         卷发 | 波浪发
hair       Black_Hair              black | dark                                         黑色 | 乌黑
hair       Blond_Hair              blond | blonde                                       金色
hair       Brown_Hair              brown                                                棕色 | 褐色
hair       Gray_Hair               gray | grey                                          灰色 | 花白
with       Smiling                 a smile | a friendly smile                           面带微笑
with       !Smiling                a serious look                                       神情严肃
with       Mouth_Slightly_Open     a slightly open mouth | an open mouth | parted lips  嘴巴微张 | 张着嘴
with       !Mouth_Slightly_Open    a closed mouth                                       闭着嘴
with       Arched_Eyebrows         arched eyebrows                                      有·弯眉 | 有·柳叶眉
with       Bushy_Eyebrows          bushy eyebrows | thick eyebrows                      有·浓眉
with       Narrow_Eyes             narrow eyes                                          有·小眼睛 | 眯着眼
with       Bags_Under_Eyes         bags under the eyes                                  有·眼袋
with       Big_Nose                a big nose | a large nose                            有·大鼻子
with       Pointy_Nose             a pointy nose | a pointed nose                       有·尖鼻子
with       Big_Lips                big lips | full lips                                 有·厚嘴唇
with       High_Cheekbones         high cheekbones                                      有·高颧骨
with       Rosy_Cheeks             rosy cheeks                                          脸颊红润
with       Oval_Face               an oval face                                         有·鹅蛋脸
with       Double_Chin             a double chin                                        有·双下巴
with       Pale_Skin               pale skin                                            皮肤白皙
with       Receding_Hairline       a receding hairline                                  发际线后移
with~      Bangs                   bangs | a fringe                                     留·刘海
with~      !No_Beard ?Male         a beard | facial hair                                留·胡子
with~      5_o_Clock_Shadow ?Male  stubble | a five o'clock shadow                      有·胡茬
with~      Goatee ?Male            a goatee                                             留·山羊胡
with~      Mustache ?Male          a mustache | a moustache                             留·八字胡
with~      Sideburns ?Male         sideburns                                            留·鬓角
wearing~   Eyeglasses              glasses | eyeglasses | spectacles                    戴·眼镜
wearing~   Wearing_Hat             a hat | a cap                                        戴·帽子
wearing~   Wearing_Earrings        earrings                                             戴·耳环
wearing~   Wearing_Necklace        a necklace                                           戴·项链
wearing~   Wearing_Necktie         a tie | a necktie                                    系·领带
wearing~   Wearing_Lipstick        lipstick                                             涂·口红
wearing~   Heavy_Makeup            heavy makeup | makeup                                化·浓妆
"""

# Words that say nothing of a face, but occur in sentences.
_ENGLISH_FRAME = "a an the this there photo picture portrait of in person face hair and or but with without no not is"
_ENGLISH_FRAME += " has who wearing wears she he they have wear"
_CHINESE_FRAME = "一位 一个 一名 一张 这 这位 的 人 头发 照片 图片 里 是 有 和 没有 一头"
FRAMES = {"english": tuple(_ENGLISH_FRAME.split()), "chinese": tuple(_CHINESE_FRAME.split())}

NEGATIONS = {"without", "no", "not", "没有", "没戴", "没留", "没系", "没涂", "没化"}
NEGATIONS_END = {",", "with", "wearing", "wears", "wear", "has", "have", "is", "who", "but", "戴着", "留着", "系着"}
NEGATIONS_END |= {"涂着", "化着", "有", "的"}
ARTICLES = {"a", "an", "the"}


@dataclass(frozen=True)
class Phrase:
    """One phrase of the table, in one language.

    Attributes
    ----------
    place : str
        Where it stands in a sentence.
    says : dict of str to bool
        The attributes that it states, and whether they are present.
    unless : tuple of str
        Attributes that must not be known to be missing.
    deniable : bool
        Whether it may be said to be missing.
    variants : tuple of str
        Different words for the same.
    """

    place: str
    says: dict[str, bool]
    unless: tuple[str, ...]
    deniable: bool
    variants: tuple[str, ...]

    def true_of(self, face: dict[str, bool]) -> bool:
        """Return whether the phrase is true of a face, of which some attributes are known."""
        return self._agrees(face, True)

    def denied_of(self, face: dict[str, bool]) -> bool:
        """Return whether a face may be said to lack this."""
        return self.deniable and self._agrees(face, False)

    def _agrees(self, face: dict[str, bool], present: bool) -> bool:
        known = all(face.get(name) is (value is present) for name, value in self.says.items())
        return known and not any(face.get(name) is False for name in self.unless)


def _phrases(column: int) -> list[Phrase]:
    """The phrases of one language, column 2 or 3 of the table."""
    found = []
    for line in _TABLE.strip().splitlines():
        fields = re.split(r"\s{2,}", line.strip())
        states, *unless = fields[1].split(" ?")
        says = {word.lstrip("!"): not word.startswith("!") for word in states.split(", ")}
        variants = tuple(fields[column].split(" | "))
        found.append(Phrase(fields[0].rstrip("~"), says, tuple(unless), fields[0].endswith("~"), variants))
    return found


GRAMMAR = {"english": _phrases(2), "chinese": _phrases(3)}
ATTRIBUTES = tuple(sorted({name for phrase in GRAMMAR["english"] for name in phrase.says}))
