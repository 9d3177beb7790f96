"""Texts that sprints write for people and models, kept as files beside their renderer."""

from regreen_prompts.renderer import placeholders, render
from regreen_prompts.text import clean_text, code_span, fence, one_line, prose

__all__ = ["clean_text", "code_span", "fence", "one_line", "placeholders", "prose", "render"]
