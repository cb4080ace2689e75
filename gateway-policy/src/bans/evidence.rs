//! What is kept of the request that led to a ban.

/// The longest request id kept, in characters.
const ID_CHARS: usize = 64;
/// The longest detail kept, in characters.
const DETAIL_CHARS: usize = 256;

/// Why somebody was banned, for the person who has to explain it: the id of the last offending
/// request, under which the access log has the rest, and a detail such as the WAF rule's id.
/// Both are cut to a bound, since they live as long as the ban and may quote the offender.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    request_id: String,
    detail: String,
}

impl Evidence {
    /// Keeps the first 64 characters of the id and the first 256 of the detail.
    #[must_use]
    pub fn new(request_id: &str, detail: &str) -> Self {
        let cut = |text: &str, chars| text.chars().take(chars).collect();
        Self {
            request_id: cut(request_id, ID_CHARS),
            detail: cut(detail, DETAIL_CHARS),
        }
    }

    /// The id of the last offending request.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// The rule or error that made it an offence.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_evidence_is_cut() {
        let evidence = Evidence::new(&"ü".repeat(1000), &"x".repeat(1000));
        assert_eq!(evidence.request_id().chars().count(), 64);
        assert_eq!(evidence.detail().len(), 256);
        assert_eq!(Evidence::new("r1", "rule 942100").detail(), "rule 942100");
    }
}
