"""From a volume of brain tissue to a Connectome, one stage a file; extra `imaging`."""
