use crate::query::Unreadable;

/// One partition's part of a page, in the order of the members.
pub(crate) struct PartitionPage<T> {
    pub(crate) entries: Vec<(Vec<u8>, Result<T, Unreadable>)>,
    /// Whether members are left behind the last one.
    pub(crate) more: bool,
}

/// A page over all partitions.
pub(crate) struct MergedPage<T> {
    pub(crate) items: Vec<T>,
    pub(crate) unreadable: Vec<Unreadable>,
    pub(crate) scanned: u64,
    /// The member the page ends with, when something is left behind it.
    pub(crate) ends_with: Option<Vec<u8>>,
}

/// Merges the partitions' pages into one of at most `limit` entries.
///
/// Each partition gave its first `limit` entries or all it has, so the first `limit` of all of them are among these.
pub(crate) fn merge_pages<T>(parts: Vec<PartitionPage<T>>, limit: usize) -> MergedPage<T> {
    let more_in_a_part = parts.iter().any(|part| part.more);
    let mut entries: Vec<_> = parts.into_iter().flat_map(|part| part.entries).collect();
    let scanned = entries.len() as u64;
    entries.sort_by(|(one, _), (other, _)| one.cmp(other));
    let more = more_in_a_part || entries.len() > limit;
    entries.truncate(limit);
    let ends_with = entries.last().filter(|_| more).map(|(member, _)| member.clone());
    let (mut items, mut unreadable) = (Vec::with_capacity(entries.len()), Vec::new());
    for (_, entry) in entries {
        match entry {
            Ok(item) => items.push(item),
            Err(error) => unreadable.push(error),
        }
    }
    MergedPage { items, unreadable, scanned, ends_with }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(members: &[&str], more: bool) -> PartitionPage<String> {
        let entry = |member: &&str| (member.as_bytes().to_vec(), Ok((*member).to_owned()));
        PartitionPage { entries: members.iter().map(entry).collect(), more }
    }

    #[test]
    fn a_merged_page_is_the_first_of_all_partitions_in_order() {
        let page = merge_pages(vec![part(&["a", "d", "e"], true), part(&["b", "c"], false)], 3);
        assert_eq!(page.items, ["a", "b", "c"]);
        assert_eq!(page.ends_with, Some(b"c".to_vec()));
        assert_eq!(page.scanned, 5);
    }

    #[test]
    fn the_last_page_ends_with_nothing() {
        let page = merge_pages(vec![part(&["a"], false), part(&[], false)], 3);
        assert_eq!(page.items, ["a"]);
        assert_eq!(page.ends_with, None);
    }

    #[test]
    fn a_full_page_ends_with_nothing_only_when_no_partition_has_more() {
        assert_eq!(merge_pages(vec![part(&["a", "b"], false)], 2).ends_with, None);
        assert_eq!(merge_pages(vec![part(&["a", "b"], true)], 2).ends_with, Some(b"b".to_vec()));
    }
}
