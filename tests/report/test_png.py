"""PNG files: read back by another reader, they hold the same pixels, size in print and title."""

from __future__ import annotations

import io

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from rnetstats.report.png import png_bytes

_SIZES = st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3))


@given(arrays(np.uint8, _SIZES), st.sampled_from(["", "Plain", "P ≤ 0.05 – “exact”"]))
def test_read_back(pixels: np.ndarray, title: str) -> None:
    image = Image.open(io.BytesIO(png_bytes(pixels, dpi=130, title=title)))
    assert image.mode == "RGB"
    np.testing.assert_array_equal(np.asarray(image), pixels)
    assert image.text == {"Title": title}  # type: ignore[attr-defined]
    np.testing.assert_allclose(image.info["dpi"], 130.0, atol=0.01)


def test_of_part_of_an_image() -> None:
    """What is handed over is a view without the alpha channel, not a block of memory."""
    drawn = np.arange(4 * 5 * 4, dtype=np.uint8).reshape(4, 5, 4)
    image = Image.open(io.BytesIO(png_bytes(drawn[..., :3], dpi=72, title="")))
    np.testing.assert_array_equal(np.asarray(image), drawn[..., :3])


def test_flat_colours_are_small() -> None:
    white = np.full((500, 1000, 3), 255, dtype=np.uint8)
    assert len(png_bytes(white, dpi=130, title="White")) < 0.01 * white.size
