"""What `fwengine init` writes: a policy to begin with, a configuration, and checks for every change. Texts, and nothing else."""

from __future__ import annotations

from typing import Final

POLICY: Final = """\
# The border of a small network, to begin with. The first rule that matches decides; `fwengine explain` knows every code,
# and each address here is one that is set aside for documentation: put yours in its place.

default deny

# What is spoken about. A name is for IPv4 and IPv6 alike.
net     office = { 192.0.2.0/25, 2001:db8:1::/48 }
net     web    = { 192.0.2.129, 2001:db8:2::80 }
service www    = { tcp/http, tcp/https }
service dns    = { udp/domain, tcp/domain }

# Nobody outside is one of us.
deny  any from { office, web } in wan0 as spoofed

# Later fragments carry no ports: no rule below could tell what they belong to. Whatever `check` finds and is meant all the
# same says so above its statement or behind it, with a reason and, if it is not for ever, a last day.
deny  any fragment later as fragments  # fwengine: ignore FW203: says what the default says, to be read

# Inwards: the web server, and answers to what the office asked. `established` looks at the flags of tcp and keeps no
# memory: a packet that pretends to be an answer passes. What a filter with states would do is asked with `state`.
allow www from any port 1024-65535 to web as web-in
allow tcp from any to office established as replies
allow udp from any port domain to office port 1024-65535 as dns-replies

# Outwards: the office, to a few services, and the web server's answers.
allow www from office as web-out
allow dns from office as dns-out
allow tcp from web port { http, https } to any port 1024-65535 established as web-replies

# What is out of use goes by itself: `until` is the last day of a rule.
# allow tcp from 198.51.100.7 to web port ssh until 2027-01-31 as vendor

# What must hold, proved by `fwengine test`: of one packet, or of every packet of a region.
expect allow tcp 198.51.100.7:40000 -> 192.0.2.129:443 flags syn in wan0 by web-in
expect allow www from office to any in lan0
expect allow udp 192.0.2.7:40000 -> 198.51.100.53:53 in lan0 by dns-out
expect allow udp 198.51.100.53:53 -> 192.0.2.7:40000 in wan0 by dns-replies
expect deny  tcp from any to web port ssh
expect allow tcp from any to office established in none by replies
expect allow tcp from web port https to 198.51.100.7 port 40000 established in none by web-replies
expect deny  tcp from any to office flags syn/syn,ack,rst in wan0
expect deny  any from office in wan0 by spoofed
expect deny  udp from any to office fragment later in lan0 by fragments
expect deny  any unless www or dns or tcp established or udp from any port domain to office
"""

CONFIGURATION: Final = """\
# What fwengine takes here where the command line says nothing.

paths  = ["rules"]   # what check, test and fmt look at
strict = true        # information fails, too: what is meant as it is says so beside it
"""

WORKFLOW: Final = """\
# On every change: the policies compile and are formatted, their rules matter, and what must hold is proved.
name: policies
on: [push, pull_request]
permissions:
  contents: read
jobs:
  policies:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with:
          python-version: "3.x"
      - run: python -m pip install fwengine
      - run: fwengine check --format github
      - run: fwengine test --format github
        if: ${{ !cancelled() }}
      - run: fwengine fmt --check
        if: ${{ !cancelled() }}
"""

PIPELINE: Final = """\
# On every change: the policies compile and are formatted, their rules matter, and what must hold is proved.
.policies:
  image: python:3
  before_script:
    - python -m pip install fwengine

check policies:
  extends: .policies
  script:
    - fwengine check

test policies:
  extends: .policies
  script:
    - fwengine test --format junit > policies.xml
  artifacts:
    when: always
    reports:
      junit: policies.xml

format policies:
  extends: .policies
  script:
    - fwengine fmt --check
"""

HOOKS: Final = """\
# Before every commit: the policies are formatted, their rules matter, and what must hold is proved.
repos:
  - repo: local
    hooks:
      - id: fwengine-fmt
        name: policies in canonical form
        entry: fwengine fmt
        language: python
        additional_dependencies: [fwengine]
        files: \\.fwl$
      - id: fwengine-check
        name: rules of policies matter
        entry: fwengine check
        language: python
        additional_dependencies: [fwengine]
        files: \\.fwl$
        pass_filenames: false
      - id: fwengine-test
        name: expectations of policies hold
        entry: fwengine test
        language: python
        additional_dependencies: [fwengine]
        files: \\.fwl$
        pass_filenames: false
"""

# each file by its name from the folder that it is written to
FILES: Final = {"rules/edge.fwl": POLICY, "fwengine.toml": CONFIGURATION}
CHECKS: Final = {
    "github": {".github/workflows/fwengine.yml": WORKFLOW},
    "gitlab": {".gitlab-ci.yml": PIPELINE},
    "pre-commit": {".pre-commit-config.yaml": HOOKS},
}
