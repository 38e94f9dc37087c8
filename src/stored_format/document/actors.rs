//! The actors of a body that may be referred to.

use std::sync::Arc;

use super::place::Place;
use super::reader::{Failed, Reader};
use crate::request::ActorContext;

/// An actor that came before.
#[derive(Clone)]
pub(super) enum Actor<'a> {
    Read(Arc<ActorContext>),
    /// Walked past; its fields begin here.
    Passed(Place<'a>),
}

impl<'a> Reader<'a> {
    /// The number of the actor that is referred to, and the actor; none if it follows and has to be read or passed.
    #[inline]
    pub(super) fn known_actor(&mut self) -> Result<Option<(usize, Actor<'a>)>, Failed> {
        let steps = self.number()?;
        let number = self.actors.number_back(steps);
        let found = number.and_then(|number| Some((number, self.actors.get(number)?)));
        self.known(steps, "actor", found)
    }

    /// Remembers an actor that was read when it followed.
    #[inline]
    pub(super) fn remember(&mut self, actor: ActorContext) -> Arc<ActorContext> {
        let actor = Arc::new(actor);
        self.actors.push(Actor::Read(Arc::clone(&actor)));
        actor
    }

    /// Remembers an actor that was passed when it followed.
    pub(super) fn remember_passed(&mut self, begins_at: Place<'a>) {
        self.actors.push(Actor::Passed(begins_at));
    }

    /// Remembers an actor that was passed before and has been read now.
    pub(super) fn remember_read(&mut self, number: usize, actor: ActorContext) -> Arc<ActorContext> {
        let actor = Arc::new(actor);
        self.actors.replace(number, Actor::Read(Arc::clone(&actor)));
        actor
    }
}
