from hypothesis import HealthCheck, settings

# The same examples on every machine, and no judgement by the clock of a busy one.
settings.register_profile(
    "lab", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("lab")
