"""The submission's own process: this side of it (child, session, clock, forkserver), the other side (worker, jail,
recorder), and the wire between them (wire, values)."""
