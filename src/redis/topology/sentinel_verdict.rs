//! What the Sentinels together say: by a majority of those that the application named, and the one who knows the latest epoch.

use super::node_address::NodeAddress;
use super::sentinel::Opinion;
use crate::error::{Outcome, StoreError, StoreErrorKind};

/// So many Sentinels are named in an error, with what is wrong there.
const MAX_NAMED: usize = 5;

/// Who the primary is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) epoch: u64,
    pub(crate) primary: NodeAddress,
    pub(crate) replicas: Vec<NodeAddress>,
    /// What an operator should know.
    pub(crate) warnings: Vec<String>,
}

/// What each Sentinel that was asked answered.
pub(crate) type Opinions = Vec<(NodeAddress, Result<Opinion, StoreError>)>;

/// The number of Sentinels without which nothing is decided, of so many.
pub(crate) const fn majority_of(named: usize) -> usize {
    named / 2 + 1
}

/// Who the primary named `name` is, by `opinions` of `named` Sentinels. `known` is the epoch that this process has seen before.
///
/// The latest epoch counts, even if one Sentinel alone knows it: whoever led a failover learns of its end before the others. It
/// takes a majority all the same, because a Sentinel that is cut off with an old primary knows of no failover.
///
/// # Errors
/// Why nobody knows, with counts and names: too few answered, they disagree, one is promoting a replica, or they all know less
/// than this process.
pub(crate) fn judge(name: &str, named: usize, opinions: Opinions, known: u64) -> Result<Verdict, StoreError> {
    let (mut answered, mut failed) = (Vec::new(), Vec::new());
    for (sentinel, opinion) in opinions {
        match opinion {
            Ok(opinion) => answered.push((sentinel, opinion)),
            Err(error) => failed.push(error),
        }
    }
    if answered.len() < majority_of(named) {
        return Err(too_few(name, named, &answered, failed));
    }
    let latest = answered.iter().max_by_key(|(_, opinion)| opinion.epoch);
    let Some((sentinel, opinion)) = latest else { return Err(too_few(name, named, &answered, failed)) };
    if let Some((other, different)) =
        answered.iter().find(|(_, other)| other.epoch == opinion.epoch && other.primary != opinion.primary)
    {
        return Err(unavailable(format!(
            "the Sentinels disagree about the primary {name:?} at epoch {}: it is at {} for {sentinel}, and at {} for {other}. Check \
             that all URLs are of Sentinels that know each other, and that they name hosts alike",
            opinion.epoch, opinion.primary, different.primary
        )));
    }
    if let Some((leader, _)) = answered.iter().find(|(_, other)| other.epoch == opinion.epoch && other.is_failing_over)
    {
        return Err(unavailable(format!(
            "a failover of the primary {name:?} at {} is under way, says {leader}: a write there might not last",
            opinion.primary
        )));
    }
    // An earlier epoch counts only if all Sentinels know no later one, as when all are set up anew.
    if opinion.epoch < known && answered.len() < named {
        return Err(unavailable(format!(
            "the {} of {named} Sentinels that answered know the primary {name:?} of epoch {}, and there was one of epoch {known} \
             already: the Sentinel that led that failover does not answer. They agree again after the next failover, or when \
             it is back",
            answered.len(),
            opinion.epoch
        )));
    }
    let (epoch, primary, replicas) = (opinion.epoch, opinion.primary.clone(), opinion.replicas.clone());
    Ok(Verdict { epoch, primary, replicas, warnings: warnings(name, named, &answered, &failed) })
}

fn warnings(name: &str, named: usize, answered: &[(NodeAddress, Opinion)], failed: &[StoreError]) -> Vec<String> {
    let mut warnings: Vec<String> = failed.iter().map(|error| error.problem.clone()).collect();
    let known = answered.iter().map(|(_, opinion)| opinion.sentinels).max().unwrap_or_default();
    if known > u64::try_from(named).unwrap_or(u64::MAX) {
        warnings.push(format!(
            "{known} Sentinels watch {name:?}, and {named} of them were named: name all, because a primary counts by a majority of \
             those named. If fewer exist, SENTINEL RESET has them forget the others"
        ));
    }
    warnings
}

/// What lasts is named before what may pass: the name of the primary is unknown, or there is no Sentinel.
fn too_few(name: &str, named: usize, answered: &[(NodeAddress, Opinion)], mut failed: Vec<StoreError>) -> StoreError {
    if let Some(lasting) = failed.iter().position(|error| !error.kind.may_pass()) {
        return failed.swap_remove(lasting);
    }
    let all_unreachable = answered.is_empty() && failed.iter().all(|error| error.kind == StoreErrorKind::Unreachable);
    let kind = if all_unreachable { StoreErrorKind::Unreachable } else { StoreErrorKind::Unavailable };
    let causes: Vec<&str> = failed.iter().take(MAX_NAMED).map(|error| error.problem.as_str()).collect();
    let more = if failed.len() > MAX_NAMED { "; and others" } else { "" };
    let problem = format!(
        "{} of {named} Sentinels answered who the primary {name:?} is, and it takes {}: {}{more}",
        answered.len(),
        majority_of(named),
        causes.join("; ")
    );
    StoreError::new(kind, Outcome::NotApplied, problem)
}

