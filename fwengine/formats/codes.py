"""The catalogue of what is said about other firewalls' rule sets: for each code what it means and what to do about it."""

from __future__ import annotations

EXPLANATIONS: dict[str, str] = {
    "FW401": "The text is a listing, such as that of `iptables -L` or `show access-lists`. Listings leave out what matters; save the "
    "configuration itself.",
    "FW402": "A word stands where the format has no place for it, or is one that is not read. A rule that is not understood is never "
    "passed over: the file is refused.",
    "FW403": "A value is none: an address, a port, a type, a policy. The format itself would refuse it.",
    "FW404": "A line leads to a chain, a group or a set that is not there.",
    "FW405": "Chains that call each other in a circle are refused by the firewall, too.",
    "FW406": "The text is cut short or damaged: save it again.",
    "FW407": "There is nothing to ask about in the file: no filter table, no access list.",
    "FW451": "A table stands twice in the file, and the second takes the place of the first, as it does when the file is restored.",
    "FW452": "Other tables than the filter table are not evaluated: they may change packets, or drop them, before the rules that are read.",
    "FW453": "The rules stand in no table and are read as those of the filter table.",
    "FW454": "A list is applied to an interface and not defined. IOS then permits everything there.",
    "FW455": "No line leads to the chain, and no packet enters it by itself: its lines decide nothing.",
    "FW456": "A file of another firewall often has several policies: chains that packets enter, or access lists. `check` and `show` go "
    "through all of them; any other question is about one, which `--policy NAME` chooses.",
    "FW457": "A condition asks for more than a packet holds, such as a rate or the time, and `--in-doubt error` asks for none of these. "
    "`--in-doubt allow` takes it for what allows more, `--in-doubt deny` for what denies more; without the option whatever hangs on it "
    "is told to depend on that line.",
    "FW459": "A file that includes another firewall's policy, as in\n\n"
    '    include "edge.rules" from FORWARD\n\n'
    "states expectations about it. Rules of its own would stand before or behind those of the other firewall, which knows nothing of "
    "them: so it has none.",
    "FW460": "nftables lets a hook have several chains, and a packet must pass all of them: what one accepts, another may still drop. Each "
    "chain is a policy of its own here.",
    "FW458": "The format is not one that is read. Without `--from` the content of the file tells its format.",
}
