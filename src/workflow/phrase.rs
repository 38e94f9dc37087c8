//! The parts of sentences about a request: people, approvals, lists and times.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::time::Duration;

use super::open_demand::{OpenApproval, OpenDemand};
use crate::request::{ActorContext, ActorId, ApprovalId, ApprovalTarget, Timestamp};

/// How many names a sentence lists before it counts the rest.
const MAX_NAMED: usize = 8;

/// The names as a list; for many, the first ones and the number of the rest.
pub(super) fn list<T: Display>(names: impl IntoIterator<Item = T>, separator: &str, last: &str) -> String {
    let mut names: Vec<String> = names.into_iter().map(|name| name.to_string()).collect();
    match names.len().saturating_sub(MAX_NAMED) {
        0 => match names.pop() {
            Some(only) if names.is_empty() => only,
            Some(end) => format!("{}{last}{end}", names.join(separator)),
            None => "nobody".to_owned(),
        },
        beside => {
            names.truncate(MAX_NAMED);
            let others = if beside == 1 { "other" } else { "others" };
            format!("{}{last}{beside} {others}", names.join(separator))
        }
    }
}

/// What has to happen for the demand to be met.
pub(super) fn demand(demand: &OpenDemand) -> String {
    match (&demand.group, demand.open.as_slice()) {
        (Some(group), open) => {
            let slots = open.iter().filter(|open| open.is_for_somebody());
            let slots = slots.map(|open| format!("{} by {}", open.id.in_words(), deciders(open)));
            let more =
                if demand.missing == 1 { "1 more vote".to_owned() } else { format!("{} more votes", demand.missing) };
            format!("{more} in {group}{}: {}", demanded(open), list(slots, ", ", ", "))
        }
        (None, [open, ..]) => {
            format!("{} to decide {}{}", deciders(open), open.id.in_words(), demanded(std::slice::from_ref(open)))
        }
        (None, []) => "nobody".to_owned(),
    }
}

/// The policies that demanded any of the approvals.
fn demanded(open: &[OpenApproval]) -> String {
    let policies: BTreeSet<&String> = open.iter().flat_map(|open| &open.demanded_by).collect();
    if policies.is_empty() {
        return String::new();
    }
    let policies = policies.into_iter().map(|policy| format!("policy {policy}"));
    format!(" (demanded by {})", list(policies, ", ", " and "))
}

/// Who may decide the approval.
fn deciders(open: &OpenApproval) -> String {
    let (mut ids, mut roles, mut groups) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for target in open.targets() {
        roles.extend(roles_of(target));
        groups.extend(groups_of(target));
    }
    ids.extend(open.ids().map(|id| handed_on(id, open)));
    let who = list(ids.into_iter().chain(roles).chain(groups), " or ", " or ");
    if open.exceptions.is_empty() { who } else { format!("{who} except {}", list(&open.exceptions, ", ", " and ")) }
}

/// The person; if the approval came to them by delegation, with who handed it on last.
fn handed_on(id: &ActorId, open: &OpenApproval) -> String {
    let mut delegations = open.delegation.iter().chain(&open.escalation_delegation);
    match delegations.find(|delegation| delegation.to == *id).and_then(|delegation| delegation.by.last()) {
        Some(by) => format!("{id} (delegated by {by})"),
        None => id.to_string(),
    }
}

/// Whom a target addresses.
pub(super) fn addressed(target: &ApprovalTarget) -> String {
    let ids = target.actor_ids().iter().map(ToString::to_string);
    list(ids.chain(roles_of(target)).chain(groups_of(target)), " or ", " or ")
}

fn roles_of(target: &ApprovalTarget) -> impl Iterator<Item = String> {
    target.roles().iter().map(|role| format!("anyone with role {role}"))
}

fn groups_of(target: &ApprovalTarget) -> impl Iterator<Item = String> {
    target.groups().iter().map(|group| format!("anyone in group {group}"))
}

/// What to call the approvals.
pub(super) fn approvals<'a>(ids: impl IntoIterator<Item = &'a ApprovalId>) -> String {
    list(ids.into_iter().map(ApprovalId::in_words), ", ", " and ")
}

pub(super) fn votes(missing: u32) -> String {
    if missing == 1 { "1 vote".to_owned() } else { format!("{missing} votes") }
}

/// What to call the actor: the id if there is one, since two people can share a name.
pub(super) fn who(actor: &ActorContext) -> String {
    let who = match (&actor.name, &actor.id) {
        (Some(name), Some(id)) if name.as_str() != id.as_str() => format!("{name} ({id})"),
        (_, Some(id)) => id.to_string(),
        _ => format!("{} (without an id)", actor.label()),
    };
    match &actor.acting_for {
        Some(acting) => format!("{who} for {}", acting.id),
        None => who,
    }
}

/// What to call the actor who tried something: the id, and that of the person acted for.
pub(super) fn whoever(actor: &ActorContext) -> String {
    let name = actor.id.as_ref().map_or_else(|| actor.label().to_owned(), ToString::to_string);
    match &actor.acting_for {
        Some(acting) => format!("{name} for {}", acting.id),
        None => name,
    }
}

/// What to call who submitted a request: the id, and that of the person acted for.
pub(super) fn submitter(requester: [Option<&ActorId>; 2]) -> String {
    let [id, acting_for] = requester;
    let name = id.map_or_else(|| "somebody without an id".to_owned(), ToString::to_string);
    acting_for.map_or_else(|| name.clone(), |person| format!("{name} for {person}"))
}

/// The reason after a colon, unless it is empty.
pub(super) fn reason(reason: Option<&str>) -> String {
    let said = reason.map(str::trim).filter(|reason| !reason.is_empty());
    said.map_or_else(String::new, |reason| format!(": {reason}"))
}

/// When a future time comes: the remaining time, or the time itself if that is more than a year.
pub(super) fn when(time: Timestamp, now: Timestamp) -> String {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    match time.duration_since(now) {
        left if left > YEAR => format!("at {time}"),
        left => format!("in {}", rounded(left)),
    }
}

/// The duration in its largest unit, rounded down.
fn rounded(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => "less than 1 s".to_owned(),
        1..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}
