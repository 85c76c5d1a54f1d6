"""What the config names, compared with what is there."""
