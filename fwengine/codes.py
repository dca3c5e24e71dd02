"""Every diagnostic code of the package, named here and nowhere else: what it means and what to do about it.

`FW0xx` and `FW1xx` are the language's, `FW2xx` and `FW3xx` what `check` finds, `FW4xx` other firewalls' rule sets', `FW5xx` the
commands' failures, `FW6xx` what their answers say of places, `FW9xx` captures'. Knows nothing else. Codes are stable: one that is no
longer issued is not used again.
"""

from __future__ import annotations

from typing import Final

NO_RULE: Final = "FW501"
NO_EXPECTATION: Final = "FW502"
NO_VERDICT: Final = "FW503"
NO_INPUT: Final = "FW504"
NOT_A_PACKET: Final = "FW511"
LIMIT: Final = "FW512"
USAGE: Final = "FW513"
NO_BASELINE: Final = "FW514"
CONFIGURATION: Final = "FW515"
FOUND: Final = "FW601"
REFUTED: Final = "FW602"
NEWLY_ALLOWED: Final = "FW603"
NEWLY_DENIED: Final = "FW604"
UNMET: Final = "FW605"
DECIDED: Final = "FW606"
UNEXERCISED: Final = "FW607"
NOT_CANONICAL: Final = "FW608"
NEWLY_DEPENDENT: Final = "FW609"
NOT_KEPT: Final = "FW610"
MENDABLE: Final = "FW611"
NOT_A_CAPTURE: Final = "FW901"
ENDS_EARLY: Final = "FW902"
DAMAGED: Final = "FW903"
UNSUPPORTED: Final = "FW904"
UNREADABLE: Final = "FW905"
GZIP: Final = "FW906"
NOT_A_LOG: Final = "FW907"

FINDINGS = {
    "FW201": "unreachable, and some of its packets get the other action (shadowed)",
    "FW202": "unreachable; its packets get the same action from earlier rules",
    "FW203": "redundant: reachable, but without it every packet fares the same",
    "FW204": "unmatchable: there is no packet that the rule matches",
    "FW205": "generalization: matches all that an earlier rule of the other action matches, and more",
    "FW206": "correlated: shares packets with an earlier rule of the other action, and each has others",
    "FW207": "expired: matches nothing any more",
    "FW208": "expires soon",
    "FW209": "definition never used",
    "FW210": "an element of a set that the others hold already",
    "FW211": "the addresses of one family never match, as the other side has none of it",
    "FW220": "a suppression that is written wrongly",
    "FW221": "a suppression of what is not found",
    "FW222": "a suppression that has expired",
    "FW301": "allows every packet",
    "FW302": "a port range that means any port but misses port 0",
    "FW303": "later fragments of allowed packets are denied",
    "FW304": "leaving out addresses of one family lets in all of the other",
    "FW305": "names a protocol that over IPv6 only later fragments have",
    "FW310": "an interface that one rule alone names, and that resembles another",
}

