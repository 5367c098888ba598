class Plain:
    def __init__(self, speed):
        self.speed = speed

    def apply(self, layers):
        for layer in layers:
            for weight, change in zip(layer.weights, layer.changes):
                weight -= self.speed * change


class Quadratic:
    def value(self, wanted, given):
        return ((given - wanted) ** 2).mean()

    def slope(self, wanted, given):
        return 2 * (given - wanted) / given.numel()


class Network:
    def __init__(self, layers):
        self.layers = layers

    def compile(self, channels, rule, objective):
        for layer in self.layers:
            channels = layer.build(channels)
        self.rule, self.objective = rule, objective

    def weights(self):
        return [weight for layer in self.layers for weight in layer.weights]

    def call(self, x):
        for layer in self.layers:
            x = layer.call(x)
        return x

    def fit(self, x, wanted, epochs, batch=16):
        for _ in range(epochs):
            for i in range(0, len(x), batch):
                given = self.call(x[i : i + batch])
                self.loss = self.objective.value(wanted[i : i + batch], given).item()
                d = self.objective.slope(wanted[i : i + batch], given)
                for layer in reversed(self.layers):
                    d = layer.back(d)
                self.rule.apply(self.layers)
