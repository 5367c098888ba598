"""How fast it is, and how well it restores: programs, each of which prints a table and writes it as JSON to
`benchmarks/results/`.
"""