fn unavailable(problem: String) -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, Outcome::NotApplied, problem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redis::topology::samples::address;

    fn says(sentinel: u16, primary: u16, epoch: u64) -> (NodeAddress, Result<Opinion, StoreError>) {
        let opinion = Opinion {
            epoch,
            primary: address("p", primary),
            is_failing_over: false,
            replicas: Vec::new(),
            sentinels: 3,
        };
        (address("s", sentinel), Ok(opinion))
    }

    fn promotes(sentinel: u16, primary: u16, epoch: u64) -> (NodeAddress, Result<Opinion, StoreError>) {
        let (sentinel, opinion) = says(sentinel, primary, epoch);
        (sentinel, opinion.map(|opinion| Opinion { is_failing_over: true, ..opinion }))
    }

    fn fails(sentinel: u16, kind: StoreErrorKind) -> (NodeAddress, Result<Opinion, StoreError>) {
        let error = StoreError::new(kind, Outcome::NotApplied, format!("s:{sentinel} failed"));
        (address("s", sentinel), Err(error))
    }

    #[test]
    fn the_latest_epoch_counts_even_if_one_alone_knows_it() {
        let verdict = judge("main", 3, vec![says(1, 1, 4), says(2, 2, 5), says(3, 1, 4)], 4).unwrap();
        assert_eq!((verdict.primary, verdict.epoch), (address("p", 2), 5));
        assert!(verdict.warnings.is_empty());
    }

    #[test]
    fn without_a_majority_nobody_knows_and_the_error_counts_and_names() {
        use StoreErrorKind::{DeadlineExceeded, Unavailable, Unreachable};
        let error = judge("main", 3, vec![says(1, 1, 4), fails(2, Unreachable), fails(3, DeadlineExceeded)], 0);
        let error = error.unwrap_err();
        assert_eq!((error.kind, error.outcome), (Unavailable, Outcome::NotApplied));
        for part in ["1 of 3 Sentinels", "takes 2", "s:2 failed", "s:3 failed"] {
            assert!(error.problem.contains(part), "{error}");
        }
        let all = judge("main", 2, vec![fails(1, Unreachable), fails(2, Unreachable)], 0).unwrap_err();
        assert_eq!(all.kind, Unreachable);
        // Half is no majority.
        assert!(judge("main", 4, vec![says(1, 1, 4), says(2, 1, 4), fails(3, Unreachable)], 0).is_err());
    }

    #[test]
    fn what_lasts_is_named_before_what_may_pass() {
        let opinions =
            vec![fails(1, StoreErrorKind::Unreachable), fails(2, StoreErrorKind::Configuration), says(3, 1, 1)];
        let error = judge("main", 3, opinions, 0).unwrap_err();
        assert_eq!((error.kind, &*error.problem), (StoreErrorKind::Configuration, "s:2 failed"));
    }

    #[test]
    fn sentinels_of_different_opinion_are_named_with_what_they_say() {
        let error = judge("main", 3, vec![says(1, 1, 4), says(2, 2, 4), says(3, 3, 3)], 0).unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Unavailable);
        for part in ["s:1", "s:2", "p:1", "p:2", "epoch 4"] {
            assert!(error.problem.contains(part), "{error}");
        }
        assert!(!error.problem.contains("p:3"), "{error}");
    }

    #[test]
    fn a_primary_that_is_being_replaced_is_none() {
        let error = judge("main", 3, vec![says(1, 1, 4), promotes(2, 1, 4), says(3, 1, 4)], 0).unwrap_err();
        assert!(error.kind == StoreErrorKind::Unavailable && error.problem.contains("s:2"), "{error}");
        // The failover that one of an earlier epoch remembers is over.
        assert!(judge("main", 3, vec![says(1, 2, 5), promotes(2, 1, 4), says(3, 2, 5)], 0).is_ok());
    }

    /// The leader of a failover died before the others learned of it.
    #[test]
    fn an_earlier_epoch_counts_only_if_every_sentinel_has_forgotten_the_later() {
        let error = judge("main", 3, vec![says(1, 1, 4), says(2, 1, 4)], 5).unwrap_err();
        assert!(error.problem.contains("epoch 4") && error.problem.contains("epoch 5"), "{error}");
        let all = judge("main", 3, vec![says(1, 1, 4), says(2, 1, 4), says(3, 1, 4)], 5).unwrap();
        assert_eq!(all.epoch, 4);
    }

    #[test]
    fn what_is_wrong_beside_a_majority_is_a_warning() {
        let opinions = vec![says(1, 1, 4), says(2, 1, 4), fails(3, StoreErrorKind::Incompatible)];
        assert_eq!(judge("main", 3, opinions, 0).unwrap().warnings, ["s:3 failed"]);
        let warnings = judge("main", 1, vec![says(1, 1, 4)], 0).unwrap().warnings;
        assert!(warnings.len() == 1 && warnings[0].contains("3 Sentinels") && warnings[0].contains("1 of them"));
    }
}
