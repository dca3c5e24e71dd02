"""Network access control lists and security groups of AWS."""
