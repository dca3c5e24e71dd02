"""Names and numbers of protocols, ports, ICMP types and codes; never from the machine's own files."""
