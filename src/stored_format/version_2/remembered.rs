//! What may be referred to while a body is read.

/// Things by number, in the order they came. The first `FIRST` need no allocation, which is all that most documents have.
pub(super) struct Remembered<T, const FIRST: usize> {
    first: [Option<T>; FIRST],
    count: usize,
    further: Vec<T>,
}

impl<T: Clone, const FIRST: usize> Remembered<T, FIRST> {
    #[inline]
    pub(super) const fn new() -> Self {
        Self { first: [const { None }; FIRST], count: 0, further: Vec::new() }
    }

    #[inline]
    pub(super) fn push(&mut self, thing: T) {
        match self.first.get_mut(self.count) {
            Some(place) => *place = Some(thing),
            None => self.further.push(thing),
        }
        self.count += 1;
    }

    #[inline]
    pub(super) fn get(&self, number: usize) -> Option<T> {
        match self.first.get(number) {
            Some(thing) => thing.clone(),
            None => self.further.get(number - FIRST).cloned(),
        }
    }

    /// The thing that came so many steps ago; the last one is one step back.
    #[inline]
    pub(super) fn back(&self, steps: u64) -> Option<T> {
        self.get(self.count.checked_sub(usize::try_from(steps).ok()?)?)
    }
}
