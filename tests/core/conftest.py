"""How properties are tried where a mutant is all that can fail them (see `tests.core.mutants`)."""

from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "mutants",
    derandomize=True,  # Every mutant meets the same examples, and none is killed by chance.
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],  # That it fails is enough: shrinking takes minutes.
    suppress_health_check=[HealthCheck.too_slow],
)
