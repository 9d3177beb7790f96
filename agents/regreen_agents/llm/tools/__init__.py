"""What a model may do; what is not here it cannot."""
