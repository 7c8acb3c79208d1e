//! The pages that explain the classes of error, in the binary: served at `/docs/errors/<kind>`, printed by
//! `pmks explain`.

/// Every page: kind and Markdown text.
pub const PAGES: &[(&str, &str)] = &[
    ("already-exists", include_str!("../../../docs/errors/already-exists.md")),
    ("ambiguous", include_str!("../../../docs/errors/ambiguous.md")),
    ("body-too-large", include_str!("../../../docs/errors/body-too-large.md")),
    ("conflict", include_str!("../../../docs/errors/conflict.md")),
    ("forbidden", include_str!("../../../docs/errors/forbidden.md")),
    ("headers-too-large", include_str!("../../../docs/errors/headers-too-large.md")),
    ("invalid-request", include_str!("../../../docs/errors/invalid-request.md")),
    ("malformed", include_str!("../../../docs/errors/malformed.md")),
    ("not-allowed", include_str!("../../../docs/errors/not-allowed.md")),
    ("not-authenticated", include_str!("../../../docs/errors/not-authenticated.md")),
    ("not-found", include_str!("../../../docs/errors/not-found.md")),
    ("precondition", include_str!("../../../docs/errors/precondition.md")),
    ("prerequisite-missing", include_str!("../../../docs/errors/prerequisite-missing.md")),
    ("quota-exceeded", include_str!("../../../docs/errors/quota-exceeded.md")),
    ("stale", include_str!("../../../docs/errors/stale.md")),
    ("throttled", include_str!("../../../docs/errors/throttled.md")),
    ("timeout", include_str!("../../../docs/errors/timeout.md")),
    ("unauthenticated", include_str!("../../../docs/errors/unauthenticated.md")),
    ("unavailable", include_str!("../../../docs/errors/unavailable.md")),
    ("unexpected", include_str!("../../../docs/errors/unexpected.md")),
    ("unsupported", include_str!("../../../docs/errors/unsupported.md")),
];

/// The page of a class of error, in Markdown.
pub fn error_page(kind: &str) -> Option<&'static str> {
    PAGES.iter().find(|(known, _)| *known == kind).map(|(_, page)| *page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_is_about_its_kind() {
        for (kind, page) in PAGES {
            assert!(page.starts_with(&format!("# {kind}: ")), "{kind}");
        }
        assert_eq!(error_page("nothing"), None);
    }
}
