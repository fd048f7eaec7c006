"""The factors of a drawn face: who is shown, how, the seeded draws of both, and the labels that follow from them."""

from __future__ import annotations

import operator
import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class Identity:
    """Who is shown. Lengths are factors around 1 (1 = average), the rest runs from 0 to 1 unless it says otherwise."""

    male: bool
    age: float  # 0 = twenty years, 1 = eighty
    melanin: float  # skin: 0 = very pale, 1 = very dark
    undertone: float  # skin: -1 = rosy, +1 = olive
    face_width: float
    face_length: float
    jaw: float  # width of the jaw
    chin: float  # width of the chin
    fullness: float  # 0 = slim, 1 = chubby
    eye_spacing: float
    eye_size: float
    eye_opening: float  # below 0.7: narrow eyes
    eye_tilt: float  # radians, positive = outer corners up
    eye_colour: str
    brow_thickness: float
    brow_arch: float
    brow_gap: float
    nose_width: float
    nose_length: float
    mouth_width: float
    lip_fullness: float
    ear_size: float
    hair_cut: str
    hair_colour: str
    hair_shade: float  # within its colour: 0 = darker, 1 = lighter
    hair_wave: float  # 0 = straight, 1 = very wavy
    hair_volume: float
    hair_parting: float  # -1 = parted left in the picture, +1 = right
    bangs: bool


@dataclass(frozen=True)
class Appearance:
    """How the person is shown in one picture."""

    yaw: float  # radians, positive = turned to the picture's right
    pitch: float  # radians, positive = looking up
    roll: float  # radians, positive = clockwise
    zoom: float
    shift_x: float  # in picture widths
    shift_y: float
    smile: float  # -0.3 = sullen .. 1 = broad
    mouth_open: float  # 0 = closed .. 1 = wide
    eyes_open: float
    brow_raise: float  # -1 .. 1
    gaze_x: float  # -1 .. 1
    gaze_y: float
    light_x: float  # direction of the light: -1 = from the left .. 1 = from the right
    light_y: float  # negative = from above
    light_strength: float
    light_warmth: float  # -1 = cool .. 1 = warm
    backdrop_hue: float  # 0 .. 1 around the colour circle
    backdrop_colour: float
    backdrop_light: float
    backdrop_contrast: float
    texture: float  # where the noise tiles are cut: hair strands, grain and backdrop differ from picture to picture
    glasses: str  # "none", "round", "square", "dark"
    hat: str  # "none", "beanie", "brim"
    beard: str  # "none", "stubble", "mustache", "goatee", "full"
    sideburns: bool
    lipstick: float
    makeup: float
    blush: float
    earrings: bool
    clothes: str  # "crew", "vneck", "shirt", "suit"
    necktie: bool
    clothes_hue: float
    clothes_colour: float
    clothes_light: float
    accent_hue: float  # hat, tie, lipstick and earrings


class _Random:
    """Seeded random draws. Each stream and number has its own uniform numbers."""

    def __init__(self, seed: int, stream: int, number: int) -> None:
        for name, value in (("seed", seed), ("number", number)):
            if operator.index(value) < 0:
                raise ValueError(f"{name} must be 0 or more, got {value}")
        self._uniform = random.Random(
            f"drawn face {int(seed)} {stream} {int(number)}"
        ).random  # text is hashed: SHA-512

    def uniform(self, low: float, high: float) -> float:
        return low + (high - low) * self._uniform()

    def bell(self, centre: float, spread: float) -> float:
        """The mean of three uniform draws over centre ± spread."""
        uniform = self._uniform
        return centre + spread * (2.0 * (uniform() + uniform() + uniform()) / 3.0 - 1.0)

    def bernoulli(self, probability: float) -> bool:
        return self._uniform() < probability

    def split(self, probability: float, yes: tuple[float, float], no: tuple[float, float]) -> float:
        """Draw from the interval `yes` with this probability, else from `no`: a gap between them keeps labels exact."""
        return self.uniform(*(yes if self.bernoulli(probability) else no))

    def choice(self, weights: Mapping[str, float]) -> str:
        left = self._uniform() * sum(weights.values())
        for name, weight in weights.items():
            left -= weight
            if left < 0.0:
                return name
        return name


_CUTS_MALE = {"short": 30, "side": 22, "swept": 14, "buzz": 9, "receding": 22, "bald": 10, "curly": 8, "medium": 6}
_CUTS_FEMALE = {"long": 46, "bob": 18, "medium": 12, "tied": 14, "curly": 12, "short": 3}
_EYES = {"brown": 52, "blue": 18, "green": 9, "hazel": 13, "grey": 8}
FALLING_CUTS = ("long", "bob", "medium")  # cuts that show straight or wavy hair


