"""Environments: where organisms meet a world, as Gymnasium environments."""
