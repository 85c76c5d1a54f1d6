"""The pooling ladder: what its models, `tadpool/models/<rung>.py`, are made of."""
