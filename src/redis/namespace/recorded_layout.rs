//! How a namespace is laid out, for tools that open any namespace.

use std::collections::BTreeSet;

use serde::Serialize;

use super::reply::{is_absent, recorded_ids, recorded_metadata, recorded_partitions};
use crate::error::Result;
use crate::index::{ChosenIndexes, Dimension};
use crate::redis::options::Settings;
use crate::redis::reply::unexpected;
use crate::request::IdComparison;

/// How a namespace is laid out, as it records it: what a store has to be opened with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct NamespaceLayout {
    /// The number of partitions; while it is being repartitioned, the one before.
    pub partitions: u16,
    /// The metadata keys that are indexed.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub indexed_metadata: BTreeSet<String>,
    /// Whether requests are indexed by the correlation ids of their requesters.
    pub indexes_correlation_ids: bool,
    /// Whether requests are indexed by their participants.
    pub indexes_participants: bool,
    /// By which rule ids of people are equal.
    pub id_comparison: IdComparison,
}

impl NamespaceLayout {
    /// `None` if there is no namespace.
    pub(crate) fn read(settings: &Settings, reply: &redis::Value) -> Result<Option<Self>> {
        if is_absent(reply) {
            return Ok(None);
        }
        let recorded = recorded_partitions(settings, reply)?;
        let partitions = u16::try_from(recorded).map_err(|_| unexpected("open_namespace.lua"))?;
        let chosen = recorded_metadata(settings, reply)?;
        Ok(Some(Self {
            partitions,
            indexed_metadata: chosen.metadata_keys().map(str::to_owned).collect(),
            indexes_correlation_ids: chosen.has(Dimension::CorrelationId),
            indexes_participants: chosen.has(Dimension::Participant),
            id_comparison: recorded_ids(reply),
        }))
    }

    pub(crate) fn chosen_indexes(&self) -> ChosenIndexes {
        let chosen = [
            (self.indexes_correlation_ids, Dimension::CorrelationId),
            (self.indexes_participants, Dimension::Participant),
        ];
        let chosen = chosen.into_iter().filter(|(is_chosen, _)| *is_chosen).map(|(_, dimension)| dimension);
        chosen.fold(ChosenIndexes::metadata(&self.indexed_metadata), ChosenIndexes::and)
    }
}
