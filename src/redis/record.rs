use super::history::history_marks;
use super::index_entries::{Groups, IndexEntries, index_entries};
use super::options::Settings;
use crate::error::{Error, Result};
use crate::query::decode;
use crate::request::{MutationRequest, Revision, WriteId};
use crate::stored_format::{self, DocumentLimit, FormatError};

const MAGIC: &[u8; 2] = b"MR";
const VERSION: u8 = 1;
const FIXED_BYTES: usize = 24;
const WRITE_ID_BYTES: usize = 16;
/// A write keeps the server busy for about 3 µs for each entry.
const MOST_ENTRIES: usize = 10_000;

/// How much a record may take. What is filed leaves room for what will be decided about it, and what goes on leaves room for
/// its end: a request that cannot be written again could neither be decided nor expire.
#[derive(Clone, Copy)]
pub(crate) struct Room {
    /// How many bytes of the document limit are to be left free.
    kept: usize,
    entries: usize,
}

impl Room {
    /// All there is.
    pub(crate) const fn whole(_settings: &Settings) -> Self {
        Self { kept: 0, entries: MOST_ENTRIES }
    }

    /// For a new request.
    pub(crate) fn to_file(settings: &Settings, request: &MutationRequest) -> Self {
        let kept = settings.document_limit.kept_at_filing(request.approvals.len());
        Self { kept, entries: MOST_ENTRIES - MOST_ENTRIES / 8 }
    }

    /// For a request as it was changed.
    pub(crate) fn to_change(settings: &Settings, request: &MutationRequest) -> Self {
        let whole = Self::whole(settings);
        if request.state.status().is_terminal() {
            return whole;
        }
        Self { kept: settings.document_limit.kept_for_the_end(), entries: MOST_ENTRIES - MOST_ENTRIES / 32 }
    }

    /// Why the document of a request is not written: that it has more bytes than this leaves it, if it has.
    fn refuse(self, settings: &Settings, request: &MutationRequest, source: FormatError) -> Error {
        let FormatError::OverLimit { .. } = source else {
            return Error::Unwritable { id: request.id.clone(), source };
        };
        // What was over the limit was counted only as far as that.
        let limit = settings.document_limit.without(self.kept);
        let size = stored_format::size_beside(request.document(), settings.write_format, limit);
        Error::TooLarge { id: request.id.clone(), size, limit: limit.bytes(), kept: self.kept }
    }
}

/// The value stored for a request: a header that scripts read without knowing the document, then the document.
///
/// ```text
/// offset  bytes
///      0      2  "MR"
///      2      1  version of the header: 1
///      3      1  how many write ids follow, n ≥ 1
///      4      8  number of the revision
///     12      4  how many decisions the document has
///     16      4  history mark: CRC-32 over those decisions
///     20      4  filing mark: CRC-32 over the groups of index entries that come from what is fixed when a request is filed
///     24   16·n  write ids, the newest first: of this revision, of the one before it, …; the last is that of the write
///                that filed the request, also where those before it are left out
///              2  how many members of current index entries follow
///              …  each: 2 + length and member; 2, how many indexes hold it, ≥ 1; for each 2 + length and suffix of its key
///              …  the document, in the stored format
/// ```
/// Numbers are unsigned and big-endian.
pub(crate) struct Record<'a> {
    revision_number: u64,
    write_ids: &'a [[u8; WRITE_ID_BYTES]],
    /// The index entries, of which most readers want nothing but where they end.
    entries: &'a [u8],
    document: &'a [u8],
}

/// What a write sends to its script.
pub(crate) struct NewRecord {
    /// The record, with the id of this write as the only one; the script puts the earlier ones behind it.
    pub(crate) bytes: Vec<u8>,
    /// The mark behind each decision, the first for an empty history.
    pub(crate) marks: Vec<u32>,
    /// The index entries that are added when the request is filed and stay.
    pub(crate) lasting: Groups,
}

