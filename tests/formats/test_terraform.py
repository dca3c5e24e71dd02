"""Plans and states of terraform: what rules are there before and after, what is not known yet, and whose a rule is."""

from __future__ import annotations

import ipaddress
import json
import random
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from support.commands import run
from support.paths import ROOT

import fwengine
from fwengine.errors import PolicyError
from fwengine.policy import Policy, load_versions, loads
from fwengine.sources.foreign import Reading
from fwengine.sources.source import from_text

SSH = "tcp 10.1.0.5:40000 -> 192.0.2.80:22 flags syn"
WEB = "tcp 10.1.0.5:40000 -> 192.0.2.80:443 flags syn"
GROUP, RULE, ENTRY = "aws_security_group.web", "aws_vpc_security_group_ingress_rule.ssh", "aws_network_acl_rule.web"
PLAN = ROOT / "rules" / "formats" / "plan.json"


def within(port: int, cidr: str | None = "10.0.0.0/8", **more: Any) -> dict[str, Any]:
    """A rule within a group."""
    return {"protocol": "tcp", "from_port": port, "to_port": port, "cidr_blocks": [cidr], "self": False, **more}


def numbered(number: int, port: int = 22, action: str = "allow", **more: Any) -> dict[str, Any]:
    """An entry within an ACL."""
    return {"rule_no": number, "action": action, "protocol": "6", "from_port": port, "to_port": port,
            "cidr_block": "10.0.0.0/8", "ipv6_cidr_block": "", "icmp_type": 0, "icmp_code": 0, **more}  # fmt: skip


def alone(port: int, cidr: str | None = "10.0.0.0/8", group: str | None = "sg-1", **more: Any) -> dict[str, Any]:
    """A rule that is a resource."""
    return {
        "ip_protocol": "tcp",
        "from_port": port,
        "to_port": port,
        "cidr_ipv4": cidr,
        "security_group_id": group,
        **more,
    }


def change(address: str, before: Any, after: Any, unknown: Any = None, module: str = "") -> dict[str, Any]:
    type_, name = address.rpartition("module.")[2].split(".")[-2:]
    made = {"address": address, "mode": "managed", "type": type_, "name": name.partition("[")[0]}
    if module:
        made["module_address"] = module
    return {**made, "change": {"actions": ["x"], "before": before, "after": after, "after_unknown": unknown or {}}}


def plan(*changes: dict[str, Any], configuration: Any = None, **more: Any) -> str:
    made = {"format_version": "1.2", "terraform_version": "1.9.5", "resource_changes": list(changes), **more}
    if configuration is not None:
        made["configuration"] = {"root_module": configuration}
    return json.dumps(made, indent=1)


def versions(text: str, policy: str) -> tuple[Policy, Policy]:
    old, new = load_versions(from_text(text, "plan.json"), reading=Reading(policy=policy))
    return old[0], new[0]


def fates(text: str, packet: str, policy: str = f"{GROUP} ingress") -> tuple[str, str]:
    old, new = versions(text, policy)
    return str(old.evaluate(packet).action), str(new.evaluate(packet).action)


def group(*rules: dict[str, Any], id: str | None = "sg-1", **more: Any) -> dict[str, Any]:
    return {"id": id, "name": "web", "ingress": list(rules), "egress": [], **more}


def refers(address: str, attribute: str, *references: str) -> dict[str, Any]:
    type_, name = address.split(".")
    expressions = {attribute: {"references": list(references)}}
    return {"address": address, "mode": "managed", "type": type_, "name": name, "expressions": expressions}


def test_rules_within_a_group() -> None:
    text = plan(change(GROUP, group(within(22)), group(within(443))))
    assert (fates(text, SSH), fates(text, WEB)) == (("allow", "deny"), ("deny", "allow"))
    everything = loads(text, file="plan.json", reading=Reading(policy=f"{GROUP} ingress"))
    assert str(everything.evaluate(WEB).action) == "allow"  # what is planned is what the file says


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (alone(22), alone(22), ("allow", "allow")),
        (alone(22), None, ("allow", "deny")),  # the group still tells of it, as it did when AWS was asked
        (alone(22), alone(22, "192.0.2.0/24"), ("allow", "deny")),
        (alone(22, "192.0.2.0/24"), alone(22), ("allow", "allow")),  # within is one that is nobody's
        (None, alone(22), ("allow", "allow")),
    ],
)
def test_rules_that_are_resources_go_before_what_a_group_tells_of_them(
    before: Any, after: Any, expected: tuple[str, str]
) -> None:
    told = group(within(22))
    assert fates(plan(change(GROUP, told, told), change(RULE, before, after)), SSH) == expected


