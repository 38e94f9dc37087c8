//! The keys that seal histories, by id.

use std::collections::BTreeMap;
use std::fmt;

use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use crate::error::InvalidValue;
use crate::request::KeyId;

/// The keys that seal histories: one to write with, and older ones to verify with.
///
/// Whoever can write the store but has no key cannot make a seal. So keep keys where the store's credentials are not.
/// To rotate, put a new key first and keep the old ones for as long as anything they sealed is to be verified: a
/// request keeps its seal until it is written again.
///
/// ```
/// use mutator_governance::KeyId;
/// use mutator_governance::proof::SealKeys;
///
/// let old = [7; 32]; // from a key service
/// let new = [8; 32];
/// let keys = SealKeys::new(KeyId::new("2026")?, &new)?.and_older(KeyId::new("2025")?, &old)?;
/// assert_eq!(format!("{keys:?}"), "SealKeys { current: \"2026\", older: 1, .. }");
/// # Ok::<(), mutator_governance::InvalidValue>(())
/// ```
#[derive(Clone)]
pub struct SealKeys {
    current: KeyId,
    /// With the key taken in, which saves half of the work of each seal.
    keys: BTreeMap<KeyId, Hmac<Sha256>>,
}

impl SealKeys {
    /// The fewest bytes of a key.
    pub const MIN_BYTES: usize = 32;

    /// The key to seal with.
    ///
    /// # Errors
    /// [`InvalidValue`] when it has fewer than [`MIN_BYTES`](Self::MIN_BYTES).
    pub fn new(id: KeyId, key: &[u8]) -> Result<Self, InvalidValue> {
        let keys = Self { current: id.clone(), keys: BTreeMap::new() };
        keys.and_older(id, key)
    }

    /// The same keys, and one that sealed before.
    ///
    /// # Errors
    /// [`InvalidValue`] when it has fewer than [`MIN_BYTES`](Self::MIN_BYTES), or when the id is taken.
    pub fn and_older(mut self, id: KeyId, key: &[u8]) -> Result<Self, InvalidValue> {
        if key.len() < Self::MIN_BYTES {
            let problem = format!("{id} has {} bytes; give at least {} random ones", key.len(), Self::MIN_BYTES);
            return Err(InvalidValue::new("key", problem));
        }
        if self.keys.contains_key(&id) {
            return Err(InvalidValue::new("key", format!("{id} is given twice; each key has an id of its own")));
        }
        let keyed = Hmac::new_from_slice(key).map_err(|error| InvalidValue::new("key", error.to_string()))?;
        self.keys.insert(id, keyed);
        Ok(self)
    }

    /// The id of the key to seal with.
    pub const fn current(&self) -> &KeyId {
        &self.current
    }

    pub(super) fn get(&self, id: &KeyId) -> Option<&Hmac<Sha256>> {
        self.keys.get(id)
    }
}

/// Never shows a key.
impl fmt::Debug for SealKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let older = self.keys.len() - 1;
        f.debug_struct("SealKeys").field("current", &self.current).field("older", &older).finish_non_exhaustive()
    }
}
