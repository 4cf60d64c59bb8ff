//! Where the boxes and edges of a diagram of nuclei go.

use consilience_core::EmotionModule;

/// What an edge does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    /// Its target reads its source.
    Reads,
    /// Its source inhibits its target.
    Inhibits,
    /// Its target gets what its source was a step before.
    Feedback,
}

/// An edge between two boxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Edge {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) link: Link,
}

/// Boxes in rows: box 0 is what the module reads, then come its nuclei in their order, then its ratings.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layout {
    /// Boxes of each row, from left to right.
    pub(super) rows: Vec<Vec<usize>>,
    pub(super) edges: Vec<Edge>,
}

impl Layout {
    /// A box stands a row below the lowest of what it reads.
    pub(super) fn new(module: &EmotionModule) -> Self {
        let n = module.nuclei.len();
        // The name `visual` is that of no nucleus, or of one that hides what the module reads.
        let place = |name: &String| module.nuclei.iter().position(|n| n.name == *name);
        let index = |name: &String| place(name).map_or(0, |idx| idx + 1);
        let mut edges = Vec::new();
        let mut levels = vec![0; n + 2];
        for (idx, nucleus) in module.nuclei.iter().enumerate() {
            let to = idx + 1;
            let mut all = |names: &[String], link| {
                let of = names.iter().map(|name| Edge {
                    from: index(name),
                    to,
                    link,
                });
                edges.extend(of);
            };
            all(&nucleus.reads, Link::Reads);
            all(&nucleus.inhibited_by, Link::Inhibits);
            all(&nucleus.feedback, Link::Feedback);
            let above = edges
                .iter()
                .filter(|e| e.to == to && e.link != Link::Feedback);
            levels[to] = 1 + above.map(|e| levels[e.from]).max().unwrap_or(0);
        }
        let last = n + 1;
        edges.push(Edge {
            from: index(&module.read_out),
            to: last,
            link: Link::Reads,
        });
        levels[last] = 1 + levels.iter().copied().max().unwrap_or(0);
        let mut rows = vec![Vec::new(); levels[last] + 1];
        for (idx, &level) in levels.iter().enumerate() {
            rows[level].push(idx);
        }
        Self { rows, edges }
    }

    /// Row and place in it of a box.
    pub(super) fn place(&self, of: usize) -> (usize, usize) {
        let found = self.rows.iter().enumerate().find_map(|(row, boxes)| {
            let column = boxes.iter().position(|b| *b == of)?;
            Some((row, column))
        });
        found.unwrap_or((0, 0))
    }
}

/// Where a line from one row to a lower one passes the rows between: in the gap nearest to its straight way.
///
/// `rows` holds the left and right ends of the boxes of each row between, `x` the ends of the line.
pub(super) fn gaps(rows: &[Vec<(f64, f64)>], x: (f64, f64), margin: f64) -> Vec<f64> {
    let n = rows.len() as f64 + 1.0;
    rows.iter()
        .enumerate()
        .map(|(idx, boxes)| {
            let straight = x.0 + (x.1 - x.0) * (idx as f64 + 1.0) / n;
            let before = boxes.first().map(|b| b.0 - margin);
            let between = boxes.windows(2).map(|w| (w[0].1 + w[1].0) / 2.0);
            let after = boxes.last().map(|b| b.1 + margin);
            before
                .into_iter()
                .chain(between)
                .chain(after)
                .min_by(|a, b| (a - straight).abs().total_cmp(&(b - straight).abs()))
                .unwrap_or(straight)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use consilience_core::NucleusInfo;

    fn nucleus(
        name: &str,
        reads: &[&str],
        inhibited_by: &[&str],
        feedback: &[&str],
    ) -> NucleusInfo {
        let owned = |names: &[&str]| names.iter().map(|&n| n.to_owned()).collect();
        NucleusInfo {
            name: name.into(),
            width: 4,
            unit: "linear".into(),
            reads: owned(reads),
            inhibited_by: owned(inhibited_by),
            feedback: owned(feedback),
            attention_entropy: None,
        }
    }

    fn module(nuclei: Vec<NucleusInfo>) -> EmotionModule {
        EmotionModule {
            encoder: "net".into(),
            layer: "last".into(),
            n_features: 8,
            structure: "own".into(),
            n_parameters: 10,
            read_out: nuclei.last().map_or_else(String::new, |n| n.name.clone()),
            nuclei,
            before: vec![],
            after: vec![],
            plane: None,
            history: vec![],
            runs: vec![],
        }
    }

    #[test]
    fn boxes_stand_below_all_they_read() {
        let layout = Layout::new(&module(vec![
            nucleus("LA", &["visual"], &[], &[]),
            nucleus("B", &["LA"], &[], &["AB"]),
            nucleus("AB", &["LA"], &[], &["B"]),
            nucleus("CE", &["LA", "B"], &["AB"], &[]),
        ]));
        assert_eq!(
            layout.rows,
            [vec![0], vec![1], vec![2, 3], vec![4], vec![5]]
        );
        let of = |link| layout.edges.iter().filter(|e| e.link == link).count();
        assert_eq!(
            [Link::Reads, Link::Inhibits, Link::Feedback].map(of),
            [6, 1, 2]
        );
        assert_eq!(layout.place(3), (2, 1));
    }

    #[test]
    fn lines_pass_between_boxes() {
        let rows = [vec![(0.0, 40.0), (60.0, 100.0)]];
        assert_eq!(gaps(&rows, (50.0, 50.0), 10.0), [50.0]);
        let one = [vec![(20.0, 80.0)]];
        assert_eq!(gaps(&one, (50.0, 55.0), 10.0), [90.0]);
    }
}
