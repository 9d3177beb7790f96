"""Search-based repair of one-line bugs in the code under test."""
