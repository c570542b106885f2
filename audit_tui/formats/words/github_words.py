"""What a GitHub event acted upon, and the sentence that tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from audit_tui.core.event import Outcome
from audit_tui.formats.words.narrating import named_act, narrate, shown
from audit_tui.formats.words.sentences import Act, words_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_FIXED = {
    "git.clone": "clone[ {repo}]",
    "git.fetch": "fetch[ from {repo}]",
    "git.push": "push[ to {repo}]",
    "integration_installation.create": "install app[ {thing}][ in {place}]",
    "integration_installation.destroy": "uninstall app[ {thing}][ from {place}]",
    "org.oauth_app_access_approved": "approve access of an OAuth app[ to {org}]",
    "org.oauth_app_access_denied": "refuse an OAuth app access[ to {org}]",
    "org.oauth_app_access_requested": "request access of an OAuth app[ to {org}]",
    "org.set_default_workflow_permissions": "set the default permissions of workflows[ in {org}]",
    "org.update_member": "change the role of[ {user} in][ {place}]",
    "pull_request.merge": "merge a pull request[ of {repo}]",
    "protected_branch.policy_override": "override the protection of branch[ {thing}][ in {place}]",
    "protected_branch.rejected_ref_update": "push to protected branch[ {thing}][ in {place}]",
    "repo.access": "change the visibility[ of repo {repo}]",
    "repo.disable": "disable repo[ {repo}]",
    "repo.enable": "enable repo[ {repo}]",
    "repo.rename": "rename repo[ {repo}]",
    "repo.transfer": "transfer repo[ {repo}]",
    "repo.transfer_outgoing": "transfer repo[ {repo}] away",
    "repo.transfer_start": "begin to transfer repo[ {repo}]",
    "repo.update_member": "change the role[ of {user}][ in repo {repo}]",
    "team.promote_maintainer": "promote[ {user}] to maintainer[ of team {team}]",
    "team.demote_maintainer": "demote maintainer[ {user}][ of team {team}]",
    "user.failed_login": "sign in",
    "user.login": "sign in",
    "workflows.approve_workflow_job": "approve a job of workflow[ {thing}][ in {repo}]",
    "workflows.completed_workflow_run": "finish a workflow run[ of {thing}][ in {repo}]",
    "workflows.created_workflow_run": "start a workflow run[ of {thing}][ in {repo}]",
}
"""What the name alone does not say well; begins with the verb as it stands after "to"."""
_PEOPLE = frozenset({"member", "user", "admin", "maintainer", "collaborator", "owner", "manager"})
_PLACES = frozenset({"repository", "business", "org", "organization", "enterprise"})
_OF = frozenset({"enable", "disable", "set", "clear"})
_LITERAL = {"repo": "repo", "repository": "repo", "team": "team"}
_JOINTS = {"add": "to", "invite": "to", "grant": "in", "remove": "from", "cancel": "in"}


class GithubNames(NamedTuple):
    """Whom and what a record names; each None when it does not."""

    user: str | None
    """Whom it happened to."""
    team: str | None
    repo: str | None
    org: str | None
    thing: str | None
    """The name of a workflow, a ruleset, an app."""

    @property
    def place(self) -> str | None:
        """The smallest of repo and organization that holds it."""
        return self.repo or self.org

    def as_mapping(self) -> Mapping[str, str | None]:
        """For the patterns."""
        return self._asdict() | {"place": self.place}


class Told(NamedTuple):
    """What is told of an event."""

    target: str | None
    """The repo, team or person it acted upon, else the organization; None when none is named."""
    sentence: str


def tell(event: str, user: str | None, names: GithubNames) -> Told:
    """Who did what to which repo, team, member or organization.

    Args:
        event: The record's action.
        user: Who did it; None when nobody is named.
        names: What the record names.
    """
    prefix = event.partition(".")[0]
    has_failed = any(word in event.rpartition(".")[2] for word in ("failed", "rejected"))
    outcome = Outcome.FAILURE if has_failed else Outcome.UNKNOWN
    if event in _FIXED:
        sentence = narrate(user, _FIXED[event], names.as_mapping(), outcome)
        return Told(_target(prefix, user, names), sentence)
    found = named_act(event.replace("saml_provider_settings", "SAML_provider_settings"))
    if found is None:
        words = " ".join(words_of(event))
        by = f" by {shown(user)}" if user else ""
        where = f" in {shown(names.place)}" if names.place else ""
        return Told(_target(prefix, user, names), f"{words}{by}{where}")
    rest = _rest(_short(found.act), prefix, names)
    return Told(_target(prefix, user, names), f"{shown(user or 'someone')} {found.act.past} {rest}".rstrip())


def _short(act: Act) -> Act:
    """An act whose noun does not begin with the place, which is named after it."""
    noun = act.noun[1:] if len(act.noun) > 1 and act.noun[0] in _PLACES else act.noun
    if noun[-2:] == ("new", "repos"):
        noun = (*noun[:-2], "for", "new", "repos")
    return Act(act.verb, noun)


def _target(prefix: str, user: str | None, names: GithubNames) -> str | None:
    if prefix == "team":
        return names.team or names.user or names.org
    if prefix in ("org", "business", "organization_moderators"):
        return names.user or names.org
    other = names.user if names.user != user else None
    return names.repo or names.team or other or names.org or names.user


def _rest(act: Act, prefix: str, names: GithubNames) -> str:
    """What it was done to and where: ``member bob to repo acme/web``."""
    last = act.noun[-1] if act.noun else ""
    if last in _PEOPLE and names.user:
        return _with_place(f"{' '.join(act.noun)} {shown(names.user)}", act, prefix, names)
    if len(act.noun) == 1 and last in _LITERAL:
        kind = _LITERAL[last]
        name = names.team if kind == "team" else names.repo
        named = f"{last} {shown(name)}" if name else act.phrase()
        return _with_place(named, act, prefix, names, known=name)
    if len(act.noun) == 1 and last in ("org", "business") and names.org:
        return f"organization {shown(names.org)}"
    named = f"{' '.join(act.noun)} {shown(names.thing)}" if names.thing else act.phrase()
    return _with_place(named, act, prefix, names)


def _with_place(words: str, act: Act, prefix: str, names: GithubNames, known: str | None = None) -> str:
    kind, place = _place(prefix, names)
    if place is None or place == known or (known is not None and prefix != "team"):
        return words
    joint = _JOINTS.get(act.verb, "for" if act.verb in _OF else "in")
    return f"{words} {joint} {kind}{shown(place)}"


def _place(prefix: str, names: GithubNames) -> tuple[str, str | None]:
    if prefix == "team" and names.team:
        return "team ", names.team
    if prefix in ("org", "business", "organization_moderators") and names.org:
        return "", names.org
    if names.repo:
        return ("repo " if prefix == "repo" else ""), names.repo
    return "", names.org
