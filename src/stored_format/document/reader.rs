//! Reads primitive values from a body, and remembers what later parts can refer to.

use std::collections::BTreeSet;

use bincode::config::Configuration;
use bincode::de::{Decode, Decoder, DecoderImpl};
use bincode::error::DecodeError;

use super::SHORTEST_SHARED_TEXT;
use super::actors::Actor;
use super::cursor::Cursor;
use super::kinds::Numbered;
use super::remembered::Remembered;

use crate::request::{Digest, Timestamp};
use crate::stored_format::gates::{Field, Part, Version};
use crate::stored_format::limits::Spent;
use crate::stored_format::{Budget, DocumentLimit, FormatError};

pub(super) struct Reader<'a> {
    decoder: DecoderImpl<Cursor<'a>, Configuration, ()>,
    version: Version,
    pub(super) budget: Budget,
    failure: Option<FormatError>,
    pub(super) pool: &'a str,
    pub(super) texts: Remembered<&'a str, 96>,
    pub(super) times: Remembered<Timestamp, 16>,
    pub(super) digests: Remembered<&'a [u8; 32], 4>,
    pub(super) actors: Remembered<Actor<'a>, 8>,
}

/// The largest number that is written as one byte.
const LARGEST_BYTE: u8 = 250;

/// Reading failed; the [`Reader`] has the cause. Without content, so that a value that was read fits into registers.
#[derive(Debug)]
pub(super) struct Failed;

/// Whether `one` comes before `other`. Most texts differ in their first byte, and comparing whole texts is a function
/// call.
#[inline]
pub(super) fn is_before(one: &str, other: &str) -> bool {
    match (one.as_bytes().first(), other.as_bytes().first()) {
        (Some(one), Some(other)) if one != other => one < other,
        _ => one < other,
    }
}

impl<'a> Reader<'a> {
    #[inline]
    pub(super) fn new(body: &'a [u8], version: Version, limit: DocumentLimit) -> Self {
        let cursor = Cursor { rest: body, length: body.len() };
        Self {
            decoder: DecoderImpl::new(cursor, bincode::config::standard(), ()),
            version,
            budget: Budget::of(limit),
            failure: None,
            pool: "",
            texts: Remembered::new(),
            times: Remembered::new(),
            digests: Remembered::new(),
            actors: Remembered::new(),
        }
    }

    /// Reads the whole body with `read`: the pool of texts, then the rest, with nothing left over.
    #[inline]
    pub(super) fn read_all<T>(self, read: impl FnOnce(&mut Self) -> Result<T, Failed>) -> Result<T, FormatError> {
        self.read_from(read, Self::end)
    }

    /// Reads the beginning of a body with `read`, which need not read all.
    pub(super) fn read_some<T>(self, read: impl FnOnce(&mut Self) -> Result<T, Failed>) -> Result<T, FormatError> {
        self.read_from(read, |_| Ok(()))
    }

    #[inline]
    fn read_from<T>(
        mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Failed>,
        end: impl FnOnce(&mut Self) -> Result<(), Failed>,
    ) -> Result<T, FormatError> {
        // A document is large, and each step of a chain of results moves it.
        if let Ok(()) = self.pool()
            && let Ok(document) = read(&mut self)
            && let Ok(()) = end(&mut self)
        {
            return Ok(document);
        }
        Err(self.failure.unwrap_or_else(|| FormatError::malformed("for an unknown reason")))
    }

    fn end(&mut self) -> Result<(), Failed> {
        match (self.rest(), self.pool.len()) {
            (0, 0) => Ok(()),
            (rest, unused) => Err(self.fail(format!("{rest} bytes and {unused} bytes of text are left over"))),
        }
    }

    /// All texts are stored together, so one check covers their UTF-8.
    fn pool(&mut self) -> Result<(), Failed> {
        let length = self.length()?;
        let bytes = self.raw(length)?;
        self.pool =
            std::str::from_utf8(bytes).map_err(|error| self.fail(format!("the texts are not UTF-8: {error}")))?;
        Ok(())
    }

    #[inline]
    pub(super) fn number(&mut self) -> Result<u64, Failed> {
        // Nearly every number is one byte; this special case makes reading a document a tenth faster.
        if let Some((&byte, rest)) = self.decoder.reader().rest.split_first()
            && byte <= LARGEST_BYTE
        {
            self.decoder.reader().rest = rest;
            return Ok(byte.into());
        }
        self.take()
    }

    pub(super) fn signed(&mut self) -> Result<i64, Failed> {
        self.take()
    }