def test_a_rule_that_comes_opens_a_group() -> None:
    told = group(within(443))
    text = plan(change(GROUP, told, told), change(RULE, None, alone(22)))
    assert (fates(text, SSH), fates(text, WEB)) == (("deny", "allow"), ("allow", "allow"))


@pytest.mark.parametrize(
    ("rule", "unknown"),
    [
        (alone(22, None), {"cidr_ipv4": True}),
        ({**alone(22), "ip_protocol": None}, {"ip_protocol": True}),
        ({**alone(22), "from_port": None}, {"from_port": True}),
        (alone(22, None, prefix_list_id="pl-1"), {}),
        (alone(22, None, referenced_security_group_id="sg-2"), {}),
        (alone(22, None), {"referenced_security_group_id": True}),
    ],
)
def test_what_is_not_known_before_the_plan_is_applied_is_in_doubt(rule: dict[str, Any], unknown: Any) -> None:
    told = group()
    text = plan(change(GROUP, told, told), change(RULE, None, rule, unknown))
    assert fates(text, SSH) == ("deny", "depends")
    assert fates(text, "udp 10.1.0.5:53 -> 192.0.2.80:53") == (
        "deny",
        "depends" if "ip_protocol" in unknown else "deny",
    )


def test_rules_within_that_are_not_known_are_in_doubt() -> None:
    fresh = {"name": "web"}
    text = plan(change(GROUP, None, fresh, {"id": True, "ingress": True, "egress": True}))
    assert fates(text, SSH) == ("deny", "depends")
    text = plan(change(GROUP, None, {**fresh, "ingress": [within(22), within(443, None)]},
                       {"ingress": [{}, {"cidr_blocks": [True]}], "id": True}))  # fmt: skip
    assert (fates(text, SSH), fates(text, WEB)) == (("deny", "allow"), ("deny", "depends"))


FRESH = {"name": "web"}
LATER = {"id": True, "ingress": True, "egress": True}
OTHER = "aws_security_group.other"
UNKNOWN = {"security_group_id": True}


def created(*configuration: dict[str, Any], module: str = "", **more: Any) -> str:
    """A plan that makes two groups and a rule of one of them."""
    return plan(
        change(f"{module}{GROUP}", None, FRESH, LATER, module.rstrip(".")),
        change(OTHER, None, FRESH, {**LATER, "ingress": False}),
        change(RULE, None, alone(22, group=None), UNKNOWN),
        configuration={"resources": list(configuration), **more},
    )


def test_the_configuration_says_whose_a_rule_is() -> None:
    text = created(refers(RULE, "security_group_id", f"{GROUP}.id", GROUP))
    assert fates(text, SSH) == ("deny", "allow")
    assert fates(text, SSH, f"{OTHER} ingress") == ("deny", "deny")


def test_a_reference_is_followed_into_a_module_and_out_of_one() -> None:
    output = {"module": {"outputs": {"group": {"expression": {"references": [f"{GROUP}.id", GROUP]}}}}}
    text = created(refers(RULE, "security_group_id", "module.net.group", "module.net"), module="module.net.",
                   module_calls={"net": output})  # fmt: skip
    assert fates(text, SSH, f"module.net.{GROUP} ingress") == ("deny", "allow")
    inputs = {"group": {"references": [f"{GROUP}.id", GROUP]}}
    inner = {"resources": [refers(RULE, "security_group_id", "var.group")]}
    text = plan(
        change(GROUP, None, FRESH, LATER),
        change(f"module.rules.{RULE}", None, alone(22, group=None), UNKNOWN, "module.rules"),
        configuration={"module_calls": {"rules": {"expressions": inputs, "module": inner}}},
    )
    assert fates(text, SSH) == ("deny", "allow")


