//! Names of people.

use std::sync::Arc;

use mutator_governance::{ActorContext, Timestamp};

const FIRST_NAMES: [&str; 10] =
    ["Ada", "Grace", "Barbara", "Edsger", "Donald", "Margaret", "Alan", "Katherine", "Tim", "Radia"];
const LAST_NAMES: [&str; 10] =
    ["Lovelace", "Hopper", "Liskov", "Dijkstra", "Knuth", "Hamilton", "Turing", "Johnson", "Lee", "Perlman"];

/// An actor as a web application sees one.
pub(super) fn person(number: u64, role: &str, reason: &str, at: u64) -> Arc<ActorContext> {
    let name = format!("{} {}", choose(&FIRST_NAMES, number), choose(&LAST_NAMES, number / 10));
    let actor = ActorContext::user(format!("user-{number:04}")).unwrap().named(name).because(reason);
    let actor = actor.with_role(role).unwrap().with_role("employee").unwrap();
    let mut actor = actor.with_group("engineering").unwrap().with_group(format!("site-{}", number % 12)).unwrap();
    let session = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ at / 86_400_000_000;
    actor.correlation_id = Some(format!("{session:016x}-{at:016x}"));
    actor.session_id = Some(format!("{session:032x}"));
    actor.source_address = Some(format!("10.20.{}.{}", number % 7, number));
    actor.user_agent = Some("Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0".to_owned());
    actor.time_zone = Some("Europe/Berlin".to_owned());
    actor.culture = Some("de-DE".to_owned());
    actor.at = Timestamp::from_micros(at).ok();
    Arc::new(actor)
}

/// The role of those who manage a department, of which there are twenty.
pub fn manager_role(department: u64) -> String {
    format!("manager-{department}")
}

pub(super) fn choose<'a>(among: &[&'a str], number: u64) -> &'a str {
    let place = number % among.len() as u64;
    among[usize::try_from(place).unwrap()]
}
