"""The nouns every other room speaks with: frozen models, free of effects."""
