use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::InvalidValue;

/// Names one write. Whoever repeats a write repeats its id, so that a store applies it at most once.
///
/// 128 random bits; never all equal by chance.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WriteId(uuid::Uuid);

impl WriteId {
    /// A new random id.
    pub fn generate() -> Self {
        Self(uuid::Uuid::new_v4())
    }

    /// The id with these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(uuid::Uuid::from_bytes(bytes))
    }

    /// The bytes of this id.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl fmt::Display for WriteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.simple(), f)
    }
}

impl fmt::Debug for WriteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for WriteId {
    type Err = InvalidValue;

    /// Reads what a write id prints as, 32 hexadecimal digits, or what it is serialised as, the same with hyphens.
    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let invalid = || InvalidValue::new("write id", "is not what a write id prints as: 32 hexadecimal digits");
        if text.len() != 32 && text.len() != 36 {
            return Err(invalid());
        }
        uuid::Uuid::try_parse(text).map(Self).map_err(|_| invalid())
    }
}

/// Which write a stored request is the result of: a number that each write raises by one, and the id of that write.
///
/// The number alone would repeat after a failover that lost writes; two revisions are the same only when both agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Revision {
    /// 0 for the write that created the request, one more for each write after it.
    pub number: u64,
    /// The write that made this revision.
    pub write_id: WriteId,
}

impl Revision {
    /// The revision that creating a request by `write_id` makes.
    pub const fn first(write_id: WriteId) -> Self {
        Self { number: 0, write_id }
    }

    /// The revision that the next write, `write_id`, makes.
    pub const fn next(self, write_id: WriteId) -> Self {
        Self { number: self.number.saturating_add(1), write_id }
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (write {})", self.number, self.write_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_id_is_read_back_from_what_it_prints_and_from_what_it_is_serialised_as() {
        let id = WriteId::from_bytes(std::array::from_fn(|place| u8::try_from(place * 17).unwrap()));
        let (printed, told) = (id.to_string(), serde_json::to_value(id).unwrap());
        for text in [printed.as_str(), &printed.to_uppercase(), told.as_str().unwrap()] {
            assert_eq!(text.parse::<WriteId>().unwrap(), id, "{text}");
        }
        let others = [
            "",
            &printed[1..],
            &format!("{printed}0"),
            &printed.replace('7', "g"),
            &format!("{{{}}}", told.as_str().unwrap()),
        ];
        for bad in others {
            let error = bad.parse::<WriteId>().unwrap_err();
            assert_eq!(
                error.to_string(),
                "write id is not what a write id prints as: 32 hexadecimal digits",
                "{bad:?}"
            );
        }
    }
}
