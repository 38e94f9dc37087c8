//! Finds texts that were written earlier.

/// Remembers texts in order, and finds most repeated ones.
///
/// Each hash has one slot, which the newest text takes over: the work is bounded for any input. The result depends only
/// on the texts, so equal documents have equal bytes.
pub(super) struct Interner<'a> {
    texts: Vec<&'a str>,
    slots: [u32; SLOTS],
}

const SLOTS: usize = 1 << SLOT_BITS;
const SLOT_BITS: u32 = 9;
/// Odd, with bits that look random: 2⁶⁴ divided by the golden ratio.
const ODD: u64 = 0x9E37_79B9_7F4A_7C15;

impl<'a> Interner<'a> {
    pub(super) fn new() -> Self {
        Self { texts: Vec::with_capacity(64), slots: [u32::MAX; SLOTS] }
    }

    /// The number of this text if it is found; otherwise remembers it under the next number.
    pub(super) fn find_or_add(&mut self, text: &'a str) -> Option<u64> {
        let slot = self.slots.get_mut(slot_of(text.as_bytes()))?;
        let known = usize::try_from(*slot).ok().and_then(|number| self.texts.get(number));
        if known.is_some_and(|known| *known == text) {
            return Some(u64::from(*slot));
        }
        *slot = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.texts.push(text);
        None
    }
}

/// A hash of length, beginning and end; texts that agree in all three only share a slot.
fn slot_of(text: &[u8]) -> usize {
    let edge = |chunk: Option<&[u8; 8]>| chunk.map_or(0, |chunk| u64::from_le_bytes(*chunk));
    let (first, last) = if text.len() >= 8 {
        (edge(text.first_chunk()), edge(text.last_chunk()))
    } else {
        (text.iter().fold(0, |hash, byte| (hash << 8) | u64::from(*byte)), 0)
    };
    let mixed = (first ^ last.rotate_left(23) ^ text.len() as u64).wrapping_mul(ODD);
    // The highest bits are mixed best; SLOT_BITS of them remain.
    usize::try_from(mixed >> (u64::BITS - SLOT_BITS)).unwrap_or(0)
}
