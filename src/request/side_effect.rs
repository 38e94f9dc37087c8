//! Side effects that an execution reports.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ContractId, Metadata, Timestamp};
use crate::error::InvalidValue;

/// Something that the execution caused besides the change itself.
///
/// A critical side effect always requires action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[serde(try_from = "Fields")]
pub struct SideEffect {
    effect_type: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    severity: Severity,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Metadata>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contract_id: Option<ContractId>,
    at: Timestamp,
    requires_action: bool,
}

/// The severity of a side effect, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum Severity {
    /// For information.
    Info,
    /// Worth a look.
    Warning,
    /// Something failed.
    Error,
    /// Somebody must act.
    Critical,
}

impl SideEffect {
    /// A side effect of this type, seen at this time.
    ///
    /// # Errors
    /// [`InvalidValue`] when the type is blank.
    pub fn new(
        effect_type: impl Into<String>,
        description: impl Into<String>,
        severity: Severity,
        at: Timestamp,
    ) -> Result<Self, InvalidValue> {
        let effect_type = effect_type.into();
        if effect_type.trim().is_empty() {
            return Err(InvalidValue::new("side effect type", "is blank"));
        }
        Ok(Self {
            effect_type,
            description: description.into(),
            severity,
            data: None,
            contract_id: None,
            at,
            requires_action: severity == Severity::Critical,
        })
    }

    /// The same side effect with this data and, if given, the contract that describes it.
    pub fn with_data(mut self, data: Metadata, contract_id: Option<ContractId>) -> Self {
        self.data = Some(data);
        self.contract_id = contract_id;
        self
    }

    /// The same side effect, described by this contract.
    pub fn under_contract(mut self, contract_id: ContractId) -> Self {
        self.contract_id = Some(contract_id);
        self
    }

    /// The same side effect, which now requires action.
    pub fn requiring_action(mut self) -> Self {
        self.requires_action = true;
        self
    }

    /// The type, for example `CacheInvalidated`.
    pub fn effect_type(&self) -> &str {
        &self.effect_type
    }

    /// What happened, in words.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// How serious it is.
    pub const fn severity(&self) -> Severity {
        self.severity
    }

    /// What it is about.
    pub const fn data(&self) -> Option<&Metadata> {
        self.data.as_ref()
    }

    /// The contract that describes the data.
    pub const fn contract_id(&self) -> Option<&ContractId> {
        self.contract_id.as_ref()
    }

    /// When it was seen.
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// Whether somebody must act on it.
    pub const fn requires_action(&self) -> bool {
        self.requires_action
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Info => "Info",
            Self::Warning => "Warning",
            Self::Error => "Error",
            Self::Critical => "Critical",
        })
    }
}

#[derive(Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
struct Fields {
    effect_type: String,
    #[serde(default)]
    description: String,
    severity: Severity,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Metadata>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contract_id: Option<ContractId>,
    at: Timestamp,
    requires_action: bool,
}

impl TryFrom<Fields> for SideEffect {
    type Error = InvalidValue;

    fn try_from(fields: Fields) -> Result<Self, InvalidValue> {
        let Fields { effect_type, description, severity, data, contract_id, at, requires_action } = fields;
        let effect = Self::new(effect_type, description, severity, at)?;
        let requires_action = requires_action || effect.requires_action;
        Ok(Self { data, contract_id, requires_action, ..effect })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_critical_side_effect_requires_action_however_it_is_made() {
        for severity in [Severity::Info, Severity::Warning, Severity::Error, Severity::Critical] {
            let is_critical = severity == Severity::Critical;
            let made = SideEffect::new("CacheInvalidated", "", severity, Timestamp::MIN).unwrap();
            assert_eq!(made.requires_action(), is_critical, "{severity}");
            let mut saved = serde_json::to_value(&made).unwrap();
            saved["requires_action"] = false.into();
            let read: SideEffect = serde_json::from_value(saved.clone()).unwrap();
            assert_eq!(read.requires_action(), is_critical, "{severity}");
            saved["requires_action"] = true.into();
            assert!(serde_json::from_value::<SideEffect>(saved.clone()).unwrap().requires_action(), "{severity}");
            saved["effect_type"] = " ".into();
            assert!(serde_json::from_value::<SideEffect>(saved).is_err(), "a blank type cannot be built");
        }
    }
}
