from loadtests.mock_gateway.throttle import Throttle


def test_the_sixty_first_request_of_a_minute_is_refused_until_the_minute_ends() -> None:
    throttle = Throttle()
    admitted = [throttle.refuse_for_s("1.1.1.1", now_us=5_000_000) for _ in range(60)]

    assert admitted == [None] * 60
    assert throttle.refuse_for_s("1.1.1.1", now_us=5_000_000) == 60
    assert throttle.refuse_for_s("1.1.1.1", now_us=64_000_001) == 1
    assert throttle.refuse_for_s("1.1.1.1", now_us=65_000_000) is None


def test_clients_are_counted_apart() -> None:
    throttle = Throttle()
    for _ in range(60):
        throttle.refuse_for_s("1.1.1.1", now_us=0)

    assert throttle.refuse_for_s("1.1.1.2", now_us=0) is None