impl NewRecord {
    /// The record of `request` as the write of `revision` makes it.
    pub(crate) fn new(settings: &Settings, request: &MutationRequest, revision: Revision, room: Room) -> Result<Self> {
        let &Settings { write_format, compression, .. } = settings;
        let limit = settings.document_limit.without(room.kept);
        let encoded = stored_format::encode_compressed(request.document(), write_format, compression, limit);
        let encoded = encoded.map_err(|source| room.refuse(settings, request, source))?;
        let marks = history_marks(&request.decisions);
        let IndexEntries { lasting, current } = index_entries(request, &settings.indexed_metadata);
        let entries = current.entries().saturating_add(lasting.entries());
        if entries > room.entries {
            return Err(Error::TooManyEntries { id: request.id.clone(), entries, limit: room.entries });
        }

        let header_bytes = FIXED_BYTES + WRITE_ID_BYTES + current.as_bytes().len();
        let (size, limit) = (header_bytes + encoded.len(), settings.record_limit().saturating_sub(room.kept));
        if size > limit {
            return Err(Error::TooLarge { id: request.id.clone(), size, limit, kept: room.kept });
        }
        let mut bytes = Vec::with_capacity(size);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&[VERSION, 1]);
        let mut record = Self { bytes, marks, lasting };
        let state = record.state(revision, request.decisions.len());
        record.bytes.extend_from_slice(&state);
        record.bytes.extend_from_slice(current.as_bytes());
        record.bytes.extend_from_slice(&encoded);
        Ok(record)
    }

    /// The part of a header that changes in steps, from the number of the revision to its write id, at this revision and with
    /// the first so many decisions: of this record, or of the one that it takes the place of.
    pub(crate) fn state(&self, revision: Revision, decisions: usize) -> Vec<u8> {
        let mark = self.marks.get(decisions).copied().unwrap_or_default();
        [
            &revision.number.to_be_bytes()[..],
            &u32::try_from(decisions).unwrap_or(u32::MAX).to_be_bytes(),
            &mark.to_be_bytes(),
            &crc32fast::hash(self.lasting.as_bytes()).to_be_bytes(),
            revision.write_id.as_bytes(),
        ]
        .concat()
    }

    /// That part of this record, and what follows: a script puts earlier ids between them.
    pub(crate) fn split(&self) -> (&[u8], &[u8]) {
        let (header, rest) = self.bytes.split_at_checked(FIXED_BYTES + WRITE_ID_BYTES).unwrap_or((&self.bytes, &[]));
        (header.get(MAGIC.len() + 2..).unwrap_or_default(), rest)
    }
}

impl<'a> Record<'a> {
    /// Reads the header; the document is left as it is.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, FormatError> {
        let mut rest = Reader { all: bytes.len(), rest: bytes };
        if rest.take(MAGIC.len()).ok() != Some(MAGIC.as_slice()) {
            return Err(FormatError::Foreign);
        }
        let version = rest.byte()?;
        if version > VERSION {
            let (found, newest_supported) = (u16::from(version), u16::from(VERSION));
            return Err(FormatError::UnsupportedVersion { part: "record header", found, newest_supported });
        }
        let write_id_count = rest.byte()?;
        if version == 0 || write_id_count == 0 {
            return Err(FormatError::Malformed { problem: "record header without version or write id".to_owned() });
        }
        let revision_number = u64::from_be_bytes(rest.array()?);
        let _decision_count_and_marks: [u8; 12] = rest.array()?;
        let (write_ids, _) = rest.take(usize::from(write_id_count) * WRITE_ID_BYTES)?.as_chunks();
        let entries = rest.rest;
        rest.each_suffix(|_| ())?;
        Ok(Self { revision_number, write_ids, entries, document: rest.rest })
    }

    /// The revision that is stored.
    pub(crate) fn revision(&self) -> Revision {
        let write_id = self.write_ids.first().copied().unwrap_or_default();
        Revision { number: self.revision_number, write_id: WriteId::from_bytes(write_id) }
    }

    /// The ids of the last writes, the newest first.
    pub(crate) fn write_ids(&self) -> impl DoubleEndedIterator<Item = WriteId> + ExactSizeIterator {
        self.write_ids.iter().copied().map(WriteId::from_bytes)
    }

    /// The suffixes of the indexes that the header names, once for each entry.
    pub(crate) fn suffixes(&self) -> Vec<&'a [u8]> {
        let mut suffixes = Vec::new();
        let walked = Reader { all: self.entries.len(), rest: self.entries }.each_suffix(|suffix| suffixes.push(suffix));
        debug_assert!(walked.is_ok(), "parsing went through them");
        suffixes
    }

    /// The bytes of the document.
    pub(crate) const fn document(&self) -> &'a [u8] {
        self.document
    }

    /// What became of the write that would have made revision `number` with this write id.
    pub(crate) fn fate_of(&self, number: u64, write_id: WriteId) -> Fate {
        let Some(writes_since) = self.revision_number.checked_sub(number) else {
            return Fate::NotApplied;
        };
        let made = match self.write_ids.split_last() {
            Some((filing, _)) if number == 0 => Some(filing),
            Some((_, later)) => usize::try_from(writes_since).ok().and_then(|back| later.get(back)),
            None => None,
        };
        match made {
            Some(found) if found == write_id.as_bytes() => Fate::Applied,
            Some(_) => Fate::NotApplied,
            None => Fate::Forgotten,
        }
    }

    /// The stored request.
    pub(crate) fn decode(&self, limit: DocumentLimit) -> Result<MutationRequest, FormatError> {
        decode(self.document, self.revision(), limit)
    }
}

/// What became of a write, as far as the record remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The record names it.
    Applied,
    /// The record names another write in its place.
    NotApplied,
    /// More writes followed than the record remembers.
    Forgotten,
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