@lru_cache(maxsize=4096)
def draw_identity(seed: int, number: int) -> Identity:
    """Draw a person: always the same one for the same arguments.

    Parameters
    ----------
    seed : int
        Seed of the data set, 0 or more.
    number : int
        Which person, 0 or more.

    Returns
    -------
    Identity

    Raises
    ------
    ValueError
        `seed` or `number` is negative.
    """
    rng = _Random(seed, 0, number)
    male = rng.bernoulli(0.45)
    age = rng.split(0.30, yes=(0.55, 1.0), no=(0.0, 0.35))
    melanin = rng.split(0.16, yes=(0.0, 0.05), no=(0.14, 0.92))
    melanin = melanin if melanin < 0.1 else 0.14 + (melanin - 0.14) ** 1.5  # darker skins are rarer, as in CelebA
    fullness = rng.split(0.12, yes=(0.75, 1.0), no=(0.0, 0.4))
    cut = rng.choice(_CUTS_MALE if male else _CUTS_FEMALE)
    if cut == "receding" and age < 0.5 or cut == "bald" and age < 0.2:
        cut = "short"
    dark = 0.5 + 14.0 * melanin**2
    grey = 9.0 * max(0.0, age - 0.5) * (1.3 if male else 0.7)
    colour = rng.choice({"black": dark, "brown": 1.4, "blond": 0.5 / dark**2, "red": 0.06 / dark**2, "gray": grey})
    return Identity(
        male=male,
        age=age,
        melanin=melanin,
        undertone=rng.bell(0.0, 1.0),
        face_width=rng.bell(1.02 if male else 0.99, 0.10) + 0.07 * fullness,
        face_length=rng.bell(1.03 if male else 0.99, 0.09),
        jaw=rng.bell(1.06 if male else 0.92, 0.14) + 0.10 * fullness,
        chin=rng.bell(1.12 if male else 0.88, 0.24) + 0.15 * fullness,
        fullness=fullness,
        eye_spacing=rng.bell(1.0, 0.10),
        eye_size=rng.bell(0.97 if male else 1.08, 0.12),
        eye_opening=rng.split(0.15, yes=(0.48, 0.62), no=(0.85, 1.15)),
        eye_tilt=rng.bell(0.03, 0.14),
        eye_colour=rng.choice(_EYES) if melanin < 0.45 else "brown",
        brow_thickness=rng.split(0.30 if male else 0.05, yes=(1.45, 1.85), no=(0.65, 1.1)),
        brow_arch=rng.split(0.08 if male else 0.42, yes=(0.8, 1.1), no=(0.15, 0.45)),
        brow_gap=rng.bell(0.92 if male else 1.08, 0.12),
        nose_width=rng.split(0.25 if male else 0.10, yes=(1.32, 1.55), no=(0.80, 1.12)),
        nose_length=rng.bell(1.0, 0.12),
        mouth_width=rng.bell(1.0, 0.14),
        lip_fullness=rng.split(0.28, yes=(1.45, 1.75), no=(0.70, 1.12)),
        ear_size=rng.bell(1.0, 0.22),
        hair_cut=cut,
        hair_colour=colour,
        hair_shade=rng.uniform(0.0, 1.0),
        hair_wave=rng.split(0.45, yes=(0.6, 1.0), no=(0.0, 0.12)),
        hair_volume=rng.bell(1.0, 0.5),
        hair_parting=rng.uniform(-1.0, 1.0),
        bangs=rng.bernoulli(0.28 if cut in FALLING_CUTS else 0.15) and cut in (*FALLING_CUTS, "short"),
    )


