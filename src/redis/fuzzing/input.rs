//! Choices made from bytes, so that a fuzzer that changes a byte changes a choice.

/// The remaining bytes. The same bytes make the same choices; after their end every choice is the first one.
pub struct Input<'a>(&'a [u8]);

#[allow(dead_code, reason = "each target makes choices of other kinds")]
impl<'a> Input<'a> {
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub const fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    pub fn byte(&mut self) -> u8 {
        let Some((&byte, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        byte
    }

    /// A number below `bound`, which is at most 256.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::from(self.byte()) % bound
    }

    /// True in this many of a hundred cases.
    pub fn happens(&mut self, of_100: usize) -> bool {
        self.below(100) >= 100 - of_100
    }

    pub fn one<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    /// At least one of at most eight.
    pub fn some<T: Clone>(&mut self, from: &[T]) -> Vec<T> {
        let chosen = self.byte();
        let some =
            from.iter().enumerate().filter(|(place, _)| chosen >> place & 1 == 1).map(|(_, choice)| choice.clone());
        let some: Vec<T> = some.collect();
        if some.is_empty() { from[..1].to_vec() } else { some }
    }

    /// Up to 255 bytes, as many as the next byte says.
    pub fn bytes(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte()).min(self.0.len());
        let (bytes, rest) = self.0.split_at(length);
        self.0 = rest;
        bytes
    }

    pub fn number(&mut self) -> u64 {
        let mut number = [0; 8];
        number.fill_with(|| self.byte());
        u64::from_le_bytes(number)
    }

    pub const fn rest(self) -> &'a [u8] {
        self.0
    }
}