@pytest.mark.parametrize(
    ("references", "expected"),
    [
        (["var.make", f"{GROUP}.id", GROUP, "var.existing"], ("allow", "deny")),  # what a variable says would be known
        (["var.make", f"{GROUP}.id", GROUP, "local.existing"], ("depends", "depends")),
        (["aws_vpc.x.id", "aws_vpc.x", f"{GROUP}.id", GROUP], ("depends", "depends")),
        ([f"{GROUP}.id", GROUP, "each.key"], ("allow", "deny")),
    ],
)
def test_a_reference_is_one_of_those_that_the_configuration_names(
    references: list[str], expected: tuple[str, str]
) -> None:
    text = created(refers(RULE, "security_group_id", *references))
    assert tuple(fates(text, SSH, f"{name} ingress")[1] for name in (GROUP, OTHER)) == expected


def test_an_instance_is_told_from_the_others() -> None:
    text = plan(
        change(f'{GROUP}["a"]', None, FRESH, LATER), change(f'{GROUP}["b"]', None, FRESH, {**LATER, "ingress": False}),
        change(RULE, None, alone(22, group=None), UNKNOWN),
        configuration={"resources": [refers(RULE, "security_group_id", f'{GROUP}["a"].id', f'{GROUP}["a"]', GROUP)]},
    )  # fmt: skip
    assert fates(text, SSH, f'{GROUP}["a"] ingress') == ("deny", "allow")
    assert fates(text, SSH, f'{GROUP}["b"] ingress') == ("deny", "deny")


@pytest.mark.parametrize("references", [["local.group"], [f"{GROUP}.id", GROUP, f"{OTHER}.id", OTHER], []])
def test_a_rule_that_may_be_of_several_groups_is_in_doubt_in_each(references: list[str]) -> None:
    text = created(refers(RULE, "security_group_id", *references))
    for name, other in ((GROUP, "depends"), (OTHER, "deny")):  # what is within the one is not known either
        assert fates(text, SSH, f"{name} ingress") == ("deny", "depends")
        assert fates(text, WEB, f"{name} ingress") == ("deny", other)


def test_a_rule_whose_group_nothing_tells_is_in_doubt_in_all_or_refused() -> None:
    told = group()
    rule = change(RULE, None, alone(22, group=None), UNKNOWN)
    assert fates(plan(change(GROUP, told, told), rule), SSH) == ("deny", "depends")
    with pytest.raises(PolicyError, match="not known before the plan is applied"):
        loads(plan(rule))


def test_rules_that_others_made_may_be_taken_away() -> None:
    told = group(within(22), within(443))
    only = {"security_group_id": "sg-1", "ingress_rule_ids": ["sgr-1"], "egress_rule_ids": []}
    text = plan(change(GROUP, told, told), change(RULE, alone(443), alone(443)),
                change("aws_vpc_security_group_rules_exclusive.x", None, only))  # fmt: skip
    assert (fates(text, SSH), fates(text, WEB)) == (("allow", "depends"), ("allow", "allow"))


def test_a_group_of_somebody_elses_holds_more_than_the_plan_says() -> None:
    text = plan(change(RULE, None, alone(22, group="sg-9")))
    assert (fates(text, SSH, "sg-9 ingress"), fates(text, WEB, "sg-9 ingress")) == (
        ("depends", "allow"),
        ("depends", "depends"),
    )


def test_rules_within_and_rules_that_are_resources_are_told() -> None:
    text = plan(change(GROUP, group(), group(within(443))), change(RULE, None, alone(22)))
    assert (fates(text, SSH), fates(text, WEB)) == (("deny", "depends"), ("deny", "allow"))
    assert [d.code for d in versions(text, f"{GROUP} ingress")[1].remarks] == ["FW482"]


def test_lists_that_come_and_go_are_compared_with_one_without_rules() -> None:
    text = plan(change(GROUP, group(within(22)), None), change(OTHER, None, group(within(22), id=None), {"id": True}))
    assert fates(text, SSH) == ("allow", "deny")
    assert fates(text, SSH, f"{OTHER} ingress") == ("deny", "allow")
    with pytest.raises(PolicyError, match="no policy"):  # afterwards it is not there
        loads(text, reading=Reading(policy=f"{GROUP} ingress"))


