//! The terms of participants.

use super::{Dimension, Term};
use crate::request::{IdComparison, Participants};

/// The terms of ids, roles and groups, one each: `u:alice`, `r:manager`, `g:security`.
pub(crate) fn participant_terms(dimension: Dimension, who: &Participants) -> Vec<Term> {
    let mut terms = Vec::new();
    each_text(who, IdComparison::Exact, |text| terms.push(Term::new(dimension, text)));
    terms
}

/// Passes on the texts of these terms as indexes hold them under this rule, each once.
pub(super) fn each_text(who: &Participants, ids: IdComparison, mut take: impl FnMut(&str)) {
    ids.keys(&who.actor_ids).iter().for_each(|id| take(&format!("u:{id}")));
    ids.keys(&who.roles).iter().for_each(|role| take(&format!("r:{role}")));
    ids.keys(&who.groups).iter().for_each(|group| take(&format!("g:{group}")));
}
