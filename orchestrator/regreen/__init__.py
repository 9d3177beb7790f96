"""regreen: a sprint that brings a sick test suite back to green and proves it."""
