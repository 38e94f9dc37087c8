//! The record of a request: a header that scripts read, then the document.

pub(crate) mod history;
pub(crate) mod index_entries;
pub(crate) mod moved;
pub(crate) mod tombstone;

use std::borrow::Cow;

use sha1::Digest as _;

use crate::archive::RequestRecord;
use crate::error::{Error, Result};
use crate::index::SortKey;
use crate::redis::options::{RedisOptions, Settings};
use crate::redis::record::history::history_marks;
use crate::redis::record::index_entries::{EncodedEntries, IndexEntries, index_entries};
use crate::request::{MutationRequest, Revision, WriteId, WriteIntent, WriteKind};
use crate::service::settle::RememberedWrite;
use crate::stored_format::{self, Compression, DOCUMENT_HEAD_BYTES, FormatError, SizeBudget, decode_request};

const MAGIC: &[u8; 2] = b"MR";
const VERSION: u8 = 1;
const CHECKSUM_BYTES: usize = 16;
/// Where the part under the checksum begins.
const COVERED_FROM: usize = MAGIC.len() + 1 + CHECKSUM_BYTES;
/// Where the part that each write changes begins.
pub(in crate::redis) const STATE_FROM: usize = COVERED_FROM + 1;
const FIXED_BYTES: usize = STATE_FROM + 20;
const WRITE_ID_BYTES: usize = 16;
/// A write id and what it was used for.
const WRITE_BYTES: usize = WRITE_ID_BYTES + WriteIntent::BYTES;

/// The value stored for a request: a header that scripts read without knowing the document, then the document.
///
/// ```text
/// offset  bytes
///      0      2  "MR"
///      2      1  version of the header: 1; the checksum of every later one covers it
///      3     16  checksum: the first digits of the SHA-1, in hexadecimal, over the request's id, a zero byte, and all that
///                follows up to the body of the document, so that it covers the document's own checksum
///     19      1  how many writes are remembered, n ≥ 1
///     20      8  number of the revision
///     28      4  how many decisions the document has
///     32      4  history mark: CRC-32 over those decisions
///     36      4  submission mark: CRC-32 over the groups of index entries that come from what is fixed when a request is
///                submitted, then over the named participants and the unique key, if there are any
///     40   24·n  the last writes, the newest first: that of this revision, of the one before it, …; the last is that which
///                submitted the request, also where those before it are left out. Each: 16, its id; 8, its intent
///              2  how many members of current index entries follow
///              …  each: 2 + length and member; 2, how many indexes hold it, ≥ 1; for each 2 + length and suffix of its key
///              …  the document, in the stored format
/// ```
/// Numbers are unsigned and big-endian.
pub(crate) struct Record<'a> {
    revision_number: u64,
    writes: &'a [[u8; WRITE_BYTES]],
    /// The index entries; most readers only need their end.
    entries: &'a [u8],
    document: &'a [u8],
}

/// The arguments of a write for its script.
pub(crate) struct NewRecord {
    /// The record, with this write as the only one; the script adds the earlier ones after it.
    pub(crate) bytes: Vec<u8>,
    header_bytes: usize,
    /// The mark after each decision, the first for an empty history.
    pub(crate) marks: Vec<u32>,
    /// The index entries that are added at submission and stay.
    pub(crate) lasting: EncodedEntries,
    submission_mark: u32,
}

impl NewRecord {
    /// The record of `request` as written at `revision` with this intent.
    pub(crate) fn new(
        settings: &Settings,
        request: &MutationRequest,
        revision: Revision,
        intent: WriteIntent,
        budget: SizeBudget,
    ) -> Result<Self> {
        let encoded = encode(settings, request, budget)?;
        Self::around(settings, request, revision, &[(revision.write_id, intent)], &encoded, budget)
    }

    /// The record of a request that comes from elsewhere, with the writes it remembers, and its document as it is if this
    /// store could have written it so.
    pub(crate) fn imported(settings: &Settings, record: &RequestRecord, request: &MutationRequest) -> Result<Self> {
        let budget = SizeBudget::to_change(settings.options.document_limit, request);
        let revision = request.revision();
        let writes = headed_writes(revision, record.writes());
        let as_it_is = record.request().document_bytes().filter(|bytes| is_own_format(settings, bytes, budget));
        let encoded =
            as_it_is.map_or_else(|| encode(settings, request, budget).map(Cow::Owned), |bytes| Ok(bytes.into()))?;
        Self::around(settings, request, revision, &writes, &encoded, budget)
    }

