//! Reads the recorded layout of a namespace, and whether its indexes are complete.

use redis::Value;

use crate::error::{LayoutError, Outcome, Result, StoreError, StoreErrorKind};
use crate::index::ChosenIndexes;
use crate::redis::connection::preflight::{COMMANDS, incompatible};
use crate::redis::namespace::indexed_metadata;
use crate::redis::namespace::layout::{check_version, version};
use crate::redis::namespace::repartition::Repartition;
use crate::redis::options::Settings;
use crate::redis::reply::{array, reject_wrong_type, tagged, text};
use crate::request::IdComparison;

const SCRIPT: &str = "open_namespace.lua";

/// The positions in the reply.
const PARTITIONS: usize = 0;
const VERSION: usize = 1;
const METADATA: usize = 2;
/// The rebuild under way: it begins with the version it is for. Missing or empty if there is none.
const MARK: usize = 3;
const IDS: usize = 4;
const POSITION: usize = 5;
/// The repartition under way: it begins with the number of partitions before. Missing or empty if there is none.
const REPARTITION: usize = 6;

const OF_A_NAMESPACE: &str = "a namespace";
const SEE_WHO: &str = "find out what does, or choose another namespace";

fn field(reply: &Value, place: usize) -> Option<&str> {
    text(array(reply)?.get(place)?)
}

/// Whether there is no namespace.
pub(crate) fn is_absent(reply: &Value) -> bool {
    matches!(tagged(reply, SCRIPT), Ok(("absent", _)))
}

/// The mark of the rebuild under way; empty if there is none.
pub(crate) fn rebuild_mark(reply: &Value) -> &str {
    field(reply, MARK).unwrap_or_default()
}

/// The mark of the repartition under way; empty if there is none.
pub(super) fn repartition_mark(reply: &Value) -> &str {
    field(reply, REPARTITION).unwrap_or_default()
}

/// The saved progress of the rebuild or the repartition under way.
pub(crate) fn saved_position(reply: &Value) -> &str {
    field(reply, POSITION).unwrap_or_default()
}

/// # Errors
/// [`StoreErrorKind::Rejected`] if the user may not run a command that the scripts need.
pub(crate) fn check_allowed(settings: &Settings, reply: &Value) -> Result<()> {
    let namespace = settings.keyspace.namespace();
    if let Ok(("denied", [command, ..])) = tagged(reply, SCRIPT) {
        let problem = format!(
            "the Redis user may not run {} on the keys of namespace {namespace}; nothing was written. Allow all of: {}",
            text(command).unwrap_or("a command"),
            COMMANDS.join(" ")
        );
        return Err(StoreError::new(StoreErrorKind::Rejected, Outcome::NotApplied, problem).into());
    }
    Ok(())
}

/// The recorded number of partitions of a namespace that this release can use.
///
/// # Errors
/// [`StoreErrorKind::Incompatible`] if there is no namespace, if it has a newer release's layout, or if its key holds something
/// else.
pub(super) fn recorded_partitions(settings: &Settings, reply: &Value) -> Result<u32> {
    reject_wrong_type(reply)?;
    check_allowed(settings, reply)?;
    let namespace = settings.keyspace.namespace();
    if is_absent(reply) {
        return Err(incompatible(format!(
            "namespace {namespace} does not exist; open it once with a store that may write"
        ))
        .into());
    }
    let recorded = |place| field(reply, place).and_then(version);
    let (Some(partitions), Some(layout)) = (recorded(PARTITIONS), recorded(VERSION)) else {
        return Err(foreign(settings).into());
    };
    let target = rebuild_mark(reply).split(' ').next().and_then(version);
    if let Err(newer @ LayoutError::Newer { .. }) = check_version(&shown(settings), layout.max(target.unwrap_or(0))) {
        return Err(StoreError::of_layout(newer).into());
    }
    Ok(partitions)
}

