"""Access lists of Cisco's IOS, NX-OS and ASA."""