    /// `writes` are the newest write of the record, and those before it.
    fn around(
        settings: &Settings,
        request: &MutationRequest,
        revision: Revision,
        writes: &[(WriteId, WriteIntent)],
        encoded: &[u8],
        budget: SizeBudget,
    ) -> Result<Self> {
        let marks = history_marks(&request.decisions);
        let IndexEntries { lasting, current } = index_entries(request, &settings.options.indexed_metadata);
        let entries = current.entries().saturating_add(lasting.entries());
        budget.check_entries(&request.id, entries)?;

        let header_bytes = FIXED_BYTES + WRITE_BYTES * writes.len() + current.as_bytes().len();
        let (size, limit) = (header_bytes + encoded.len(), settings.record_limit().saturating_sub(budget.kept));
        if size > limit {
            return Err(Error::TooLarge { id: request.id.clone(), size, limit, kept: budget.kept });
        }
        let mut bytes = Vec::with_capacity(size);
        bytes.extend_from_slice(MAGIC);
        bytes.push(VERSION);
        bytes.extend_from_slice(&[0; CHECKSUM_BYTES]);
        bytes.push(u8::try_from(writes.len()).unwrap_or(u8::MAX));
        let submission_mark = submission_mark(&lasting, request);
        let mut record = Self { bytes, header_bytes, marks, lasting, submission_mark };
        let state = record.state(revision, request.decisions.len());
        record.bytes.extend_from_slice(state.get(..FIXED_BYTES - STATE_FROM).unwrap_or_default());
        for (id, intent) in writes {
            record.bytes.extend_from_slice(id.as_bytes());
            record.bytes.extend_from_slice(&intent.to_bytes());
        }
        record.bytes.extend_from_slice(current.as_bytes());
        record.bytes.extend_from_slice(encoded);
        let checksum = checksum(request.id.as_str(), &record.bytes, header_bytes);
        let place = record.bytes.get_mut(COVERED_FROM - CHECKSUM_BYTES..COVERED_FROM).unwrap_or_default();
        place.copy_from_slice(&checksum);
        Ok(record)
    }

    /// The part of a header from the revision number to the write id, at this revision and with this many of the
    /// decisions: of this record, or of the one that it replaces.
    pub(crate) fn state(&self, revision: Revision, decisions: usize) -> Vec<u8> {
        let mark = self.marks.get(decisions).copied().unwrap_or_default();
        [
            &revision.number.to_be_bytes()[..],
            &u32::try_from(decisions).unwrap_or(u32::MAX).to_be_bytes(),
            &mark.to_be_bytes(),
            &self.submission_mark.to_be_bytes(),
            revision.write_id.as_bytes(),
        ]
        .concat()
    }

    /// The same part of this record with the intent of its write, then its index entries, then its document: a script
    /// inserts the earlier writes between the first two.
    pub(crate) fn split(&self) -> (&[u8], &[u8], &[u8]) {
        let part = |from, to| self.bytes.get(from..to).unwrap_or_default();
        let entries = FIXED_BYTES + WRITE_BYTES;
        (part(STATE_FROM, entries), part(entries, self.header_bytes), part(self.header_bytes, self.bytes.len()))
    }
}

/// What a write may not change. Named participants and the unique key have no lasting entries, so they follow, each after a
/// byte that no name has.
fn submission_mark(lasting: &EncodedEntries, request: &MutationRequest) -> u32 {
    let mut mark = crc32fast::Hasher::new();
    mark.update(lasting.as_bytes());
    let who = &request.participants;
    let names = who.actor_ids.iter().map(|id| (0, id.as_str()));
    let names = names.chain(who.roles.iter().map(|role| (1, role.as_str())));
    let names = names.chain(who.groups.iter().map(|group| (2, group.as_str())));
    for (kind, name) in names.chain(request.unique_key.iter().map(|key| (3, key.as_str()))) {
        mark.update(&[kind]);
        mark.update(name.as_bytes());
    }
    mark.finalize()
}

fn encode(settings: &Settings, request: &MutationRequest, budget: SizeBudget) -> Result<Vec<u8>> {
    let &RedisOptions { write_format, compression, .. } = &settings.options;
    let encoded = stored_format::encode_compressed(request.document(), write_format, compression, budget.document);
    encoded.map_err(|error| budget.unwritable(request, write_format, error))
}

