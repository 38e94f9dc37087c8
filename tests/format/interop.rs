//! A second implementation, written from `docs/stored-format.md` alone, reads the same from the golden vectors.

#[cfg(feature = "blocking")]
mod proof;

use std::process::Command;

use base64::Engine as _;
use common::vectors::{compressed_vectors, fixtures, vectors};
use mutator_governance::stored_format::{DocumentLimit, FormatVersion, decode};
use serde_json::{Value, json};

#[test]
#[ignore = "needs python3; tests/interop/run.sh runs it"]
fn python_reads_the_same_documents() {
    let folders = (1..=FormatVersion::NEWEST.number()).flat_map(|version| {
        [(format!("v{version}"), vectors(version)), (format!("v{version}_compressed"), compressed_vectors(version))]
    });
    for (folder, vectors) in folders {
        let files = vectors.keys().map(|name| fixtures().join(format!("{folder}/{name}.bin")));
        let script = fixtures().join("../../interop/decode_stored_format.py");
        let output = Command::new("python3").arg(script).args(files).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let lines: Vec<&str> = std::str::from_utf8(&output.stdout).unwrap().lines().collect();
        assert_eq!(lines.len(), vectors.len());
        for (line, (name, bytes)) in lines.into_iter().zip(&vectors) {
            let document = decode(bytes, DocumentLimit::DEFAULT).unwrap();
            let mut by_rust = serde_json::to_value(&document).unwrap();
            if let Some(payload) = document.payload {
                // Whether bytes are embedded as JSON is a matter of the JSON form, and not of what is stored.
                let bytes = base64::engine::general_purpose::STANDARD.encode(payload.bytes());
                by_rust["payload"] = json!({"content_type": payload.content_type(), "base64": bytes});
            }
            let by_python: Value = serde_json::from_str(line).unwrap();
            assert_eq!(by_python, by_rust, "{name} in {folder}");
        }
    }
}
