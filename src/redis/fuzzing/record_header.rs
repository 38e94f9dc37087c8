//! Headers of records: what any bytes mean, and what is written back.

use sha1::Digest as _;

use super::input::Input;
use super::samples::request;
use super::settings;
use crate::redis::check::salvaged::Salvaged;
use crate::redis::record::{NewRecord, Record};
use crate::request::{Revision, WriteId};
use crate::stored_format::{DOCUMENT_HEAD_BYTES, FormatError, SizeBudget};

/// Any bytes as a record, and a valid record with some bytes replaced or cut off: a header that means the same and has
/// the same bytes when written again, or a typed error.
pub fn record_header(data: &[u8]) {
    let mut input = Input::new(data);
    if input.happens(50) {
        return read(input.rest(), "any");
    }
    let revision = Revision { number: input.below(4) as u64, write_id: WriteId::from_bytes([input.byte(); 16]) };
    let mut edits = Input::new(input.bytes());
    let budget = SizeBudget::whole(settings().document_limit);
    let stored = request(&mut input, 1);
    let (id, intent) = (stored.id.as_str(), stored.creation_intent());
    let good = NewRecord::new(&settings(), &stored, revision, intent, budget).expect("a small request").bytes;
    read(&good, id);
    let record = Record::parse(id, &good).expect("what was written");
    assert!(record.revision() == revision && record.decode(&settings()).is_ok(), "a record changed by being written");
    let header = good.len() - record.document().len();
    assert_eq!(
        Record::parse("another", &good).err(),
        Some(FormatError::DamagedHeader),
        "the header of another request"
    );

    let other = edits.byte();
    let with = |place: usize, byte: u8| [&good[..place], &[byte], &good[place + 1..]].concat();
    for (place, kept) in [(0, b'M'), (1, b'R')] {
        let foreign = with(place, if other == kept { 0 } else { other });
        assert_eq!(Record::parse(id, &foreign).err(), Some(FormatError::Foreign), "another magic");
    }
    for version in [0, 2, other.max(2)] {
        read(&with(2, version), id);
    }
    let cut = usize::from(u16::from_le_bytes([edits.byte(), edits.byte()])) % header;
    let wanted = if cut < 2 {
        Record::parse(id, &good[..cut]).err() == Some(FormatError::Foreign)
    } else {
        is_cut(id, &good[..cut])
    };
    assert!(wanted, "{cut} of {header} bytes of a header");

    let mut edited = good.clone();
    while !edits.is_over() {
        let place = usize::from(u16::from_le_bytes([edits.byte(), edits.byte()])) % edited.len();
        edited[place] = edits.byte();
    }
    read(&edited, id);
    let covered = header + DOCUMENT_HEAD_BYTES;
    if edited[..covered] != good[..covered] {
        assert!(Record::parse(id, &edited).is_err(), "damage of the header went unnoticed");
    } else if edited != good {
        let record = Record::parse(id, &edited).expect("its header is a good one");
        assert!(record.decode(&settings()).is_err(), "damage of the document went unnoticed");
    }
    salvage(&edited, &good, header, revision.write_id);
}

/// The repair of an edited header: the unchanged document, wherever it begins.
fn salvage(edited: &[u8], good: &[u8], header: usize, new_id: WriteId) {
    let document = &good[header..];
    let Some(salvaged) = Salvaged::of(edited, new_id, &settings()) else {
        assert!(!edited.ends_with(document), "a document that is there is not found");
        return;
    };
    assert_eq!(salvaged.request.revision().write_id, new_id);
    if edited.ends_with(document) {
        assert_eq!(salvaged.document_from, header);
    }
}

fn is_cut(id: &str, bytes: &[u8]) -> bool {
    matches!(Record::parse(id, bytes), Err(FormatError::Truncated { expected, found }) if expected > found && found == bytes.len())
}

