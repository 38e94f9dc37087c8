//! The texts that may be referred to while a body is read.

/// Texts by number, in the order they came. The first ones need no allocation, which is all that most documents have.
pub(super) struct Texts<'a> {
    first: [&'a str; FIRST],
    count: usize,
    further: Vec<&'a str>,
}

const FIRST: usize = 64;

impl<'a> Texts<'a> {
    pub(super) const fn new() -> Self {
        Self { first: [""; FIRST], count: 0, further: Vec::new() }
    }

    pub(super) fn push(&mut self, text: &'a str) {
        match self.first.get_mut(self.count) {
            Some(place) => *place = text,
            None => self.further.push(text),
        }
        self.count += 1;
    }

    pub(super) fn get(&self, number: usize) -> Option<&'a str> {
        if number >= self.count {
            return None;
        }
        let place = self.first.get(number).or_else(|| self.further.get(number.checked_sub(FIRST)?));
        place.copied()
    }
}
