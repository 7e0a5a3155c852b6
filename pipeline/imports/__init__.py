"""Files in: any CSV through a mapping file into accounts, contracts, targets, usage and tickets."""
