"""How fast it is: programs, each of which prints a table and writes it as JSON to `benchmarks/results/`."""
