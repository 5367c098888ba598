"""Ways to show a Report; each is a pure function of it."""
