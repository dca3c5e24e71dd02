"""Rule sets of iptables-save and ip6tables-save."""
