from subscriber.targets.target import Plan


def test_a_plan_lists_what_differs_sorted() -> None:
    """Created, updated and deleted entries are told apart, each list sorted."""
    plan = Plan.between({"b": 1, "c": 1, "z": 1}, {"b": 2, "c": 1, "y": 1, "a": 1})
    assert plan == Plan(created=("a", "y"), updated=("b",), deleted=("z",))
    assert plan.changed
    assert str(plan) == "2 created, 1 updated, 1 deleted"


def test_a_plan_without_difference_is_nothing_to_do() -> None:
    """Equal entries need no write, unless the bytes around them differ."""
    same = Plan.between({"a": 1}, {"a": 1})
    assert not same.changed
    assert str(same) == "nothing to do"
    assert Plan.between({"a": 1}, {"a": 1}, rewrite=True).changed