/// Whether this store could have written a document with these bytes.
fn is_own_format(settings: &Settings, document: &[u8], budget: SizeBudget) -> bool {
    let &RedisOptions { write_format, compression, .. } = &settings.options;
    let uncompressed = stored_format::check_envelope(document, budget.document);
    let is_compressed = uncompressed.as_ref().is_ok_and(|bytes| *bytes != document.len());
    uncompressed.is_ok()
        && stored_format::version_of(document) == Some(write_format.number())
        && (!is_compressed || compression != Compression::NEVER)
}

/// The remembered writes as a header has them, the newest first: without a gap down to the oldest that is known, and last the
/// one that created the request. In place of one that is not known stands a repair, which readers leave out.
fn headed_writes(revision: Revision, known: &[RememberedWrite]) -> Vec<(WriteId, WriteIntent)> {
    let unknown = || (WriteId::from_bytes([0; WRITE_ID_BYTES]), WriteIntent::REPAIR);
    let made = |number: u64| known.iter().find(|write| write.number == number).map(|write| (write.id, write.intent));
    let oldest = known.iter().map(|write| write.number).filter(|number| *number > 0).min().unwrap_or(revision.number);
    let mut writes = vec![made(revision.number).unwrap_or((revision.write_id, WriteIntent::REPAIR))];
    for number in (oldest..revision.number).rev() {
        writes.push(made(number).unwrap_or_else(unknown));
    }
    if revision.number > 0 {
        writes.push(made(0).unwrap_or_else(unknown));
    }
    writes
}

/// The checksum of a header of this many bytes, of the record of the request with this id.
fn checksum(id: &str, record: &[u8], header_bytes: usize) -> [u8; CHECKSUM_BYTES] {
    let to = record.len().min(header_bytes + DOCUMENT_HEAD_BYTES);
    let mut sha = sha1::Sha1::new();
    sha.update(id.as_bytes());
    sha.update([0]);
    sha.update(record.get(COVERED_FROM..to).unwrap_or_default());
    let mut digits = [0; CHECKSUM_BYTES];
    let hexadecimal = |half: u8| char::from_digit(u32::from(half), 16).map_or(b'0', |digit| digit as u8);
    for ([high, low], byte) in digits.as_chunks_mut().0.iter_mut().zip(sha.finalize()) {
        (*high, *low) = (hexadecimal(byte >> 4), hexadecimal(byte & 15));
    }
    digits
}

impl<'a> Record<'a> {
    /// Reads the header of the record of the request with this id, without the document.
    ///
    /// # Errors
    /// What is wrong with the header, including a wrong checksum.
    pub(crate) fn parse(id: &str, bytes: &'a [u8]) -> Result<Self, FormatError> {
        let mut rest = Reader { all: bytes.len(), rest: bytes };
        if rest.take(MAGIC.len()).ok() != Some(MAGIC.as_slice()) {
            return Err(FormatError::Foreign);
        }
        let version = rest.byte()?;
        if version > VERSION {
            let (found, newest_supported) = (u16::from(version), u16::from(VERSION));
            return Err(FormatError::UnsupportedVersion { part: "record header", found, newest_supported });
        }
        if version == 0 {
            return Err(FormatError::Malformed { problem: "record header of version 0".to_owned() });
        }
        Self::after_version(id, bytes, rest)
    }

    /// Whether the header is damaged in its version alone: a checksum of this version fits all of it. That of a newer version
    /// covers the version, too, and so does not.
    pub(crate) fn is_whole_but_for_version(id: &str, bytes: &'a [u8]) -> bool {
        let begin = MAGIC.len() + 1;
        let is_ours = bytes.starts_with(MAGIC) && bytes.get(MAGIC.len()) != Some(&VERSION);
        let rest = Reader { all: bytes.len(), rest: bytes.get(begin..).unwrap_or_default() };
        is_ours && Self::after_version(id, bytes, rest).is_ok()
    }

    fn after_version(id: &str, bytes: &'a [u8], rest: Reader<'a>) -> Result<Self, FormatError> {
        let (recorded, record) = Self::unchecked(rest)?;
        if checksum(id, bytes, record.header_bytes(bytes)) != recorded {
            return Err(FormatError::DamagedHeader);
        }
        Ok(record)
    }

    /// The remembered writes in a header that was parsed before.
    pub(crate) fn writes_of_parsed(header: &'a [u8]) -> Vec<RememberedWrite> {
        let rest = header.get(MAGIC.len() + 1..).unwrap_or_default();
        let read = Self::unchecked(Reader { all: header.len(), rest });
        read.map(|(_, record)| record.writes().collect()).unwrap_or_default()
    }