ACL = "aws_network_acl.main"


def acl(*entries: dict[str, Any], id: str | None = "acl-1") -> dict[str, Any]:
    return {"id": id, "ingress": list(entries), "egress": []}


def test_entries_of_an_acl() -> None:
    text = plan(
        change(ACL, acl(numbered(10), numbered(5, action="deny")), acl(numbered(10), numbered(20, action="deny")))
    )
    assert fates(text, SSH, f"{ACL} ingress") == ("deny", "allow")
    assert fates(text, WEB, f"{ACL} ingress") == ("deny", "deny")
    assert fates(text, f"{SSH} state established", f"{ACL} egress") == ("deny", "deny")


def test_entries_of_an_acl_that_are_resources() -> None:
    entry = {"network_acl_id": "acl-1", "rule_number": 20, "egress": False, "protocol": "tcp", "rule_action": "allow",
             "cidr_block": "10.0.0.0/8", "from_port": 443, "to_port": 443}  # fmt: skip
    told = acl(numbered(10), numbered(20, 443))
    for after, expected in ((entry, "allow"), ({**entry, "rule_action": "deny"}, "deny"), (None, "deny")):
        text = plan(change(ACL, told, told), change(ENTRY, entry, after))
        assert fates(text, WEB, f"{ACL} ingress") == ("allow", expected)
        assert fates(text, SSH, f"{ACL} ingress") == ("allow", "allow")
    text = plan(change(ACL, told, told), change(ENTRY, entry, {**entry, "rule_action": None}, {"rule_action": True}))
    assert fates(text, WEB, f"{ACL} ingress") == ("allow", "depends")


def test_default_lists() -> None:
    text = plan(change("aws_default_network_acl.d", acl(numbered(10)), acl()),
                change("aws_default_security_group.d", group(within(22)), group()))  # fmt: skip
    assert fates(text, SSH, "aws_default_network_acl.d ingress") == ("allow", "deny")
    assert fates(text, SSH, "aws_default_security_group.d ingress") == ("allow", "deny")


@pytest.mark.parametrize("key", ["entry", "cidr_blocks"])
def test_prefix_lists_of_a_plan_are_known(key: str) -> None:
    def prefixes(cidr: str) -> dict[str, Any]:
        return {"id": "pl-1", key: [{"cidr": cidr}] if key == "entry" else [cidr]}

    rule = group(within(22, "192.0.2.0/24", prefix_list_ids=["pl-1"]))
    kind = "aws_ec2_managed_prefix_list.x" if key == "entry" else "aws_prefix_list.x"
    text = plan(change(GROUP, rule, rule), change(kind, prefixes("10.0.0.0/8"), prefixes("10.2.0.0/16")))
    assert fates(text, SSH) == ("allow", "deny")


def state(*resources: dict[str, Any]) -> str:
    inner = {"address": "module.net", "resources": list(resources)}
    return json.dumps({"format_version": "1.0", "terraform_version": "1.9.5",
                       "values": {"root_module": {"resources": [], "child_modules": [inner]}}}, indent=1)  # fmt: skip


def test_a_state_tells_one_version() -> None:
    text = state({"address": f"module.net.{GROUP}", "mode": "managed", "type": "aws_security_group", "name": "web",
                  "values": group(within(22))})  # fmt: skip
    found = loads(text, reading=Reading(policy=f"module.net.{GROUP} ingress"))
    assert str(found.evaluate(SSH).action) == "allow"
    with pytest.raises(PolicyError, match="one version"):
        load_versions(from_text(text, "state.json"))


