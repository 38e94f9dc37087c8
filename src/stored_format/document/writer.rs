//! Appends primitive values to a body, and remembers what later parts can refer to.

use std::collections::BTreeSet;
use std::sync::Arc;

use bincode::config::Configuration;
use bincode::enc::{Encode, Encoder, EncoderImpl, write};
use bincode::error::EncodeError;

use super::interner::Interner;
use super::kinds::Numbered;
use super::{SHORTEST_SHARED_TEXT, WINDOW};
use crate::request::{ActorContext, Digest, Timestamp};
use crate::stored_format::gates::{Field, Part, Version};
use crate::stored_format::limits::Spent;
use crate::stored_format::{Budget, DocumentLimit, FormatError};

pub(super) struct Writer<'document> {
    version: Version,
    encoder: EncoderImpl<Appender, Configuration>,
    pool: Vec<u8>,
    budget: Budget,
    texts: Interner<'document>,
    times: Vec<Timestamp>,
    digests: Vec<Digest>,
    actors: Vec<&'document Arc<ActorContext>>,
}

/// The destination of bincode's bytes.
struct Appender(Vec<u8>);

/// From how many bytes on room grows by an eighth: doubled, that of a large document takes three times as much as it has.
const LARGE_BYTES: usize = 64 * 1024;

#[inline]
fn append(bytes: &[u8], to: &mut Vec<u8>) {
    if to.len() >= LARGE_BYTES && to.capacity().saturating_sub(to.len()) < bytes.len() {
        to.reserve_exact(bytes.len().max(to.len() / 8));
    }
    to.extend_from_slice(bytes);
}

impl write::Writer for Appender {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        append(bytes, &mut self.0);
        Ok(())
    }
}

pub(super) type Written = Result<(), FormatError>;

impl<'document> Writer<'document> {
    pub(super) fn new(version: Version, limit: DocumentLimit) -> Self {
        Self {
            version,
            encoder: EncoderImpl::new(Appender(Vec::with_capacity(1024)), bincode::config::standard()),
            pool: Vec::with_capacity(1024),
            budget: Budget::of(limit),
            texts: Interner::new(),
            times: Vec::with_capacity(16),
            digests: Vec::new(),
            actors: Vec::with_capacity(8),
        }
    }

    /// Appends the body: the texts, then the rest.
    pub(super) fn append_to(self, into: &mut Vec<u8>) -> Written {
        let mut length = EncoderImpl::new(Appender(std::mem::take(into)), bincode::config::standard());
        let written = (self.pool.len() as u64).encode(&mut length);
        *into = length.into_writer().0;
        into.extend_from_slice(&self.pool);
        into.extend_from_slice(&self.encoder.into_writer().0);
        written.map_err(|error| FormatError::malformed(format!("cannot be encoded: {error}")))
    }

    #[inline]
    fn put(&mut self, value: impl Encode) -> Written {
        value.encode(&mut self.encoder).map_err(|error| FormatError::malformed(format!("cannot be encoded: {error}")))
    }

    pub(super) fn number(&mut self, number: u64) -> Written {
        self.put(number)
    }

    pub(super) fn signed(&mut self, number: i64) -> Written {
        self.put(number)
    }

    pub(super) fn byte(&mut self, byte: u8) -> Written {
        self.put(byte)
    }

    pub(super) fn flag(&mut self, flag: bool) -> Written {
        self.put(flag)
    }

    /// A variant without data, unless the version does not have it.
    pub(super) fn kind<T: Numbered>(&mut self, kind: T) -> Written {
        let number = kind.number();
        self.version.check(Part::Kind(T::NAME, number), format_args!("the {} {}", T::NAME, T::word(number)))?;
        self.put(number)
    }

    /// A field that not every version has. A version without it writes nothing, and accepts only the default.
    pub(super) fn field<T: Default + PartialEq>(
        &mut self,
        field: Field,
        value: T,
        write: impl FnOnce(&mut Self, T) -> Written,
    ) -> Written {
        if self.version.has(Part::Field(field)) {
            return write(self, value);
        }
        if value == T::default() { Ok(()) } else { self.version.check(Part::Field(field), field) }
    }

    pub(super) fn has(&self, part: Part) -> bool {
        self.version.has(part)
    }