EXPLANATIONS: Final[dict[str, str]] = {
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
    "FW128": "The set, or an element of it, is empty once everything excluded is taken away, so it can never hold.",
    "FW129": "The word has a fixed meaning in the language and cannot be defined.",
    "FW130": "An expectation names a rule that the policy does not have.",
    "FW131": "A packet is written `tcp 5.6.7.8:1029 -> 192.0.2.80:80`, IPv6 addresses with a port in brackets.",
    "FW132": "Comparisons (`>=`, `<=`, `>`, `<`) are for numbers: ports, ICMP types and codes.",
    "FW133": "A service is a protocol with destination ports, `tcp/https` or `udp/1024-65535`, or a set of these; the rule "
    "that uses it must not state a destination port again.",
    "FW134": "A name begins with a letter and goes on with letters, digits, `_`, `-` and `.`.",
    "FW135": "The question is about packets that do not exist, such as later fragments with a port: everything would be "
    "true of them, and nothing learnt.",
    "FW136": "The exceptions behind `unless` cut the region into more parts than can be looked at. Ask about fewer, or "
    "ask several questions.",
    "FW137": "The policy declares its interfaces by `interface NAME = …`, and once one is declared, all are: a name that no "
    "declaration holds is a slip, or wants a declaration. Without a declaration any name would do, and a mistyped one would "
    "match nothing, silently.",
    "FW138": "A declaration's name is also the name of an interface, and does not stand for that interface alone: `in NAME` "
    "could mean either. Call the set something else.",
    "FW139": "A `dscp` is a number from 0 to 63 or a name of IANA's registry such as `ef` or `af11`; a `ttl`, which IPv6 calls hop "
    "limit, one from 0 to 255; a `length` counts the bytes of the whole IP packet, its own header included.",
    "FW140": "IPv6's hop-by-hop options (0), routing (43), fragment (44), authentication (51) and destination options (60) are "
    "headers before the protocol, and are stepped through as Linux's filters do: a packet with a routing header and tcp behind "
    "it is a tcp packet. So no packet has one of these as its protocol; a rule that names them would match nothing. Over IPv4 "
    "they are protocols like any other, and a later fragment of IPv6 may have one, since nobody sees behind it.",
    "FW201": "Earlier rules take every packet of this rule, and at least one of those packets gets the other action. "
    "Somebody wrote the rule to have an effect, and it has none: the dangerous kind of an unreachable rule. The rules "
    "named are a minimal set: without any one of them, some packet would get past them. Where rules of the same action "
    "match all of it, those are named: it adds nothing to them, wherever it stands. Otherwise a place is named above "
    "which it would decide the witness.",
    "FW202": "Earlier rules of the same action take every packet of this rule. It can be removed without a change, unless "
    "an expectation names it, or what takes its packets ends before it does.",
    "FW203": "The rule decides packets, but later rules, or the default, would do the same with all of them. It can be "
    "removed without a change, together with all else that the same run proposes: of several rules that do the same, "
    "those named may go, and one stays. It is information only where nothing but the default does the same, as many "
    "people write such rules on purpose; `--fix` leaves those.",
    "FW204": "No packet satisfies all of the rule's conditions, whatever stands before it: ports together with later "
    "fragments, for example, or an IPv4 ICMP type between IPv6 addresses.",
    "FW205": "The rule matches all that an earlier rule of the other action matches, and more: the earlier one is an "
    "exception to it. Usual, and off unless selected.",
    "FW206": "The rule and an earlier one of the other action share packets, and each has others: which one decides the "
    "shared ones hangs on their order. Off unless selected.",
    "FW207": "The day after which the rule matches nothing has passed. It blocks nothing and allows nothing.",
    "FW208": "The rule matches nothing after a day less than a month away.",
    "FW209": "Nothing uses the definition. In a file that is included by others definitions may be meant for those, so "
    "only the file that was asked about is looked at.",
    "FW210": "The other elements of the set hold all of this one, so the set means the same without it. Names of nets, "
    "services and ports are left alone unless they stand twice: what they stand for may change.",
    "FW211": "A packet has one family. The rule names addresses of both on one side and of one on the other, so the rest "
    "never matches. Usual where a name is for both families; a mistake where the other side should be for both, too.",
    "FW220": "A comment that begins like a suppression and is none, so it sets nothing aside. It is written behind a statement, or in "
    "a line right above it, and holds for that statement:\n\n"
    "    # fwengine: ignore FW303 until 2027-01-31: vendor range, ticket 41\n\n"
    "One or several codes of findings, a last day if there is to be one, and behind the colon a reason, which is required. Only "
    "findings can be set aside, each by its whole code; errors must be corrected.",
    "FW221": "The comment sets aside what is not found at its statement (any more), or stands at no statement. Remove it: what it "
    "says would hide the next such finding. In a file that others include it is used if it is for any policy of the same run.",
    "FW222": "The last day of the suppression has passed. It sets nothing aside any more.",
    "FW301": "The rule allows every packet that reaches it, without any condition.",
    "FW302": "A port range such as 1-65535 is usually meant as any port, but leaves out port 0, which is a value like any "
    "other on the wire.",
    "FW303": "Only the first fragment of a packet carries ports, types and flags, so a rule with such a condition does not "
    "match the later ones, and here they are denied: a fragmented packet that the rule allows never arrives whole.",
    "FW304": "What is left out is of one family, so all addresses of the other are taken in: `not 10.0.0.0/8` holds every "
    "IPv6 address. The rule allows such packets. Write `ipv4 except 10.0.0.0/8` to speak of IPv4 alone, or list both "
    "families, as in `{ ipv4 except 10.0.0.0/8, ipv6 }`, if that is meant.",
    "FW305": "IPv6's hop-by-hop options (0), routing (43), fragment (44), authentication (51) and destination options (60) are "
    "headers that are stepped through to the protocol behind them, as Linux's filters do. So a rule with one of them over both "
    "families matches IPv4 packets, and of IPv6 later fragments at most: `deny ipv6-route` lets a tcp packet with a routing "
    "header pass.",
    "FW310": "Interfaces need no declaration, so a mistyped one is a name like any other, and the rule matches nothing. This "
    "one is named by a single rule, and is a letter away from a name that other rules use; names that differ in numbers, or "
    "are both usual (`lan0`, `wan0`), are not told. Policies that declare their interfaces by `interface NAME = …` have an "
    "error in place of this finding.",
    "FW401": "The file is not what a reader can take: the listing of a running filter (`iptables -L`, `show access-lists`), for "
    "example, which leaves out what decides. The message says which command writes the form that is read.",
    "FW402": "A word, option or line of another firewall's rule set is not understood. Nothing of it is guessed or left out: the "
    "file is refused with the place.",
    "FW403": "A value in another firewall's rule set cannot be: an address, mask, port or type out of its range or of the wrong "
    "family, or one that the line lacks.",
    "FW404": "A chain, list or group is named that the file does not define.",
    "FW405": "Chains call each other in a circle. The firewall itself refuses to load them.",
    "FW406": "The file or a line of it ends too early, as it does when a copy was cut off, or is longer than any that a firewall "
    "writes.",
    "FW407": "The file has no rules that filter: no `filter` table, or no access list.",
    "FW451": "A table stands twice in the file. Restoring it lets the second replace the first, and so it is read.",
    "FW452": "The table does not filter (`nat`, `mangle`, `raw`), so its rules are not evaluated. What they change about packets "
    "before these are filtered is not known here.",
    "FW453": "The file names no table, as scripts do. It is read as the filter table.",
    "FW454": "The list is applied to an interface and defined nowhere. What then happens depends on the system: IOS lets "
    "everything pass.",
    "FW455": "No line leads to the chain, and no packet enters it by itself: its lines decide nothing.",
    "FW456": "A file of another firewall often has several policies: chains that packets enter, or access lists. `check` and `show` go "
    "through all of them; any other question is about one, which `--policy NAME` chooses.",
    "FW457": "A condition asks for more than a packet holds, such as a rate or the time, and `--in-doubt error` asks for none of these. "
    "`--in-doubt allow` takes it for what allows more, `--in-doubt deny` for what denies more; without the option whatever hangs on it "
    "is told to depend on that line.",
    "FW458": "The format is not one that is read. Without `--from` the content of the file tells its format.",
    "FW459": "A file that includes another firewall's policy, as in\n\n"
    '    include "edge.rules" from FORWARD\n\n'
    "states expectations about it. Rules of its own would stand before or behind those of the other firewall, which knows nothing of "
    "them: so it has none.",
    "FW460": "nftables lets a hook have several chains, and a packet must pass all of them: what one accepts, another may still drop. "
    "Each chain is a policy of its own here, and `--policy 'hook input'` asks all of a hook together.",
    "FW461": "What depends on more than the packet cannot be written as something that does not. `--in-doubt allow` or `--in-doubt deny` "
    "takes a side, and what is written then is that side; a comment at the top of it says so.",
    "FW462": "What is written in another format is exact, or is not written. The rule asks for something that the format has no words for, "
    "or has only for more or fewer packets: Cisco's lists know no interfaces, network ACLs of AWS look at one address alone, the language "
    "lists interfaces by name and has no word for all whose names begin alike (`eth+`). docs/reference/formats has a page for each "
    "target. Rules with `until` are for one day: `--as-of DATE` writes those of that day.",
    "FW470": "The list has no entry, only a heading or remarks. A list of Cisco IOS ends in a `deny` of everything only once it has one: "
    "until then it permits all where it is applied.",
    "FW471": "A list of IPv6 ends, on Cisco IOS and NX-OS, in permits for neighbour discovery before it denies all else. An entry that "
    "denies everything above that takes their packets, too, and hosts on that link no longer find each other.",
    "FW472": "Cisco IOS and NX-OS write masks whose one bits are not compared (`10.0.0.0 0.255.255.255`), ASA the netmask (`10.0.0.0 "
    "255.0.0.0`). A mask of the other kind is taken, and selects by the last bits of an address: hosts all over the world.",
    "FW480": "AWS looks at ports for the protocols 6 (tcp) and 17 (udp) alone. A rule of a network ACL or a security group that gives "
    "ports for another protocol, or for all of them (-1), takes every packet of that protocol.",
    "FW481": "A plan of terraform does not say yet where a rule stands: its number or its direction is known when the plan is applied. "
    "Other values that are not known yet are in doubt; without these nothing can be said of the list.",
    "FW482": "A network ACL or security group of terraform has rules within, and rules that are resources of their own. Terraform takes "
    "one for the other away whenever it applies, so which of them remain is in doubt.",
    "FW483": "`diff` compares two files. One alone is enough if it tells what was and what is to be, as a plan of terraform does: "
    "`terraform plan -out tfplan`, then `terraform show -json tfplan > plan.json`.",
    NO_RULE: "No rule decides anything: the policy has none, or all of them have expired. Then the default decides every "
    "packet, and whatever is asked says nothing about the policy that somebody meant to write. The answer is given, but "
    "it is no success. A file of definitions needs no rule if another file of the same run includes it and has one.",
    NO_EXPECTATION: "Nothing was tested: neither the file that was named nor one that includes it in the same run says "
    "`expect`. A folder needs one file that does.",
    NO_VERDICT: "No packet of the capture, or no flow of the log, got a verdict: it has none, or none that can be read as one. "
    "Whatever is expected of its packets would be true of all of them, and nothing learnt.",
    NO_INPUT: "There was nothing to read: no packet on standard input, or no statement in the file.",
    NOT_A_PACKET: "The text is not a packet. One is written `tcp 5.6.7.8:1029 -> 192.0.2.80:80 flags syn in wan0`, as JSON, as "
    "bytes (`hex:4500...`), or as a line of `tcpdump -nn`.",
    LIMIT: "The answer is unknown: finding it takes more than a limit allows, which the message names. Ask about less, or "
    "raise the limit where the command has an option for it.",
    USAGE: "The command line is wrong: an option or argument that the command does not have, or that does not go with the "
    "others. `fwengine COMMAND --help` tells what it takes.",
    NO_BASELINE: "The file is no baseline of `check`: it is not JSON, of another version, or was changed by hand. Baselines are "
    "written by `fwengine check PATH... --write-baseline FILE`; to drop an entry, write it anew.",
    CONFIGURATION: "The configuration, `fwengine.toml` or the table `[tool.fwengine]` of `pyproject.toml`, is not TOML, or says "
    "what has no meaning here. Its keys are `select`, `ignore` and `paths` (lists of texts), `strict` (true or false), `baseline` "
    "(the name of a file) and `interfaces` (a list of names). `--no-config` does without it.",
    FOUND: "The rule decides packets that a query asked for. It is information: whether they should fare so is yours to say.",
    REFUTED: "A claim about a policy is not true: the packet named is one that it speaks of, and fares otherwise. Correct the "
    "policy, or the claim. A claim about no packet proves nothing, and is told under this code, too.",
    NEWLY_ALLOWED: "The new policy allows packets that the old one denies, by the rule named. Each region has a packet of it; "
    "nothing outside the regions changes.",
    NEWLY_DENIED: "The new policy denies packets that the old one allows, by the rule named. Each region has a packet of it; "
    "nothing outside the regions changes.",
    UNMET: "An expectation does not hold: the packet named is one that it speaks of, and fares otherwise. An expectation about "
    "no packet does not hold either.",
    DECIDED: "The rule decides a packet that was asked about. It is an error where `--expect` says otherwise.",
    UNEXERCISED: "No packet of the captures was decided by the rule. It may be right, and of no use; or the captures are too few.",
    NOT_CANONICAL: "The text is not in canonical form. `fwengine fmt` writes it so, comments kept; the policy means the same.",
    NEWLY_DEPENDENT: "What becomes of packets that the old policy allows or denies for certain depends on lines in doubt in the new "
    "one: they may be allowed. Or it depends on lines in doubt in both, and not on the same ones.",
    NOT_KEPT: "The format to which the policy was converted has no place for it, and no verdict hangs on it: names, comments, a log.",
    MENDABLE: "`fwengine check --fix` would change the file. No verdict changes by that, which is proved; `--diff` shows how.",
    NOT_A_CAPTURE: (
        "The file is not a capture: it does not begin with the magic number of pcap, of pcapng, or of gzip around one of "
        "them. An empty file is not a capture either, because even a capture without packets has a file header. Capture "
        "packets with, for example, `tcpdump -w FILE`, or save them from Wireshark as pcapng."
    ),
    ENDS_EARLY: (
        "The file ends in the middle of its header, of a packet record or of a block, as it does when a copy was "
        "interrupted or the capturing program was killed. All packets before that place were read and count; what came "
        "behind them is not known."
    ),
    DAMAGED: (
        "A record says something that cannot be: more than 262,144 captured bytes, a block longer than 16 MiB or whose "
        "two lengths differ, a packet on an interface that was never described. Nothing behind such a record can be "
        "trusted, because one would have to guess where the next one begins. All packets before it were read and count."
    ),
    UNSUPPORTED: (
        "The file is a capture of a kind or version that is not read here. Read are pcap 2.0 to 2.4 (microseconds, "
        "nanoseconds and the modified format, in both byte orders) and pcapng 1.0, plain or compressed with gzip, xz, "
        "bzip2 or (from Python 3.14 on) zstd. Convert other kinds first, for example with `editcap -F pcapng`; "
        "unpack archives first."
    ),
    UNREADABLE: (
        "The operating system refused to open, read or write the file: it does not exist, is a directory, may not be "
        "read by this user, or lies on a device with an error. The message ends with the system's own reason."
    ),
    GZIP: (
        "The compression around the capture is damaged or ends early: all packets that could be decompressed before that "
        "place were read and count. Or bytes of another kind stand behind a compressed stream that is whole: then all of "
        "its packets count, and the message says so; cut these bytes off if they are not part of the capture."
    ),
    NOT_A_LOG: (
        "The file is no flow log that is known, or its columns are not called as expected. Read are AWS VPC flow logs, Zeek's "
        "conn.log, Suricata's eve.json, nfdump's CSV and JSON, Azure's and GCP's flow logs, log lines of firewalls, and any CSV, "
        "JSON or Parquet whose columns `--columns src=NAME,dst=NAME,protocol=NAME` names. docs/reference/flows.md tells what is read "
        "of each."
    ),
}
