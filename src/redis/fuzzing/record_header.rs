use super::input::Input;
use super::samples::request;
use super::settings;
use crate::redis::record::{Fate, NewRecord, Record};
use crate::request::{Revision, WriteId};
use crate::stored_format::{DocumentLimit, FormatError, SizeBudget};

const LIMIT: DocumentLimit = DocumentLimit::of_bytes(64 * 1024);

/// Any bytes as a record, and a good record with some bytes replaced or cut off: a header that means the same and has the
/// same bytes when it is written again, or a typed error.
pub fn record_header(data: &[u8]) {
    let mut input = Input::new(data);
    if input.happens(50) {
        return read(input.rest());
    }
    let revision = Revision { number: input.below(4) as u64, write_id: WriteId::from_bytes([input.byte(); 16]) };
    let mut edits = Input::new(input.bytes());
    let budget = SizeBudget::whole(settings().document_limit);
    let good = NewRecord::new(&settings(), &request(&mut input, 1), revision, budget).expect("a small request").bytes;
    read(&good);
    let record = Record::parse(&good).expect("what was written");
    assert!(record.revision() == revision && record.decode(LIMIT).is_ok(), "a record changed by being written");
    let header = good.len() - record.document().len();

    let other = edits.byte();
    let with = |place: usize, byte: u8| [&good[..place], &[byte], &good[place + 1..]].concat();
    for (place, kept) in [(0, b'M'), (1, b'R')] {
        let foreign = with(place, if other == kept { 0 } else { other });
        assert_eq!(Record::parse(&foreign).err(), Some(FormatError::Foreign), "another magic");
    }
    for version in [0, 2, other.max(2)] {
        read(&with(2, version));
    }
    let cut = usize::from(u16::from_le_bytes([edits.byte(), edits.byte()])) % header;
    let wanted =
        if cut < 2 { Record::parse(&good[..cut]).err() == Some(FormatError::Foreign) } else { is_cut(&good[..cut]) };
    assert!(wanted, "{cut} of {header} bytes of a header");

    let mut edited = good.clone();
    while !edits.is_over() {
        let place = usize::from(u16::from_le_bytes([edits.byte(), edits.byte()])) % edited.len();
        edited[place] = edits.byte();
    }
    read(&edited);
    if edited[..header] == good[..header] && edited != good {
        let record = Record::parse(&edited).expect("its header is a good one");
        assert!(record.decode(LIMIT).is_err(), "damage of the document went unnoticed");
    }
}

fn is_cut(bytes: &[u8]) -> bool {
    matches!(Record::parse(bytes), Err(FormatError::Truncated { expected, found }) if expected > found && found == bytes.len())
}

fn read(bytes: &[u8]) {
    let described = Described::read(bytes);
    let record = match Record::parse(bytes) {
        Ok(record) => record,
        Err(error) => {
            assert!(described.is_none(), "refused: {error}");
            assert_eq!(error == FormatError::Foreign, !bytes.starts_with(b"MR"));
            let is_newer = matches!(error, FormatError::UnsupportedVersion { .. });
            assert_eq!(is_newer, bytes.starts_with(b"MR") && bytes.get(2).is_some_and(|version| *version > 1));
            return;
        }
    };
    let described = described.expect("only what the description describes is read");
    assert_eq!(described.write(), bytes, "a header has other bytes when it is written again");
    assert_eq!(record.revision().number, described.number);
    assert!(record.write_ids().eq(described.write_ids.iter().copied().copied().map(WriteId::from_bytes)));
    let suffixes = described.members.iter().flat_map(|(_, suffixes)| suffixes);
    assert!(record.suffixes().iter().eq(suffixes), "other suffixes");
    assert_eq!(record.document(), described.document);
    check_fates(&record);
    // A value or a typed error, whatever the document is.
    let _request = record.decode(LIMIT);
}

fn check_fates(record: &Record<'_>) {
    let Revision { number, write_id } = record.revision();
    if let Some(next) = number.checked_add(1) {
        assert_eq!(record.fate_of(next, write_id), Fate::NotApplied, "what is not written yet");
    }
    let filing = record.write_ids().last().expect("there is one at least");
    assert_eq!(record.fate_of(0, filing), Fate::Applied, "the write that filed the request");
    if number > 0 && record.write_ids().len() > 1 {
        assert_eq!(record.fate_of(number, write_id), Fate::Applied, "the last write");
    }
}

/// A header as the description of [`Record`] has it, read once more, and more simply.
struct Described<'a> {
    number: u64,
    counts_and_marks: &'a [u8],
    write_ids: Vec<&'a [u8; 16]>,
    members: Vec<(&'a [u8], Vec<&'a [u8]>)>,
    document: &'a [u8],
}

impl<'a> Described<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let count = *bytes.strip_prefix(b"MR\x01")?.first()?;
        let (number, rest) = bytes.get(4..)?.split_first_chunk()?;
        let (counts_and_marks, mut rest) = rest.split_at_checked(12)?;
        let ids = take(&mut rest, usize::from(count) * 16)?;
        let mut members = Vec::new();
        for _ in 0..take_number(&mut rest)? {
            let member = take_text(&mut rest)?;
            let suffixes = (0..take_number(&mut rest)?).map(|_| take_text(&mut rest)).collect::<Option<_>>()?;
            members.push((member, suffixes));
        }
        let write_ids = ids.as_chunks().0.iter().collect();
        let number = u64::from_be_bytes(*number);
        (count > 0).then_some(Self { number, counts_and_marks, write_ids, members, document: rest })
    }

    fn write(&self) -> Vec<u8> {
        let mut bytes = vec![b'M', b'R', 1, u8::try_from(self.write_ids.len()).unwrap()];
        bytes.extend(self.number.to_be_bytes());
        bytes.extend(self.counts_and_marks);
        bytes.extend(self.write_ids.iter().copied().flatten());
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