    pub(super) const fn version(&self) -> Version {
        self.version
    }

    pub(super) fn small_number(&mut self, field: &'static str) -> Result<u32, Failed> {
        let number = self.number()?;
        u32::try_from(number).map_err(|_| self.fail(format!("{field} {number} is too large")))
    }

    #[inline]
    pub(super) fn byte(&mut self) -> Result<u8, Failed> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    pub(super) fn flag(&mut self) -> Result<bool, Failed> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(self.fail(format!("{other} is neither true nor false"))),
        }
    }

    pub(super) fn kind<T: Numbered>(&mut self) -> Result<T, Failed> {
        let number = self.byte()?;
        self.kind_of(number)
    }

    /// The variant with this number, unless the version does not have it.
    #[inline]
    pub(super) fn kind_of<T: Numbered>(&mut self, number: u8) -> Result<T, Failed> {
        match T::of_number(number) {
            Some(kind) if self.version.has(Part::Kind(T::NAME, number)) => Ok(kind),
            _ => Err(self.fail(format!("there is no {} {number} in version {}", T::NAME, self.version.number))),
        }
    }

    /// A field that not every version has: its default in a version without it.
    pub(super) fn field<T: Default>(
        &mut self,
        field: Field,
        read: impl FnOnce(&mut Self) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        if self.version.has(Part::Field(field)) { read(self) } else { Ok(T::default()) }
    }

    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Failed> {
        self.array_ref().copied()
    }

    #[inline]
    fn array_ref<const N: usize>(&mut self) -> Result<&'a [u8; N], Failed> {
        match self.decoder.reader().rest.split_first_chunk() {
            Some((taken, rest)) => {
                self.decoder.reader().rest = rest;
                Ok(taken)
            }
            None => Err(self.fail("the body ends within a value")),
        }
    }

    #[inline]
    pub(super) fn raw(&mut self, count: usize) -> Result<&'a [u8], Failed> {
        match self.decoder.reader().take(count) {
            Some(taken) => Ok(taken),
            None => Err(self.fail("the body ends within a value")),
        }
    }

    /// Bytes after their number.
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Failed> {
        let count = self.length()?;
        self.charge(count, 1)?;
        self.raw(count)
    }

    /// The number of things that follow, each charged, so that space can be reserved for them.
    pub(super) fn count(&mut self, charge: usize) -> Result<usize, Failed> {
        let count = self.length()?;
        self.charge(count, charge)?;
        Ok(count)
    }

    /// The number of entries of a map that follow.
    pub(super) fn map_count(&mut self) -> Result<usize, Failed> {
        let count = self.length()?;
        self.budget.charge_map(count).map_err(|spent| self.over_limit(spent))?;
        Ok(count)
    }

    /// Each thing takes at least one byte, so a number greater than the bytes left is wrong.
    pub(super) fn length(&mut self) -> Result<usize, Failed> {
        let number = self.number()?;
        match usize::try_from(number) {
            Ok(length) if length <= self.rest() => Ok(length),
            _ => Err(self.fail(format!("{number} things are announced, more than the body can hold"))),
        }
    }

    pub(super) fn text(&mut self) -> Result<&'a str, Failed> {
        let number = self.number()?;
        self.text_of(number)
    }

    pub(super) fn optional_text(&mut self) -> Result<Option<&'a str>, Failed> {
        match self.number()?.checked_sub(1) {
            None => Ok(None),
            Some(number) => self.text_of(number).map(Some),
        }
    }

    /// Even numbers are twice the length of the next text of the pool; odd numbers refer to an earlier text.
    fn text_of(&mut self, number: u64) -> Result<&'a str, Failed> {
        let half = usize::try_from(number / 2).unwrap_or(usize::MAX);
        if number % 2 == 1 {
            let known = self.texts.get(half);
            let Some(text) = known else {
                return Err(self.fail(format!("there is no text {half} to refer to")));
            };
            self.charge(text.len(), 1)?;
            return Ok(text);
        }
        let Some((text, pool)) = self.pool.split_at_checked(half) else {
            return Err(self.fail(format!("the texts do not have {half} bytes more, or not a whole character there")));
        };
        self.pool = pool;
        self.charge(half, 1)?;
        if half >= SHORTEST_SHARED_TEXT {
            self.texts.push(text);
        }
        Ok(text)
    }

    pub(super) fn owned_text(&mut self) -> Result<String, Failed> {
        self.text().map(str::to_owned)
    }

    pub(super) fn optional_owned_text(&mut self) -> Result<Option<String>, Failed> {
        Ok(self.optional_text()?.map(str::to_owned))
    }

    pub(super) fn name<T>(&mut self) -> Result<T, Failed>
    where
        T: TryFrom<&'a str, Error: std::fmt::Display>,
    {
        let text = self.text()?;
        self.valid(T::try_from(text))
    }

    pub(super) fn optional_name<T>(&mut self) -> Result<Option<T>, Failed>
    where
        T: TryFrom<&'a str, Error: std::fmt::Display>,
    {
        self.optional_text()?.map(|text| self.valid(T::try_from(text))).transpose()
    }

    /// Names in ascending order, the only order in which equal sets have equal bytes.
    pub(super) fn names<T>(&mut self) -> Result<BTreeSet<T>, Failed>
    where
        T: Ord + TryFrom<&'a str, Error: std::fmt::Display>,
    {
        let count = self.length()?;
        self.budget.charge_set(count).map_err(|spent| self.over_limit(spent))?;
        let mut names = BTreeSet::new();
        let mut last = None;
        for _ in 0..count {
            let text = self.text()?;
            if last.replace(text).is_some_and(|last| !is_before(last, text)) {
                return Err(self.fail(format!("{text:?} is not in ascending order in its set")));
            }
            names.insert(self.valid(T::try_from(text))?);
        }
        Ok(names)
    }

    pub(super) fn time(&mut self) -> Result<Timestamp, Failed> {
        let number = self.number()?;
        self.time_of(number)
    }

    pub(super) fn optional_time(&mut self) -> Result<Option<Timestamp>, Failed> {
        match self.number()?.checked_sub(1) {
            None => Ok(None),
            Some(number) => self.time_of(number).map(Some),
        }
    }

    /// 0 for a time that follows, otherwise how many steps back it was.
    fn time_of(&mut self, number: u64) -> Result<Timestamp, Failed> {
        if let Some(known) = self.known(number, "time", self.times.back(number))? {
            return Ok(known);
        }
        let micros = self.number()?;
        let time = self.valid(Timestamp::from_micros(micros))?;
        self.times.push(time);
        Ok(time)
    }

    pub(super) fn digest(&mut self) -> Result<Digest, Failed> {
        let number = self.number()?;
        if let Some(known) = self.known(number, "digest", self.digests.back(number))? {
            return Ok(Digest::from_bytes(*known));
        }
        let bytes = self.array_ref()?;
        self.digests.push(bytes);
        Ok(Digest::from_bytes(*bytes))
    }

    /// The value this many steps back; `None` for 0 steps, which mean that the value itself follows.
    #[inline]
    pub(super) fn known<T>(&mut self, steps: u64, thing: &'static str, found: Option<T>) -> Result<Option<T>, Failed> {
        match (steps, found) {
            (0, _) => Ok(None),
            (_, None) => Err(self.fail(format!("there is no {thing} {steps} steps back"))),
            (_, known) => Ok(known),
        }
    }

    pub(super) fn charge(&mut self, count: usize, each: usize) -> Result<(), Failed> {
        self.budget.charge(count, each).map_err(|spent| self.over_limit(spent))
    }

    pub(super) fn valid<T>(&mut self, checked: Result<T, impl std::fmt::Display>) -> Result<T, Failed> {
        checked.map_err(|error| self.fail(error.to_string()))
    }

    fn rest(&mut self) -> usize {
        self.body().len()
    }

    /// The rest of the body.
    #[inline]
    pub(super) fn body(&mut self) -> &mut &'a [u8] {
        &mut self.decoder.reader().rest
    }

    #[cold]
    pub(super) fn fail(&mut self, problem: impl std::fmt::Display) -> Failed {
        let cursor = self.decoder.reader();
        let place = cursor.length.saturating_sub(cursor.rest.len());
        self.failure = Some(FormatError::malformed(format!("{problem} (before byte {place} of the body)")));
        Failed
    }

    #[inline]
    fn take<T: Decode<()>>(&mut self) -> Result<T, Failed> {
        T::decode(&mut self.decoder).map_err(|error| self.explain(&error))
    }

    #[cold]
    fn explain(&mut self, error: &DecodeError) -> Failed {
        match error {
            DecodeError::UnexpectedEnd { .. } => self.fail("the body ends within a value"),
            other => self.fail(other),
        }
    }

    #[cold]
    fn over_limit(&mut self, Spent: Spent) -> Failed {
        self.failure = Some(self.budget.over_limit());
        Failed
    }
}
