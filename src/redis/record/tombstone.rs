//! The tombstone of a removed request, stored under the key of its record.

use super::{CHECKSUM_BYTES, COVERED_FROM, Reader, WRITE_ID_BYTES, checksum};
use crate::error::FormatError;
use crate::redis::feed::{actor_of, actor_text};
use crate::removal::{ArchiveName, Tombstone};
use crate::request::{Digest, RequestId, Revision, Status, Timestamp, WriteId};

const MAGIC: &[u8; 2] = b"MT";
const VERSION: u8 = 1;

/// The bytes of a tombstone. The revision is where a record has it, so scripts compare both alike.
///
/// ```text
/// offset  bytes
///      0      2  "MT"
///      2      1  version: 1
///      3     16  checksum, as that of a record: over the request's id, a zero byte, and all that follows
///     19      1  zero
///     20      8  number of the revision
///     28      8  when it was removed, in microseconds
///     36      4  zero
///     40     16  id of the write that made the revision
///     56     32  SHA-256 of the request
///     88      …  each after 2 bytes of length: status; who removed it, as a feed entry has it; where it is archived, or nothing
/// ```
/// Numbers are big-endian. A later release may add to the end.
pub(crate) fn encode(tombstone: &Tombstone) -> Vec<u8> {
    let Revision { number, write_id } = tombstone.revision;
    let mut bytes = [
        MAGIC.as_slice(),
        &[VERSION],
        &[0; CHECKSUM_BYTES],
        &[0],
        &number.to_be_bytes(),
        &tombstone.removed_at.as_micros().to_be_bytes(),
        &[0; 4],
        write_id.as_bytes(),
        tombstone.digest.as_bytes(),
    ]
    .concat();
    let by = actor_text(&tombstone.removed_by);
    for text in [tombstone.status.as_str(), &by, tombstone.archive.as_ref().map_or("", ArchiveName::as_str)] {
        bytes.extend_from_slice(&u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
        bytes.extend_from_slice(text.as_bytes());
    }
    let checksum = checksum(tombstone.id.as_str(), &bytes, bytes.len());
    bytes.get_mut(COVERED_FROM - CHECKSUM_BYTES..COVERED_FROM).unwrap_or_default().copy_from_slice(&checksum);
    bytes
}

/// Whether these are the bytes of a tombstone, whole or damaged.
pub(crate) fn is_tombstone(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// The tombstone of the request with this id.
///
/// # Errors
/// What is wrong with it, including a wrong checksum.
pub(crate) fn decode(id: &RequestId, bytes: &[u8]) -> Result<Tombstone, FormatError> {
    let mut rest = Reader { all: bytes.len(), rest: bytes };
    if rest.take(MAGIC.len())? != MAGIC {
        return Err(FormatError::Foreign);
    }
    let version = rest.byte()?;
    if version != VERSION {
        let (found, newest_supported) = (u16::from(version), u16::from(VERSION));
        return Err(FormatError::UnsupportedVersion { part: "tombstone", found, newest_supported });
    }
    let recorded: [u8; CHECKSUM_BYTES] = rest.array()?;
    if checksum(id.as_str(), bytes, bytes.len()) != recorded {
        return Err(FormatError::DamagedHeader);
    }
    rest.byte()?;
    let number = u64::from_be_bytes(rest.array()?);
    let micros = u64::from_be_bytes(rest.array()?);
    rest.take(4)?;
    let write_id = WriteId::from_bytes(rest.array::<WRITE_ID_BYTES>()?);
    let digest = Digest::from_bytes(rest.array()?);
    let mut text = || -> Result<&str, FormatError> {
        std::str::from_utf8(rest.text()?).map_err(|_| malformed("a text that is not UTF-8"))
    };
    let (status, by, archive) = (text()?, text()?, text()?);
    let status = Status::ALL.into_iter().find(|known| known.as_str() == status);
    let status = status.ok_or_else(|| malformed("a status that this release does not know"))?;
    let by = actor_of(by).ok().flatten().ok_or_else(|| malformed("an actor that this release does not know"))?;
    let archive = Some(archive).filter(|name| !name.is_empty()).map(ArchiveName::new).transpose();
    let archive = archive.map_err(|error| malformed(&error.to_string()))?;
    let removed_at = Timestamp::from_micros(micros).map_err(|error| malformed(&error.to_string()))?;
    let revision = Revision { number, write_id };
    Ok(Tombstone::stored((id.clone(), revision), (status, digest), (by, removed_at), archive))
}

fn malformed(problem: &str) -> FormatError {
    FormatError::Malformed { problem: format!("tombstone with {problem}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::FeedActor;
    use crate::request::ActorContext;

    fn tombstone(archive: Option<&str>) -> Tombstone {
        let by = FeedActor::from(&ActorContext::user("rita").unwrap().named("Rita\nR."));
        let revision = Revision { number: 7, write_id: WriteId::from_bytes([9; 16]) };
        let archive = archive.map(|name| ArchiveName::new(name).unwrap());
        let id = RequestId::new("r-1").unwrap();
        Tombstone::stored(
            (id, revision),
            (Status::Executed, Digest::from_bytes([5; 32])),
            (by, Timestamp::MIN),
            archive,
        )
    }

    #[test]
    fn a_tombstone_reads_back_and_every_damage_is_noticed() {
        for archive in [None, Some("s3://audit/2026")] {
            let tombstone = tombstone(archive);
            let bytes = encode(&tombstone);
            assert_eq!(decode(&tombstone.id, &bytes), Ok(tombstone.clone()));
            assert!(decode(&RequestId::new("r-2").unwrap(), &bytes).is_err());
            for place in 0..bytes.len() {
                let mut damaged = bytes.clone();
                damaged[place] ^= 4;
                assert!(decode(&tombstone.id, &damaged).is_err(), "byte {place}");
                assert!(decode(&tombstone.id, &bytes[..place]).is_err(), "cut at {place}");
            }
        }
    }

    #[test]
    fn the_revision_is_where_a_record_has_it() {
        let bytes = encode(&tombstone(None));
        assert_eq!((&bytes[20..28], &bytes[40..56]), (&7_u64.to_be_bytes()[..], &[9; 16][..]));
        assert!(bytes.len() < 140, "{} bytes", bytes.len());
    }
}
