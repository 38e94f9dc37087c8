//! Pages for those who build on this crate, who operate it, or who want to know what it promises.
//!
//! Their examples are compiled and run with its tests. This module is in the documentation only.

/// Defines a page: its module, what it says, and the file.
macro_rules! pages {
    ($($(#[doc = $about:literal])+ $name:ident: $file:literal,)+) => {
        $(
            $(#[doc = $about])+
            ///
            // The first definition of a link wins, so that pages link to each other here as they do as files.
            /// [wiring.md]: crate::guide::wiring
            /// [errors.md]: crate::guide::errors
            /// [json.md]: crate::guide::json
            /// [reliability.md]: crate::guide::reliability
            /// [security.md]: crate::guide::security
            /// [stored-format.md]: crate::guide::stored_format
            /// [performance.md]: crate::guide::performance
            /// [policies.md]: crate::guide::policies
            /// [export.md]: crate::guide::export
            /// [operations.md]: crate::guide::operations
            /// [proof.md]: crate::guide::proof
            ///
            #[cfg_attr(
                any(not(doctest), all(
                    feature = "archive",
                    feature = "blocking",
                    feature = "http",
                    feature = "policies",
                    feature = "redis",
                    feature = "tokio"
                )),
                doc = include_str!($file)
            )]
            pub mod $name {}
        )+
    };
}

pages! {
    /// How an application builds the service and passes it on; recipes for axum, workers, notifiers, sweeps and tests.
    wiring: "../docs/wiring.md",
    /// Every error by its code and kind, what to do about it, its JSON form and its HTTP status.
    errors: "../docs/errors.md",
    /// The JSON form of every public value, and what reading it checks.
    json: "../docs/json.md",
    /// Policies in TOML or JSON: when they apply, what they demand, how several add up.
    policies: "../docs/policies.md",
    /// Archives: export, import, and the files, defined so that other programs can read them.
    export: "../docs/export.md",
    /// What operators do: retention.
    operations: "../docs/operations.md",
    /// Proof that a history is the one that was recorded: chains, seals, checkpoints, and what is hashed.
    proof: "../docs/proof.md",
    /// What happens when connections, servers and callers fail.
    reliability: "../docs/reliability.md",
    /// Who may do what on the server, and what errors never show.
    security: "../docs/security.md",
    /// How long calls take, measured, and where they fall short.
    performance: "../docs/performance.md",
    /// The bytes a request is stored as.
    stored_format: "../docs/stored-format.md",
}
