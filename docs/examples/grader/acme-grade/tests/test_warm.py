import numpy as np
from acme_grade.warm import Warm


def test_grey_becomes_warm_and_black_stays_black():
    red, green, blue = Warm().grade(np.full((1, 1, 3), 128, np.uint8))[0, 0].tolist()
    assert red > green == 128 > blue
    assert not Warm().grade(np.zeros((1, 1, 3), np.uint8)).any()
