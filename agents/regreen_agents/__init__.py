"""The agents of regreen: they experiment, patch and judge; graphs and terminals are not theirs."""