def test_resources_that_a_plan_does_not_touch_are_those_of_the_state_before() -> None:
    resource = {"address": GROUP, "mode": "managed", "type": "aws_security_group", "name": "web"}
    sides = [{"root_module": {"resources": [{**resource, "values": group(within(port))}]}} for port in (22, 443)]
    text = plan(prior_state={"values": sides[0]}, planned_values=sides[1])
    assert (fates(text, SSH), fates(text, WEB)) == (("allow", "deny"), ("deny", "allow"))


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        (plan(change(ACL, None, {"ingress": [numbered(10, rule_no=None)]}, {"ingress": [{"rule_no": True}]})), "FW481",
         '"rule_no": null'),
        (plan(change("aws_security_group_rule.x", None, within(22), {"type": True})), "FW481", '"after": {'),
        (plan(change(ACL, None, acl(numbered(10, action="drop")))), "FW403", '"action": "drop"'),
        (plan(change(ACL, None, acl(numbered(10), numbered(10, 443)))), "FW403", '"rule_no": 10'),
        (plan(change(ACL, None, acl(numbered(32767)))), "FW403", '"rule_no": 32767'),
        (plan(change(GROUP, None, group(within(22, "10.0.0.0/40")))), "FW403", '"10.0.0.0/40"'),
        (plan(change(GROUP, None, group(within(22, protocol="tcpp")))), "FW403", '"protocol": "tcpp"'),
        (plan(change(GROUP, None, group(within(70000)))), "FW403", '"from_port": 70000'),
        (plan(change(GROUP, None, {"ingress": 5})), "FW406", '"ingress": 5'),
        (plan(change("awscc_ec2_security_group_ingress.x", None, {})), "FW402", '"after": {},'),
        (plan(change("aws_vpc.x", None, {})), "FW407", "{"),
        (plan(errored=True), "FW406", '"errored": true'),
        ('{"terraform_version": "1.9.5", "version": 4, "lineage": "x", "resources": []}', "FW407", "{"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_refused_with_its_line(text: str, code: str, words: str) -> None:
    with pytest.raises(PolicyError) as caught:
        fwengine.loads(text, file="plan.json")
    found = caught.value.diagnostics[0]
    assert found.code == code
    assert found.help
    line = text.split("\n")[found.span.line - 1]
    assert line.strip().startswith(words)


def test_one_line_of_json_has_columns() -> None:
    text = json.dumps(json.loads(PLAN.read_text()))
    _, new = versions(text, f"{GROUP} ingress")
    verdict = new.evaluate("tcp 10.4.0.5:1 -> 192.0.2.80:22")
    assert verdict.by == "aws_vpc_security_group_ingress_rule.ssh"
    assert verdict.rule is not None
    span = verdict.rule.span
    assert text[span.column - 1 : span.end_column - 1] == '"cidr_ipv4": "10.0.0.0/8"'


# The command


def test_diff_of_a_plan_is_the_review() -> None:
    done = run("diff", PLAN)
    out = done.out
    assert done.code == 1
    assert "aws_network_acl.servers ingress: changed" in out
    assert "aws_security_group.db ingress: added" in out
    assert "newly allowed  tcp from 10.0.0.0/8 except 10.20.9.0/24 to any port 22" in out
    assert out.endswith("6 lists: 2 changed, 2 equivalent, 2 added\n")
    assert run("diff", "-", stdin=PLAN.read_bytes()).code == 1
    files = run("diff", PLAN, "--format", "json").json["files"]
    assert [(file["old"] is None, file["status"]) for file in files] == [
        (False, "changed"), (False, "equivalent"), (False, "changed"), (False, "equivalent"), (True, "added"), (True, "added"),
    ]  # fmt: skip


def test_diff_of_a_plan_that_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text(plan(change(GROUP, group(within(22)), group(within(22)))))
    done = run("diff", file)
    assert (done.code, done.out) == (0, "2 lists: 2 equivalent\n")
    done = run("diff", file, "--policy", f"{GROUP} ingress")
    assert (done.code, done.out.startswith("EQUIVALENT")) == (0, True)


@pytest.mark.parametrize("file", ["vpc.json", "server.rules", "../edge.fwl"])
def test_one_file_that_tells_one_version_is_not_enough(file: str) -> None:
    done = run("diff", PLAN.parent / file)
    assert done.code == 2
    assert "FW483" in done.err


@pytest.mark.parametrize(("other", "status"), [("sg-2", "equivalent"), ("sg-3", "in doubt")])
def test_what_hangs_on_another_doubt_is_told(tmp_path: Path, other: str, status: str) -> None:
    before, after = (alone(22, None, referenced_security_group_id=name) for name in ("sg-2", other))
    file = tmp_path / "plan.json"
    file.write_text(plan(change(GROUP, group(), group()), change(RULE, before, after)))
    files = run("diff", file, "--format", "json").json["files"]
    assert [one["status"] for one in files] == [status, "equivalent"]


def test_diff_of_two_files_compares_their_policies_by_name(tmp_path: Path) -> None:
    text = (PLAN.parent / "vpc.json").read_text()
    file = tmp_path / "vpc.json"
    file.write_text(text.replace('"CidrIp": "10.20.9.0/24"', '"CidrIp": "10.20.0.0/16"'))
    done = run("diff", PLAN.parent / "vpc.json", file)
    assert done.code == 1
    assert done.out.endswith("4 lists: 3 equivalent, 1 changed\n")
    done = run(
        "diff",
        PLAN.parent / "vpc.json",
        PLAN,
        "--policy",
        "acl-0b1c egress",
        "--policy",
        "aws_network_acl.servers egress",
    )
    assert (done.code, done.out.startswith("EQUIVALENT")) == (0, True)
    done = run("diff", PLAN.parent / "vpc.json", PLAN.parent.parent / "edge.fwl")
    assert (done.code, "FW456" in done.err) == (2, True)


@pytest.mark.parametrize("seed", range(40))
def test_a_plan_applied_by_hand_has_the_rules_that_are_told(seed: int) -> None:
    """A group of rules that somebody made by hand and of rules that are resources: what AWS has after each is done."""
    rng = random.Random(seed)
    rules = [(port, cidr) for port in (22, 80, 443) for cidr in ("10.1.0.0/16", "10.0.0.0/8", "192.0.2.0/24")]
    rng.shuffle(rules)
    manual, was, fresh = rules[:2], rules[2:5], rules[5:8]
    kept = [rule for rule in was if rng.random() < 0.5]
    come = [rule for rule in fresh if rng.random() < 0.6]
    told = group(*(within(*rule) for rule in (*manual, *was)))
    changes = [change(f"aws_security_group_rule.r{n}", before, before if rule in kept else None)
               for n, rule in enumerate(was) if (before := _typed(rule))]  # fmt: skip
    gone = [one for one in changes if one["change"]["after"] is None]
    for n, rule in enumerate(come):  # some take the place of one that goes: the resource is edited
        if gone and rng.random() < 0.5:
            gone.pop()["change"]["after"] = _typed(rule)
        else:
            changes.append(change(f"aws_security_group_rule.n{n}", None, _typed(rule)))
    rng.shuffle(changes)
    text = plan(change(GROUP, told, told), *changes)
    for port, source in product((22, 80, 443, 444), ("10.1.0.5", "10.2.0.5", "192.0.2.9", "198.51.100.1")):
        packet = f"tcp {source}:40000 -> 192.0.2.80:{port} flags syn"
        expected = tuple("allow" if any(_takes(rule, port, source) for rule in some) else "deny"
                         for some in ((*manual, *was), (*manual, *kept, *come)))  # fmt: skip
        assert fates(text, packet) == expected, (packet, manual, was, kept, come)


def _typed(rule: tuple[int, str]) -> dict[str, Any]:
    return {**within(*rule), "type": "ingress", "security_group_id": "sg-1"}


def _takes(rule: tuple[int, str], port: int, source: str) -> bool:
    return rule[0] == port and ipaddress.ip_address(source) in ipaddress.ip_network(rule[1])


def test_folders_with_lists_of_aws_are_compared(tmp_path: Path) -> None:
    text = (PLAN.parent / "vpc.json").read_text()
    for folder, cidr in (("old", "10.20.9.0/24"), ("new", "10.20.0.0/16")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "vpc.json").write_text(text.replace('"CidrIp": "10.20.9.0/24"', f'"CidrIp": "{cidr}"'))
    done = run("diff", tmp_path / "old", tmp_path / "new")
    assert done.code == 1
    assert "vpc.json:sg-0a44 ingress: changed" in done.out
    assert "vpc.json:acl-0b1c ingress: equivalent" in done.out
