//! The filter by yes or no.

use serde::{Deserialize, Serialize};

use super::{QueryDigest, Shape};
use crate::error::InvalidValue;
use crate::request::IdComparison;

/// Yes, or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub(crate) struct Flag(pub(crate) bool);

impl Flag {
    pub(crate) fn is_met_by(self, found: bool, _ids: IdComparison) -> bool {
        self.0 == found
    }
}

impl Shape for Flag {
    fn check(&self, _field: &'static str) -> Result<(), InvalidValue> {
        Ok(())
    }

    fn feed(&self, name: &str, digest: &mut QueryDigest) {
        digest.text(name, if self.0 { "yes" } else { "no" });
    }

    /// `asked` has the words for yes and for no, separated by a slash.
    fn clause(&self, asked: &str) -> String {
        let (yes, no) = asked.split_once(" / ").unwrap_or((asked, asked));
        if self.0 { yes.to_owned() } else { no.to_owned() }
    }
}
