//! The repartition of a namespace, as it records one that is under way, and the layouts that partitions record meanwhile.

use redis::Value;

use crate::error::{LayoutError, Result, StoreError};
use crate::redis::connection::preflight::incompatible;
use crate::redis::namespace::layout::{self, partitions};
use crate::redis::namespace::reply::{self, foreign, recorded_partitions, repartition_mark, saved_position};
use crate::redis::options::Settings;

/// What is saved as its progress when every request is where it belongs.
pub(crate) const ALL_MOVED: &str = "moved";

/// A repartition that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Repartition {
    pub(crate) from: u16,
    to: u16,
    /// Tells it from every other.
    pub(crate) mark: String,
    /// How far it has come.
    pub(crate) position: String,
}

impl Repartition {
    /// The one that the namespace records, if there is one.
    ///
    /// # Errors
    /// [`StoreErrorKind::Incompatible`](crate::StoreErrorKind::Incompatible) if what it records is no repartition.
    pub(super) fn under_way(settings: &Settings, found: &Value) -> Result<Option<Self>> {
        let mark = repartition_mark(found);
        if mark.is_empty() {
            return Ok(None);
        }
        let from = mark.split_once(' ').and_then(|(from, _)| partitions(from));
        let to = u16::try_from(recorded_partitions(settings, found)?).ok();
        match (from, to) {
            (Some(from), Some(to)) if from < to && to.is_multiple_of(from) => {
                Ok(Some(Self { from, to, mark: mark.to_owned(), position: saved_position(found).to_owned() }))
            }
            _ => Err(foreign(settings).into()),
        }
    }

    /// The one to go on with, from the reply to beginning it; `None` if the namespace has its number of partitions already.
    ///
    /// # Errors
    /// [`StoreErrorKind::Incompatible`](crate::StoreErrorKind::Incompatible) if there is no namespace, if it cannot get this
    /// number of partitions, if it is being repartitioned to another, or if its indexes are not those of this store.
    pub(crate) fn begun(settings: &Settings, found: &Value) -> Result<Option<Self>> {
        let (has, asked) = (recorded_partitions(settings, found)?, u32::from(settings.keyspace.partition_count()));
        let under_way = Self::under_way(settings, found)?;
        if let Some(repartition) = under_way.as_ref().filter(|repartition| u32::from(repartition.to) != asked) {
            return Err(repartition.is_under_way(settings).into());
        }
        reply::check_indexes(settings, found)?;
        if under_way.is_none() && has != asked {
            let namespace = settings.keyspace.namespace();
            return Err(incompatible(format!(
                "namespace {namespace} has {has} partition(s) and cannot be repartitioned to {asked}: the new number must be a \
                 multiple of {has}"
            ))
            .into());
        }
        Ok(under_way)
    }

    /// The error of who cannot use the namespace for that reason.
    pub(super) fn is_under_way(&self, settings: &Settings) -> StoreError {
        let place = reply::shown(settings);
        StoreError::of_layout(LayoutError::Repartitioning { place, from: self.from, to: self.to })
    }

    /// The settings of who moves requests: with the layout that all partitions record meanwhile.
    pub(crate) fn settings(&self, settings: &Settings) -> Settings {
        Settings { layout: layout::repartitioning(&settings.layout, self.from), ..settings.clone() }
    }

    /// The layout that each partition recorded before.
    pub(crate) fn layout_before(&self, settings: &Settings) -> String {
        layout::recorded_for(self.from, settings.options.id_comparison, &settings.options.indexed_metadata)
    }

    /// The partitions that there were before.
    pub(crate) fn partitions_before(&self) -> impl Iterator<Item = u16> + use<> {
        0..self.from
    }

    /// The partitions that are added.
    pub(crate) fn partitions_added(&self) -> impl Iterator<Item = u16> + use<> {
        self.from..self.to
    }

    /// The partition whose requests a partition that is added takes over.
    pub(crate) fn parent_of(&self, added: u16) -> u16 {
        added % self.from.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, StoreErrorKind};
    use crate::redis::RedisOptions;

    fn settings(partitions: u16) -> Settings {
        RedisOptions { partitions, ..Default::default() }.check("redis://h").unwrap()
    }

    /// As open_namespace.lua replies.
    fn found(partitions: &str, reindexing: &str, position: &str, repartition: &str) -> Value {
        let fields = [partitions, "3", "", reindexing, "Exact", position, repartition];
        Value::Array(fields.map(|field| Value::BulkString(field.as_bytes().to_vec())).to_vec())
    }

    fn layout_of(error: Error) -> Option<LayoutError> {
        match error {
            Error::Store(error) => {
                assert_eq!(error.kind, StoreErrorKind::Incompatible);
                error.layout.map(|layout| *layout)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn one_that_is_under_way_goes_on_to_its_own_number_alone() {
        let (begun, settings8) = (found("8", "", "run records 7", "4 0123"), settings(8));
        let repartition = Repartition::begun(&settings8, &begun).unwrap().unwrap();
        let expected = Repartition { from: 4, to: 8, mark: "4 0123".to_owned(), position: "run records 7".to_owned() };
        assert_eq!(repartition, expected);
        assert_eq!(repartition.layout_before(&settings8), "3 4 Exact -");
        assert_eq!(repartition.settings(&settings8).layout, "3 8 Exact - from 4");
        assert_eq!(
            repartition.partitions_added().map(|at| repartition.parent_of(at)).collect::<Vec<_>>(),
            [0, 1, 2, 3]
        );
        for other in [4, 16] {
            let error = layout_of(Repartition::begun(&settings(other), &begun).unwrap_err()).unwrap();
            assert!(matches!(error, LayoutError::Repartitioning { from: 4, to: 8, .. }), "{error}");
        }
        for opened in [4, 8, 16] {
            let error = layout_of(reply::check_namespace(&settings(opened), &begun).unwrap_err()).unwrap();
            assert!(error.to_string().contains("RedisStoreBuilder::repartition with 8"), "{error}");
        }
    }

    #[test]
    fn a_number_that_is_there_needs_none_and_one_that_is_no_multiple_cannot_be() {
        assert_eq!(Repartition::begun(&settings(4), &found("4", "", "", "")).unwrap(), None);
        for asked in [2, 6, 9] {
            let error = Repartition::begun(&settings(asked), &found("4", "", "", "")).unwrap_err();
            assert!(error.to_string().contains("a multiple of 4"), "{error}");
            assert_eq!(layout_of(error), None);
        }
        let rebuilding = layout_of(Repartition::begun(&settings(8), &found("4", "3 0123", "", "")).unwrap_err());
        assert!(matches!(rebuilding, Some(LayoutError::Rebuilding { .. })), "{rebuilding:?}");
    }

    #[test]
    fn what_is_no_repartition_is_foreign() {
        for mark in ["1", "x 0123", "3 0123", "8 0123", "9 0123", "0 0123"] {
            let error = layout_of(Repartition::begun(&settings(8), &found("8", "", "", mark)).unwrap_err());
            assert!(matches!(error, Some(LayoutError::Foreign { .. })), "{mark:?}: {error:?}");
        }
    }
}
