"""nftables: the text of `nft list ruleset` and of files written by hand, and the JSON of `nft -j list ruleset`."""