    /// Rejects a field that the version lacks.
    pub(super) fn check(&self, field: Field) -> Written {
        self.version.check(Part::Field(field), field)
    }

    /// Bytes without their number.
    pub(super) fn raw(&mut self, bytes: &[u8]) -> Written {
        let appended = write::Writer::write(self.encoder.writer(), bytes);
        appended.map_err(|error| FormatError::malformed(format!("cannot be encoded: {error}")))
    }

    /// Bytes after their number.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Written {
        self.charge(bytes.len(), 1)?;
        self.number(bytes.len() as u64)?;
        self.raw(bytes)
    }

    /// The number of things that follow, each charged.
    pub(super) fn count(&mut self, count: usize, charge: usize) -> Written {
        self.charge(count, charge)?;
        self.number(count as u64)
    }

    pub(super) fn text(&mut self, text: &'document str) -> Written {
        self.text_or_nothing(text, 0)
    }

    pub(super) fn optional_text(&mut self, text: Option<&'document str>) -> Written {
        match text {
            None => self.number(0),
            Some(text) => self.text_or_nothing(text, 1),
        }
    }

    /// `offset` is how many numbers before the first one have another meaning.
    fn text_or_nothing(&mut self, text: &'document str, offset: u64) -> Written {
        self.charge(text.len(), 1)?;
        if text.len() >= SHORTEST_SHARED_TEXT
            && let Some(known) = self.texts.find_or_add(text)
        {
            return self.number(known * 2 + 1 + offset);
        }
        append(text.as_bytes(), &mut self.pool);
        self.number(text.len() as u64 * 2 + offset)
    }

    pub(super) fn names<T: AsRef<str>>(&mut self, names: &'document BTreeSet<T>) -> Written {
        self.budget.charge_set(names.len()).map_err(|spent| self.over_limit(spent))?;
        self.number(names.len() as u64)?;
        names.iter().try_for_each(|name| self.text(name.as_ref()))
    }

    pub(super) fn time(&mut self, time: Timestamp) -> Written {
        self.time_or_nothing(time, 0)
    }

    pub(super) fn optional_time(&mut self, time: Option<Timestamp>) -> Written {
        match time {
            None => self.number(0),
            Some(time) => self.time_or_nothing(time, 1),
        }
    }

    fn time_or_nothing(&mut self, time: Timestamp, offset: u64) -> Written {
        if let Some(back) = steps_back(&self.times, |known| *known == time) {
            return self.number(back + offset);
        }
        self.times.push(time);
        self.number(offset)?;
        self.number(time.as_micros())
    }

    pub(super) fn digest(&mut self, digest: Digest) -> Written {
        if let Some(back) = steps_back(&self.digests, |known| *known == digest) {
            return self.number(back);
        }
        self.digests.push(digest);
        self.number(0)?;
        self.raw(digest.as_bytes())
    }

    /// Writes a reference if the actor is known. If not, returns true, and the caller must write the actor.
    pub(super) fn actor_is_new(&mut self, actor: &'document Arc<ActorContext>) -> Result<bool, FormatError> {
        // Only the values decide the result; comparing addresses first saves time.
        let known = steps_back(&self.actors, |known| Arc::ptr_eq(known, actor))
            .or_else(|| steps_back(&self.actors, |known| *known == actor));
        if let Some(back) = known {
            self.number(back)?;
            return Ok(false);
        }
        self.actors.push(actor);
        self.number(0)?;
        Ok(true)
    }

    pub(super) fn charge(&mut self, count: usize, each: usize) -> Written {
        self.budget.charge(count, each).map_err(|spent| self.over_limit(spent))
    }

    pub(super) fn charge_map(&mut self, entries: usize) -> Written {
        self.budget.charge_map(entries).map_err(|spent| self.over_limit(spent))
    }

    fn over_limit(&self, Spent: Spent) -> FormatError {
        self.budget.over_limit()
    }
}

/// How many steps back the last matching value is; the newest is one step back.
fn steps_back<T>(things: &[T], fits: impl Fn(&T) -> bool) -> Option<u64> {
    things.iter().rev().take(WINDOW).position(fits).map(|steps| steps as u64 + 1)
}
