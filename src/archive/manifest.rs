//! The manifest of an archive: what is in which file, and what came of which query.

use serde::{Deserialize, Serialize};

use crate::error::{ArchiveError, Result};
use crate::query::{Cursor, RequestQuery};
use crate::request::{Digest, IdComparison, RequestId, Timestamp};

/// What is in an archive: the query it answers, and the files with their sizes and checksums. It is the file
/// [`FILE`](Self::FILE) of the archive, written after each file and for the last time at the end.
///
/// Unknown fields are ignored when it is read: a later release may add some.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ArchiveManifest {
    /// Always [`FORMAT`](Self::FORMAT).
    pub format: String,
    /// The version of the format: [`VERSION`](Self::VERSION).
    pub version: u32,
    /// What a file holds.
    pub content: ArchiveContent,
    /// How the files are compressed. Defaults to `None`.
    #[serde(default, skip_serializing_if = "ArchiveCompression::is_none")]
    pub compression: ArchiveCompression,
    /// The query whose requests were exported; without a field for all of them. Kept as it is written: that of a newer release
    /// may have filters that this one does not know.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    query: serde_json::Map<String, serde_json::Value>,
    /// The rule by which ids of people in the requests are equal. Defaults to `Exact`.
    #[serde(default, skip_serializing_if = "IdComparison::is_default")]
    pub id_comparison: IdComparison,
    /// When the export began, by the clock of the service.
    pub started_at: Timestamp,
    /// When it ended. Without this the archive is not finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// How many requests all files hold.
    pub requests: u64,
    /// The files, in the order of their requests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<ArchivePart>,
    /// The requests that could not be read, and so are not in the archive; the first
    /// [`MAX_UNREADABLE`](Self::MAX_UNREADABLE).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<UnreadableRequest>,
    /// Where an interrupted export goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Cursor>,
}

/// One file of an archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ArchivePart {
    /// Its name.
    pub file: String,
    /// How many requests it holds.
    pub requests: u64,
    /// How many bytes it has.
    pub bytes: u64,
    /// The SHA-256 of these bytes.
    pub sha256: Digest,
}

/// A request that an export could not read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct UnreadableRequest {
    /// The request.
    pub id: RequestId,
    /// Why not.
    pub problem: String,
}

/// What the files of an archive hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum ArchiveContent {
    /// One request a line in the [JSON form](crate::guide::json), for any program.
    #[default]
    JsonLines,
    /// The bytes as they are stored, for speed and exactness.
    StoredBytes,
}

/// How the files of an archive are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum ArchiveCompression {
    /// They are not.
    #[default]
    None,
    /// By gzip; needs the feature `gzip`.
    Gzip,
}

impl ArchiveManifest {
    /// The name of the file that is the manifest.
    pub const FILE: &'static str = "manifest.json";
    /// What [`format`](Self::format) says.
    pub const FORMAT: &'static str = "mutator-governance archive";
    /// The newest version of the format.
    pub const VERSION: u32 = 1;
    /// How many unreadable requests a manifest names.
    pub const MAX_UNREADABLE: usize = 1_000;
    /// No manifest is longer; one of this length names some 400,000 files.
    pub(crate) const MAX_BYTES: usize = 64 * 1024 * 1024;

    pub(crate) fn begin(
        content: ArchiveContent,
        compression: ArchiveCompression,
        query: &RequestQuery,
        id_comparison: IdComparison,
        started_at: Timestamp,
    ) -> Result<Self> {
        let query = match serde_json::to_value(query) {
            Ok(serde_json::Value::Object(query)) => query,
            Ok(_) => serde_json::Map::new(),
            Err(error) => return Err(unusable(error.to_string())),
        };
        Ok(Self {
            format: Self::FORMAT.to_owned(),
            version: Self::VERSION,
            content,
            compression,
            query,
            id_comparison,
            started_at,
            finished_at: None,
            requests: 0,
            parts: Vec::new(),
            unreadable: Vec::new(),
            cursor: None,
        })
    }

