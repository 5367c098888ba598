"""What was handed in: found, unpacked, copied, told apart, and its source read against the allow-list."""
