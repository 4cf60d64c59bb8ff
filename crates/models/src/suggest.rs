//! Which name was meant.

/// The up to `n_most` names closest to `wanted`, closest first, ties in the given order.
pub(crate) fn nearest<'a>(
    wanted: &str,
    names: impl IntoIterator<Item = &'a str>,
    n_most: usize,
) -> Vec<String> {
    let mut ranked: Vec<(usize, &str)> = names
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(wanted, name), name))
        .collect();
    ranked.sort_by_key(|(distance, _)| *distance);
    ranked
        .into_iter()
        .take(n_most)
        .map(|(_, name)| name.to_owned())
        .collect()
}