    /// What follows the version, and the checksum that it has.
    fn unchecked(mut rest: Reader<'a>) -> Result<([u8; CHECKSUM_BYTES], Self), FormatError> {
        let recorded: [u8; CHECKSUM_BYTES] = rest.array()?;
        let write_count = rest.byte()?;
        if write_count == 0 {
            return Err(FormatError::Malformed { problem: "record header without a write id".to_owned() });
        }
        let revision_number = u64::from_be_bytes(rest.array()?);
        let _decision_count_and_marks: [u8; 12] = rest.array()?;
        let (writes, _) = rest.take(usize::from(write_count) * WRITE_BYTES)?.as_chunks();
        let entries = rest.rest;
        rest.each_suffix(|_| ())?;
        Ok((recorded, Self { revision_number, writes, entries, document: rest.rest }))
    }

    fn header_bytes(&self, bytes: &[u8]) -> usize {
        bytes.len().saturating_sub(self.document.len())
    }

    /// The stored revision.
    pub(crate) fn revision(&self) -> Revision {
        let (write_id, _) = self.writes.first().map_or_else(|| write_of(&[0; WRITE_BYTES]), write_of);
        Revision { number: self.revision_number, write_id }
    }

    /// The ids of the last writes, the newest first.
    pub(crate) fn write_ids(&self) -> impl DoubleEndedIterator<Item = WriteId> + ExactSizeIterator {
        self.writes.iter().map(|write| write_of(write).0)
    }

    /// The last writes, the newest first, without repairs: the writes that a repair replaced are unknown.
    pub(crate) fn writes(&self) -> impl Iterator<Item = RememberedWrite> {
        let last = self.writes.len().saturating_sub(1);
        let numbered = self.writes.iter().enumerate().map(move |(place, write)| {
            let (id, intent) = write_of(write);
            let number = if place == last && last > 0 { 0 } else { self.revision_number.saturating_sub(place as u64) };
            RememberedWrite { number, id, intent }
        });
        numbered.filter(|write| write.intent.kind() != WriteKind::Repair)
    }

    /// The suffixes of the indexes that the header names, once for each entry.
    pub(crate) fn suffixes(&self) -> Vec<&'a [u8]> {
        let mut suffixes = Vec::new();
        let walked = Reader { all: self.entries.len(), rest: self.entries }.each_suffix(|suffix| suffixes.push(suffix));
        debug_assert!(walked.is_ok(), "parsing went through them");
        suffixes
    }

    /// The key of the request in the order of creation, as the header names it: the first of the current index entries is that
    /// of its status.
    pub(crate) fn created_key(&self) -> Option<SortKey> {
        let mut entries = Reader { all: self.entries.len(), rest: self.entries };
        let members = entries.u16().ok()?;
        entries.text().ok().filter(|_| members > 0).map(|member| SortKey::from_bytes(member.to_vec()))
    }

    /// The bytes of the document.
    pub(crate) const fn document(&self) -> &'a [u8] {
        self.document
    }

    /// The stored request.
    pub(crate) fn decode(&self, settings: &Settings) -> Result<MutationRequest, FormatError> {
        decode_request(self.document, self.revision(), settings.options.document_limit, settings.options.id_comparison)
    }
}

fn write_of(bytes: &[u8; WRITE_BYTES]) -> (WriteId, WriteIntent) {
    let (mut id, mut intent) = ([0; WRITE_ID_BYTES], [0; WriteIntent::BYTES]);
    id.iter_mut().chain(&mut intent).zip(bytes).for_each(|(to, from)| *to = *from);
    (WriteId::from_bytes(id), WriteIntent::from_bytes(intent))
}

struct Reader<'a> {
    all: usize,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], FormatError> {
        let Some((taken, rest)) = self.rest.split_at_checked(count) else {
            let expected = self.all.saturating_sub(self.rest.len()).saturating_add(count);
            return Err(FormatError::Truncated { expected, found: self.all });
        };
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], FormatError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn byte(&mut self) -> Result<u8, FormatError> {
        self.array::<1>().map(u8::from_be_bytes)
    }

    fn each_suffix(&mut self, mut each: impl FnMut(&'a [u8])) -> Result<(), FormatError> {
        for _member in 0..self.u16()? {
            self.text()?;
            for _suffix in 0..self.u16()? {
                each(self.text()?);
            }
        }
        Ok(())
    }

    fn text(&mut self) -> Result<&'a [u8], FormatError> {
        let length = self.u16()?;
        self.take(usize::from(length))
    }

    fn u16(&mut self) -> Result<u16, FormatError> {
        self.array().map(u16::from_be_bytes)
    }
}
