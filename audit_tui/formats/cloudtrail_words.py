"""What a CloudTrail event acted upon, and the sentence that tells it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from audit_tui.core.event import Outcome
from audit_tui.formats.sentences import JOINTS, Act, act_of, singular, told, with_reason, words_of

if TYPE_CHECKING:
    from audit_tui.formats.record import Fields

_SERVICES = {
    "autoscaling": "Auto Scaling", "ce": "Cost Explorer", "cloudformation": "CloudFormation",
    "cloudtrail": "CloudTrail", "config": "Config", "dynamodb": "DynamoDB", "ec2": "EC2", "ecr": "ECR",
    "ecs": "ECS", "eks": "EKS", "elasticloadbalancing": "Elastic Load Balancing", "guardduty": "GuardDuty",
    "health": "Health", "iam": "IAM", "kms": "KMS", "lambda": "Lambda", "logs": "CloudWatch Logs",
    "monitoring": "CloudWatch", "organizations": "Organizations", "ram": "RAM", "rds": "RDS",
    "rolesanywhere": "Roles Anywhere", "route53": "Route 53", "route53resolver": "Route 53 Resolver",
    "s3": "S3", "secretsmanager": "Secrets Manager", "securityhub": "Security Hub", "sns": "SNS",
    "sqs": "SQS", "ssm": "Systems Manager", "sts": "STS",
}  # fmt: skip
_FIXED: dict[str, tuple[str, str, str]] = {
    # The event -> what it is in the past, after "to", and the word before the target.
    "ConsoleLogin": ("logged in to the console", "log in to the console", ""),
    "Decrypt": ("decrypted data", "decrypt data", "with key"),
    "Encrypt": ("encrypted data", "encrypt data", "with key"),
    "GenerateDataKey": ("generated a data key", "generate a data key", "with key"),
    "GetCallerIdentity": ("asked for their own identity", "ask for their own identity", ""),
    "Logout": ("logged out", "log out", ""),
    "ReEncrypt": ("encrypted data again", "encrypt data again", "with key"),
    "SwitchRole": ("switched role", "switch role", "to"),
    "UserAuthentication": ("authenticated", "authenticate", ""),
}
_NOT_TARGETS = frozenset(
    """host clientToken clientRequestToken nextToken NextToken maxResults versionId requestId attributeType
    attribute policyDocument assumeRolePolicyDocument roleSessionName documentVersion type Type encoding-type
    delimiter prefix encryptionAlgorithm keySpec externalId serialNumber tokenCode statementId action
    resourceType complianceType typeName networkBorderGroup platformType availabilityZone region
    kmsKeyId kMSKeyId masterUserPassword value description reason sourceIdentity invocationType""".split()
)
_ANY_NAMES = frozenset({"name", "arn", "id", "resourcearn", "resourceid", "resource", "target", "resourcename"})
_ID_SUFFIX = re.compile(r"(Name|Names|Id|Ids|ID|Arn|Arns|ARN|Identifier|Set|List)\Z")
_NEW_THINGS = frozenset({"run", "create", "register", "allocate", "copy", "request", "import", "start", "send"})
_POLICY_HOLDERS = ("role", "user", "group")
_ENCODED = re.compile(r"\s*Encoded authorization failure message:.*", re.DOTALL)
_SHOWN_NAMES = 3
_EXACT, _PART, _ANY, _SOME = range(4)


class Scene(NamedTuple):
    """What is known of an event before it is told."""

    fields: Fields
    name: str
    """eventName, whole."""
    service: str
    """eventSource without its suffix."""


def short_name(arn: str) -> str:
    """The name at the end of an ARN; what is no ARN stays as it is."""
    if not arn.startswith("arn:"):
        return arn
    parts = arn.split(":", 5)
    if len(parts) < 6 or not parts[5]:
        return arn
    service, rest = parts[2], parts[5]
    if service == "s3":
        return rest
    if service == "iam":
        return rest.rpartition("/")[2] or rest
    kind = re.match(r"[A-Za-z-]+([:/])", rest)
    if kind is None:
        return rest
    name = rest[kind.end() :]
    return f"/{name}" if service == "ssm" and rest.startswith("parameter/") and "/" in name else name


@lru_cache(maxsize=4_096)
def _stem(key: str) -> str:
    """What a parameter names: ``dBInstanceIdentifier`` names a ``dbinstance``."""
    return singular(_ID_SUFFIX.sub("", key).lower())


@lru_cache(maxsize=4_096)
def _noun_stem(noun: tuple[str, ...]) -> str:
    return singular("".join(noun).lower())


@lru_cache(maxsize=16_384)
def _rank(key: str, noun_stem: str) -> int | None:
    """How well a parameter names what is acted upon; None when it names something else."""
    if key in _NOT_TARGETS or key == "Host":
        return None
    stem = _stem(key)
    has_suffix = stem != singular(key.lower()) or key.endswith("s")
    if stem and stem == noun_stem:
        return _EXACT
    if stem and has_suffix and (stem in noun_stem or (noun_stem and noun_stem in stem)):
        return _PART
    if key.lower() in _ANY_NAMES:
        return _ANY
    return _SOME if has_suffix and not key.endswith("s") else None


def _names_in(value: object, stem: str) -> str | None:
    """The name or names that a parameter gives: a text, a list of them, an EC2 set of ids."""
    if isinstance(value, str):
        return short_name(value) if value and len(value) <= 512 and not value.isspace() else None
    if isinstance(value, dict):
        value = value.get("items")
    if not isinstance(value, list) or not value:
        return None
    names = [name for name in (_item_name(item, stem) for item in value[:_SHOWN_NAMES]) if name]
    if not names:
        return None
    more = len(value) - len(names)
    return ", ".join(names) + (f" and {more:,} more" if more else "")


def _item_name(item: object, stem: str) -> str | None:
    if isinstance(item, str):
        return short_name(item) or None
    if isinstance(item, dict):
        for key, value in item.items():
            if isinstance(value, str) and value and _stem(key) == stem and key.lower() != stem:
                return value
    return None


def _best(params: object, noun_stem: str) -> tuple[int, str, str] | None:
    """The parameter that names best what is acted upon: its rank, what it names, the name."""
    if not isinstance(params, dict):
        return None
    best: tuple[int, str, str] | None = None
    for key, value in params.items():
        rank = _rank(key, noun_stem)
        if rank is None or (best is not None and rank >= best[0]):
            continue
        stem = _stem(key)
        name = _names_in(value, stem)
        if name is not None:
            best = (rank, stem, name)
            if rank == _EXACT:
                break
    return best


def _resource(fields: Fields, noun_stem: str) -> str | None:
    resources = fields.get("resources")
    if not isinstance(resources, list):
        return None
    arns = [
        arn
        for resource in resources[:20]
        if isinstance(resource, dict) and isinstance(arn := resource.get("ARN", resource.get("arn")), str) and arn
    ]
    for arn in arns:
        if noun_stem and f":{noun_stem}" in arn.lower().replace("-", ""):
            return short_name(arn)
    return short_name(arns[0]) if arns else None


class _Found(NamedTuple):
    stem: str
    name: str


def _find(scene: Scene) -> _Found | None:
    act = act_of(scene.name)
    noun_stem = _noun_stem(_before_joint(act.noun)[-1]) if act and act.noun else ""
    params = scene.fields.get("requestParameters")
    best = _best(params, noun_stem)
    if act is not None and act.verb in _NEW_THINGS and (best is None or best[0] > _PART):
        made = _made(scene.fields.get("responseElements"), noun_stem)
        if made is not None:
            return made
    if best is not None and best[0] <= _PART:
        return _Found(best[1], _with_object_key(params, best[1], best[2]))
    resource = _resource(scene.fields, noun_stem)
    if resource is not None:
        return _Found("", resource)
    return None if best is None else _Found("" if best[0] == _ANY else best[1], best[2])


def _before_joint(noun: tuple[str, ...]) -> list[tuple[str, ...]]:
    """A noun divided at its joint: (user, to, group) is [(user,), (group,)]."""
    for place, word in enumerate(noun):
        if word in JOINTS and 0 < place < len(noun) - 1:
            return [noun[:place], noun[place + 1 :]]
    return [noun]


def _made(response: object, noun_stem: str) -> _Found | None:
    """The id of what a request made, at the top of the answer or one level into it."""
    if not isinstance(response, dict) or not noun_stem:
        return None
    for layer in (response, response.get(noun_stem)):
        best = _best(layer, noun_stem)
        if best is not None and best[0] == _EXACT:
            return _Found(best[1], best[2])
    return None


def _with_object_key(params: Any, stem: str, name: str) -> str:  # noqa: ANN401 - a JSON value
    key = params.get("key")
    return f"{name}/{key}" if stem == "bucket" and isinstance(key, str) and key else name


def target_of(scene: Scene) -> str | None:
    """What an event acted upon: the parameter that its name speaks of, what it made, or its resource."""
    found = _find(scene)
    return None if found is None else found.name


def describe(scene: Scene, user: str | None, target: str | None, outcome: Outcome, *, is_denied: bool) -> str:
    """The sentence: who did what to what, and why it failed.

    Args:
        scene: The event.
        user: Who did it; None when nobody is named.
        target: What ``target_of`` found, or something better.
        outcome: A failure is told as one.
        is_denied: It failed because it was not allowed.
    """
    who = user or "someone"
    fixed = _FIXED.get(scene.name)
    act = act_of(scene.name)
    if fixed is not None:
        past, plain, joint = fixed
        rest = f"{joint} {target}" if target and joint else ""
        sentence = told(who, past, plain, rest, outcome, is_denied=is_denied)
    elif act is not None:
        rest = _object_of(scene, act, target)
        sentence = told(who, act.past, act.plain, rest, outcome, is_denied=is_denied)
    else:
        words = " ".join(words_of(scene.name))
        failed = " failed" if outcome is Outcome.FAILURE else ""
        sentence = f"{words}{failed} for {target or who} in {_service(scene)}"
    return with_reason(sentence, _reason(scene.fields))


def _object_of(scene: Scene, act: Act, target: str | None) -> str:
    pair = _pair(scene.fields.get("requestParameters"), act)
    if pair is not None:
        return pair
    if target is None:
        return f"{act.phrase()} in {_service(scene)}".strip()
    if not act.noun:
        return target
    found = _find(scene)
    stem = found.stem if found is not None else ""
    noun_stem = _noun_stem(act.noun)
    if stem == noun_stem or (not stem and noun_stem in ("key", "role", "bucket", "secret", "user")):
        return f"{' '.join(act.noun)} {target}"
    return f"{act.phrase()} {act.preposition} {target}"


def _pair(params: object, act: Act) -> str | None:
    """Two things in one act: a user added to a group, a policy attached to a role."""
    if not isinstance(params, dict):
        return None
    parts = _before_joint(act.noun)
    if len(parts) == 2:
        first = _best(params, _noun_stem(parts[0]))
        second = _best(params, _noun_stem(parts[1]))
        joint = act.noun[len(parts[0])]
        if first and second and first[0] == second[0] == _EXACT:
            return f"{' '.join(parts[0])} {first[2]} {joint} {' '.join(parts[1])} {second[2]}"
        return None
    if act.noun[-1:] == ("policy",) and act.noun[0] in _POLICY_HOLDERS:
        policy, holder = _best(params, "policy"), _best(params, act.noun[0])
        if policy and holder and policy[0] == holder[0] == _EXACT:
            return f"policy {policy[2]} {_policy_joint(act)} {act.noun[0]} {holder[2]}"
    return None


def _policy_joint(act: Act) -> str:
    return "from" if act.verb == "delete" else act.preposition


def _service(scene: Scene) -> str:
    return _SERVICES.get(scene.service, scene.service) or "AWS"


def _reason(fields: Fields) -> str | None:
    code, message = fields.get("errorCode"), fields.get("errorMessage")
    if isinstance(message, str) and message.strip():
        return _ENCODED.sub("", message) or message
    return code if isinstance(code, str) and code else None
