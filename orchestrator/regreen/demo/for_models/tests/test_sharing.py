from tillroll import sharing


def test_what_divides_is_divided():
    assert sharing.equally(900, 3) == [300, 300, 300]


def test_the_last_cents_go_to_the_largest_remainders():
    assert sharing.share(100, [1, 1, 4]) == [17, 17, 66]
    assert sharing.share(101, [3, 5, 2]) == [30, 51, 20]
    assert sharing.equally(500, 3) == [167, 167, 166]
