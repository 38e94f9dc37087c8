//! Seals: what only a holder of a key can make of the head of a history.

use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use super::canonical::Canonical;
use super::chain::ordinal;
use super::keys::SealKeys;
use crate::request::{Digest, HistorySeal, KeyId, MutationRequest, RequestId};

const SEAL: [u8; 4] = *b"mgK1";

/// Whether a seal is that of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sealed {
    Yes,
    No,
    /// These keys lack the one that it names.
    KeyMissing,
}

/// A request that is to be created, with a seal over its whole history.
pub(crate) fn seal_new(request: MutationRequest, keys: &SealKeys) -> MutationRequest {
    seal_from(request, 0, keys)
}

/// A changed request with a new seal. It covers what the last seal covers, if that one is right and nothing was added
/// since; otherwise only what was decided since the request was read, so that no seal vouches for what somebody without
/// a key may have written.
pub(crate) fn seal(request: MutationRequest, keys: &SealKeys) -> MutationRequest {
    let (stored, head) = request.stored_history();
    let stored = ordinal(stored);
    let last = request.chain.as_ref().and_then(|chain| chain.seal.as_deref()).zip(head);
    let is_whole = |(seal, head): &(&HistorySeal, Digest)| {
        seal.decisions == stored && check(seal, &request.id, *head, keys) == Sealed::Yes
    };
    let from = last.filter(is_whole).map_or(stored, |(seal, _)| seal.from);
    seal_from(request, from, keys)
}

fn seal_from(mut request: MutationRequest, from: u32, keys: &SealKeys) -> MutationRequest {
    let (id, decisions) = (request.id.clone(), ordinal(request.decisions.len()));
    if let Some(key) = keys.get(keys.current())
        && let Some(chain) = &mut request.edit().chain
    {
        let tag = mac(key, keys.current(), &id, (from, decisions), chain.head).finalize();
        let tag = Digest::from_bytes(tag.into_bytes().into());
        chain.seal = Some(Box::new(HistorySeal { key: keys.current().clone(), from, decisions, tag }));
    }
    request
}

/// Compares in constant time.
pub(super) fn check(seal: &HistorySeal, id: &RequestId, head: Digest, keys: &SealKeys) -> Sealed {
    let Some(key) = keys.get(&seal.key) else { return Sealed::KeyMissing };
    let expected = mac(key, &seal.key, id, (seal.from, seal.decisions), head);
    if expected.verify_slice(seal.tag.as_bytes()).is_ok() { Sealed::Yes } else { Sealed::No }
}

fn mac(keyed: &Hmac<Sha256>, key: &KeyId, id: &RequestId, (from, decisions): (u32, u32), head: Digest) -> Hmac<Sha256> {
    let mut bytes = Canonical::of(SEAL);
    bytes.field(1, key.as_str().as_bytes());
    bytes.field(2, id.as_str().as_bytes());
    bytes.number(3, from.into());
    bytes.number(4, decisions.into());
    bytes.field(5, head.as_bytes());
    keyed.clone().chain_update(bytes.as_bytes())
}