    /// The query whose requests were exported.
    ///
    /// # Errors
    /// [`ArchiveError::Manifest`] when this release does not know one of its filters.
    pub fn query(&self) -> Result<RequestQuery> {
        let query = serde_json::Value::Object(self.query.clone());
        serde_json::from_value(query).map_err(|error| unusable(format!("its query: {error}")))
    }

    /// Whether both are of the same query.
    pub(super) fn has_query_of(&self, other: &Self) -> bool {
        self.query == other.query
    }

    /// Whether the export that wrote it ended.
    pub const fn is_finished(&self) -> bool {
        self.finished_at.is_some()
    }

    /// The bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.parts.iter().map(|part| part.bytes).sum()
    }

    /// Reads the text of a manifest.
    ///
    /// # Errors
    /// [`ArchiveError::Manifest`] when it is none or contradicts itself, and [`ArchiveError::UnknownFormat`] when it is of a
    /// newer version or a compression that this build cannot read.
    pub fn parse(text: &[u8]) -> Result<Self> {
        let value: Version = serde_json::from_slice(text).map_err(|error| unusable(error.to_string()))?;
        if value.format != Self::FORMAT {
            return Err(unusable(format!("its format is {:?} and not {:?}", value.format, Self::FORMAT)));
        }
        if value.version != Self::VERSION {
            let problem =
                format!("version {}, and this release reads version {}; use a newer one", value.version, Self::VERSION);
            return Err(ArchiveError::UnknownFormat { file: Self::FILE.to_owned(), problem }.into());
        }
        let manifest: Self = serde_json::from_slice(text).map_err(|error| unusable(error.to_string()))?;
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<()> {
        let counted = self.parts.iter().try_fold(0_u64, |sum, part| sum.checked_add(part.requests));
        if counted != Some(self.requests) {
            return Err(unusable(format!("its files do not hold {} requests together", self.requests)));
        }
        for (place, part) in self.parts.iter().enumerate() {
            if part.file != self.file_name(place) {
                return Err(unusable(format!("file {} is named {:?}", place + 1, part.file)));
            }
        }
        self.compression.check_known(Self::FILE)
    }

    /// The text of it.
    pub(crate) fn to_text(&self) -> Result<Vec<u8>> {
        let mut text = serde_json::to_vec_pretty(self).map_err(|error| unusable(error.to_string()))?;
        text.push(b'\n');
        Ok(text)
    }

    /// The name of the file at this place, from 0. Names are made and never taken from a manifest, so that none leads elsewhere.
    pub(crate) fn file_name(&self, place: usize) -> String {
        let content = match self.content {
            ArchiveContent::JsonLines => "jsonl",
            ArchiveContent::StoredBytes => "mgr",
        };
        let compression = match self.compression {
            ArchiveCompression::None => "",
            ArchiveCompression::Gzip => ".gz",
        };
        format!("part-{:06}.{content}{compression}", place + 1)
    }

    pub(crate) fn name_unreadable(&mut self, id: RequestId, problem: String) {
        if self.unreadable.len() < Self::MAX_UNREADABLE {
            self.unreadable.push(UnreadableRequest { id, problem });
        }
    }
}

/// What every version has.
#[derive(Deserialize)]
struct Version {
    format: String,
    version: u32,
}

fn unusable(problem: String) -> crate::Error {
    ArchiveError::Manifest { problem }.into()
}

impl ArchiveCompression {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde gives it a reference")]
    const fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// # Errors
    /// [`ArchiveError::UnknownFormat`] when this build cannot read or write it.
    pub(crate) fn check_known(self, file: &str) -> Result<()> {
        if self == Self::Gzip && cfg!(not(feature = "gzip")) {
            let problem = "compressed by gzip; build this program with the feature gzip".to_owned();
            return Err(ArchiveError::UnknownFormat { file: file.to_owned(), problem }.into());
        }
        Ok(())
    }
}
