def sgd_momentum(w, dw, config):
    """One step with momentum: (the next weight, config with the velocity)."""
    velocity = config.get("velocity")
    velocity = dw if velocity is None else config["momentum"] * velocity + dw
    config["velocity"] = velocity
    return w - config["learning_rate"] * velocity, config
