//! Ids of 128 random bits, for writes, claims and holders of leases.

use std::fmt;
use std::str::FromStr;

use crate::error::InvalidValue;
use crate::json::serde_as_text;

macro_rules! random_ids {
    ($($(#[$doc:meta])* $name:ident, $field:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(uuid::Uuid);

        impl $name {
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

        serde_as_text!($name, { "type": "string", "pattern": "^[0-9a-f]{32}$" });

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0.simple(), f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidValue;

            /// Parses the printed form, 32 hexadecimal digits, in either case and with or without the hyphens of a UUID.
            fn from_str(text: &str) -> Result<Self, InvalidValue> {
                parse(text).map(Self).ok_or_else(|| {
                    InvalidValue::new($field, concat!("is not what a ", $field, " prints as: 32 hexadecimal digits"))
                })
            }
        }
    )*};
}

random_ids! {
    /// The id of a write. A repetition of a write uses the same id, so that a store applies it at most once.
    ///
    /// 128 random bits; two never agree by chance.
    WriteId, "write id";
    /// The id of a claim, which is one executor's right to execute a request. Two claims of one executor have different
    /// ids.
    ///
    /// 128 random bits; two never agree by chance.
    ClaimId, "claim id";
    /// The id of a follower of the change feed, under which it holds the lease of its consumer.
    ///
    /// 128 random bits; two never agree by chance.
    HolderId, "holder id";
}

fn parse(text: &str) -> Option<uuid::Uuid> {
    matches!(text.len(), 32 | 36).then(|| uuid::Uuid::try_parse(text).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_prints_and_serialises_as_one_text_and_is_read_back_from_it() {
        let bytes = std::array::from_fn(|place| u8::try_from(place * 17).unwrap());
        let (write, claim) = (WriteId::from_bytes(bytes), ClaimId::from_bytes(bytes));
        let printed = write.to_string();
        let hyphenated = &uuid::Uuid::from_bytes(bytes).to_string();
        assert_eq!((claim.to_string(), serde_json::to_value(claim).unwrap()), (printed.clone(), (*printed).into()));
        assert_eq!(serde_json::to_value(write).unwrap(), *printed);
        for text in [printed.as_str(), &printed.to_uppercase(), hyphenated] {
            assert_eq!(text.parse::<WriteId>().unwrap(), write, "{text}");
            assert_eq!(serde_json::from_value::<WriteId>(text.into()).unwrap(), write, "{text}");
            assert_eq!(text.parse::<ClaimId>().unwrap(), claim, "{text}");
        }
        let others =
            ["", &printed[1..], &format!("{printed}0"), &printed.replace('7', "g"), &format!("{{{hyphenated}}}")];
        for bad in others {
            let [of_write, of_claim] = [bad.parse::<WriteId>().map(drop), bad.parse::<ClaimId>().map(drop)];
            let message = |kind: &str| format!("{kind} is not what a {kind} prints as: 32 hexadecimal digits");
            assert_eq!(of_write.unwrap_err().to_string(), message("write id"), "{bad:?}");
            assert_eq!(of_claim.unwrap_err().to_string(), message("claim id"), "{bad:?}");
        }
    }
}