/// Checks that there is a namespace that this release can use or rebuild, with as many partitions as the store was opened with.
///
/// # Errors
/// [`StoreErrorKind::Incompatible`] if there is no namespace, if it has a newer release's layout or another number of
/// partitions, if it is being repartitioned, or if its key holds something else.
pub(crate) fn check_namespace(settings: &Settings, reply: &Value) -> Result<()> {
    let partitions = recorded_partitions(settings, reply)?;
    let namespace = settings.keyspace.namespace();
    if let Some(repartition) = Repartition::under_way(settings, reply)? {
        return Err(repartition.is_under_way(settings).into());
    }
    let asked = u32::from(settings.keyspace.partition_count());
    if partitions != asked {
        return Err(incompatible(format!(
            "namespace {namespace} has {partitions} partition(s), but was opened with {asked}; open it with \
             {partitions}, or give it a multiple of these with RedisStoreBuilder::repartition"
        ))
        .into());
    }
    Ok(())
}

/// Checks that its indexes are complete, and are those of this release and of the store's choice.
///
/// # Errors
/// [`StoreErrorKind::Incompatible`] if they are not.
pub(crate) fn check_indexes(settings: &Settings, reply: &Value) -> Result<()> {
    let chosen = recorded_metadata(settings, reply)?;
    if !rebuild_mark(reply).is_empty() {
        let namespace = settings.keyspace.namespace().to_owned();
        let indexed = chosen.to_string();
        return Err(StoreError::of_layout(LayoutError::Rebuilding { namespace, indexed }).into());
    }
    let layout = field(reply, VERSION).and_then(version).unwrap_or_default();
    check_version(&shown(settings), layout).map_err(StoreError::of_layout)?;
    check_choice(settings, reply)
}

/// Checks that the namespace records the store's choice of metadata keys and of comparing ids.
///
/// # Errors
/// [`StoreErrorKind::Incompatible`] if it records another.
pub(crate) fn check_choice(settings: &Settings, reply: &Value) -> Result<()> {
    let namespace = settings.keyspace.namespace();
    let recorded = recorded_metadata(settings, reply)?;
    let asked = &settings.options.indexed_metadata;
    if recorded != *asked {
        return Err(incompatible(format!(
            "namespace {namespace} indexes {recorded}, but was opened with {asked}; open it with {recorded}, or \
             rebuild its indexes with RedisStoreBuilder::reindex"
        ))
        .into());
    }
    let (recorded, asked) = (field(reply, IDS).unwrap_or_default(), settings.options.id_comparison);
    if recorded != asked.as_str() {
        return Err(incompatible(format!(
            "namespace {namespace} compares ids of people by the rule {recorded:?}, but was opened with {asked:?}; open it \
             with fold_case({}), or rebuild its indexes for the other rule with RedisStoreBuilder::reindex",
            !asked.folds_case()
        ))
        .into());
    }
    Ok(())
}

pub(super) fn foreign(settings: &Settings) -> StoreError {
    let key = settings.keyspace.meta();
    StoreError::of_layout(LayoutError::Foreign { key, what: OF_A_NAMESPACE, remedy: SEE_WHO })
}

pub(super) fn shown(settings: &Settings) -> String {
    format!("namespace {}", settings.keyspace.namespace())
}

pub(super) fn recorded_metadata(settings: &Settings, reply: &Value) -> Result<ChosenIndexes> {
    let recorded = field(reply, METADATA).and_then(indexed_metadata::read);
    let foreign = || {
        let (key, what) = (settings.keyspace.meta(), "the chosen indexes");
        let remedy = "record a choice again and rebuild the indexes for it, with RedisStoreBuilder::reindex";
        StoreError::of_layout(LayoutError::Foreign { key, what, remedy })
    };
    Ok(recorded.ok_or_else(foreign)?)
}

/// The recorded rule for ids of people. Opening the namespace rejects one that this release does not have.
pub(super) fn recorded_ids(reply: &Value) -> IdComparison {
    IdComparison::folding(field(reply, IDS) == Some(IdComparison::FoldCase.as_str()))
}
