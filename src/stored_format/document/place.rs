//! Goes back in a body, to read what was skipped.

use super::reader::{Failed, Reader};

/// The position of a [`Reader`]: the rest of the body and of its texts, and how much can be referred to.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    body: &'a [u8],
    pool: &'a str,
    texts: usize,
    times: usize,
    digests: usize,
    actors: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn place(&mut self) -> Place<'a> {
        Place {
            body: self.body(),
            pool: self.pool,
            texts: self.texts.count(),
            times: self.times.count(),
            digests: self.digests.count(),
            actors: self.actors.count(),
        }
    }

    /// Reads a skipped part at its place; afterwards the reader is where it was.
    ///
    /// It remembers again, under the same numbers, what it remembered there before.
    pub(super) fn at<T>(
        &mut self,
        place: Place<'a>,
        read: impl FnOnce(&mut Self) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        let before = self.place();
        self.go_to(place);
        let found = read(self);
        self.go_to(before);
        found
    }

    fn go_to(&mut self, place: Place<'a>) {
        let Place { body, pool, texts, times, digests, actors } = place;
        *self.body() = body;
        self.pool = pool;
        self.texts.go_to(texts);
        self.times.go_to(times);
        self.digests.go_to(digests);
        self.actors.go_to(actors);
    }

    /// Skips a part. Nothing of it is kept, so it does not count against the limit.
    pub(super) fn pass<T>(&mut self, pass: impl FnOnce(&mut Self) -> Result<T, Failed>) -> Result<T, Failed> {
        let budget = self.budget;
        let passed = pass(self);
        self.budget = budget;
        passed
    }
}
