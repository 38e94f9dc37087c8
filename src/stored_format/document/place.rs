//! Going back in a body, to read what was walked past.

use super::reader::{Failed, Reader};

/// Where a [`Reader`] stands: what is left of the body and of its texts, and how much may be referred to.
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

    /// What `read` reads at a place that was walked past; the reader then stands where it stood before.
    ///
    /// It remembers once more what was remembered there, under the same numbers.
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

    /// Walks past something. Nothing of it is kept, so that it does not count against the limit.
    pub(super) fn pass<T>(&mut self, pass: impl FnOnce(&mut Self) -> Result<T, Failed>) -> Result<T, Failed> {
        let budget = self.budget;
        let passed = pass(self);
        self.budget = budget;
        passed
    }
}
