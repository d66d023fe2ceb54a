from __future__ import annotations

import typing

from vedette._protocol import types
from vedette._protocol.categories import DataCategory


def test_the_types_name_every_data_category():
    assert set(typing.get_args(types.EventDataCategory)) == {category.value for category in DataCategory}


def test_every_shape_can_be_looked_into_at_run_time():
    shapes = [value for value in vars(types).values() if typing.is_typeddict(value)]
    assert types.Event in shapes
    for shape in shapes:
        assert typing.get_type_hints(shape)
