//! For whom an actor acts, and the people that counts.

use serde::{Deserialize, Serialize};

use super::{ActorContext, ActorId, Grounds};
use crate::error::InvalidValue;

/// The person somebody acts for, and by what right: a deputy during an absence, an assistant with a mandate.
///
/// The application says so, as it says which roles an actor has: it knows who stands in for whom, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ActingFor {
    /// The person acted for.
    pub id: ActorId,
    /// Why the actor may act for them.
    pub grounds: Grounds,
}

impl ActingFor {
    /// Acting for this person on these grounds.
    ///
    /// # Errors
    /// [`InvalidValue`] when the id is not a valid [`ActorId`], or the grounds are blank, longer than
    /// [`Grounds::MAX_BYTES`], or have a control character.
    pub fn new(id: impl Into<String>, grounds: impl Into<String>) -> Result<Self, InvalidValue> {
        Ok(Self { id: ActorId::new(id)?, grounds: Grounds::new(grounds)? })
    }
}

impl ActorContext {
    /// The same actor, acting for this person on these grounds.
    ///
    /// From then on the actor's rights are those of the person acted for: [targets](crate::ApprovalTarget) match that
    /// person's id, and `roles` and `groups` are to be those that this person holds. The history shows both.
    ///
    /// Where people are counted, both count, each by what the contexts of a request say:
    /// - Unless a rule lets the requester decide, neither decides a request that this context submits. With this context,
    ///   the actor decides no request that was submitted by or for one of the two.
    /// - With this context, the actor decides nothing from which one of the two is [excluded](crate::ApproverLimits).
    /// - A vote with this context is a vote of both: in its quorum group, and with distinct approvers in the whole request,
    ///   neither votes again, for themselves or for another.
    ///
    /// That somebody acted for another elsewhere counts for nothing: Bob decides what his deputy Dora submits for herself,
    /// and Dora, for herself, what Bob submits.
    ///
    /// ```
    /// use mutator_governance::ActorContext;
    ///
    /// let dora = ActorContext::user("dora")?.acting_for("bob", "deputy of bob until 2026-03-31")?;
    /// assert_eq!(dora.label(), "dora");
    /// assert_eq!(dora.acting_for.unwrap().id, "bob");
    /// # Ok::<(), mutator_governance::InvalidValue>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidValue`] as for [`ActingFor::new`], and when the person is the actor.
    pub fn acting_for(mut self, id: impl Into<String>, grounds: impl Into<String>) -> Result<Self, InvalidValue> {
        let acting_for = ActingFor::new(id, grounds)?;
        if self.id.as_ref() == Some(&acting_for.id) {
            return Err(for_oneself(&acting_for.id));
        }
        self.acting_for = Some(acting_for);
        Ok(self)
    }

    /// Whose rights the actor has: those of the person acted for, or else their own.
    pub fn rights_of(&self) -> Option<&ActorId> {
        self.acting_for.as_ref().map(|acting| &acting.id).or(self.id.as_ref())
    }

    /// Everybody who counts when the actor acts: the actor, and the person acted for.
    pub fn people(&self) -> impl Iterator<Item = &ActorId> + Clone {
        self.id.iter().chain(self.acting_for.iter().map(|acting| &acting.id))
    }

    /// The actor, then the person acted for.
    pub(crate) fn people_by_place(&self) -> [Option<&ActorId>; 2] {
        [self.id.as_ref(), self.acting_for.as_ref().map(|acting| &acting.id)]
    }

    /// As `people_by_place`, by value.
    pub(crate) fn people_ids(&self) -> [Option<ActorId>; 2] {
        self.people_by_place().map(Option::<&ActorId>::cloned)
    }
}

/// Nobody acts for themselves.
pub(crate) fn for_oneself(id: &ActorId) -> InvalidValue {
    InvalidValue::new("acting for", format!("names {id}, who is the actor; leave it out to act for oneself"))
}
