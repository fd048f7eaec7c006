"""What can be said of a face, in English and Chinese: the grammar of the captions, as two tables.

A line of a table is one phrase:

    place   what it says        words | other words for the same

- *What it says*: attributes of CelebA; ``!Young`` says that a face is not young. After a question mark stands what must
  not be known to be otherwise: nobody says of a woman that she has no beard.
- *Places*: "picture" (a ... photo), "adjective" (a ... woman), "noun", "hair" (... hair), "with" and "wearing".
- A *place with a tilde* holds things that may also be said to be missing: "without glasses".
- In Chinese a thing stands behind its verb and a dot: 戴·眼镜 becomes 戴着眼镜, and where it is missing 没戴眼镜.

Read next: ``captions.py``, which writes sentences with it, and reads them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

ENGLISH = """
picture     Blurry                  blurry
picture     !Blurry                 sharp
noun        Male                    man | gentleman
noun        !Male                   woman | lady
noun        Male, Young             young man | boy
noun        !Male, Young            young woman | girl
adjective   Smiling                 smiling | cheerful
adjective   !Smiling                serious | unsmiling
adjective   Young                   young | youthful
adjective   !Young                  older | elderly
adjective   Attractive              attractive | good looking
adjective   Chubby                  chubby | plump
adjective   Bald                    bald
adjective   !No_Beard ?Male         bearded
adjective   No_Beard ?Male          clean shaven
hair        Straight_Hair           straight
hair        Wavy_Hair               wavy | curly
hair        Black_Hair              black | dark
hair        Blond_Hair              blond | blonde
hair        Brown_Hair              brown
hair        Gray_Hair               gray | grey
with        Smiling                 a smile | a friendly smile
with        !Smiling                a serious look
with        Mouth_Slightly_Open     a slightly open mouth | an open mouth | parted lips
with        !Mouth_Slightly_Open    a closed mouth
with        Arched_Eyebrows         arched eyebrows
with        Bushy_Eyebrows          bushy eyebrows | thick eyebrows
with        Narrow_Eyes             narrow eyes
with        Bags_Under_Eyes         bags under the eyes
with        Big_Nose                a big nose | a large nose
with        Pointy_Nose             a pointy nose | a pointed nose
with        Big_Lips                big lips | full lips
with        High_Cheekbones         high cheekbones
with        Rosy_Cheeks             rosy cheeks
with        Oval_Face               an oval face
with        Double_Chin             a double chin
with        Pale_Skin               pale skin
with        Receding_Hairline       a receding hairline
with~       Bangs                   bangs | a fringe
with~       !No_Beard ?Male         a beard | facial hair
with~       5_o_Clock_Shadow ?Male  stubble | a five o'clock shadow
with~       Goatee ?Male            a goatee
with~       Mustache ?Male          a mustache | a moustache
with~       Sideburns ?Male         sideburns
wearing~    Eyeglasses              glasses | eyeglasses | spectacles
wearing~    Wearing_Hat             a hat | a cap
wearing~    Wearing_Earrings        earrings
wearing~    Wearing_Necklace        a necklace
wearing~    Wearing_Necktie         a tie | a necktie
wearing~    Wearing_Lipstick        lipstick
wearing~    Heavy_Makeup            heavy makeup | makeup
"""

CHINESE = """
picture     Blurry                  模糊
picture     !Blurry                 清晰
noun        Male                    男子 | 男人 | 男士
noun        !Male                   女子 | 女人 | 女士
noun        Male, Young             小伙子 | 男孩
noun        !Male, Young            姑娘 | 女孩
adjective   Smiling                 微笑 | 笑着
adjective   !Smiling                严肃 | 不笑
adjective   Young                   年轻
adjective   !Young                  年长 | 上了年纪
adjective   Attractive              迷人 | 好看
adjective   Chubby                  胖乎乎 | 微胖
adjective   Bald                    秃头 | 光头
adjective   !No_Beard ?Male         留胡子
adjective   No_Beard ?Male          胡子刮干净
hair        Straight_Hair           直发
hair        Wavy_Hair               卷发 | 波浪发
hair        Black_Hair              黑色 | 乌黑
hair        Blond_Hair              金色
hair        Brown_Hair              棕色 | 褐色
hair        Gray_Hair               灰色 | 花白
with        Smiling                 面带微笑
with        !Smiling                神情严肃
with        Mouth_Slightly_Open     嘴巴微张 | 张着嘴
with        !Mouth_Slightly_Open    闭着嘴
with        Arched_Eyebrows         有·弯眉 | 有·柳叶眉
with        Bushy_Eyebrows          有·浓眉
with        Narrow_Eyes             有·小眼睛 | 眯着眼
with        Bags_Under_Eyes         有·眼袋
with        Big_Nose                有·大鼻子
with        Pointy_Nose             有·尖鼻子
with        Big_Lips                有·厚嘴唇
with        High_Cheekbones         有·高颧骨
with        Rosy_Cheeks             脸颊红润
with        Oval_Face               有·鹅蛋脸
with        Double_Chin             有·双下巴
with        Pale_Skin               皮肤白皙
with        Receding_Hairline       发际线后移
with~       Bangs                   留·刘海
with~       !No_Beard ?Male         留·胡子
with~       5_o_Clock_Shadow ?Male  有·胡茬
with~       Goatee ?Male            留·山羊胡
with~       Mustache ?Male          留·八字胡
with~       Sideburns ?Male         留·鬓角
wearing~    Eyeglasses              戴·眼镜
wearing~    Wearing_Hat             戴·帽子
wearing~    Wearing_Earrings        戴·耳环
wearing~    Wearing_Necklace        戴·项链
wearing~    Wearing_Necktie         系·领带
wearing~    Wearing_Lipstick        涂·口红
wearing~    Heavy_Makeup            化·浓妆
"""

# Words that say nothing of a face, but stand in sentences.
ENGLISH_FRAME = "a an the this there photo picture portrait of in person face hair and or but with without no not is"
ENGLISH_FRAME += " has who wearing wears she he they have wear"
CHINESE_FRAME = "一位 一个 一名 一张 这 这位 的 人 头发 照片 图片 里 是 有 和 没有 一头"

NEGATIONS = {"without", "no", "not", "没有", "没戴", "没留", "没系", "没涂", "没化"}
NEGATIONS_END = {",", "with", "wearing", "wears", "wear", "has", "have", "is", "who", "but", "戴着", "留着", "系着"}
NEGATIONS_END |= {"涂着", "化着", "有", "的"}
ARTICLES = {"a", "an", "the"}


@dataclass(frozen=True)
class Phrase:
    """A line of a table.

    Attributes
    ----------
    place
        Where it stands in a sentence.
    says
        What it says of a face, by attribute.
    unless
        Attributes that must not be known to be missing.
    deniable
        Whether the thing may be said to be missing.
    variants
        Its words, in so many ways.
    """

    place: str
    says: dict[str, bool]
    unless: tuple[str, ...]
    deniable: bool
    variants: tuple[str, ...]

    def true_of(self, face: dict[str, bool]) -> bool:
        """Whether a face, of which some attributes are known, is known to be so."""
        known = all(face.get(name) is value for name, value in self.says.items())
        return known and not any(face.get(name) is False for name in self.unless)

    def denied_of(self, face: dict[str, bool]) -> bool:
        """Whether it may be said of a face that it lacks this."""
        lacks = self.deniable and all(face.get(name) is (not value) for name, value in self.says.items())
        return lacks and not any(face.get(name) is False for name in self.unless)


def phrases(table: str) -> list[Phrase]:
    """The phrases of a table."""
    found = []
    for line in table.strip().splitlines():
        place, says, variants = re.split(r"\s{2,}", line.strip())
        said, *unless = says.split(" ?")
        facts = {word.lstrip("!"): not word.startswith("!") for word in said.split(", ")}
        words = tuple(variant.strip() for variant in variants.split("|"))
        found.append(Phrase(place.rstrip("~"), facts, tuple(unless), place.endswith("~"), words))
    return found


GRAMMAR = {"english": phrases(ENGLISH), "chinese": phrases(CHINESE)}
FRAMES = {"english": tuple(ENGLISH_FRAME.split()), "chinese": tuple(CHINESE_FRAME.split())}
ATTRIBUTES = tuple(sorted({name for phrase in GRAMMAR["english"] for name in phrase.says}))
