"""Expressions over attributes: every spelling, precedence against Python's own, and errors that name what is wrong."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_faces.data.expressions import select

NAMES = ["Smiling", "Male", "Eyeglasses", "5_o_Clock_Shadow"]
ROWS = np.array(np.meshgrid(*[[-1, 1]] * 4)).reshape(4, -1).T  # all 16 combinations
TABLE = pd.DataFrame(ROWS, columns=NAMES, dtype=np.int8)
TRUE = {name: TABLE[name].to_numpy() > 0 for name in NAMES}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("Smiling", TRUE["Smiling"]),
        ("smiling", TRUE["Smiling"]),
        ("5_o_clock_shadow", TRUE["5_o_Clock_Shadow"]),
        ("not Smiling", ~TRUE["Smiling"]),
        ("!Smiling", ~TRUE["Smiling"]),
        ("~ Smiling", ~TRUE["Smiling"]),
        ("not not Smiling", TRUE["Smiling"]),
        ("Smiling and not Eyeglasses", TRUE["Smiling"] & ~TRUE["Eyeglasses"]),
        ("Smiling&!Eyeglasses", TRUE["Smiling"] & ~TRUE["Eyeglasses"]),
        ("Smiling && Male || Eyeglasses", TRUE["Smiling"] & TRUE["Male"] | TRUE["Eyeglasses"]),
        ("Eyeglasses or Smiling and Male", TRUE["Eyeglasses"] | TRUE["Smiling"] & TRUE["Male"]),
        ("(Eyeglasses OR Smiling) AND Male", (TRUE["Eyeglasses"] | TRUE["Smiling"]) & TRUE["Male"]),
        ("not (Male | Smiling)", ~(TRUE["Male"] | TRUE["Smiling"])),
        ("  'Smiling'\n and\t\"Male\" ", TRUE["Smiling"] & TRUE["Male"]),
    ],
)
def test_spellings_and_precedence(expression, expected):
    mask = select(TABLE, expression)
    assert mask.dtype == bool
    np.testing.assert_array_equal(mask, expected)


def trees():
    """Random expressions, as Python would write them."""
    return st.recursive(
        st.sampled_from(NAMES[:3]),
        lambda inner: st.one_of(
            st.builds("not {}".format, inner),
            st.builds("({})".format, inner),
            st.builds("{} {} {}".format, inner, st.sampled_from(["and", "or"]), inner),
        ),
        max_leaves=12,
    )


@settings(max_examples=150, deadline=None)
@given(trees(), st.booleans())
def test_agrees_with_python(expression, signs):
    expected = [eval(expression, {}, dict(zip(NAMES, row > 0, strict=True))) for row in ROWS]  # Python as the judge
    if signs:
        expression = expression.replace("and", "&").replace("or", "|").replace("not ", "!")
    np.testing.assert_array_equal(select(TABLE, expression), expected)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(["Smiling", "Male", " ", "and ", " or", "not ", "!", "&", "|", "(", ")", '"', "é", "-"]))
)
def test_anything_else_is_a_value_error(pieces):
    expression = "".join(pieces)
    try:
        assert select(TABLE, expression).shape == (16,)
    except ValueError as error:
        assert any(words in str(error) for words in ("unexpected", "cannot be read", "there is no attribute"))


@pytest.mark.parametrize("values", [[1, -1, 0], [1, 0, 0], [True, False, False], [1.0, 0.0, -1.0]])
def test_minus_one_nought_and_bool_are_false(values):
    np.testing.assert_array_equal(select(pd.DataFrame({"Smiling": values}), "Smiling"), [True, False, False])


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("", "cannot be read"),
        ("Smiling and", "'Smiling and' cannot be read: join attributes by 'and', 'or' and 'not'"),
        ("Smiling Male", "cannot be read"),
        ("Smiling and or Male", "cannot be read"),
        ("Smiling not and Male", "cannot be read"),
        ("(Smiling", "cannot be read"),
        ("Smiling)", "cannot be read"),
        ("()", "cannot be read"),
        ("Smiling and  -Male", "unexpected '-' in 'Smiling and  -Male'"),
        ("Smiling and Male = 1", "unexpected '='"),
        ("Smiling and 'Male", 'unexpected "\'"'),
        ("Male & Smileing", "there is no attribute 'Smileing'; did you mean Smiling?"),
        ("Male &\t'Eye glasses'", "there is no attribute 'Eye glasses'; did you mean Eyeglasses?"),
        ("Zzz", f"there is no attribute 'Zzz'; there are: {', '.join(NAMES)}"),
        ("Male and identity", "'identity' is no attribute: not all of its values are -1, 0 or 1"),
        ("Male and person", "'person' is no attribute: not all of its values are -1, 0 or 1"),
        ("(" * 5000 + "Male" + ")" * 5000, "cannot be read"),
        ("not " * 5000 + "Male", "cannot be read"),
    ],
)
def test_errors_name_what_is_wrong(expression, message):
    table = TABLE.assign(identity=range(16), person="Ann") if "identity" in message or "person" in message else TABLE
    with pytest.raises(ValueError) as caught:
        select(table, expression)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "expression",
    ["@Male", "Male.sum", "Male.sum()", "Male()", "Male(Smiling)", "Smiling and (Male)(Smiling)", "Male[0]", "`Male`"]
    + [
        "__import__('os')",
        "Male; Smiling",
        "Male, Smiling",
        "[Male for Male in Smiling]",
        "lambda: Male",
        "c0",
        "index",
    ],
)
def test_nothing_of_python_or_pandas_can_be_reached(expression):
    with pytest.raises(ValueError, match="unexpected|cannot be read|there is no attribute"):
        select(TABLE, expression)


def test_names_that_differ_in_case_alone():
    table = pd.DataFrame({"hat": [1, -1], "Hat": [-1, 1]})
    np.testing.assert_array_equal(select(table, "Hat"), [False, True])
    with pytest.raises(ValueError, match="'HAT' may be any of hat, Hat: write one of them exactly"):
        select(table, "HAT")


def test_names_in_quotation_marks_may_be_anything():
    table = pd.DataFrame({"wavy hair": [1, -1], "and": [-1, 1], 7: [1, 1]})
    np.testing.assert_array_equal(select(table, "'wavy hair' or 'and'"), [True, True])
    np.testing.assert_array_equal(select(table, "7 and not 'Wavy Hair'"), [False, True])
