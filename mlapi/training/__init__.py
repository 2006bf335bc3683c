"""Training: the step, the loop, the callbacks."""
