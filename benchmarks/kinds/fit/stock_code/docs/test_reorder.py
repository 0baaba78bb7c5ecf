from reorder import Part, suggest


def test_no_order_when_enough():
    assert suggest(Part("A-100", on_hand=900, daily_use=2.0)) == 0


def test_rounds_to_packs():
    # 2.0 a day for 20 days = 40, minus 5 = 35, in packs of 12 = 36
    assert suggest(Part("A-101", on_hand=5, daily_use=2.0, pack_size=12)) == 36
