//! Compares ids of actors, roles and groups: the one place that knows about upper and lower case.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use caseless::Caseless as _;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

/// The rule by which two ids of actors, roles or groups are equal. A namespace records one rule for all its requests
/// when it is first opened.
///
/// The rule holds wherever people are distinguished: whom an approval addresses, whether somebody decides on their own
/// request or votes twice, whose inbox it is, and what queries by actor, role and group find. Stored and shown ids keep
/// their original spelling.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
pub enum IdComparison {
    /// Ids are equal when their texts are.
    #[default]
    Exact,
    /// Ids are equal when their texts are equal without regard to case, by Unicode's full case folding:
    /// `Rita@Example.com` is `rita@example.com`, `STRASSE` is `straße`, and a final sigma is any sigma. The rule
    /// ignores language: the dotless `ı` of Turkish differs from `i`, and `İ` from both.
    ///
    /// Choose it if your identity provider compares ids this way. Otherwise two people become one.
    FoldCase,
}

impl IdComparison {
    /// Without regard to case, or exactly.
    pub const fn folding(fold_case: bool) -> Self {
        if fold_case { Self::FoldCase } else { Self::Exact }
    }

    /// Whether case is disregarded.
    pub const fn folds_case(self) -> bool {
        matches!(self, Self::FoldCase)
    }

    /// The rule as a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "Exact",
            Self::FoldCase => "FoldCase",
        }
    }

    /// Whether both ids belong to the same actor, role or group.
    pub fn is_same(self, one: impl AsRef<str>, other: impl AsRef<str>) -> bool {
        let (one, other) = (one.as_ref(), other.as_ref());
        one == other || (self == Self::FoldCase && self.key(one) == self.key(other))
    }

    /// The key that all spellings of an id share and no other id has; indexes hold it.
    pub fn key(self, id: &str) -> Cow<'_, str> {
        match self {
            Self::FoldCase if !id.is_ascii() => Cow::Owned(id.nfd().default_case_fold().nfc().collect()),
            Self::FoldCase if id.bytes().any(|byte| byte.is_ascii_uppercase()) => Cow::Owned(id.to_ascii_lowercase()),
            Self::Exact | Self::FoldCase => Cow::Borrowed(id),
        }
    }

    /// The keys of these ids, each once.
    pub(crate) fn keys<T: AsRef<str>>(self, ids: &BTreeSet<T>) -> BTreeSet<Cow<'_, str>> {
        ids.iter().map(|id| self.key(id.as_ref())).collect()
    }

    /// Whether this id is in the set.
    pub(crate) fn holds<T: AsRef<str> + Ord>(self, ids: &BTreeSet<T>, id: &T) -> bool {
        ids.contains(id) || (self == Self::FoldCase && ids.iter().any(|other| self.is_same(other, id)))
    }

    /// Whether the sets share an id.
    pub(crate) fn overlap<T: AsRef<str> + Ord>(self, some: &BTreeSet<T>, others: &BTreeSet<T>) -> bool {
        match self {
            Self::Exact => !some.is_disjoint(others),
            Self::FoldCase => !self.keys(some).is_disjoint(&self.keys(others)),
        }
    }

    /// Whether this is the default rule.
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for IdComparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::ActorId;

    const FOLD: IdComparison = IdComparison::FoldCase;

    #[test]
    fn exactly_means_exactly() {
        for (one, other) in [("Rita", "rita"), ("ß", "ss"), ("\u{e9}", "\u{c9}")] {
            assert!(!IdComparison::Exact.is_same(one, other));
            assert!(IdComparison::Exact.is_same(one, one));
            assert_eq!(IdComparison::Exact.key(one), one);
        }
    }

    #[test]
    fn folded_is_the_same_letter_whatever_its_case() {
        for (one, other) in [
            ("Rita@Example.com", "rita@example.COM"),
            ("STRASSE", "straße"),
            ("STRAẞE", "strasse"),
            ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"),
            ("ΟΔΥΣΣΕΥΣ", "οδυσσευσ"),
            ("ÉMILE", "émile"),
            ("ПЁТР", "пётр"),
            ("ǅ", "ǆ"),
            ("Ǆ", "ǆ"),
            ("ﬀ", "ff"),
            ("ŉ", "ʼn"),
            ("ᾳ", "ᾼ"),
            ("ᾳ", "αι"),
            ("Ⓐ", "ⓐ"),
            ("Ꭰ", "ꭰ"),
            ("𐐀", "𐐨"),
            ("ſ", "S"),
        ] {
            assert!(FOLD.is_same(one, other), "{one} and {other}");
            assert_eq!(FOLD.key(one), FOLD.key(other));
        }
    }

    #[test]
    fn folded_knows_no_language_and_no_look() {
        let turkish = ["i", "ı", "İ", "I\u{307}"];
        assert!(
            FOLD.is_same("I", "i") && !FOLD.is_same("I", "ı") && !FOLD.is_same("İ", "i") && !FOLD.is_same("İ", "ı")
        );
        assert!(turkish.iter().all(|letter| !FOLD.key(letter).contains('I')));
        // Latin and Cyrillic, with and without an accent, full width and not.
        for (one, other) in [("a", "а"), ("e", "é"), ("Ａ", "a"), ("é", "E")] {
            assert!(!FOLD.is_same(one, other), "{one} and {other}");
        }
    }

    #[test]
    fn the_kelvin_sign_is_no_id_and_would_be_a_k() {
        assert!(ActorId::new("\u{212a}").is_err());
        assert!(FOLD.is_same("\u{212a}", "k"));
    }

    #[test]
    fn a_key_is_its_own_key_and_an_id_is_found_by_any_spelling() {
        for character in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
            let Ok(id) = ActorId::new(character.to_string()) else { continue };
            let key = FOLD.key(id.as_str()).into_owned();
            assert_eq!(FOLD.key(&key), key, "{character:?}");
            assert!(unicode_normalization::is_nfc(&key), "{character:?}");
            let upper = character.to_uppercase().nfc().collect::<String>();
            let came_later =
                caseless::UNICODE_VERSION.0 < 17 && matches!(u32::from(character), 0xa7cb..=0xa7db | 0x16ea0..=0x16ed3);
            assert!(came_later || character == 'ı' || FOLD.is_same(&upper, &key), "{character:?} and {upper:?}");
        }
    }

    #[test]
    fn sets_are_compared_by_their_members() {
        let ids = |texts: &[&str]| texts.iter().map(|text| ActorId::new(*text).unwrap()).collect::<BTreeSet<_>>();
        let (these, those) = (ids(&["Mona", "mona", "sam"]), ids(&["MONA"]));
        assert!(FOLD.overlap(&these, &those) && !IdComparison::Exact.overlap(&these, &those));
        assert_eq!((FOLD.keys(&these).len(), IdComparison::Exact.keys(&these).len()), (2, 3));
        let mona = ActorId::new("mONA").unwrap();
        assert!(FOLD.holds(&these, &mona) && !IdComparison::Exact.holds(&these, &mona));
    }
}
