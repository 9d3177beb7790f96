"""The second brain: conversations with a language model whose tools are the lab."""
