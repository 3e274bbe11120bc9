"""Bodies: how each animal is built in MuJoCo."""
