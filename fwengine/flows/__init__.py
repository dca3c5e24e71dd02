"""Flow logs through a policy: what becomes of the connections that a log tells of, counted by rule, in sums that add up."""
