//! "Did you mean": the known name closest to a misspelt one.

/// Returns `", did you mean NAME?"` for the closest candidate, or nothing when none is close.
pub(crate) fn hint<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> String {
    let wanted = name.to_ascii_lowercase();
    let bound = (wanted.chars().count() / 3).max(2);
    candidates
        .map(|c| {
            (
                strsim::damerau_levenshtein(&wanted, &c.to_ascii_lowercase()),
                c,
            )
        })
        .filter(|&(distance, _)| distance <= bound)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| format!(", did you mean {candidate}?"))
        .unwrap_or_default()
}