def draw_appearance(seed: int, number: int, identity: Identity) -> Appearance:
    """Draw everything of one picture that is not the person: always the same for the same arguments.

    Parameters
    ----------
    seed : int
        Seed of the data set, 0 or more.
    number : int
        Which image, 0 or more.
    identity : Identity
        Who is shown; only the sex is used, for beards, make-up and the like.

    Returns
    -------
    Appearance

    Raises
    ------
    ValueError
        `seed` or `number` is negative.
    """
    rng = _Random(seed, 1, number)
    male, adult_woman = identity.male, not identity.male
    smile = rng.split(0.48, yes=(0.6, 1.0), no=(-0.3, 0.12))
    beard = rng.choice({"none": 52, "stubble": 18, "mustache": 7, "goatee": 10, "full": 13})
    clothes = rng.choice({"crew": 30, "vneck": 15, "shirt": 25, "suit": 30} if male else {"crew": 45, "vneck": 55})
    made_up = rng.bernoulli(0.42)
    hat = rng.choice({"none": 93, "beanie": 3.5, "brim": 3.5})
    return Appearance(
        yaw=rng.bell(0.0, 0.48),
        pitch=rng.bell(0.0, 0.26),
        roll=rng.bell(0.0, 0.20),
        zoom=rng.bell(1.0, 0.08),
        shift_x=rng.bell(0.0, 0.03),
        shift_y=rng.bell(0.0, 0.025),
        smile=smile,
        mouth_open=rng.split(0.75 if smile > 0.5 else 0.22, yes=(0.40, 0.85), no=(0.0, 0.0)),
        eyes_open=rng.uniform(0.88, 1.05),
        brow_raise=rng.bell(0.0, 0.8),
        gaze_x=rng.bell(0.0, 0.9),
        gaze_y=rng.bell(0.0, 0.4),
        light_x=rng.uniform(-0.9, 0.9),
        light_y=rng.uniform(-0.75, -0.15),
        light_strength=rng.uniform(0.5, 1.0),
        light_warmth=rng.bell(0.1, 0.9),
        backdrop_hue=rng.uniform(0.0, 1.0),
        backdrop_colour=rng.uniform(0.0, 1.0) ** 2,
        backdrop_light=rng.uniform(0.05, 0.95),
        backdrop_contrast=rng.uniform(0.1, 1.4),
        texture=rng.uniform(0.0, 1.0),
        glasses=rng.choice({"none": 86, "round": 5, "square": 6, "dark": 3}),
        hat=hat,
        beard=beard if male else "none",
        sideburns=rng.bernoulli(0.16) and male,
        lipstick=rng.uniform(0.6, 1.0) if made_up and adult_woman else 0.0,
        makeup=rng.uniform(0.6, 1.0) if rng.bernoulli(0.8) and made_up and adult_woman else 0.0,
        blush=rng.split(0.16 if adult_woman else 0.04, yes=(0.7, 1.0), no=(0.0, 0.15)),
        earrings=rng.bernoulli(0.34) and adult_woman,
        clothes=clothes,
        necktie=rng.bernoulli(0.55) and clothes == "suit",
        clothes_hue=rng.uniform(0.0, 1.0),
        clothes_colour=0.75 * rng.uniform(0.0, 1.0) ** 1.5,
        clothes_light=rng.uniform(0.0, 1.0) ** 1.3,
        accent_hue=rng.uniform(0.0, 1.0),
    )


def attributes(identity: Identity, appearance: Appearance) -> dict[str, int]:
    """Return the exact labels of a picture: what can be seen in it, by CelebA's names.

    Parameters
    ----------
    identity, appearance : Identity, Appearance
        The two draws that the picture is made from.

    Returns
    -------
    dict of str to int
        For each name of `ATTRIBUTES`, in CelebA's alphabetical order, +1 if it is seen, else −1.
    """
    hat = appearance.hat != "none"
    dark_glasses = appearance.glasses == "dark"
    hair = identity.hair_cut not in ("bald", "buzz") or (identity.hair_cut == "buzz" and not hat)
    falls = identity.hair_cut in FALLING_CUTS
    seen = {
        "5_o_Clock_Shadow": appearance.beard == "stubble",
        "Arched_Eyebrows": identity.brow_arch > 0.6,
        "Bald": identity.hair_cut == "bald" and not hat,
        "Bangs": identity.bangs and not hat,
        "Big_Lips": identity.lip_fullness > 1.3,
        "Big_Nose": identity.nose_width > 1.2,
        "Black_Hair": hair and identity.hair_colour == "black",
        "Blond_Hair": hair and identity.hair_colour == "blond",
        "Brown_Hair": hair and identity.hair_colour == "brown",
        "Bushy_Eyebrows": identity.brow_thickness > 1.3,
        "Chubby": identity.fullness > 0.6,
        "Eyeglasses": appearance.glasses != "none",
        "Goatee": appearance.beard == "goatee",
        "Gray_Hair": hair and identity.hair_colour == "gray",
        "Heavy_Makeup": appearance.makeup > 0.3,
        "Male": identity.male,
        "Mouth_Slightly_Open": appearance.mouth_open > 0.2,
        "Mustache": appearance.beard in ("mustache", "goatee", "full"),
        "Narrow_Eyes": identity.eye_opening < 0.7 and not dark_glasses,
        "No_Beard": appearance.beard == "none",
        "Pale_Skin": identity.melanin < 0.1,
        "Receding_Hairline": identity.hair_cut == "receding" and not hat,
        "Rosy_Cheeks": appearance.blush > 0.4,
        "Sideburns": appearance.sideburns,
        "Smiling": appearance.smile > 0.35,
        "Straight_Hair": falls and identity.hair_wave < 0.35,
        "Wavy_Hair": falls and identity.hair_wave > 0.35,
        "Wearing_Earrings": appearance.earrings,
        "Wearing_Hat": hat,
        "Wearing_Lipstick": appearance.lipstick > 0.3,
        "Wearing_Necktie": appearance.necktie,
        "Young": identity.age < 0.45,
    }
    return {name: 1 if value else -1 for name, value in seen.items()}


ATTRIBUTES: tuple[str, ...] = tuple(attributes(draw_identity(0, 0), draw_appearance(0, 0, draw_identity(0, 0))))