fn read(bytes: &[u8], id: &str) {
    let described = Described::read(bytes);
    let record = match Record::parse(id, bytes) {
        Ok(record) => record,
        Err(FormatError::DamagedHeader) => {
            let described = described.expect("only the checksum is wrong");
            let sealed = described.write(&described.checksum(id));
            assert_ne!(sealed, bytes, "the checksum fits");
            return read(&sealed, id);
        }
        Err(error) => {
            assert!(described.is_none(), "rejected: {error}");
            assert_eq!(error == FormatError::Foreign, !bytes.starts_with(b"MR"));
            let is_newer = matches!(error, FormatError::UnsupportedVersion { .. });
            assert_eq!(is_newer, bytes.starts_with(b"MR") && bytes.get(2).is_some_and(|version| *version > 1));
            return;
        }
    };
    let described = described.expect("only what the description describes is read");
    assert_eq!(described.write(&described.checksum(id)), bytes, "a header has other bytes when it is written again");
    assert_eq!(record.revision().number, described.number);
    assert!(
        record.write_ids().eq(described.writes.iter().map(|write| WriteId::from_bytes(*write.first_chunk().unwrap())))
    );
    let suffixes = described.members.iter().flat_map(|(_, suffixes)| suffixes);
    assert!(record.suffixes().iter().eq(suffixes), "other suffixes");
    assert_eq!(record.document(), described.document);
    check_writes(&record);
    // A value or a typed error, whatever the document.
    let _request = record.decode(&settings());
}

fn check_writes(record: &Record<'_>) {
    let Revision { number, write_id } = record.revision();
    let writes: Vec<_> = record.writes().collect();
    assert!(writes.len() <= record.write_ids().len());
    if let Some(newest) = writes.first().filter(|newest| newest.id == write_id) {
        assert!(newest.number == number || writes.len() < record.write_ids().len());
    }
    assert!(writes.iter().all(|write| write.number <= number));
}

/// A header by the description of [`Record`], in a second, simpler reader.
struct Described<'a> {
    number: u64,
    counts_and_marks: &'a [u8],
    writes: Vec<&'a [u8; 24]>,
    members: Vec<(&'a [u8], Vec<&'a [u8]>)>,
    document: &'a [u8],
}

impl<'a> Described<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let (count, rest) = bytes.strip_prefix(b"MR\x01")?.get(16..)?.split_first()?;
        let (number, rest) = rest.split_first_chunk()?;
        let (counts_and_marks, mut rest) = rest.split_at_checked(12)?;
        let ids = take(&mut rest, usize::from(*count) * 24)?;
        let mut members = Vec::new();
        for _ in 0..take_number(&mut rest)? {
            let member = take_text(&mut rest)?;
            let suffixes = (0..take_number(&mut rest)?).map(|_| take_text(&mut rest)).collect::<Option<_>>()?;
            members.push((member, suffixes));
        }
        let writes = ids.as_chunks().0.iter().collect();
        let number = u64::from_be_bytes(*number);
        (*count > 0).then_some(Self { number, counts_and_marks, writes, members, document: rest })
    }

    fn checksum(&self, id: &str) -> String {
        let whole = self.write("");
        let header = whole.len() - self.document.len();
        let covered = &whole[3..whole.len().min(header + DOCUMENT_HEAD_BYTES)];
        let digest = sha1::Sha1::digest([id.as_bytes(), b"\0", covered].concat());
        let mut digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        digits.truncate(16);
        digits
    }

    fn write(&self, checksum: &str) -> Vec<u8> {
        let mut bytes = [b"MR\x01", checksum.as_bytes()].concat();
        bytes.push(u8::try_from(self.writes.len()).unwrap());
        bytes.extend(self.number.to_be_bytes());
        bytes.extend(self.counts_and_marks);
        bytes.extend(self.writes.iter().copied().flatten());
        let put_number =
            |bytes: &mut Vec<u8>, number: usize| bytes.extend(u16::try_from(number).unwrap().to_be_bytes());
        put_number(&mut bytes, self.members.len());
        for (member, suffixes) in &self.members {
            put_number(&mut bytes, member.len());
            bytes.extend(*member);
            put_number(&mut bytes, suffixes.len());
            for suffix in suffixes {
                put_number(&mut bytes, suffix.len());
                bytes.extend(*suffix);
            }
        }
        bytes.extend(self.document);
        bytes
    }
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, behind) = rest.split_at_checked(count)?;
    *rest = behind;
    Some(taken)
}

fn take_number(rest: &mut &[u8]) -> Option<usize> {
    take(rest, 2).map(|number| usize::from(number[0]) << 8 | usize::from(number[1]))
}

fn take_text<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = take_number(rest)?;
    take(rest, length)
}
