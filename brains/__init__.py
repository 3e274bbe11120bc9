"""Brains: what thinks; connectomes, neuron models and the engines that run them."""
