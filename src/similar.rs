//! The name that a user probably meant.

/// The least similarity to a wanted name, from 0 to 1, that a suggested name has.
const SIMILAR: f64 = 0.5;

/// Returns the name that is most similar to `wanted` by edit distance, if one of the names is similar enough. Only letters
/// and digits are compared, in lower case. Of several names that are equally similar, the first one is returned.
pub(crate) fn most_similar<'n>(wanted: &str, names: &'n [String]) -> Option<&'n str> {
    let wanted = comparable(wanted);
    let mut best: Option<(f64, &str)> = None;
    for name in names {
        let compared = comparable(name);
        let longest = wanted.chars().count().max(compared.chars().count());
        let distance = strsim::osa_distance(&wanted, &compared);
        let similarity = 1.0 - distance as f64 / longest.max(1) as f64;
        let is_better = best.is_none_or(|(best, _)| similarity > best);
        if longest > 0 && similarity >= SIMILAR && is_better {
            best = Some((similarity, name));
        }
    }
    best.map(|(_, name)| name)
}

fn comparable(name: &str) -> String {
    let letters = name.chars().filter(|letter| letter.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_with_the_fewest_edits_is_meant() {
        let names = ["id", "review_text", "Text", "tetx", ""].map(str::to_owned);
        for (wanted, expected) in [
            ("text", Some("Text")),
            ("TEXT ", Some("Text")),
            ("reviewtext", Some("review_text")),
            ("txet", Some("Text")),
            ("ID", Some("id")),
            ("rating", None),
            ("", None),
        ] {
            assert_eq!(most_similar(wanted, &names), expected, "{wanted:?}");
        }
        assert_eq!(most_similar("text", &[]), None);
    }
}
