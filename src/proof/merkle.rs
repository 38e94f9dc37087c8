//! Merkle trees as RFC 9162 (and RFC 6962 before it) hashes them: roots, inclusion paths, and their verification.

use sha2::{Digest as _, Sha256};

use super::hashing::Hash;

pub(super) fn leaf(entry: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(entry).finalize().into()
}

fn node(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The root over these leaves, whose hashes are given. That of no leaf is the hash of nothing.
pub(super) fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Sha256::digest([]).into(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node(&root(left), &root(right))
        }
    }
}

/// The hashes that lead from the leaf at this place to the root, the nearest first; `None` without such a leaf.
pub(super) fn path(leaves: &[Hash], place: usize) -> Option<Vec<Hash>> {
    match leaves {
        [] => None,
        [_] => (place == 0).then(Vec::new),
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            let (mut path, other) = match place.checked_sub(left.len()) {
                None => (path(left, place)?, root(right)),
                Some(place) => (path(right, place)?, root(left)),
            };
            path.push(other);
            Some(path)
        }
    }
}

/// The root that a path leads to from this leaf, as section 2.1.3.2 of RFC 9162 has it; `None` if the path is not one of a tree
/// of this size.
pub(super) fn root_by(path: &[Hash], leaf: Hash, place: u64, size: u64) -> Option<Hash> {
    let (mut place, mut last) = (place, size.checked_sub(1)?);
    if place > last {
        return None;
    }
    let mut reached = leaf;
    for hash in path {
        if last == 0 {
            return None;
        }
        if place % 2 == 1 || place == last {
            reached = node(hash, &reached);
            while place % 2 == 0 && place != 0 {
                (place, last) = (place >> 1, last >> 1);
            }
        } else {
            reached = node(&reached, hash);
        }
        (place, last) = (place >> 1, last >> 1);
    }
    (last == 0).then_some(reached)
}

/// The greatest power of two below `count`, which is at least 2.
const fn split(count: usize) -> usize {
    let power = count.next_power_of_two();
    power / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(hash: Hash) -> String {
        crate::request::Digest::from_bytes(hash).to_string()
    }

    /// The tree of the test vectors that Certificate Transparency published with RFC 6962.
    fn published() -> Vec<Hash> {
        let entries: [&[u8]; 8] = [
            b"",
            b"\x00",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        entries.map(leaf).to_vec()
    }

    #[test]
    fn roots_are_those_of_the_published_vectors() {
        let leaves = published();
        let expected = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        for (size, expected) in expected.into_iter().enumerate() {
            assert_eq!(hex(root(&leaves[..size])), expected, "{size} leaves");
        }
    }

    #[test]
    fn every_path_leads_to_its_root_and_to_no_other_place() {
        let leaves = published();
        for size in 1..=leaves.len() {
            let leaves = &leaves[..size];
            for place in 0..size {
                let path = path(leaves, place).unwrap();
                for claimed in 0..size {
                    let reached = root_by(&path, leaves[place], claimed as u64, size as u64);
                    assert_eq!(reached == Some(root(leaves)), claimed == place, "{place} of {size} as {claimed}");
                }
                assert_eq!(root_by(&path, leaves[place], size as u64, size as u64), None);
                let mut longer = path.clone();
                longer.push([0; 32]);
                assert_eq!(root_by(&longer, leaves[place], place as u64, size as u64), None);
                if !path.is_empty() {
                    let shorter = root_by(&path[1..], leaves[place], place as u64, size as u64);
                    assert_ne!(shorter, Some(root(leaves)));
                }
            }
            assert_eq!(path(leaves, size), None);
        }
    }
}
