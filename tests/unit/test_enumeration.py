"""Enumerations without the module `enum` behave as those with it."""

from __future__ import annotations

import copy
import enum
import pickle

import pytest

from vedette._enumeration import Enum, TextEnum
from vedette._protocol.categories import DataCategory, DiscardReason
from vedette.scope import ScopeType


class Light(Enum):
    FIRST = "first"
    SECOND = 2

    def doubled(self):
        return self.value * 2


class LightText(TextEnum):
    ONE = "one"
    TWO = "two"


class Real(enum.Enum):
    FIRST = "first"
    SECOND = 2


@pytest.mark.parametrize("kind", [Light, LightText, ScopeType, DataCategory, DiscardReason])
def test_members_are_alone_of_their_kind(kind):
    members = list(kind)
    assert len(kind) == len(members) > 1
    assert kind
    for member in members:
        assert type(member) is kind
        assert isinstance(member, kind)
        assert kind(member.value) is kind[member.name] is getattr(kind, member.name) is member
        assert copy.copy(member) is copy.deepcopy(member) is member
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            assert pickle.loads(pickle.dumps(member, protocol)) is member


def test_they_are_shown_compared_and_hashed_as_by_enum():
    assert list(map(str, Light)) == [str(member).replace("Real", "Light") for member in Real]
    assert list(map(repr, Light)) == [repr(member).replace("Real", "Light") for member in Real]
    assert [member.name for member in Light] == [member.name for member in Real]
    assert Light.FIRST != Light.SECOND
    assert Light.FIRST != "first"
    assert len({Light.FIRST, Light.SECOND, Light("first")}) == 2
    assert Light.SECOND.doubled() == 4


def test_a_member_of_text_is_its_text():
    assert LightText.ONE == "one"
    assert f"{LightText.ONE}" == str(LightText.ONE) == "one"
    assert {"one": 1}[LightText.ONE] == 1
    assert repr(LightText.ONE) == "<LightText.ONE: 'one'>"


@pytest.mark.parametrize("wrong", ["third", None, [], 3])
def test_another_value_is_refused(wrong):
    with pytest.raises(ValueError, match="is not a valid Light"):
        Light(wrong)
    with pytest.raises(KeyError):
        Light["THIRD"]
