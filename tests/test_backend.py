"""The settings under their older names."""

import pytest

from mlapi import backend as K
from mlapi import config
from mlapi.backends import adapter


@pytest.fixture
def kept_settings():
    before = config.floatx(), config.epsilon(), config.image_data_format()
    yield
    config.set_floatx(before[0])
    config.set_epsilon(before[1])
    config.set_image_data_format(before[2])


@pytest.mark.usefixtures("kept_settings")
def test_settings_are_those_of_config() -> None:
    K.set_floatx("float64")
    K.set_epsilon(1e-3)
    K.set_image_data_format("channels_first")
    assert (config.floatx(), config.epsilon()) == ("float64", 1e-3)
    assert config.image_data_format() == "channels_first"
    assert (K.floatx(), K.epsilon()) == ("float64", 1e-3)
    assert K.image_data_format() == "channels_first"


def test_backend_is_the_chosen_one() -> None:
    assert K.backend() == config.backend() == adapter.NAME


def test_dtypes() -> None:
    assert K.standardize_dtype(float) == config.floatx()
    assert K.is_int_dtype("uint8")
    assert not K.is_int_dtype("float16")
    assert K.is_float_dtype("bfloat16")
    assert not K.is_float_dtype("bool")
    assert K.result_type("int32", "float16") == "float16"
