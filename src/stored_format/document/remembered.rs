//! The values that a body can refer to, while it is read.

/// Values by number, in order. The first `FIRST` need no allocation, which is enough for most documents.
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
            None => self.push_further(thing),
        }
        self.count += 1;
    }

    /// Values that were remembered before going back come again in the same order.
    fn push_further(&mut self, thing: T) {
        match self.further.get_mut(self.count - FIRST) {
            Some(place) => *place = thing,
            None => self.further.push(thing),
        }
    }

    #[inline]
    pub(super) fn get(&self, number: usize) -> Option<T> {
        match self.first.get(number) {
            Some(thing) => thing.clone(),
            None => self.further.get(number - FIRST).cloned(),
        }
    }

    /// The value this many steps ago; the last one is one step back.
    #[inline]
    pub(super) fn back(&self, steps: u64) -> Option<T> {
        self.get(self.number_back(steps)?)
    }

    /// The number of the value this many steps ago.
    #[inline]
    pub(super) fn number_back(&self, steps: u64) -> Option<usize> {
        self.count.checked_sub(usize::try_from(steps).ok()?)
    }

    pub(super) fn replace(&mut self, number: usize, thing: T) {
        match self.first.get_mut(number) {
            Some(place) => *place = Some(thing),
            None => {
                if let Some(place) = self.further.get_mut(number - FIRST) {
                    *place = thing;
                }
            }
        }
    }

    /// How many values are remembered.
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// Goes back to when this many values were remembered, or forward again. Forgets none.
    pub(super) const fn go_to(&mut self, count: usize) {
        self.count = count;
    }
}
