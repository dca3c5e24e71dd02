"""The catalogue of the language's diagnostics: for each code what it means and what to do about it."""

from __future__ import annotations

EXPLANATIONS: dict[str, str] = {
    "FW001": "A file cannot be read: it does not exist, is a directory, or may not be opened. Policies are plain text files.",
    "FW002": "A policy file is UTF-8 text. Save it as UTF-8; a byte order mark at its beginning is tolerated.",
    "FW003": "The text holds a character that cannot be seen, that deceives (U+202E reorders what is read), or that looks "
    "like a space and is none. What you see must be what the engine reads, so such characters are refused.",
    "FW004": "Braces and negations are nested too deep. Give inner parts a name with `net`, `ports` or `service`.",
    "FW005": "The file has so many errors that it is probably not a policy; the rest of it was not read.",
    "FW006": "The file is of another kind than a text: a capture of packets, an archive, a program, a picture. A capture is given to "
    "`fwengine eval POLICY -r CAPTURE`; an archive is unpacked first.",
    "FW007": "The file is a text of another kind: another firewall's rules, a listing of them, a page. The message says which, and "
    "what to do with it.",
    "FW010": "A word or sign stands where the language has no place for it. A rule reads\n\n"
    "    allow PROTOCOL from ADDRESSES port PORTS to ADDRESSES port PORTS OPTIONS as NAME\n\n"
    "where everything behind the protocol may be left out, but not change places.",
    "FW011": "The statement stops before it is complete.",
    "FW012": "Each line begins with the keyword of its statement: `allow`, `deny`, `net`, `ports`, `service`, `interface`, `include`, "
    "`default` or `expect`.",
    "FW013": "A word stands where only a keyword can, and it is nearly one.",
    "FW014": "A `{` has no `}`. A set may go on over several lines, but not over the beginning of another statement.",
    "FW015": "A `}` has no `{`.",
    "FW016": 'A text in quotes ends on the line on which it begins. In it `\\\\` is a backslash, `\\"` a quote, `\\n` and '
    "`\\t` are a line feed and a tab, and `\\u{e9}` is the character of that number; other escapes are refused.",
    "FW017": "A set without elements selects nothing, so the rule could never match. Name at least one element.",
    "FW018": "The same option stands twice in one statement.",
    "FW019": "This option belongs to rules only (`as`, `log`, `until`), or does not fit a packet.",
    "FW020": "Several values form a set, and a set stands in braces: `port { 80, 443 }`.",
    "FW021": "An included file cannot be found or read. Paths are relative to the file that includes.",
    "FW022": "Files include each other in a circle. Put what they share into a file of its own.",
    "FW023": "A policy has one default. Without one it is `deny`.",
    "FW024": "People read this in two ways, and one of them opens a firewall. Braces say which is meant. A set adds up: "
    "`{ not a, b }` is everything but a, and `{ any except a, b }` is everything, since b comes back. Write `not { a, b }` or "
    "`any except { a, b }`. Of `not a except b` say whether `not { a, b }` or `not { a except b }` is meant.",
    "FW025": "The word belongs to another firewall's language, and names something that this one does not have: a limit, a "
    "time of day, a hardware address, a chain, a zone, a translation. A policy here says of each packet for itself whether "
    "it may pass, by its headers, its interfaces and a state.",
    "FW026": "The statement is a whole rule of another firewall. Where all of it is understood and has one meaning here, the "
    "translation is offered.",
    "FW101": "A name is used that no `net`, `ports` or `service` statement defines, and that the standard tables lack.",
    "FW102": "A name has one definition in a policy, in whatever file. Rename one of them.",
    "FW103": "Definitions refer to each other in a circle, so none of them has a meaning.",
    "FW104": "An address is written strictly: four decimal parts without leading zeros (some programs read `010` as octal), "
    "or an IPv6 address as in RFC 4291.",
    "FW105": "A prefix length is a plain number from 0 to 32 for IPv4, 0 to 128 for IPv6.",
    "FW106": "An address before a prefix length must be the first of its block: bits behind the prefix are zero. Write the "
    "block, or the address without a length.",
    "FW107": "A range goes from the smaller to the larger end.",
    "FW108": "Both ends of a range, and both parts of a mask, are of one family.",
    "FW109": "A mask is written as VALUE/MASK: one bits of the mask are compared, bits of the value outside the mask are "
    "zero. Cisco's inverse masks are refused, since their meaning is the opposite.",
    "FW111": "A port is a number from 0 to 65535. Port 0 is a value like any other; 65536 does not exist.",
    "FW112": "The port has no such name in IANA's registry. Names never come from the machine's own files.",
    "FW113": "IANA gives this name a port for other protocols only. `imap`, for example, is tcp only.",
    "FW114": "Only tcp, udp, sctp, dccp and udplite have ports. Name one of them: `tcp`, or `{ tcp, udp }`.",
    "FW115": "A protocol is written by name (`tcp`, `ospf`) or by its number, 0 to 255.",
    "FW116": "Numbers are written with the digits 0 to 9 only: no signs, underscores, or digits of other scripts.",
    "FW117": "Source and destination have no family in common, so no packet can match: a packet is IPv4 or IPv6. The same "
    "goes for types of `icmp` where all addresses are IPv6: there they are `icmpv6`'s, and the other way round.",
    "FW118": "Types and codes belong to `icmp` (over IPv4) or `icmpv6` (over IPv6). `icmp` never means `icmpv6`.",
    "FW119": "The ICMP type or code has no such name for this protocol; it may be written as a number, 0 to 255. A code's "
    "name needs its type, since the same number means something else with each; a type's number needs a single protocol, "
    "since `8` is a ping of icmp and nothing of icmpv6.",
    "FW120": "Only tcp has flags; `established` means tcp with ACK or RST set.",
    "FW121": "Flags are tested under a mask: `flags syn/syn,ack` asks for SYN set and ACK clear. Flags are fin, syn, rst, "
    "psh, ack, urg, ece and cwr; `none` and `all` stand for no flag and for all.",
    "FW122": "A fragment is `whole`, `first` or `later`.",
    "FW123": "A state is `new`, `established`, `related`, `invalid` or `untracked`. The engine keeps no connections: the "
    "state is an input like any other, `new` unless stated.",
    "FW124": "A date is written YYYY-MM-DD.",
    "FW125": 'An interface is a plain name such as `wan0`, or any text in quotes; `none` is "no interface recorded". There '
    "are no wildcards: `eth+` and `eth*` are refused unless they stand in quotes, as names.",
    "FW126": "Rules have distinct names, so that a verdict names one rule.",
    "FW127": "The name is defined, but as something else: addresses, ports and services are different things.",
    "FW128": "The set is empty once everything excluded is taken away, so the condition can never hold.",
    "FW129": "The word has a fixed meaning in the language and cannot be defined.",
    "FW130": "An expectation names a rule that the policy does not have.",
    "FW131": "A packet is written `tcp 5.6.7.8:1029 -> 192.0.2.80:80`, IPv6 addresses with a port in brackets.",
    "FW132": "Comparisons (`>=`, `<=`, `>`, `<`) are for numbers: ports, ICMP types and codes.",
    "FW133": "A service is a protocol with destination ports, `tcp/https` or `udp/1024-65535`, or a set of these; the rule "
    "that uses it must not state a destination port again.",
    "FW135": "The question is about packets that do not exist, such as later fragments with a port: everything would be "
    "true of them, and nothing learnt.",
    "FW134": "A name begins with a letter and goes on with letters, digits, `_`, `-` and `.`.",
    "FW139": "A `dscp` is a number from 0 to 63 or a name of IANA's registry such as `ef` or `af11`; a `ttl`, which IPv6 calls hop "
    "limit, one from 0 to 255; a `length` counts the bytes of the whole IP packet, its own header included.",
    "FW137": "The policy declares its interfaces by `interface NAME = …`, and once one is declared, all are: a name that no "
    "declaration holds is a slip, or wants a declaration. Without a declaration any name would do, and a mistyped one would "
    "match nothing, silently.",
    "FW138": "A declaration's name is also the name of an interface, and does not stand for that interface alone: `in NAME` "
    "could mean either. Call the set something else.",
    "FW140": "IPv6's hop-by-hop options (0), routing (43), fragment (44), authentication (51) and destination options (60) are "
    "headers before the protocol, and are stepped through as Linux's filters do: a packet with a routing header and tcp behind "
    "it is a tcp packet. So no packet has one of these as its protocol; a rule that names them would match nothing. Over IPv4 "
    "they are protocols like any other, and a later fragment of IPv6 may have one, since nobody sees behind it.",
    "FW136": "The exceptions behind `unless` cut the region into more parts than can be looked at. Ask about fewer, or "
    "ask several questions.",
}
