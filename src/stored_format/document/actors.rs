//! The actors of a body that later parts can refer to.

use std::sync::Arc;

use super::place::Place;
use super::reader::{Failed, Reader};
use crate::request::ActorContext;

/// An earlier actor.
#[derive(Clone)]
pub(super) enum Actor<'a> {
    Read(Arc<ActorContext>),
    /// Skipped; its fields begin here.
    Passed(Place<'a>),
}

impl<'a> Reader<'a> {
    /// The number of an earlier actor and the actor, if the body refers to one; `None` if a new actor follows.
    #[inline]
    pub(super) fn known_actor(&mut self) -> Result<Option<(usize, Actor<'a>)>, Failed> {
        let steps = self.number()?;
        let number = self.actors.number_back(steps);
        let found = number.and_then(|number| Some((number, self.actors.get(number)?)));
        self.known(steps, "actor", found)
    }

    /// Remembers a new actor that was read.
    #[inline]
    pub(super) fn remember(&mut self, actor: ActorContext) -> Arc<ActorContext> {
        let actor = Arc::new(actor);
        self.actors.push(Actor::Read(Arc::clone(&actor)));
        actor
    }

    /// Remembers a new actor that was skipped.
    pub(super) fn remember_passed(&mut self, begins_at: Place<'a>) {
        self.actors.push(Actor::Passed(begins_at));
    }

    /// Remembers an actor that was skipped before and is now read.
    pub(super) fn remember_read(&mut self, number: usize, actor: ActorContext) -> Arc<ActorContext> {
        let actor = Arc::new(actor);
        self.actors.replace(number, Actor::Read(Arc::clone(&actor)));
        actor
    }
}
